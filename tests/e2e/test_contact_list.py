"""The list of contacts, which is encoded without the models of the API, is as the API describes it."""

from collections import Counter
from typing import Any

import asyncpg
import pytest

from app.api import contact_counts as api
from app.api import schemas
from app.db.contacts import contact_counts
from app.main import now
from tests.support.world import World

URL = "/v1/accounts/hp/contacts"


async def test_every_contact_has_the_fields_and_types_that_the_api_describes(pulled: World):
    response = await pulled.api.get(URL, params={"limit": 200})
    body = response.json()
    described = schemas.Page[schemas.Contact].model_validate_json(response.content, strict=True)
    assert described.model_dump(mode="json", exclude_unset=True) == body
    assert {contact["state"] for contact in body["data"]} >= {"in_scope"}
    for name in ("company", "owner", "emails", "phones", "addresses", "tags", "key_facts"):
        assert any(contact[name] for contact in body["data"]), f"no contact has {name}"


async def test_a_page_names_the_next_one_until_the_last(pulled: World):
    whole = (await pulled.api.get(URL, params={"limit": 200})).json()
    assert (whole["has_more"], whole["next_cursor"]) == (False, None)
    found, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await pulled.api.get(URL, params=params)).json()
        found += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert found == whole["data"]


async def found(world: World, **params: Any) -> set[str]:
    """Return the Clio ids of the contacts that a list shows."""
    answer = await world.api.get(URL, params={"limit": 200, **params})
    assert answer.status_code == 200, answer.text
    return {contact["clio_id"] for contact in answer.json()["data"]}


async def test_a_contact_is_found_by_the_beginning_of_each_of_its_words(pulled: World):
    for q in ("ali", "Moreno", "moreno alice", "alice@home", "home.test", "919555", "0102", "1001"):
        assert "1001" in await found(pulled, q=q), q
    assert await found(pulled, q="alice moreno") == {"1001"}
    for q in ("lice", "alice kaya", "102", "&"):
        assert "1001" not in await found(pulled, q=q), q
    assert await found(pulled, q="") == {*await pulled.contacts()}


async def test_who_has_left_is_found_by_the_name_that_is_shown(pulled: World):
    firm = pulled.simulator.firms[0]
    before = (await pulled.contacts())["1001"]
    name = {"name": "Alix Renamed", "first_name": "Alix", "last_name": "Renamed"}
    await pulled.choose({"scope": {"segment": {"include_any": ["Nobody has this"]}}})
    assert "1001" in await found(pulled, state="out_of_scope", q="moreno")
    firm.put("contact", {"id": 1001, **name})
    await pulled.run()
    contact = (await pulled.contacts())["1001"]
    assert (contact["state"], contact["last_name"]) == ("out_of_scope", before["last_name"])
    assert "1001" in await found(pulled, q="alice moreno")
    assert "1001" in await found(pulled, q="renamed"), "that is the name in Clio"
    await pulled.choose({"scope": {"segment": {"include_any": []}}})
    assert (await pulled.contacts())["1001"]["last_name"] == "Renamed"
    assert await found(pulled, q="moreno") == set()


async def test_a_contact_that_was_deleted_in_clio_is_still_found(pulled: World):
    pulled.simulator.firms[0].delete("contact", 1001)
    await pulled.run("full")
    assert await found(pulled, state="deleted", q="moreno") == {"1001"}


async def test_the_people_of_a_company_are_found_by_its_new_name(pulled: World):
    old = await found(pulled, q="northwind")
    assert "1007" in old
    pulled.simulator.firms[0].put("contact", {"id": 2001, "name": "Southsea Mills LLC"})
    await pulled.run()
    assert (await pulled.contacts())["1007"]["company"]["name"] == "Southsea Mills LLC"
    assert "1007" in await found(pulled, q="southsea mills")


async def test_several_tags_must_all_match(pulled: World):
    both = await found(pulled, tag=["client", " ACTIVE  client "])
    assert both == await found(pulled, tag="client") & await found(pulled, tag="active client")
    assert both < await found(pulled, tag="client")
    assert await found(pulled, tag=["client", "nobody has this"]) == set()


