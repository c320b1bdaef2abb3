"""The last steps of an erasure beside a run: nothing is left of an account whose own row is deleted [S15].

The tables that runs fill have no foreign key, so PostgreSQL does not guarantee it (docs/decisions/0019).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from app.db.accounts import accounts, deletion
from app.db.accounts.accounts import AccountFields
from app.db.contacts import change_feed
from app.db.contacts.change_feed import FeedLine
from app.db.mirror import records
from app.db.mirror.visibility import View
from app.db.runs import tables as run_tables
from app.db.runs.leases import Lease, fenced_transaction
from app.db.session import Database, JsonText, transaction
from app.errors import DatabaseUnavailable, RunTakenOver
from app.rules.records import ContactRecord
from tests.support.interleaving import interrupt, steps_of
from tests.support.sessions import as_owner

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LEASE = Lease("hp", "run_1", 1, timedelta(minutes=1))
FILLED = ("changes", "sightings", "mirror_contacts", "runs")
OWNED = deletion.owned_tables()
Landing = Callable[[Database], Awaitable[None]]
VIEW = View("hp", "cnx_1", full_view=True)


@pytest.fixture
async def looker(dsn: str, database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def begin_run(database: Database) -> None:
    """Create the account if it was erased, with a run that a worker has."""
    firm = AccountFields("Firm", "UTC", "US", None, enabled=True)
    async with as_owner(database) as session:
        await accounts.put_account(session, "hp", firm, now=NOW)
    await request_run(database)


async def request_run(database: Database) -> None:
    run = {"kind": "full", "trigger": "manual", "status": "running", "fence": LEASE.fence}
    about = {"account_id": "hp", "run_id": LEASE.run_id, "settings_version": 1}
    add = upsert(run_tables.runs).values(**about, **run, queued_at=NOW)
    async with as_owner(database) as session:
        await session.execute(add.on_conflict_do_nothing())


async def land(database: Database) -> None:
    """Land a contact and publish a line, as a run does; a run that was deleted writes nothing."""
    try:
        async with fenced_transaction(database, LEASE) as session:
            await records.land_contacts(session, VIEW, [ContactRecord(1, is_person=True)])
            await change_feed.append(session, "hp", [FeedLine("con_1", JsonText("{}"))])
    except (RunTakenOver, DatabaseUnavailable):  # the latter is the loser of a deadlock
        pass


async def request_and_land(database: Database) -> None:
    """Begin a run and land with it, also while the account is erased; without an account there is no run."""
    with suppress(IntegrityError, DatabaseUnavailable):
        await request_run(database)
    await land(database)


async def erase(database: Database) -> None:
    """Do the steps of an erasure until the account's row is deleted."""
    while True:
        try:
            async with transaction(database, "hp") as session:
                if not await deletion.delete_some_rows(session, "hp", limit=100):
                    await deletion.delete_account(session, "hp")
                    return
        except DatabaseUnavailable:  # the loser of a deadlock
            pass


async def left(database: Database) -> dict[str, int]:
    async with as_owner(database) as session:
        found = {}
        for table in OWNED:
            rows = await session.execute(select(table.c.account_id))
            found[table.name] = len(rows.all())
    return {name: count for name, count in found.items() if count}


@pytest.mark.parametrize("landing", [land, request_and_land])
@pytest.mark.parametrize("run_begins", [True, False])
async def test_nothing_is_left_when_a_run_and_an_erasure_interrupt_each_other_anywhere(
    database: Database,
    looker: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    landing: Landing,
    run_begins: bool,
):
    # S15; only the tables in which there is something, because each statement of a step is interrupted
    filled = [table for table in deletion.owned_tables() if table.name in FILLED]
    monkeypatch.setattr(deletion, "owned_tables", lambda: filled)
    steps_of(database)
    after, had_more = 0, True
    while had_more:
        await begin_run(database)
        sides = (partial(landing, database), partial(erase, database))
        first, second = sides if run_begins else sides[::-1]
        had_more = await interrupt(looker, first, second, after=after)
        assert await left(database) == {}, after
        after += 1
    assert after > 4


async def test_every_table_with_an_account_is_emptied_except_for_what_outlives_it():
    owned = {table.name for table in deletion.owned_tables()}
    named = {
        table.name for table in run_tables.runs.metadata.sorted_tables if "account_id" in table.c
    }
    assert named - owned == {"accounts", "audit", "erasures", "revocations"}
