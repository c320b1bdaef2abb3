"""Who ever had a matter is found for rows of every writer, also those of the release before [S6]."""

from sqlalchemy import delete, insert, select, update

from app.db.contacts import similar_clients, tables
from app.db.session import Database, transaction
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import as_owner

CLIENTS = tables.new_clients
NAMES = {"status": "emitted", "origin": "initial_sync", "basis": "matter", "has_open_matter": True}


def row(clio_id: int, *matter_ids: int) -> dict[str, object]:
    """A row as the release before inserts it."""
    ids = {"new_client_id": f"ncl_{clio_id}", "contact_id": f"con_{clio_id}", "run_id": "run_1"}
    about = {"account_id": "hp", "clio_id": clio_id, "matter_ids": list(matter_ids)}
    return {**NAMES, **ids, **about, "created_at": now()}


async def find(database: Database, *matter_ids: int) -> list[int]:
    async with transaction(database, "hp") as session:
        found = await similar_clients.find_by_matters(session, "hp", matter_ids)
    return [one.clio_id for one in found]


async def test_rows_are_found_by_each_matter_until_they_are_deleted(database: Database):
    await make_account(database, "hp")
    await make_account(database, "other")
    async with as_owner(database) as session:
        await session.execute(insert(CLIENTS), [row(1, 10, 11), row(2, 11), row(3)])
        foreign = row(4, 10) | {"account_id": "other"}
        await session.execute(insert(CLIENTS), [foreign])
    assert await find(database, 10) == [1]
    assert await find(database, 11, 10) == [1, 2]
    assert await find(database, 12) == []
    async with as_owner(database) as session:
        of_third = update(CLIENTS).where(CLIENTS.c.account_id == "hp", CLIENTS.c.clio_id == 3)
        await session.execute(of_third.values(matter_ids=[12]))
        await session.execute(of_third.values(status="held"))
        await session.execute(
            delete(CLIENTS).where(CLIENTS.c.account_id == "hp", CLIENTS.c.clio_id == 1)
        )
        left = (await session.execute(select(tables.new_client_matters))).all()
    assert await find(database, 10, 11, 12) == [2, 3]
    assert {(one.account_id, one.matter_id, one.clio_id) for one in left} == {
        *(("hp", 11, 2), ("hp", 12, 3), ("other", 10, 4))
    }
