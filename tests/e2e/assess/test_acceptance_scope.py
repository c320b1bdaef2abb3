"""Scope: the acceptance examples of requirements.md sections 2 and 5, through HTTP."""

import re

from tests.support.harlow_pike import (
    clio,
    contact,
    explain,
    known,
    labels,
    lines_of,
    new_clients,
    tags,
)
from tests.support.world import World

SEVEN = {"1001", "1002", "1003", "1004", "1007", "1008", "1010"}
TO_CLIO = re.compile(r"/api/v4/[a-z_]+(/[a-z0-9_]+)*\.json|/oauth/(authorize|token)")


async def in_scope(world: World) -> set[str]:
    return set(await world.contacts(state="in_scope"))


def scope(**settings: object) -> dict[str, object]:
    return {"scope": settings}


async def test_the_service_connects_levitate_with_clio_manage_only(pulled: World):
    # OV-1, OV-2, CS-9: the contract has no choice of provider; the service uses only Clio's API v4, not Clio Grow
    document = (await pulled.api.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert not [name for name in schemas if re.search("provider|vendor|crm", name.casefold())]
    fields = {field for schema in schemas.values() for field in schema.get("properties", {})}
    assert {"clio", "clio_id"} <= fields
    assert not {"provider", "vendor", "crm", "integration_type"} & fields
    asked = [entry.path for entry in pulled.simulator.requests()]
    assert [path for path in asked if not TO_CLIO.fullmatch(path)] == []
    assert any(path.endswith("/contacts.json") for path in asked)


async def test_non_clients_are_in_scope_if_chosen_unless_they_have_an_excluded_role(
    pulled: World,
):
    # CS-3, CS-7, C-9, TG-3, TG-16, KF-3, C-15
    assert await in_scope(pulled) == SEVEN
    await pulled.choose(scope(include_non_clients=True))
    assert await in_scope(pulled) == SEVEN | {"1005", "1006"}
    frank = await contact(pulled, "1006")
    assert labels(frank) == {"Clio", "Person", "Personal"}
    assert [fact["value"] for fact in frank["key_facts"]] == ["1006"]
    assert (await explain(pulled, "1006"))["scope"]["rule"] == "include_non_clients"
    await pulled.choose(scope(related_role_exclude=[]))
    assert await in_scope(pulled) == SEVEN | {"1005", "1006", "1009"}
    await pulled.choose(scope(related_role_exclude=None))
    ines = await contact(pulled, "1009")
    assert (ines["state"], ines["state_reason"]) == ("out_of_scope", "role_excluded")
    assert "2001" not in await pulled.contacts(), "a company is never a contact"


async def test_related_people_are_in_scope_if_chosen_unless_they_have_an_excluded_role(
    pulled: World,
):
    # CS-4
    await pulled.choose(scope(include_related=True))
    assert await in_scope(pulled) == SEVEN | {"1005"}
    assert (await explain(pulled, "1005"))["scope"]["detail"] == (
        "This person is related to 00201-Moreno (Spouse)"
    )
    await pulled.choose(scope(related_role_exclude=[]))
    assert await in_scope(pulled) == SEVEN | {"1005", "1009"}
    await pulled.choose(scope(related_role_exclude=["opposing*"]))
    found = await explain(pulled, "1009")
    assert (found["in_scope"], found["scope"]["rule"]) == (False, "related_role_exclude")
    assert "Opposing Counsel in 00201-Moreno" in found["scope"]["detail"]


async def test_a_contact_that_leaves_and_returns_stays_the_same_contact_and_the_feed_has_both_changes(
    pulled: World,
):
    # CS-8, S13
    await pulled.choose(scope(include_related=True))
    eva = await contact(pulled, "1005")
    await pulled.choose(scope(include_related=False))
    gone = await contact(pulled, "1005")
    assert (gone["id"], gone["state"], gone["state_reason"]) == (
        eva["id"], "out_of_scope", "settings",
    )  # fmt: skip
    assert (gone["tags"], gone["owner"], gone["last_name"]) == ([], None, "Lind")
    await pulled.choose(scope(include_related=True))
    assert (await contact(pulled, "1005"))["id"] == eva["id"]
    told = await lines_of(pulled, "1005")
    assert [(line["kind"], line["cause"]) for line in told] == [
        ("contact.added", "settings"),
        ("contact.out_of_scope", "settings"),
        ("contact.updated", "settings"),
    ]
    assert set(told[1]["tags_removed"]) == set(told[0]["tags_added"]) == labels(eva)
    assert told[2]["fields"]["state"] == {"from": "out_of_scope", "to": "in_scope"}


async def test_only_the_primary_address_is_pulled_if_the_settings_say_so(pulled: World):
    # CS-5, DM-4
    both = (await contact(pulled, "1001"))["emails"]
    assert [(mail["address"], mail["primary"]) for mail in both] == [
        ("alice@home.test", True),
        ("alice@work.test", False),
    ]
    await pulled.choose(scope(primary_email_only=True))
    assert (await contact(pulled, "1001"))["emails"] == both[:1]
    jon = await contact(pulled, "1010")
    assert (jon["emails"], jon["state"]) == ([], "in_scope")
    flagged = [
        {**mail, "primary": not mail["primary"]}
        for mail in known(pulled, "contact", 1001)["email_addresses"]
    ]
    clio(pulled).put("contact", {"id": 1001, "email_addresses": flagged})
    await pulled.run()
    (only,) = (await contact(pulled, "1001"))["emails"]
    assert (only["address"], only["primary"]) == ("alice@work.test", True)


async def test_a_segment_includes_and_excludes_contacts_by_the_tags_that_are_switched_on(
    pulled: World,
):
    # CS-6: Jon's Family Law matter is closed and makes no tag
    await pulled.choose(scope(segment={"include_any": ["Family Law"]}))
    assert await in_scope(pulled) == {"1001"}
    jon = await contact(pulled, "1010")
    assert (jon["state"], jon["state_reason"]) == ("out_of_scope", "segment")
    closed_too = {"practice_area": {"matter_status": ["open", "closed"]}}
    await pulled.choose({"tags": closed_too})
    assert await in_scope(pulled) == {"1001", "1010"}
    await pulled.choose(scope(segment={"include_any": [], "exclude_any": [" pending  CLIENT"]}))
    assert await in_scope(pulled) == SEVEN - {"1003", "1004"}


async def test_a_client_who_opts_out_in_clio_leaves_and_returns_without_a_second_announcement(
    pulled: World,
):
    # S8, NC-4: Newsletter OK is checked for Alice; the test uses it as the opt-out field
    before = await new_clients(pulled)
    await pulled.choose(scope(opt_out_field_id="1"))
    assert await in_scope(pulled) == SEVEN - {"1001"}
    assert (await contact(pulled, "1001"))["state_reason"] == "opt_out"
    values = [
        {**value, "value": False} if value["custom_field_id"] == 1 else value
        for value in known(pulled, "contact", 1001)["custom_field_values"]
    ]
    clio(pulled).put("contact", {"id": 1001, "custom_field_values": values})
    await pulled.run()
    assert await in_scope(pulled) == SEVEN
    assert await new_clients(pulled) == before


async def test_person_and_personal_are_two_tags_with_different_meanings(pulled: World):
    # C-16, TG-3, TG-16, TG-17: every individual is a Person; a representative of a company is not Personal
    alice = {tag["label"]: tag["category"] for tag in (await contact(pulled, "1001"))["tags"]}
    assert (alice["Person"], alice["Personal"]) == ("default", "personal_company")
    gail = await tags(pulled, "1007")
    assert {"Person", "Company"} <= gail
    assert "Personal" not in gail
