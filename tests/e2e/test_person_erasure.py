"""An erased person is deleted from every table and does not return; tags that a user added are never removed."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.db.contacts import erasures
from tests.support.sessions import as_owner
from tests.support.world import World

ROLELESS = {"Levitate-Role": "user"}


def firm(world: World) -> Any:
    return world.simulator.firms[0]


async def grep(world: World, *words: str) -> dict[str, list[str]]:
    """Return the tables that contain any of the words in any column, with the words found."""
    connection = await asyncpg.connect(world.dsn)
    found: dict[str, list[str]] = {}
    try:
        for row in await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        ):
            table = row["tablename"]
            texts = await connection.fetch(f"select t::text as line from {table} t")
            for word in words:
                for line in texts:
                    if word in line["line"] or word.encode().hex() in line["line"]:
                        found.setdefault(table, []).append(word)
    finally:
        await connection.close()
    return found


async def feed_lines(world: World, contact_id: str) -> list[dict[str, Any]]:
    return [line for line in await world.changes() if line["contact_id"] == contact_id]


async def erase(world: World, clio_id: str, **headers: str) -> str:
    contact_id: str = (await world.contacts())[clio_id]["id"]
    answer = await world.api.delete(f"/v1/accounts/hp/contacts/{contact_id}", headers=headers)
    assert (answer.status_code, answer.text) == (204, "")
    return contact_id


async def contact_runs(world: World) -> list[int | None]:
    """Return the Clio id of the contact that each run of one contact has stored."""
    connection = await asyncpg.connect(world.dsn)
    try:
        query = "select contact_clio_id from runs where kind = 'contact'"
        return [row["contact_clio_id"] for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def write_note(world: World, contact_id: str) -> None:
    body = {
        "kind": "note", "user_id": "u_ann", "contact_id": contact_id, "subject": "Canary-subject",
        "occurred_at": "2026-03-02T12:00:00Z", "body": "Canary-body",
    }  # fmt: skip
    answer = await world.api.post(
        "/v1/accounts/hp/activities", json=body, headers={"Idempotency-Key": "note"}
    )
    assert answer.status_code == 202, answer.text


async def test_only_a_keyed_hash_is_left_of_an_erased_person(pulled: World):
    # S15, row 30, T15
    firm(pulled).put("contact", {"id": 1002, "title": "Canary-title"})
    await pulled.run()
    bram = (await pulled.contacts())["1002"]
    await write_note(pulled, bram["id"])
    url = f"/v1/accounts/hp/contacts/{bram['id']}"
    await pulled.api.post(f"{url}/preexisting-tags", json={"labels": ["Canary-label"]})
    await pulled.api.post(
        "/v1/accounts/hp/runs",
        json={"kind": "incremental", "contact_id": bram["id"]},
        headers={"Idempotency-Key": "contact"},
    )
    await pulled.settled()
    words = ("Okafor", "Canary-", bram["emails"][0]["address"])
    before = await grep(pulled, *words)
    assert {"contacts", "changes", "mirror_contacts", "activities"} <= set(before)
    assert "preexisting_tags" in before
    others = await pulled.contacts()
    contact_id = await erase(pulled, "1002")
    assert await grep(pulled, *words) == {}
    assert set(await grep(pulled, contact_id)) == {"changes", "audit", "erasures"}
    assert await contact_runs(pulled) == [None]
    del others["1002"]
    assert await pulled.contacts() == others
    for answer in (await pulled.api.get(url), await pulled.api.delete(url)):
        assert (answer.status_code, answer.json()["code"]) == (404, "contact_not_found")


# The columns that name a person, by our id or Clio's. In other tables `clio_id` is the id of another record.
PERSON_COLUMNS = ("contact_id", "clio_contact_id", "contact_clio_id", "client_id")
NAMED_BY_CLIO_ID = (
    "contacts",
    "hold_items",
    "lookups",
    "lost_sightings",
    "mirror_contacts",
    "new_clients",
    "quarantine",
    "sightings",
)
KEPT = {
    "changes": "the line contact.erased, which has ids only",
    "mirror_matters": "the matter of a firm is not about one person; its number is cleared",
}
WITHOUT_ROWS_HERE = {"activity_turns", "hold_items", "lookups", "quarantine"}


async def test_every_table_that_names_a_person_is_cleared_or_has_a_reason(pulled: World):
    # S15, T15: a new table with such a column is missing in one of the lists above
    link = {"id": 399, "matter_id": 207, "contact_id": 1002, "description": "Witness"}
    firm(pulled).put("relationship", link)
    bram = (await pulled.contacts())["1002"]
    await write_note(pulled, bram["id"])
    url = f"/v1/accounts/hp/contacts/{bram['id']}"
    await pulled.api.post(f"{url}/preexisting-tags", json={"labels": ["VIP"]})
    await pulled.run()
    body = {"kind": "incremental", "contact_id": bram["id"]}
    await pulled.api.post("/v1/accounts/hp/runs", json=body, headers={"Idempotency-Key": "one"})
    await pulled.settled()
    await pulled.idle()
    await mark_as_lost(pulled, 1002)
    naming, filled = await tables_about(pulled, bram["id"], 1002)
    assert naming - WITHOUT_ROWS_HERE == filled - WITHOUT_ROWS_HERE
    await erase(pulled, "1002")
    assert (await tables_about(pulled, bram["id"], 1002))[1] == KEPT.keys()


async def mark_as_lost(world: World, clio_id: int) -> None:
    connection = await asyncpg.connect(world.dsn)
    try:
        await connection.execute(
            "insert into lost_sightings (account_id, clio_id, connection_id) values ('hp', $1, 'cnx')",
            clio_id,
        )
    finally:
        await connection.close()


async def tables_about(world: World, contact_id: str, clio_id: int) -> tuple[set[str], set[str]]:
    """Return the tables with a column that names a person, and those of them with a row about this one."""
    connection = await asyncpg.connect(world.dsn)
    try:
        columns = await connection.fetch(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'public' and (column_name = any($1)"
            " or column_name = 'clio_id' and table_name = any($2))",
            PERSON_COLUMNS, NAMED_BY_CLIO_ID,
        )  # fmt: skip
        filled = set()
        for table, column, kind in columns:
            value = contact_id if kind == "text" else clio_id
            query = (
                f"select exists (select from {table} where {column} = $1)"  # names of our columns
            )
            filled |= {table} if await connection.fetchval(query, value) else set()
        return {table for table, *_ in columns}, filled
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("table", "more"),
    [
        ("quarantine", "reason, found_at) values ({}, 'x', now())"),
        ("lookups", "answer) values ({}, null)"),
    ],
)
async def test_only_the_entries_of_the_person_are_erased(pulled: World, table: str, more: str):
    # S15: in quarantine, and among the records that a run looks up
    entry = f"insert into {table} (account_id, resource, clio_id, connection_id, run_id, {more}"
    connection = await asyncpg.connect(pulled.dsn)
    try:
        for resource, clio_id in (("contacts", 1002), ("contacts", 999), ("matters", 1002)):
            await connection.execute(entry.format("'hp', $1, $2, 'cnx', 'run'"), resource, clio_id)
        await erase(pulled, "1002")
        rows = await connection.fetch(f"select resource, clio_id from {table}")
        assert {tuple(row) for row in rows} == {("contacts", 999), ("matters", 1002)}
    finally:
        await connection.close()


async def test_an_erasure_is_published_once_with_ids_only(pulled: World):
    # S13, S15
    contact_id = await erase(pulled, "1002")
    (line,) = await feed_lines(pulled, contact_id)
    assert line.pop("seq") > 7
    assert line.pop("at")
    assert line == {
        "kind": "contact.erased", "contact_id": contact_id, "clio_id": "1002", "run_id": None,
        "cause": "manual", "fields": {}, "tags_added": [], "tags_removed": [], "owner": None,
        "contact": None,
    }  # fmt: skip
    entry = [entry async for entry in pulled.all("audit")][-1]
    assert (entry["action"], entry["subject"]) == ("contact.erased", contact_id)


async def test_an_erased_person_does_not_return(pulled: World):
    # S15, row 30, NC-1
    contact_id = await erase(pulled, "1001")
    firm(pulled).put("contact", {"id": 1001, "title": "Canary-title", "is_client": True})
    link = {"id": 399, "matter_id": 207, "contact_id": 1001, "description": "Canary-link"}
    firm(pulled).put("relationship", link)
    for kind in ("incremental", "full"):
        run = await pulled.run(kind)
        assert (run["status"], run["counts"]["new_clients"]) == ("succeeded", 0)
    await pulled.choose({"scope": {"include_non_clients": True}})
    assert "1001" not in await pulled.contacts()
    assert [line["kind"] for line in await feed_lines(pulled, contact_id)] == ["contact.erased"]
    assert await grep(pulled, "Canary-") == {}
    rows = [row async for row in pulled.all("new-clients")]
    assert "1001" not in {row["clio_id"] for row in rows}


async def test_nothing_is_written_to_clio_about_an_erased_person(pulled: World):
    # S15, WB-6
    contact_id = await erase(pulled, "1002")
    for about in ({"contact_id": contact_id}, {"clio_contact_id": "1002"}):
        body = {"kind": "note", "user_id": "u_ann", "occurred_at": "2026-03-02T12:00:00Z", **about}
        answer = await pulled.api.post(
            "/v1/accounts/hp/activities", json=body, headers={"Idempotency-Key": str(about)}
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "skipped")


async def test_erasing_a_person_needs_a_role_and_keeps_a_person_of_the_same_name_in_another_firm(
    pulled: World,
):
    # EN-2, T2
    url = f"/v1/accounts/hp/contacts/{(await pulled.contacts())['1002']['id']}"
    answer = await pulled.api.delete(url, headers=ROLELESS)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")
    await pulled.create_account("other")
    await pulled.connect("u_ann", 501, "other")
    await pulled.settled("other")
    theirs = await pulled.contacts("other")
    foreign = await pulled.api.delete(url.replace("/hp/", "/other/"))
    assert foreign.json()["code"] == "contact_not_found"
    await erase(pulled, "1002")
    await pulled.run("full", "other")
    assert await pulled.contacts("other") == theirs
    assert "1002" in theirs


async def test_a_tag_that_a_contact_had_before_the_integration_is_never_removed(pulled: World):
    # TG-20, TG-21
    contact = (await pulled.contacts())["1001"]
    labels = {tag["label"] for tag in contact["tags"]}
    assert {"Client", "Active Client"} <= labels
    url = f"/v1/accounts/hp/contacts/{contact['id']}/preexisting-tags"
    body = {"labels": ["VIP", " active  CLIENT ", "vip"]}
    answer = await pulled.api.post(url, json=body, headers=ROLELESS)
    assert (answer.status_code, answer.json()["contact_id"]) == (200, contact["id"])
    assert [label.casefold() for label in answer.json()["labels"]] == ["active client", "vip"]
    again = await pulled.api.post(url, json={"labels": ["Vip"]})
    assert again.json() == answer.json()
    firm(pulled).put("matter", {"id": 201, "status": "Closed"})
    await pulled.run()
    line = (await feed_lines(pulled, contact["id"]))[-1]
    assert "Past Client" in line["tags_added"]
    assert "Active Client" not in line["tags_removed"]
    assert "Active Client" not in {tag["label"] for tag in line["contact"]["tags"]}
    firm(pulled).delete("contact", 1001)
    await pulled.run("full")
    gone = (await feed_lines(pulled, contact["id"]))[-1]
    assert gone["kind"] == "contact.deleted"
    assert "Client" in gone["tags_removed"]


@pytest.mark.parametrize("labels", [[], [""], ["  "], ["a\u0000"], ["x" * 301], "VIP", [7]])
async def test_invalid_labels_are_refused(pulled: World, labels: object):
    contact = (await pulled.contacts())["1002"]
    url = f"/v1/accounts/hp/contacts/{contact['id']}/preexisting-tags"
    assert (await pulled.api.post(url, json={"labels": labels})).status_code == 422
    answer = await pulled.api.post(url.replace("con_", "con_0"), json={"labels": ["VIP"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "contact_not_found")


async def test_an_erasure_waits_for_a_page_that_is_being_stored_and_the_next_page_waits_for_the_erasure(
    pulled: World,
):
    # S15: no page that was read before the erasure is stored after it
    database = pulled.app.state.services.database
    bram = (await pulled.contacts())["1002"]
    async with asyncio.TaskGroup() as group, as_owner(database) as session:
        await erasures.lock_shared(session, "hp")
        erasing = group.create_task(pulled.api.delete(f"/v1/accounts/hp/contacts/{bram['id']}"))
        done, _ = await asyncio.wait({erasing}, timeout=0.5)
        assert not done
        assert "1002" in await pulled.contacts()
    assert erasing.result().status_code == 204
    assert "1002" not in await pulled.contacts()
