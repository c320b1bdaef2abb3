"""The history of a contact, and the contact as it was at any time."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.e2e.assess.test_settings import ALL_AREAS
from tests.support.world import World


@pytest.fixture
async def changed(pulled: World) -> World:
    """The firm after two changes of Bram: one in Clio, one of settings."""
    pulled.simulator.firms[0].put("contact", {"id": 1002, "title": "Baker"})
    await pulled.run()
    await pulled.choose(ALL_AREAS)
    return pulled


async def bram(world: World) -> dict[str, Any]:
    return (await world.contacts())["1002"]


async def test_the_history_has_every_change_of_one_contact(changed: World):
    # S12
    contact = await bram(changed)
    lines = [line async for line in changed.all(f"contacts/{contact['id']}/history", limit=1)]
    feed = [line for line in await changed.changes() if line["clio_id"] == "1002"]
    assert lines == feed
    assert [(line["kind"], line["cause"]) for line in lines] == [
        ("contact.added", "sync"),
        ("contact.updated", "sync"),
        ("contact.updated", "settings"),
    ]
    assert lines[1]["fields"] == {"title": {"from": None, "to": "Baker"}}
    assert lines[2]["tags_added"] == ["Real Estate"]
    runs = [run["id"] for run in await changed.runs()]
    assert [line["run_id"] for line in lines] == runs
    assert lines[-1]["contact"] == contact


async def test_a_contact_is_shown_as_it_was_at_a_time(changed: World):
    # S12
    contact = await bram(changed)
    url = f"/v1/accounts/hp/contacts/{contact['id']}"
    lines = [line async for line in changed.all(f"contacts/{contact['id']}/history")]
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        at = datetime.fromisoformat(line["at"])
        last = datetime.fromisoformat(after["at"]) if after else at + timedelta(days=1)
        for moment in (at, last - timedelta(microseconds=1)):
            answer = await changed.api.get(url, params={"as_of": moment.isoformat()})
            assert answer.json() == line["contact"]
    assert (await changed.api.get(url)).json() == lines[-1]["contact"]


async def test_a_contact_is_not_found_before_its_first_sync(changed: World):
    # S12
    contact = await bram(changed)
    url = f"/v1/accounts/hp/contacts/{contact['id']}"
    earlier = datetime.fromisoformat(contact["first_synced_at"]) - timedelta(microseconds=1)
    answer = await changed.api.get(url, params={"as_of": earlier.isoformat()})
    assert (answer.status_code, answer.json()["code"]) == (404, "contact_not_yet_known")
    for unusable in ("2026-03-03T11:00:00", "9999-12-31T23:59:59-14:00"):
        answer = await changed.api.get(url, params={"as_of": unusable})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query:as_of")


async def test_the_history_of_an_unknown_contact_and_a_cursor_of_another_contact_are_refused(
    changed: World,
):
    contacts = await changed.contacts()
    url = "/v1/accounts/hp/contacts/{}/history"
    answer = await changed.api.get(url.format("con_nobody"))
    assert (answer.status_code, answer.json()["code"]) == (404, "contact_not_found")
    page = await changed.api.get(url.format(contacts["1002"]["id"]), params={"limit": 1})
    params = {"cursor": page.json()["next_cursor"]}
    answer = await changed.api.get(url.format(contacts["1001"]["id"]), params=params)
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_mismatch")


async def test_every_action_is_in_the_audit_log_with_its_actor(pulled: World):
    # EN-2
    ben = {"Levitate-User": "u_ben"}
    url = "/v1/accounts/hp/attorneys/504"
    await pulled.api.put(url, json={"user_id": "u_cat"}, headers=ben)
    await pulled.api.put(url, json={"user_id": "u_cat"}, headers=ben)  # no change, so no entry
    await pulled.api.delete(url, headers=ben)
    connection = await anext(pulled.all("connections"))
    await pulled.api.delete(f"/v1/accounts/hp/connections/{connection['id']}", headers=ben)
    account = (await pulled.api.get("/v1/accounts/hp")).json()
    body = {name: account[name] for name in ("name", "time_zone", "primary_user_id", "enabled")}
    await pulled.api.put("/v1/accounts/hp", json={**body, "country": "CA"}, headers=ben)
    await pulled.settled()
    entries = [entry async for entry in pulled.all("audit")]
    found = [(entry["action"], entry["subject"], entry["user_id"]) for entry in entries]
    assert found == [
        ("account.created", None, None),
        ("users.replaced", None, None),
        ("connection.started", connection["id"], None),
        ("account.firm_bound", "77", None),
        ("connection.connected", connection["id"], "u_ann"),
        ("attorney.mapped", "504", "u_ben"),
        ("attorney.unmapped", "504", "u_ben"),
        ("connection.ended", connection["id"], "u_ben"),
        ("account.changed", None, "u_ben"),
    ]
    assert entries[-1]["details"] == {"pointers": ["/country"]}
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)
