"""Each user is shown what the user's own login sees in Clio, and nothing else [API-30, T10].

The simulated Clio says what each login sees. Ann and Ben see all contacts, Cat those of the matters that she sees.
Matter 201 is Ann's, 208 and 209 are Ben's; the matter of Deniz Kaya is hidden from Cat, so she does not see him.
"""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx
import pytest

from app import main
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.contacts import contact_counts, visible_contacts
from app.db.session import transaction
from app.simulator.store.firm import Firm
from tests.e2e.writeback.test_writeback import EMAIL
from tests.support.first_run import AfterFirstRun
from tests.support.postgres import Server
from tests.support.walls import (
    HP,
    LOGINS,
    acting,
    all_for,
    firm_with_walls,
    get_for,
    hidden_words,
    revealed,
)
from tests.support.world import World

USERS = (*LOGINS, "u_off", "u_nobody")


@pytest.fixture(scope="session")
def after_walls(server: Server, after_first_run: AfterFirstRun) -> AfterFirstRun:
    """The firm with a wall, made once: a template database, and the simulated Clio that belongs to it."""
    return asyncio.run(firm_with_walls(server, after_first_run))


@pytest.fixture
def start_state(after_walls: AfterFirstRun) -> AfterFirstRun:
    """The state in which the tests of this file start."""
    return after_walls


@pytest.fixture
async def walled(world: World) -> World:
    """The service with that firm."""
    return world


async def our_ids(world: World) -> dict[str, list[str]]:
    """Return our ids of what belongs to each person, by Clio's id, as a Success Manager reads them."""
    world.api.headers["Levitate-User"] = "u_sam"
    found: dict[str, list[str]] = {}
    for contact in (await world.contacts()).values():
        found.setdefault(contact["clio_id"], []).append(contact["id"])
    for what in ("new-clients", "activities"):
        async for item in world.all(what):
            clio_id = item.get("clio_id") or item["clio_contact_id"]
            found.setdefault(clio_id, []).append(item["id"])
    del world.api.headers["Levitate-User"]
    return found


