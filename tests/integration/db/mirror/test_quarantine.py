"""The quarantine has one row for each record and login, which names the first and the last run that met it."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from app.db.mirror import quarantine, tables
from app.db.mirror.audience import EVERYBODY
from app.db.mirror.quarantine import QuarantinedRecord
from app.db.mirror.visibility import View
from app.db.runs import tables as run_tables
from app.db.session import Database, Session, transaction
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account

T0 = now()
ANN, BEN = (View("a", login, full_view=True) for login in ("cnx_ann", "cnx_ben"))
RUNS = [f"run_{n}" for n in range(6)]


@pytest.fixture
async def account(database: Database) -> Database:
    await make_account(database, "a")
    return database


async def meet(session: Session, nth: int, view: View = ANN, reason: str = "id") -> None:
    """Let a run read the list and meet record 7."""
    run_id = RUNS[nth]
    pull = {"connection_id": view.connection_id, "resource": "contacts"}
    await session.execute(insert(run_tables.pulls).values(account_id="a", run_id=run_id, **pull))
    met = [QuarantinedRecord("contacts", 7, view.connection_id, reason)]
    await quarantine.add_records(session, run_id, "a", met, now=T0 + timedelta(hours=nth))


async def rows(session: Session) -> list[tuple[object, ...]]:
    table = tables.quarantine.c
    columns = (table.run_id, table.found_at, table.last_run_id, table.last_found_at, table.reason)
    return [tuple(row) for row in await session.execute(select(*columns).order_by(*columns))]


async def reported(session: Session) -> list[str]:
    """Return the runs whose report names the record."""
    found = {
        run: await quarantine.list_by_run(session, "a", run, EVERYBODY, limit=9) for run in RUNS
    }
    return [run for run, records in found.items() if records]


async def test_a_record_that_many_runs_meet_has_one_row_and_is_in_all_their_reports(
    account: Database,
):
    # row 34; run_3 read no list, as a run of one contact
    async with transaction(account, "a") as session:
        for nth in (1, 2, 4):
            await meet(session, nth, reason=f"reason {nth}")
        last = T0 + timedelta(hours=4)
        assert await rows(session) == [
            (RUNS[1], T0 + timedelta(hours=1), RUNS[4], last, "reason 4")
        ]
        assert await reported(session) == [RUNS[1], RUNS[2], RUNS[4]]
        waiting = [
            await quarantine.list_waiting(session, ANN, "contacts", run_id=run, after=0, limit=9)
            for run in RUNS[4:]
        ]
        assert waiting == [[], [7]]
        later = await quarantine.list_waiting(
            session, ANN, "contacts", run_id=RUNS[5], after=7, limit=9
        )
        assert later == []
        await meet(session, 5, BEN)
        assert len(await rows(session)) == 2, "each login has a row"


async def test_a_record_that_was_readable_in_between_is_met_for_the_first_time_again(
    account: Database,
):
    async with transaction(account, "a") as session:
        await meet(session, 1)
        await quarantine.resolve_records(session, ANN, "contacts", [7], now=T0)
        await meet(session, 3)
        assert [row[0] for row in await rows(session)] == [RUNS[1], RUNS[3]]
        assert await reported(session) == [RUNS[1], RUNS[3]]
        await quarantine.resolve_records(session, ANN, "contacts", [7], now=T0)
        await quarantine.add_records(
            session,
            RUNS[3],
            "a",
            [QuarantinedRecord("contacts", 7, ANN.connection_id, "x")],
            now=T0,
        )
        assert len(await rows(session)) == 2, "one run met it, read it and met it again"


async def test_the_rows_of_the_previous_release_become_one(account: Database):
    # it stores one for each run that met the record, and goes on while both releases work
    async with transaction(account, "a") as session:
        for nth in (1, 2):
            old = {"resource": "contacts", "clio_id": 7, "connection_id": "cnx_ann", "reason": "id"}
            when = T0 + timedelta(hours=nth)
            await session.execute(
                insert(tables.quarantine).values(
                    account_id="a", run_id=RUNS[nth], found_at=when, **old
                )
            )
        assert await reported(session) == [RUNS[1], RUNS[2]]
        waiting = await quarantine.list_waiting(
            session, ANN, "contacts", run_id=RUNS[2], after=0, limit=9
        )
        assert waiting == []
        await meet(session, 3)
        (row,) = await rows(session)
        assert row[:3] == (RUNS[1], T0 + timedelta(hours=1), RUNS[3])
