"""After an erasure a full dump has no value of the person, or of the account, in any of five encodings [S15, T15]."""

from typing import Any

import asyncpg
from sqlalchemy import text

from app.lanes import Lane
from tests.support.dump_search import dump, find, tables_with
from tests.support.sessions import as_owner
from tests.support.slices import do_slices
from tests.support.world import World

HP = "/v1/accounts/hp"
# Each value occurs nowhere else. The person is the client of matter 201; Eva Lind (1005) is related to it.
NUMBER = "00201-Zäpfelbäck"
PERSON: dict[str, Any] = {
    "id": 1001,
    "name": "Quërelda Zäpfelbäck",
    "first_name": "Quërelda",
    "middle_name": "Mïddlewort",
    "last_name": "Zäpfelbäck",
    "prefix": "Prëfixa",
    "title": "Tïtelträgerin",
    "date_of_birth": "1931-07-19",
    "email_addresses": [
        {"id": 1, "name": "Mäilart", "address": "querelda@zapfel.example", "primary": True},
        {"id": 2, "name": "Work", "address": "zweite@zapfel.example", "primary": False},
    ],
    "phone_numbers": [{"id": 1, "name": "Fönart", "number": "(336) 555-0187", "primary": True}],
    "addresses": [
        {
            "id": 1, "name": "Wöhnart", "street": "77 Strässli", "city": "Städtlein",
            "province": "Provïncia", "postal_code": "98127-4431", "country": "Ländli", "primary": True,
        }
    ],
    "custom_field_values": [
        {"id": "text_line-5", "custom_field_id": 5, "value": "Spïtzname"},
        {"id": "currency-2", "custom_field_id": 2, "value": "918273645"},
        {"id": "date-6", "custom_field_id": 6, "value": "1957-11-23"},
        {"id": "text_area-7", "custom_field_id": 7, "value": "Nötiz über die Person"},
    ],
}  # fmt: skip
EVERYTHING = {
    "scope": {"include_related": True},
    "tags": {
        "matter_number": {"enabled": True},
        "location": {"city": True, "state": True, "postal_code": True, "country": True},
        "relationships": {"enabled": True},
        "related_practice_area": {"enabled": True},
        "custom_fields": [{"field_id": "5", "label_format": "value"}],
    },
    "key_facts": {"custom_date_field_ids": ["6"]},
}
MORE = ("Üblicher Betreff", "Geheimer Töxt", "Vorhërig", "(336) 555-0187", "+13365550187", NUMBER)


def values_of(record: Any) -> set[str]:
    """Return all texts of a record, with the value of each field."""
    if isinstance(record, dict):
        return {text for part in record.values() for text in values_of(part)}
    if isinstance(record, list):
        return {text for part in record for text in values_of(part)}
    return {record} if isinstance(record, str) else set()


VALUES: set[str] = {*values_of(PERSON), *MORE} - {
    "Work",
    *(f"{x}" for x in ("text_line-5", "currency-2", "date-6", "text_area-7")),
}


async def fill(world: World) -> str:
    """Let every part of the service know the person; return our id of the contact."""
    firm = world.simulator.firms[0]
    firm.put("contact", PERSON)
    firm.put("matter", {"id": 201, "display_number": NUMBER})
    firm.put(
        "relationship", {"id": 390, "matter_id": 204, "contact_id": 1001, "description": "Tänte"}
    )
    endpoint = {"url": "http://127.0.0.1:9/events", "events": ["*"], "description": "none"}
    assert (await world.api.post("/v1/webhook-endpoints", json=endpoint)).status_code == 201
    await world.choose(EVERYTHING)
    await world.run()
    contact_id: str = (await world.contacts())["1001"]["id"]
    await world.api.post(
        f"{HP}/contacts/{contact_id}/preexisting-tags", json={"labels": ["Vorhërig"]}
    )
    for about in ({"contact_id": contact_id}, {"clio_contact_id": "1001"}):
        answer = await world.api.post(f"{HP}/activities", **activity(about))
        assert answer.status_code == 202, answer.text
    wanted = {"kind": "incremental", "contact_id": contact_id}
    await world.api.post(f"{HP}/runs", json=wanted, headers={"Idempotency-Key": "one"})
    await world.settled()
    await world.idle()
    async with as_owner(world.app.state.services.database) as session:
        for statement in WITHOUT_A_WAY_OF_THE_API:
            await session.execute(text(statement))
    return contact_id


def activity(about: dict[str, str]) -> dict[str, Any]:
    body = {
        "kind": "note", "user_id": "u_ann", "subject": "Üblicher Betreff", "body": "Geheimer Töxt",
        "occurred_at": "2026-03-02T12:00:00Z", **about,
    }  # fmt: skip
    return {"json": body, "headers": {"Idempotency-Key": f"note {sorted(about)}"}}


RUN = "(select max(run_id) from runs)"
WITHOUT_A_WAY_OF_THE_API = (
    "insert into issues values ('hp', 'iss_1', 'record_quarantined', 'warning', 'A contact', 'contact', '1001', now())",
    "insert into issues values ('hp', 'iss_2', 'coverage_lost', 'warning', 'Clio ids 1001, 1002', 'x', '', now())",
    "insert into holds (account_id, hold_id, kind, status, run_id, opened_at, decided_at, decided_by)"
    " values ('hp', 'hld_1', 'first_publication', 'released', 'run', now(), now(), 'u_ann')",
    "insert into hold_items values ('hp', 'hld_1', 1001)",
    "insert into lost_sightings values ('hp', 1001, 'cnx')",
    f"insert into named_records values ('hp', {RUN}, 'contacts', 1001, 'cnx')",
    f"insert into listed values ('hp', {RUN}, 'cnx', 'contacts', 1, array[1001, 1002])",
    "update mirror_contacts set merged_into = 1001 where clio_id = 1006",
    'update accounts set health_reasons = \'[{"code": "x", "detail": "Clio ids 1001"}]\'',
)