async def test_a_user_is_shown_exactly_the_people_whom_clio_shows_to_the_users_own_login(
    walled: World,
):
    firm, ids = walled.simulator.firms[0], await our_ids(walled)
    people = {key: found[0] for key, found in ids.items()}
    for user_id in USERS:
        seen = {key for key in people if sees(firm, user_id, "contact", key)}
        listed = {
            contact["clio_id"]: contact for contact in await all_for(walled, user_id, "contacts")
        }
        assert set(listed) == seen, user_id
        for clio_id, contact_id in people.items():
            for part in ("", "/explain", "/history", "?as_of=2099-01-01T00:00:00Z"):
                response = await get_for(walled, user_id, f"contacts/{contact_id}{part}")
                assert response.status_code == (200 if clio_id in seen else 404), (user_id, clio_id)
                if clio_id not in seen:
                    unknown = await get_for(walled, user_id, f"contacts/con_nobody{part}")
                    assert problem(response) == problem(unknown)
    assert {key for key in people if sees(firm, "u_cat", "contact", key)} == {
        *("1001", "1002", "1003", "1010", "5000")
    }, "the wall of this test hides some and shows some"


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return a problem without what names the request."""
    return {**response.json(), "instance": "", "request_id": ""}


def sees(firm: Firm, user_id: str, kind: str, clio_id: str) -> bool:
    clio_user = LOGINS.get(user_id)
    return clio_user is not None and firm.sees(clio_user, kind, int(clio_id))


async def test_no_response_to_a_user_has_a_fact_that_clio_does_not_show_to_the_users_login(
    walled: World,
):
    # 0 extra facts: names, addresses, numbers of matters, and ids, in every read below the account
    firm, ids = walled.simulator.firms[0], await our_ids(walled)
    reads = await all_reads(walled, ids)
    assert len(reads) > 60
    for user_id in USERS:
        hidden = [*hidden_words(firm, user_id, ids)]
        for path in reads:
            role = "account_admin" if path.startswith("clio-contacts") else "user"
            response = await get_for(walled, user_id, path, role)
            assert response.status_code in (200, 404), (user_id, path, response.text)
            asked = f"{HP}/{path}".partition("?")[0]  # a problem repeats it
            text = response.text.replace(asked, "")
            assert not revealed(text, hidden), (user_id, path)


async def all_reads(world: World, ids: dict[str, list[str]]) -> list[str]:
    """Return the paths of all reads that are limited, with the ids of everything that there is."""
    world.api.headers["Levitate-User"] = "u_sam"
    runs = [run["id"] for run in await world.runs()]
    holds = [hold["id"] async for hold in world.all("holds")]
    del world.api.headers["Levitate-User"]
    of_contacts = ("", "/explain", "/history", "?as_of=2099-01-01T00:00:00Z")
    mine = [item for found in ids.values() for item in found]
    return [
        *(f"contacts/{one}{part}" for one in mine if one[:4] == "con_" for part in of_contacts),
        *(f"activities/{one}" for one in mine if one[:4] == "act_"),
        *(f"runs/{one}/report{part}" for one in runs for part in ("", "?format=csv")),
        *(f"runs/{one}" for one in runs),
        *(f"holds/{one}/items?limit=200" for one in holds),
        *(f"{name}?limit=200" for name in ("contacts", "new-clients", "activities", "issues")),
        *(f"{name}?limit=200" for name in ("holds", "audit", "runs", "connections")),
        *("status", "users", "attorneys"),
        *(f"clio-contacts/{clio_id}" for clio_id in world.simulator.firms[0].ids("contact")),
        "clio-contacts?limit=200",
    ]


async def test_an_administrator_finds_those_of_clios_contacts_whom_the_login_sees(walled: World):
    # T10: not who else is there, and what would bring a person in only with all reasons in sight
    firm = walled.simulator.firms[0]
    for user_id in USERS:
        page = await get_for(walled, user_id, "clio-contacts?limit=200", "account_admin")
        listed = {row["clio_id"] for row in page.json()["data"]}
        seen = {str(key) for key in firm.ids("contact") if sees(firm, user_id, "contact", str(key))}
        assert listed == seen, user_id
        for clio_id in map(str, firm.ids("contact")):
            answer = await get_for(walled, user_id, f"clio-contacts/{clio_id}", "account_admin")
            assert answer.status_code == (200 if clio_id in seen else 404), (user_id, clio_id)


def labels(contact: dict[str, Any]) -> set[str]:
    return {tag["label"] for tag in contact["tags"]}


async def contact_for(world: World, user_id: str, clio_id: str) -> dict[str, Any]:
    (found,) = await all_for(world, user_id, "contacts", clio_id=clio_id)
    return found


async def test_a_tag_is_shown_to_those_who_see_one_of_its_matters(walled: World):
    # 1001 has matter 201, which Ann alone sees, and 202, which all see
    ann, cat = [await contact_for(walled, user, "1001") for user in ("u_ann", "u_cat")]
    of_201 = {"Active Client", "Family Law", "00201-Moreno", "Responsible Attorney: Ann Harlow"}
    assert of_201 <= labels(ann)
    assert not of_201 & labels(cat)
    shared = {"Clio", "Person", "Client", "Personal", "Raleigh", "Nickname: Allie"}
    assert shared <= labels(cat), "the tags of matter 202 and of the contact's own record stay"
    assert ann["owner"] == {
        "user_id": "u_ann", "rule": "responsible_attorney", "matter_clio_id": "201", "detail": None,
    }  # fmt: skip
    assert cat["owner"] == {
        "user_id": "u_ann", "rule": "not_shown", "matter_clio_id": None, "detail": None,
    }  # fmt: skip
    assert cat["key_facts"] == ann["key_facts"] != []


async def test_an_explanation_names_only_matters_that_the_login_sees(walled: World):
    contact_id = (await contact_for(walled, "u_cat", "1001"))["id"]
    found = (await get_for(walled, "u_cat", f"contacts/{contact_id}/explain")).json()
    grants = {tag["label"]: tag["grants"] for tag in found["tags"]}
    assert [grant["matter_clio_ids"] for grant in grants["Client"]] == [[], ["202"]]
    assert grants["Client"][1]["detail"] == "By these matters in Clio: 202"
    assert found["scope"]["rule"] == "clients", "the flag is in the contact's own record"
    assert [one["matter_clio_id"] for one in found["owner"]["considered"]] == ["202"]
    assert found["not_granted"] == []
    assert len(found["seen_by"]) == 1
    whole = (await get_for(walled, "u_ann", f"contacts/{contact_id}/explain")).json()
    refused = {one["label"]: one["why"] for one in whole["not_granted"]}
    assert refused["Estate Planning"].startswith("00202-Moreno is closed")


async def test_a_filter_finds_nobody_by_what_is_not_shown(
    walled: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(visible_contacts, "AT_ONCE", 1)  # several reads for a page
    assert await all_for(walled, "u_ann", "contacts", tag="Family Law")
    assert not await all_for(walled, "u_cat", "contacts", tag="Family Law")
    assert not await all_for(walled, "u_cat", "contacts", q="kaya")
    assert await all_for(walled, "u_cat", "contacts", q="moreno")
    assert not await all_for(walled, "u_cat", "contacts", clio_id=1004)
    active = {one["clio_id"] for one in await all_for(walled, "u_cat", "contacts", tag="client")}
    assert active == {"1001", "1002", "1003", "1010", "5000"}


async def test_the_total_and_the_order_are_those_of_what_is_shown(
    walled: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(visible_contacts, "AT_ONCE", 1)
    for user in ("u_ann", "u_cat"):
        for wanted in (
            {},
            {"tag": "client"},
            {"q": "moreno"},
            {"q": "kaya"},
            {"state": "in_scope"},
        ):
            found = await all_for(walled, user, "contacts", **wanted)
            newest = await all_for(walled, user, "contacts", order="newest", **wanted)
            by_time = sorted(found, key=lambda one: (one["first_synced_at"], one["id"]))
            assert newest == by_time[::-1]
            asked: dict[str, Any] = {"count": True, "limit": 1, **wanted}
            page = await walled.api.get(f"{HP}/contacts", params=asked, headers=acting(user))
            assert page.json()["total"] == len(found), (user, wanted)


async def test_the_summary_counts_what_is_shown(walled: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contact_counts, "SHOWN_AT_ONCE", 2)  # several steps
    for user in ("u_ann", "u_cat"):
        shown = await all_for(walled, user, "contacts")
        answer = await walled.api.get(f"{HP}/contacts/summary", headers=acting(user))
        body = answer.json()
        assert body["total"] == len(shown)
        tags = Counter(tag["label"] for one in shown for tag in one["tags"])
        assert {one["label"]: one["n"] for one in body["by_tag"]} == tags
        rules = Counter(one["owner"]["rule"] for one in shown if one["owner"])
        assert {one["rule"]: one["n"] for one in body["by_owner_rule"]} == rules
    nobody = await walled.api.get(f"{HP}/contacts/summary")
    assert nobody.json()["code"] == "acting_user_required"


async def test_a_field_is_shown_to_those_to_whom_clio_shows_it(walled: World):
    # Cat is not shown e-mail addresses any more, nor the company of 1002
    firm = walled.simulator.firms[0]
    ann, cat = [await contact_for(walled, user, "1002") for user in ("u_ann", "u_cat")]
    assert ann["company"] == {"clio_id": "2002", "name": "Holding Corp"}
    assert cat["company"] == {"clio_id": "2002", "name": None}
    assert cat["emails"] == ann["emails"] != []
    firm.emails_hidden.add(503)
    for clio_id in (1001, 1002):
        firm.put("contact", {"id": clio_id, "title": "Judge"})
    nameless = {"first_name": None, "last_name": None, "name": ""}
    firm.put("contact", {"id": 5000, **nameless})
    await walled.run()
    ann, cat = [await contact_for(walled, user, "1002") for user in ("u_ann", "u_cat")]
    assert (cat["emails"], cat["title"]) == ([], "Judge")
    assert ann["emails"] != []
    assert await all_for(walled, "u_ann", "contacts", q="alice@home")
    assert not await all_for(walled, "u_cat", "contacts", q="alice@home")
    (hold,) = await all_for(walled, "u_ann", "holds")
    names = [
        {
            item["clio_id"]: item["name"]
            for item in await all_for(walled, user, f"holds/{hold['id']}/items")
        }
        for user in ("u_ann", "u_cat")
    ]
    assert (names[0]["5000"], names[1]["5000"]) == ("new5000@mail.test", "")
    for part in ("explain", "history"):
        found = await get_for(walled, "u_cat", f"contacts/{cat['id']}/{part}")
        assert "bram@mail.test" not in found.text


async def test_issues_name_only_records_that_the_login_sees(walled: World):
    # a person and a matter that cannot be read, values of several people, and what only an ended login sees
    firm = walled.simulator.firms[0]
    for clio_id in (1001, 1004):
        firm.put("contact", {"id": clio_id, "title": "XXX"})

    def spoil(path: str, body: bytes) -> bytes:
        if path != "/api/v4/contacts.json":
            return body
        document = json.loads(body)
        for record in document["data"]:
            if record["id"] in (1003, 1007):
                record["date_of_birth"] = "soon"
        return json.dumps(document).encode().replace(b'"XXX"', b'"\\ud800"')

    walled.clio_transport.edit = spoil
    walled.simulator.oauth["us"].revoke_user(502)
    run = await walled.run("full")
    manager = acting("u_sam", "success_manager")
    whole = await walled.api.get(f"{HP}/issues", params={"status": "open"}, headers=manager)
    details = {(one["code"], one["subject"]["id"]): one["detail"] for one in whole.json()["data"]}
    assert "Clio ids 208" in next(
        text for (code, _), text in details.items() if code == "coverage_lost"
    )
    assert "Clio ids 1003, 1007" in details["value_unreadable", "contacts.date_of_birth"]
    assert {"1001", "1004"} <= {id_ for code, id_ in details if code == "record_quarantined"}
    hidden = [*hidden_words(firm, "u_cat", await our_ids(walled))]
    for path in ("issues?limit=200", "status", f"runs/{run['id']}", f"runs/{run['id']}/report"):
        response = await get_for(walled, "u_cat", path)
        assert not revealed(response.text, hidden), (path, response.text)
    about = {
        (issue["code"], issue["subject"]["id"])
        for issue in await all_for(walled, "u_cat", "issues", status="open")
    }
    assert ("record_quarantined", "1001") in about
    assert ("record_quarantined", "1004") not in about
    url = f"{HP}/issues/{{}}/resolve"
    (of_1004,) = [one for one in whole.json()["data"] if one["subject"]["id"] == "1004"]
    refused = await walled.api.post(
        url.format(of_1004["id"]), headers=acting("u_cat", "account_admin")
    )
    assert (refused.status_code, refused.json()["code"]) == (404, "issue_not_found")


async def test_an_audit_entry_is_shown_to_those_who_see_the_person_that_it_names(walled: World):
    ids = await our_ids(walled)
    actor, now = Actor("tok", "u_ann", "user"), main.now()
    async with transaction(walled.app.state.services.database, "hp") as session:
        for named in (ids["1001"][0], ids["1004"][0], *ids["1004"][1:], "run_1"):
            await audit.record(session, "hp", actor, AuditAction("tried", named), now=now)
            about = AuditAction("tried", "run_2", {"contact_id": named})
            await audit.record(session, "hp", actor, about, now=now)
    found = [one for one in await all_for(walled, "u_cat", "audit") if one["action"] == "tried"]
    subjects = {(one["subject"], one["details"].get("contact_id")) for one in found}
    assert subjects == {
        *((ids["1001"][0], None), ("run_2", ids["1001"][0])), ("run_1", None), ("run_2", "run_1"),
    }  # fmt: skip


async def test_counts_are_of_the_people_who_are_shown(walled: World):
    for user_id in USERS:
        contacts = await all_for(walled, user_id, "contacts")
        status = (await get_for(walled, user_id, "status")).json()
        by_state = {"in_scope": 0, "out_of_scope": 0, "deleted": 0}
        for contact in contacts:
            by_state[contact["state"]] += 1
        assert status["contacts"] == by_state
        assert status["open_issues"] == len(await all_for(walled, user_id, "issues", status="open"))
        for hold in await all_for(walled, user_id, "holds"):
            items = await all_for(walled, user_id, f"holds/{hold['id']}/items")
            assert hold["count"] == len(items) == len(hold["contact_clio_ids"])
            assert sum(hold["summary"]["by_basis"].values()) == hold["count"]
    (hold,) = await all_for(walled, "u_cat", "holds")
    assert hold["contact_clio_ids"] == ["5000"]


async def test_a_new_client_is_shown_with_a_reason_that_the_login_sees(walled: World):
    # Ben sees both people, but not their matters: one is a client by the matter, the other one by the flag
    firm = walled.simulator.firms[0]
    for number, flag in ((6000, False), (6001, True)):
        person = {**(firm.find("contact", 1006) or {}), "id": number, "is_client": flag}
        firm.put("contact", {**person, "last_name": f"Late{number}", "email_addresses": []})
        matter = {**(firm.find("matter", 203) or {}), "id": number + 100, "status": "open"}
        firm.put("matter", {**matter, "client_id": number, "display_number": f"0{number}-Late"})
        firm.restrict_matter(number + 100, {501})
    await walled.choose({"new_client": {"surge_threshold": 50}})
    await walled.run()
    ann, ben = [
        {row["clio_id"]: row for row in await all_for(walled, user, "new-clients")}
        for user in ("u_ann", "u_ben")
    ]
    assert (ann["6000"]["basis"], ann["6001"]["basis"]) == ("matter", "flag")
    assert ann["6001"]["has_open_matter"]
    assert ann["6001"]["client_since"] == "2025-06-01"
    assert "6000" not in ben
    shown = (ben["6001"]["has_open_matter"], ben["6001"]["client_since"])
    assert shown == (False, None)
    contact_id = ann["6000"]["contact_id"]
    explained = (await get_for(walled, "u_ben", f"contacts/{contact_id}/explain")).json()
    assert (explained["new_client"], explained["scope"]["rule"]) == (None, "not_shown")


async def test_a_hidden_person_is_unknown_to_changes_too(walled: World):
    # the responses are those for ids of nobody, and nothing happens
    ids = await our_ids(walled)
    contact, new_client, activity = ids["1004"]
    admin = acting("u_cat", "account_admin")
    for method, path, unknown, body in (
        ("POST", "contacts/{}/preexisting-tags", contact, {"labels": ["x"]}),
        ("DELETE", "contacts/{}", contact, None),
        ("POST", "new-clients/{}/replay", new_client, None),
        ("POST", "activities/{}/retry", activity, None),
        ("POST", "activities/{}/cancel", activity, None),
    ):
        answers = [
            await walled.api.request(
                method,
                f"{HP}/{path.format(one)}",
                json=body,
                headers={**admin, "X-Request-Id": "same"},
            )
            for one in (unknown, f"{unknown[:4]}nobody")
        ]
        assert [answer.status_code for answer in answers] == [404, 404], path
        hidden, nobody = [answer.json() for answer in answers]
        assert {**hidden, "instance": ""} == {**nobody, "instance": ""}
    for contact_id in (contact, "con_nobody"):
        asking = {"kind": "incremental", "contact_id": contact_id}
        key = {"Idempotency-Key": f"hidden-{contact_id}"}
        asked = await walled.api.post(f"{HP}/runs", json=asking, headers={**admin, **key})
        assert (asked.status_code, asked.json()["code"]) == (404, "contact_not_found")


async def test_an_activity_for_a_hidden_person_is_skipped_like_one_for_an_unknown_person(
    walled: World,
):
    skipped = []
    for number, clio_id in enumerate(("1004", "99999")):
        body = {**EMAIL, "user_id": "u_cat", "clio_contact_id": clio_id}
        key = {"Idempotency-Key": f"hidden-activity-{number}"}
        response = await walled.api.post(
            f"{HP}/activities", json=body, headers={**acting("u_cat"), **key}
        )
        assert response.status_code == 200, response.text
        found = response.json()
        after = await get_for(walled, "u_cat", f"activities/{found['id']}")
        assert after.status_code == 404
        skipped.append({**found, "id": "", "created_at": "", "clio_contact_id": ""})
    assert skipped[0] == skipped[1]
    assert (skipped[0]["status"], skipped[0]["reason"]) == ("skipped", "not_linked")


async def test_a_hold_can_be_decided_only_by_items_that_are_shown(walled: World):
    (hold,) = await all_for(walled, "u_cat", "holds")
    (item,) = await all_for(walled, "u_cat", f"holds/{hold['id']}/items")
    assert item["new_client"] is None, "the reason may be a matter that u_cat does not see"
    hidden = item["id"].replace("5000", "5001")
    url, admin = f"{HP}/holds/{hold['id']}/release", acting("u_cat", "account_admin")
    for unknown in (hidden, item["id"].replace("5000", "777")):
        refused = await walled.api.post(url, json={"ids": [unknown]}, headers=admin)
        assert refused.status_code == 422
        assert [one["pointer"] for one in refused.json()["errors"]] == ["/ids/0"]
    released = await walled.api.post(url, json={"ids": [item["id"]]}, headers=admin)
    assert (released.status_code, released.json()["count"]) == (200, 0)
    assert released.json()["contact_clio_ids"] == []
    ann = next(one for one in await all_for(walled, "u_ann", "holds") if one["id"] == hold["id"])
    assert ann["count"] == 3, "those whom she does not see wait on"


async def test_what_a_success_manager_reads_is_shown_whole_and_audited(walled: World):
    manager = acting("u_sam", "success_manager")
    listed = await walled.api.get(f"{HP}/contacts", params={"limit": 200}, headers=manager)
    found = {contact["clio_id"]: contact for contact in listed.json()["data"]}
    assert {"1004", "1008", "5003"} <= set(found)
    assert "Active Client" in labels(found["1008"])
    contact_id = found["1008"]["id"]
    assert (await walled.api.get(f"{HP}/contacts/{contact_id}", headers=manager)).is_success
    audit = await walled.api.get(f"{HP}/audit", params={"limit": 200}, headers=manager)
    read = [
        (entry["user_id"], entry["role"], entry["subject"], entry["details"])
        for entry in audit.json()["data"]
        if entry["action"] == "people.read"
    ]
    assert read[:2] == [
        ("u_sam", "success_manager", None, {"operation": "list_contacts"}),
        ("u_sam", "success_manager", contact_id, {"operation": "get_contact"}),
    ]
    before = len(await all_for(walled, "u_ann", "audit"))
    await get_for(walled, "u_ann", "contacts")
    assert len(await all_for(walled, "u_ann", "audit")) == before, "users see their own"


async def test_an_administrator_of_the_firm_is_limited_like_a_user(walled: World):
    answers = [
        await walled.api.get(f"{HP}/contacts", headers=acting("u_cat", role))
        for role in ("user", "account_admin")
    ]
    assert answers[0].json() == answers[1].json()


async def test_a_login_that_does_not_work_shows_nobody(walled: World):
    assert await all_for(walled, "u_ben", "contacts")
    walled.simulator.oauth["us"].revoke_user(502)
    await walled.run()
    assert not await all_for(walled, "u_ben", "contacts")
    await walled.connect("u_ben", 502)
    await walled.settled()
    assert await all_for(walled, "u_ben", "contacts")
    found = {one["user_id"]: one["id"] for one in await all_for(walled, "u_ann", "connections")}
    await walled.api.delete(f"{HP}/connections/{found['u_ben']}")
    assert not await all_for(walled, "u_ben", "contacts")


async def test_what_a_login_loses_in_clio_is_hidden_after_the_next_full_run(walled: World):
    firm = walled.simulator.firms[0]
    assert "Past Client" in labels(await contact_for(walled, "u_cat", "1002"))
    firm.restrict_matter(203, {501})
    await walled.run("full")
    assert not await all_for(walled, "u_cat", "contacts", clio_id=1002)
    ben = labels(await contact_for(walled, "u_ben", "1002"))
    assert "Past Client" not in ben
    assert "Client" in ben, "the flag is in the contact's own record"
    assert "Past Client" in labels(await contact_for(walled, "u_ann", "1002"))


async def test_a_connection_that_another_clio_user_takes_over_begins_to_see_anew(walled: World):
    # what the user before could see must not be shown until the next full run
    assert await all_for(walled, "u_ben", "contacts", clio_id=1008)
    async with walled.clio_transport.paused("/api/v4/contacts"):
        await walled.connect("u_ben", 503)
        assert not await all_for(walled, "u_ben", "contacts")
    await walled.settled()
    ben, cat = [
        {contact["clio_id"]: contact for contact in await all_for(walled, user, "contacts")}
        for user in ("u_ben", "u_cat")
    ]
    assert ben == cat
    assert "1008" not in ben
    await walled.run("full")
    manager = acting("u_sam", "success_manager")
    everybody = await walled.api.get(f"{HP}/contacts?limit=200", headers=manager)
    states = {contact["clio_id"]: contact["state"] for contact in everybody.json()["data"]}
    assert states["1008"] == "in_scope", "nothing is withdrawn"