async def test_contacts_are_found_by_owner_time_and_problem(pulled: World):
    everybody = await pulled.contacts()
    owners = {key: one["owner"]["user_id"] for key, one in everybody.items() if one["owner"]}
    assert await found(pulled, owner="none") == {
        key for key in everybody if owners.get(key) is None
    }
    user = next(iter({*owners.values()} - {None}))
    assert await found(pulled, owner=user) == {key for key, one in owners.items() if one == user}
    times = sorted(one["updated_at"] for one in everybody.values())
    assert await found(pulled, updated_since=times[0]) == {*everybody}
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge", "email_addresses": []})
    await pulled.run()
    changed = (await pulled.contacts())["1001"]
    assert await found(pulled, updated_since=changed["updated_at"]) == {"1001"}
    assert changed["emails"] == []
    without = {key for key, one in (await pulled.contacts()).items() if not one["emails"]}
    assert await found(pulled, problem="no_email") == without
    assert "1001" in without
    assert await found(pulled, problem="no_email", q="moreno") == {"1001"}
    pulled.simulator.firms[0].put(
        "contact",
        {"id": 1001, "email_addresses": [{"id": 1, "name": "Home", "address": "a@b.test"}]},
    )
    await pulled.run()
    assert "1001" not in await found(pulled, problem="no_email")


async def test_contacts_with_doubts_are_found(pulled: World):
    assert await found(pulled, problem="duplicate") == set()
    assert await found(pulled, problem="quarantined") == set()
    connection = await asyncpg.connect(pulled.dsn)
    try:
        await connection.execute(
            "update new_clients set possible_duplicate_of = 'ncl_1' where clio_id = 1001"
        )
        await connection.executemany(
            "insert into quarantine (account_id, resource, clio_id, connection_id, run_id, reason,"
            " found_at, resolved_at) values ('hp', $1, $2, 'cnx', 'run', 'x', now(), $3)",
            [("contacts", 1002, None), ("contacts", 1003, now()), ("matters", 1004, None)],
        )
    finally:
        await connection.close()
    assert await found(pulled, problem="duplicate") == {"1001"}
    assert await found(pulled, problem="quarantined") == {"1002"}


async def test_a_parameter_that_a_list_does_not_know_is_refused(pulled: World):
    for name, value in (("problem", "x"), ("updated_since", "yesterday"), ("tags", "x")):
        assert (await pulled.api.get(URL, params={name: value})).status_code == 422
    assert (await pulled.api.get(URL, params={"tag": ["x"] * 11})).status_code == 422
    twice = await pulled.api.get(URL, params={"owner": ["a", "b"]})
    assert twice.status_code == 422


async def counted(world: World) -> dict[str, dict[Any, int]]:
    """Return what the list of contacts says, counted as in the summary."""
    contacts = (await world.contacts()).values()
    owners = [one["owner"] for one in contacts if one["owner"]]
    tags = [(tag["label"], tag["category"]) for one in contacts for tag in one["tags"]]
    return {
        "state": Counter(one["state"] for one in contacts),
        "tag": Counter(tags),
        "owner": Counter(owner["user_id"] for owner in owners),
        "rule": Counter(owner["rule"] for owner in owners),
    }


async def summary(world: World) -> dict[str, Any]:
    answer = await world.api.get(f"{URL}/summary")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def numbers(body: dict[str, Any]) -> dict[str, dict[Any, int]]:
    return {
        "state": {one["state"]: one["n"] for one in body["by_state"]},
        "tag": {(one["label"], one["category"]): one["n"] for one in body["by_tag"]},
        "owner": {one["user_id"]: one["n"] for one in body["by_owner"]},
        "rule": {one["rule"]: one["n"] for one in body["by_owner_rule"]},
    }


async def test_the_summary_counts_what_the_list_shows(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    pulled.simulator.firms[0].delete("contact", 1001)
    await pulled.run("full")
    whole = await summary(pulled)
    assert numbers(whole) == await counted(pulled)
    assert (whole["total"], whole["complete"]) == (len(await pulled.contacts()), True)
    monkeypatch.setattr(contact_counts, "COUNTED_AT_ONCE", 3)
    assert numbers(await summary(pulled)) == numbers(whole)
    monkeypatch.setattr(contact_counts, "MOST_TAGS", 2)
    few = await summary(pulled)
    assert (len(few["by_tag"]), few["complete"]) == (2, False)
    monkeypatch.setattr(api, "MOST_SECONDS", -1)
    assert (await summary(pulled))["complete"] is False
