"""Tests that pin the words and documents in the database and in the audit log.

Columns keep words of enumerations, names of lists and operations, and whole documents whose fields are those of
Python classes. Another release reads them, so they are as much a contract as the tables are.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.simulator.faults.faults import Fault
from tests.support import pinned
from tests.support.harlow_pike import clio, known
from tests.support.seals import seals
from tests.support.webhook_receiver import receiving
from tests.support.world import ACCOUNT, KEY, PATIENCE, World

ACCOUNT_PATH = "/v1/accounts/hp"
EMAIL = {
    "kind": "email",
    "user_id": "u_ann",
    "clio_contact_id": "1001",
    "occurred_at": "2026-03-02T23:30:00-05:00",
    "subject": "Your closing date",
    "body": "Dear Alice, we close on Friday.",
}
TEXT = {**EMAIL, "kind": "text_message", "conversation_id": "c9"}
# Columns whose values are words of this service, not data of a firm.
WORDS = (
    "action", "basis", "category", "code", "held_for", "kind", "model", "name", "operation", "origin", "outcome",
    "phase", "problem_code", "reason", "region", "resource", "role", "severity", "state", "status", "subject_kind",
    "trigger",
)  # fmt: skip
DATA = {"accounts.name", "users.name", "service_tokens.name"}
FIELD_WORDS = {  # the same in documents
    "basis", "category", "cause", "code", "kind", "origin", "refusal", "rule", "setting", "state", "status",
}  # fmt: skip
IDS = re.compile(r"cnx_\w+(,cnx_\w+)*")  # in names of fields
NAMES_OF_CLIO = {"catalog_items", "mirror_contacts"}  # words in these documents are Clio's

TABLES = {
    "columns": """
        select c.relname || '.' || a.attname as name,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                         case a.attgenerated when 's' then 'generated' end,
                         case a.attidentity when 'a' then 'always identity' when 'd' then 'identity' end,
                         'default ' || pg_get_expr(d.adbin, d.adrelid)) as definition
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    """,
    "constraints": """
        select conrelid::regclass::text || '.' || conname as name, pg_get_constraintdef(oid) as definition
        from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'p', 'u', 'x')
    """,
    "indexes": """
        select tablename || '.' || indexname as name, indexdef as definition
        from pg_indexes where schemaname = 'public'
    """,
    "types": """
        select t.typname as name, string_agg(e.enumlabel, ' ' order by e.enumsortorder) as definition
        from pg_type t join pg_enum e on e.enumtypid = t.oid
        where t.typnamespace = 'public'::regnamespace group by 1
    """,
    "triggers": """
        select tgrelid::regclass::text || '.' || tgname as name, pg_get_triggerdef(oid) as definition
        from pg_trigger where not tgisinternal
    """,
}


async def rows(dsn: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_tables_columns_constraints_and_indexes_are_the_pinned_ones(dsn: str, tmp_path: Path):
    found = {
        part: {row["name"]: row["definition"] for row in await rows(dsn, statement)}
        for part, statement in TABLES.items()
    }
    pinned.check("tables", found, tmp_path)


# --- a firm for which every action is done once ----------------------------------------------------


@pytest.fixture
async def busy_firm(world: World) -> World:
    """A firm for which every audited action was done, and for which each kind of document is stored."""
    async with receiving() as receiver:
        await begin(world, receiver.url)
        await announce(world)
        await decide(world)
        await end(world)
    return world


async def begin(world: World, url: str) -> None:
    """Create the account with users, logins, attorneys and an endpoint for events; switch on all tags."""
    await world.create_account()
    await done(world, "PUT", "", {**ACCOUNT, "name": "Harlow, Pike & Reed"})
    made = await done(world, "POST", "/v1/webhook-endpoints", {"url": url})
    await done(world, "POST", f"/v1/webhook-endpoints/{made['id']}/rotate")
    for user_id, clio_user in (("u_ann", 501), ("u_ben", 502)):
        await world.connect(user_id, clio_user)
        await world.settled()
    await done(world, "PUT", "/attorneys/504", {"user_id": "u_off"})
    await done(world, "DELETE", "/attorneys/504")
    await world.settled()
    both = {"enabled": True, "matter_status": ["open", "pending", "closed"]}
    tags = {
        "related_practice_area": both,
        "matter_number": both,
        "matter_tag": both,
        "relationships": {"enabled": True},
        "location": {"city": True, "state": True},
        "responsible_attorney": "all",
        "originating_attorney": "most_recent",
        "custom_fields": [{"field_id": "4", "label_format": "name_value"}, {"field_id": "7"}],
    }
    scope = {"include_non_clients": True, "include_related": True}
    facts = {"custom_date_field_ids": ["6"]}
    chosen = {
        "scope": scope,
        "tags": tags,
        "key_facts": facts,
        "new_client": {"surge_threshold": 1},
    }
    assert await world.choose(chosen)


async def announce(world: World) -> None:
    """Find too many new clients twice; of the first two, release one and suppress the other."""
    for first in (1021, 1031):
        for clio_id in (first, first + 1):
            person = {**known(world, "contact", 1003), "id": clio_id, "last_name": f"N{clio_id}"}
            clio(world).put("contact", {**person, "email_addresses": []})
        assert (await world.run())["status"] == "succeeded"
    rows = {row["clio_id"]: row["id"] async for row in world.all("new-clients")}
    await done(world, "POST", f"/new-clients/{rows['1021']}/release")
    await done(world, "POST", f"/new-clients/{rows['1022']}/suppress")
    await done(world, "POST", f"/new-clients/{rows['1001']}/replay")


async def decide(world: World) -> None:
    """Release one hold and discard another, resolve an issue, keep a user's own labels, erase a person."""
    for verdict in ("release", "discard"):
        if verdict == "discard":
            for clio_id in (1041, 1042):
                person = {**known(world, "contact", 1003), "id": clio_id, "last_name": "Held"}
                clio(world).put("contact", person)
            await world.run()
            (issue,) = [one async for one in world.all("issues", status="open")]
            await done(world, "POST", f"/issues/{issue['id']}/resolve")
        (hold,) = [hold async for hold in world.all("holds", status="open")]
        await done(world, "POST", f"/holds/{hold['id']}/{verdict}")
    people = await world.contacts()
    labels = {"labels": ["VIP"]}
    await done(world, "POST", f"/contacts/{people['1003']['id']}/preexisting-tags", labels)
    await done(world, "DELETE", f"/contacts/{people['1002']['id']}")


