"""Values that cannot be read are listed by field, for working logins, however many records have one [row 49]."""

from sqlalchemy import insert, update

from app.db.connections import tables as connection_tables
from app.db.mirror import unread_values
from app.db.session import Database
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import as_owner

WHY = "is not a date"
logins = connection_tables.connections


async def connect(database: Database, account_id: str, *names: str) -> None:
    await make_account(database, account_id)
    async with as_owner(database) as session:
        for name in names:
            values = {"user_id": name, "region": "us", "status": "connected", "created_at": now()}
            await session.execute(
                insert(logins).values(account_id=account_id, connection_id=name, **values)
            )


async def store(
    database: Database, login: str, unread: dict[int, list[str]], account_id: str = "a"
) -> None:
    async with as_owner(database) as session:
        named = {clio_id: dict.fromkeys(fields, WHY) for clio_id, fields in unread.items()}
        await unread_values.store(session, account_id, login, "contacts", named, now=now())


async def listed(database: Database, limit: int = 9, records: int = 9) -> dict[str, list[int]]:
    async with as_owner(database) as session:
        found = await unread_values.list_fields(session, "a", limit=limit, records=records)
    assert {one.reason for one in found} <= {WHY}
    return {one.field: list(one.clio_ids) for one in found}


async def test_fields_are_listed_once_with_the_first_records_of_all_working_logins(
    database: Database,
):
    await connect(database, "a", "ann", "ben", "cat")
    await connect(database, "b", "ann")
    await store(database, "ann", {1: ["title"], 2: ["title", "name"], 3: []})
    await store(database, "ben", {2: ["title"], 4: ["title"]})
    await store(database, "cat", {7: ["prefix"]})
    await store(database, "ann", {9: ["title"]}, account_id="b")
    assert await listed(database) == {"name": [2], "prefix": [7], "title": [1, 2, 4]}
    async with as_owner(database) as session:
        ended = update(logins).where(logins.c.connection_id == "cat").values(status="disconnected")
        await session.execute(ended)
    assert await listed(database, records=2) == {"name": [2], "title": [1, 2]}
    assert len(await listed(database, limit=1)) == 1


async def test_what_a_login_is_shown_again_replaces_what_was_stored_of_it(database: Database):
    await connect(database, "a", "ann", "ben")
    await store(database, "ann", {1: ["title", "name"], 2: ["title"]})
    await store(database, "ben", {1: ["title"]})
    await store(database, "ann", {1: ["name"], 2: []})
    assert await listed(database) == {"name": [1], "title": [1]}
    async with as_owner(database) as session:
        await unread_values.forget(session, "a", "contacts", [1], "ben")
    assert await listed(database) == {"name": [1]}
    async with as_owner(database) as session:
        await unread_values.forget(session, "a", "contacts", [1])
    assert await listed(database) == {}