async def test_no_value_of_an_erased_person_is_in_a_dump(pulled: World):
    contact_id = await fill(pulled)
    dumped = await dump(pulled.dsn)
    assert find(dumped, VALUES).keys() == VALUES  # they must be there first
    for table in ("contacts", "changes", "mirror_contacts", "activities"):
        assert table in tables_with(dumped, "Geheimer Töxt") | tables_with(dumped, "Zäpfelbäck")
    related = (await pulled.contacts())["1005"]["id"]
    assert NUMBER in (await pulled.api.get(f"{HP}/contacts/{related}/explain")).text
    answer = await pulled.api.delete(f"{HP}/contacts/{contact_id}")
    assert answer.status_code == 204, answer.text
    dumped = await dump(pulled.dsn)
    assert find(dumped, VALUES) == {}
    await check_ids(pulled, contact_id)
    receipt = (await pulled.api.get(answer.headers["location"])).json()
    assert receipt["status"] == "done"
    assert [one["code"] for one in receipt["remaining"]] == [
        *("kept_hash", "kept_feed_line", "kept_audit", "kept_matters"),
    ]
    for kind in ("incremental", "full"):  # nor does a pull bring anything back
        assert (await pulled.run(kind))["status"] == "succeeded"
        assert find(await dump(pulled.dsn), VALUES) == {}
        await check_ids(pulled, contact_id)


# Where the ids of an erased person stay, and why, is in docs/retention.md.
ID_STAYS = {"changes", "audit", "erasures"}
CLIO_ID_STAYS = {"changes", "mirror_matters"}


async def check_ids(world: World, contact_id: str) -> None:
    """Assert that the ids of the person are only where they may stay."""
    assert tables_with(await dump(world.dsn), contact_id) == ID_STAYS
    connection = await asyncpg.connect(world.dsn)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
        naming = set()
        for (table,) in tables:
            query = rf"select exists (select from {table} t where t::text ~ '\m1001\M')"
            naming |= {table} if await connection.fetchval(query) else set()
    finally:
        await connection.close()
    assert naming == CLIO_ID_STAYS


async def test_a_repeated_request_about_an_erased_person_is_not_carried_out_again(pulled: World):
    # API-7
    contact_id = (await pulled.contacts())["1001"]["id"]
    wanted = activity({"contact_id": contact_id})
    assert (await pulled.api.post(f"{HP}/activities", **wanted)).status_code == 202
    await pulled.idle()
    assert (await pulled.api.delete(f"{HP}/contacts/{contact_id}")).status_code == 204
    for body in (wanted["json"], {**wanted["json"], "body": "another"}):
        answer = await pulled.api.post(f"{HP}/activities", json=body, headers=wanted["headers"])
        assert (answer.status_code, answer.json()["code"]) == (410, "erased")
    rows = [row async for row in pulled.all("activities")]
    assert rows == []


async def test_a_run_that_waits_for_an_erased_person_asks_clio_for_nobody(idle: World):
    contact_id = (await idle.contacts())["1002"]["id"]
    wanted = {"kind": "incremental", "contact_id": contact_id}
    answer = await idle.api.post(f"{HP}/runs", json=wanted, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 202
    assert (await idle.api.delete(f"{HP}/contacts/{contact_id}")).status_code == 204
    asked = len(idle.simulator.requests())
    await do_slices(idle.app.state.services, Lane.PERSON)
    run = (await idle.api.get(f"{HP}/runs/{answer.json()['id']}")).json()
    assert run["status"] == "succeeded"
    assert len(idle.simulator.requests()) == asked


async def test_no_value_of_an_erased_account_is_in_a_dump(pulled: World):
    fields = {"time_zone": "America/New_York", "country": "US", "enabled": True}
    account = {"name": "Kanzlei Fürstenzäll", "primary_user_id": "u_own", **fields}
    assert (await pulled.api.put(HP, json=account)).status_code == 200
    user: dict[str, str] = {
        "id": "u_own",
        "name": "Üsera Verwälterin",
        "email": "usera@zapfel.example",
    }
    users = [*(await pulled.api.get(f"{HP}/users")).json()["users"], {**user, "active": True}]
    assert (await pulled.api.put(f"{HP}/users", json={"users": users})).status_code == 200
    await fill(pulled)
    values = {
        *VALUES,
        *user.values(),
        "Kanzlei Fürstenzäll",
        "Harlow & Pike LLP",
        "Eva Lind",
        "Okafor",
    }
    assert find(await dump(pulled.dsn), values).keys() == values  # they must be there first
    assert (await pulled.erase())["status"] == "done"
    dumped = await dump(pulled.dsn)
    assert find(dumped, values) == {}
    kept = tables_with(dumped, "\thp\t") | tables_with(dumped, "hp\t")
    assert kept == {"erasures", "service_audit"}, "who erased the account, and when"