async def end(world: World) -> None:
    """Let a Success Manager read people; write activities, change a matter, end a login, begin another."""
    await world.choose({"privacy": {"respect_visibility": True}})
    await done(world, "GET", "/contacts")
    await world.choose({"privacy": {"respect_visibility": False}})
    for body in (EMAIL, TEXT):
        await write(world, body)
    clio(world).put("matter", {"id": 203, "status": "open"})
    assert (await world.run("full"))["status"] == "succeeded"
    logins = {login["user_id"]: login["id"] async for login in world.all("connections")}
    world.simulator.faults.add(Fault("status", path="deauthorize", value="503"))
    await done(world, "DELETE", f"/connections/{logins['u_ben']}")
    await world.start("u_cat")
    await world.settled()
    await world.idle()
    waiting = "select from deliveries where status = 'pending'"
    async with asyncio.timeout(PATIENCE):
        while await rows(world.dsn, waiting):
            await asyncio.sleep(0.05)


async def write(world: World, body: dict[str, Any]) -> None:
    """Post an activity and wait until it is written to Clio."""
    made = await done(world, "POST", "/activities", body)
    async with asyncio.timeout(PATIENCE):
        while (await done(world, "GET", f"/activities/{made['id']}"))["status"] != "written":
            await asyncio.sleep(0.02)


async def done(world: World, method: str, path: str, body: Any = None) -> Any:
    """Do something through the API, as a person."""
    url = path if path.startswith("/v1/") else ACCOUNT_PATH + path
    headers = {"Levitate-User": "u_ann", "Idempotency-Key": f"{method} {path} {body}"[:200]}
    answer = await world.api.request(method, url, json=body, headers=headers)
    assert answer.is_success, (method, path, answer.status_code, answer.text)
    return answer.json() if answer.content else None


async def test_actions_stored_words_and_documents_are_the_pinned_ones(
    busy_firm: World, tmp_path: Path
):
    entries = [entry async for entry in busy_firm.all("audit")]
    actions = {entry["action"]: sorted(entry["details"]) for entry in entries}
    pinned.check("audit", actions, tmp_path)
    pinned.check("stored", await stored(busy_firm.dsn), tmp_path)
    pinned.check("ids", await ids(busy_firm), tmp_path)
    sealed = await seals(busy_firm.dsn, KEY)
    assert {
        "accounts.sealed_erasure_key",
        "authorizations.sealed_verifier",
        "connections.sealed_tokens",
        "revocations.sealed_tokens",
        "webhook_endpoints.sealed_old_secret",
        "webhook_endpoints.sealed_secret",
    } <= sealed.keys()


async def test_the_settings_of_a_new_account_are_the_pinned_defaults(world: World, tmp_path: Path):
    await world.create_account()
    found, etag = await world.settings()
    pinned.check("settings", {"etag": etag, "settings": found}, tmp_path)


async def ids(world: World) -> dict[str, Any]:
    """Return ids that are derived from the account and the Clio id, and so are the same in every database."""
    contact = (await world.contacts(clio_id="1001"))["1001"]
    (client,) = [row async for row in world.all("new-clients") if row["clio_id"] == "1001"]
    return {"contact": contact["id"], "new client": client["id"], "event": client["event_ids"][0]}


async def stored(dsn: str) -> dict[str, Any]:
    """Return the words that each column holds, and the fields of each column's documents with the words in them."""
    columns = await rows(
        dsn,
        "select table_name, column_name, data_type from information_schema.columns"
        " where table_schema = 'public' and table_name not like 'pgqueuer%' order by 1, 2",
    )
    found: dict[str, Any] = {}
    for table, column, kind in columns:
        name = f"{table}.{column}"
        values = f"select distinct {column} from {table} where {column} is not null"
        if kind == "text" and column in WORDS and name not in DATA:
            found[name] = sorted(row[0] for row in await rows(dsn, values))
        elif kind == "jsonb":
            documents = [json.loads(row[0]) for row in await rows(dsn, values)]
            found[name] = _fields(documents, words=table not in NAMES_OF_CLIO)
    return found


def _fields(documents: list[Any], *, words: bool) -> list[str]:
    return sorted({line for document in documents for line in _lines("", document, words=words)})


def _lines(path: str, value: Any, *, words: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            name = IDS.sub("{connections}", key)
            yield f"{path}/{name}"
            if words and name in FIELD_WORDS and isinstance(inner, str):
                yield f"{path}/{name} = {inner}"
            yield from _lines(f"{path}/{name}", inner, words=words)
    elif isinstance(value, list):
        for inner in value:
            yield from _lines(f"{path}[]", inner, words=words)
