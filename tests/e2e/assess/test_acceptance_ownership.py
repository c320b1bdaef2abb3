"""Owners: the acceptance examples of requirements.md section 6, through HTTP."""

from datetime import UTC, datetime
from typing import Any

from tests.support.harlow_pike import clio, contact, explain, known, lines_of, owner, report
from tests.support.world import World


def ownership(**settings: object) -> dict[str, object]:
    return {"ownership": settings}


def considered(why: dict[str, Any]) -> list[tuple[str, str]]:
    return [(matter["matter_clio_id"], matter["outcome"]) for matter in why["owner"]["considered"]]


async def test_each_of_the_three_sources_of_owners_finds_the_expected_owners(pulled: World):
    # OW-1, OW-2, OW-3, C-5
    document = (await pulled.api.get("/openapi.json")).json()
    offered = document["components"]["schemas"]["OwnerSource"]["x-extensible-enum"]
    assert sorted(offered) == ["originating_attorney", "primary_user", "responsible_attorney"]
    assert await owner(pulled, "1001") == ("u_ann", "responsible_attorney", "201")
    await pulled.choose(ownership(source="originating_attorney"))
    assert await owner(pulled, "1001") == ("u_ben", "originating_attorney", "201")
    await pulled.choose(ownership(source="primary_user"))
    owners = [found["owner"] for found in (await pulled.contacts()).values()]
    assert [(found["user_id"], found["rule"]) for found in owners] == [
        ("u_off", "primary_user")
    ] * 7
    refused = await pulled.patch_settings(ownership(source="unassigned"))
    assert refused.status_code == 422


async def test_the_matter_updated_last_decides_or_the_latest_open_one_if_the_settings_say_so(
    pulled: World,
):
    # OW-4, C-17
    assert await owner(pulled, "1010") == ("u_ben", "responsible_attorney", "210")
    await pulled.choose(ownership(prefer_open=True))
    assert await owner(pulled, "1010") == ("u_ann", "originating_attorney", "209")
    assert [matter for matter, _ in considered(await explain(pulled, "1010"))] == [
        "209",
        "210",
        "211",
    ]


async def test_a_matter_without_attorneys_does_not_decide(pulled: World):
    # OW-6, C-4
    assert await owner(pulled, "1003") == ("u_ben", "responsible_attorney", "205")
    assert considered(await explain(pulled, "1003")) == [
        ("204", "names no attorney"),
        ("205", "responsible attorney Ben Pike (502) is u_ben: decides"),
    ]


async def test_the_other_role_of_the_matter_decides_then_the_primary_user_but_no_older_matter(
    pulled: World,
):
    # OW-5, OW-7, C-4: Dana Voss is no Levitate user
    assert await owner(pulled, "1004") == ("u_ann", "originating_attorney", "206")
    earlier = datetime(2025, 1, 1, tzinfo=UTC)
    older = {**known(pulled, "matter", 203), "id": 212, "client_id": 1004, "status": "closed"}
    clio(pulled).put("matter", {**older, "updated_at": earlier.isoformat()}, at=earlier)
    clio(pulled).put("matter", {"id": 206, "originating_attorney_id": None})
    await pulled.run("full")
    assert considered(await explain(pulled, "1004")) == [
        ("206", "responsible attorney Dana Voss (504) is not an active Levitate user"),
        ("212", "not needed: an earlier matter in this list decides"),
    ]
    found = (await contact(pulled, "1004"))["owner"]
    assert found == {
        "user_id": "u_off",
        "rule": "fallback",
        "matter_clio_id": None,
        "detail": "attorney_not_mapped: Dana Voss (504)",
    }


async def test_without_an_attorney_the_fallback_decides_and_can_be_unassigned(pulled: World):
    # OW-8, C-3, C-18, row 5: the firm chooses whether contacts can be unassigned; Levitate handles the null
    assert await owner(pulled, "1008") == ("u_off", "fallback", None)
    await pulled.choose(ownership(fallback="unassigned"))
    nobody = (await contact(pulled, "1008"))["owner"]
    assert nobody == {
        "user_id": None,
        "rule": "unassigned",
        "matter_clio_id": None,
        "detail": "no_visible_matter",
    }
    line = (await lines_of(pulled, "1008"))[-1]
    assert (line["owner"]["from"], line["owner"]["to"]) == ("u_off", None)
    assert line["contact"]["owner"] == nobody, "the feed has the owner or null"
    assert await owner(pulled, "1001") == ("u_ann", "responsible_attorney", "201")


async def test_a_user_who_has_not_connected_can_own_contacts_by_email_and_later_by_the_connection(
    pulled: World,
):
    # OW-9
    async def mapped() -> dict[str, tuple[str | None, str | None]]:
        url = "/v1/accounts/hp/attorneys"
        found = (await pulled.api.get(url)).json()["data"]
        return {who["clio_user_id"]: (who["user_id"], who["mapped_by"]) for who in found}

    assert await mapped() == {
        "501": ("u_ann", "connection"),
        "502": ("u_ben", "email"),
        "503": ("u_cat", "email"),
        "504": (None, None),
    }
    before = await owner(pulled, "1010")
    assert before == ("u_ben", "responsible_attorney", "210")
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    assert (await mapped())["502"] == ("u_ben", "connection")
    assert await owner(pulled, "1010") == before


async def test_related_matters_decide_for_non_clients_and_the_companys_matters_for_its_representatives(
    pulled: World,
):
    # OW-10, C-6
    everybody = {"include_non_clients": True, "include_related": True}
    await pulled.choose({"scope": everybody})
    assert await owner(pulled, "1005") == ("u_ann", "responsible_attorney", "201")
    assert await owner(pulled, "1007") == ("u_ben", "responsible_attorney", "207")
    assert await owner(pulled, "1006") == ("u_off", "fallback", None)


async def test_a_change_of_owner_is_reported_with_the_matter_that_caused_it(pulled: World):
    # OW-11: M202 decides because it was edited
    clio(pulled).put("matter", {"id": 202})
    run = await pulled.run()
    assert await owner(pulled, "1001") == ("u_ben", "responsible_attorney", "202")
    line = (await lines_of(pulled, "1001"))[-1]
    assert line["owner"] == {
        "from": "u_ann",
        "to": "u_ben",
        "rule": "responsible_attorney",
        "matter_clio_id": "202",
    }
    told = await report(pulled, run)
    assert told["noted"]["owner_changes"] == 1
    (row,) = told["outcomes"]
    assert (row["clio_id"], row["outcome"]) == ("1001", "updated")
    assert row["owner"] == "u_ben"


async def test_a_sticky_owner_stays_as_long_as_a_matter_has_that_attorney(pulled: World):
    # OW-11, row 24
    await pulled.choose(ownership(sticky=True))
    clio(pulled).put("matter", {"id": 202})
    await pulled.run()
    assert await owner(pulled, "1001") == ("u_ann", "sticky", "201")
    clio(pulled).put("matter", {"id": 201, "responsible_attorney_id": 504})
    clio(pulled).put("matter", {"id": 202})
    await pulled.run()
    assert (await owner(pulled, "1001"))[0] == "u_ben"
