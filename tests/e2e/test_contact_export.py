"""The export of a person has everything that is held about the person [S15]."""

from typing import Any

from app.db.contacts import person_export
from tests.e2e.test_erased_from_the_dump import HP, VALUES, fill, values_of
from tests.support.dump_search import dump, tables_with
from tests.support.walls import WALL, acting
from tests.support.world import World

# Tables that name the person and have nothing of their own to tell: keys of requests, what runs want to read, what is
# told of others, and words to search in.
NOT_EXPORTED = {"idempotency_keys", "runs", "named_records", "listed", "accounts", "search_words"}


async def export(world: World, contact_id: str, **headers: str) -> Any:
    return await world.api.get(f"{HP}/contacts/{contact_id}/export", headers=headers)


async def test_every_value_and_every_table_of_the_person_is_exported(
    pulled: World, monkeypatch: Any
):
    contact_id = await fill(pulled)
    dumped = await dump(pulled.dsn)
    monkeypatch.setattr("app.api.contact_export.BATCH_SIZE", 1)  # several reads for a table
    answer = await export(pulled, contact_id)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert (document["contact_id"], document["clio_id"]) == (contact_id, "1001")
    assert document["held"].keys() == person_export.TABLES.keys()
    found = "\n".join(values_of(document["held"]))
    assert [value for value in VALUES if value not in found] == []
    filled = {table for table, rows in document["held"].items() if rows}
    named = {table for value in (*VALUES, contact_id) for table in tables_with(dumped, value)}
    assert named - filled - NOT_EXPORTED == set()
    assert {"activities", "events", "deliveries", "issues", "audit", "hold_items"} <= filled


async def test_an_export_has_nothing_of_another_person(pulled: World):
    await fill(pulled)
    other = (await pulled.contacts())["1002"]["id"]
    rows = (await export(pulled, other)).json()["held"]
    assert {row["contact_id"] for row in rows["contacts"]} == {other}
    found = "\n".join(values_of({**rows, "audit": []}))
    assert not [value for value in VALUES if len(value) > 5 and value in found]


async def test_an_export_is_audited_and_needs_a_role(pulled: World):
    # EN-2
    contact_id = (await pulled.contacts())["1001"]["id"]
    refused = await export(pulled, contact_id, **{"Levitate-Role": "user"})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
    assert (await export(pulled, contact_id)).status_code == 200
    log = await pulled.api.get(f"{HP}/audit", params={"action": "contact.exported"})
    assert [one["subject"] for one in log.json()["data"]] == [contact_id]


async def test_an_administrator_with_limits_exports_nobody(pulled: World):
    # T10: the rows have what other logins see
    contact_id = (await pulled.contacts())["1001"]["id"]
    await pulled.choose(WALL)
    limited = await export(pulled, contact_id, **acting("u_ann", "account_admin"))
    assert (limited.status_code, limited.json()["code"]) == (403, "role_required")
    whole = await export(pulled, contact_id, **acting("u_sam", "success_manager"))
    assert whole.status_code == 200
