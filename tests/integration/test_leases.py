"""Who may work on a run: one at a time, and whoever was overtaken writes no more."""

import asyncio
from datetime import timedelta

import pytest

from app.db import leases, runs
from app.db.leases import Lease
from app.db.runs import Kind, Run, Trigger, Wish
from app.db.session import Database, transaction
from app.errors import Fenced
from app.main import now
from tests.integration.test_feed import make_account

SHORT = timedelta(milliseconds=50)


async def ask(database: Database, kind: Kind = Kind.FULL) -> Run:
    async with transaction(database) as session:
        return await runs.ask(session, "a", Wish(kind, Trigger.MANUAL), now=now())


async def acquire(database: Database, run: Run, length: timedelta = SHORT) -> Lease | None:
    async with transaction(database) as session:
        return await leases.acquire(session, "a", run.run_id, length=length, now=now())


async def test_a_run_that_somebody_works_on_is_not_leased_again(database: Database):
    await make_account(database, "a")
    run = await ask(database)
    assert await acquire(database, run, timedelta(minutes=1)) is not None
    assert await acquire(database, run) is None


async def test_a_worker_that_was_overtaken_writes_no_more(database: Database):
    # F13: SIGSTOP, take-over, SIGCONT
    await make_account(database, "a")
    run = await ask(database)
    stalled = await acquire(database, run)
    await asyncio.sleep(0.1)
    other = await acquire(database, run, timedelta(minutes=1))
    assert stalled is not None
    assert other is not None
    async with transaction(database) as session:
        await leases.hold(session, other)
    with pytest.raises(Fenced):
        async with transaction(database) as session:
            await leases.hold(session, stalled)


async def test_the_runs_of_an_account_go_one_after_another(database: Database):
    await make_account(database, "a")
    first = await ask(database, Kind.FULL)
    second = await ask(database, Kind.REDERIVE)
    assert await acquire(database, second) is None
    lease = await acquire(database, first, timedelta(minutes=1))
    assert lease is not None
    async with transaction(database) as session:
        await leases.close(session, lease, runs.Status.SUCCEEDED, problems=[], now=now())
    assert await acquire(database, second) is not None


async def test_two_wishes_at_once_make_one_run(database: Database):
    # S14
    await make_account(database, "a")
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(database)) for _ in range(5)]
    assert len({task.result().run_id for task in asked}) == 1
