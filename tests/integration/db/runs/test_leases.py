"""Who may work on a run: one at a time, and whoever was overtaken writes no more."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db.runs import leases, run_requests, runs
from app.db.runs.leases import Lease
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Run, Trigger
from app.db.session import Database, transaction
from app.errors import RunTakenOver
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account

OVER_AT_ONCE = timedelta(0)


async def ask(
    database: Database, kind: Kind = Kind.FULL, *, clock_off: timedelta = timedelta(0)
) -> Run:
    async with transaction(database) as session:
        wish = RunRequest(kind, Trigger.MANUAL)
        return await run_requests.request_run(session, "a", wish, now=now() + clock_off)


async def acquire(
    database: Database, run: Run, length: timedelta = timedelta(minutes=1)
) -> Lease | None:
    async with transaction(database) as session:
        return await leases.acquire(session, "a", run.run_id, length=length, now=now())


async def test_a_run_that_somebody_works_on_is_not_leased_again(database: Database):
    await make_account(database, "a")
    run = await ask(database)
    assert await acquire(database, run) is not None
    assert await acquire(database, run) is None


async def test_a_worker_that_was_overtaken_writes_no_more(database: Database):
    # F13: SIGSTOP, take-over, SIGCONT
    await make_account(database, "a")
    run = await ask(database)
    stalled = await acquire(database, run, OVER_AT_ONCE)
    other = await acquire(database, run)
    assert stalled is not None
    assert other is not None
    async with transaction(database) as session:
        await leases.renew(session, other)
    with pytest.raises(RunTakenOver):
        async with transaction(database) as session:
            await leases.renew(session, stalled)


async def test_the_runs_of_an_account_go_one_after_another(database: Database):
    await make_account(database, "a")
    first = await ask(database, Kind.FULL)
    second = await ask(database, Kind.REDERIVE)
    assert await acquire(database, second) is None
    lease = await acquire(database, first)
    assert lease is not None
    async with transaction(database) as session:
        await leases.close_run(session, lease, runs.Status.SUCCEEDED, problems=[], now=now())
    assert await acquire(database, second) is not None


async def test_a_run_that_has_begun_is_not_overtaken_by_one_whose_process_has_a_slow_clock(
    database: Database,
):
    # F17: ids are made by the clocks of several processes
    await make_account(database, "a")
    first = await ask(database, Kind.FULL)
    lease = await acquire(database, first)
    assert lease is not None
    second = await ask(database, Kind.REDERIVE, clock_off=timedelta(hours=-1))
    assert second.run_id < first.run_id
    assert await acquire(database, second) is None
    async with transaction(database) as session:
        await session.execute(text("update runs set leased_until = clock_timestamp()"))
    assert await acquire(database, second) is None, "the first was begun, though nobody holds it"
    again = await acquire(database, first)
    assert again is not None, "it is taken up by whoever comes"
    async with transaction(database) as session:
        await leases.close_run(session, again, runs.Status.SUCCEEDED, problems=[], now=now())
    assert await acquire(database, second) is not None


async def test_of_many_who_take_runs_of_an_account_at_once_one_gets_one(database: Database):
    await make_account(database, "a")
    asked = [
        await ask(database, kind, clock_off=timedelta(minutes=-nth))
        for nth, kind in enumerate((Kind.FULL, Kind.REDERIVE, Kind.COVERAGE))
    ]
    taken: list[Lease] = []
    while not taken:  # who finds the account locked comes again, as jobs do
        async with asyncio.TaskGroup() as group:
            tries = [group.create_task(acquire(database, run)) for run in asked * 3]
        taken = [lease for task in tries if (lease := task.result()) is not None]
    assert [lease.run_id for lease in taken] == [min(run.run_id for run in asked)]


async def test_who_asks_for_a_run_does_not_wait_for_one_that_gathers_nudges(database: Database):
    # S14: a burst of nudges waits 45 s to become one run; a person does not
    await make_account(database, "a")
    nudged = RunRequest(Kind.INCREMENTAL, Trigger.WEBHOOK, after=timedelta(seconds=45))
    async with transaction(database) as session:
        await run_requests.request_run(session, "a", nudged, now=now())
    assert await put_off(database) == 1
    await ask(database)
    assert await put_off(database) == 0


async def put_off(database: Database) -> int:
    query = text("select count(*) from pgqueuer where status = 'queued' and execute_after > now()")
    async with transaction(database) as session:
        return int((await session.execute(query)).scalar_one())


async def test_two_wishes_at_once_make_one_run(database: Database):
    # S14
    await make_account(database, "a")
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(database)) for _ in range(5)]
    assert len({task.result().run_id for task in asked}) == 1
