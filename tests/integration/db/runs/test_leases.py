"""Leases of runs: one worker at a time, and a worker that lost its lease writes nothing."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app.db.runs import leases, run_requests, runs, turns
from app.db.runs.leases import AssessedBatch, Lease
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Run, Trigger, Usage
from app.db.session import Database, transaction
from app.errors import RunTakenOver
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account

EXPIRED_AT_ONCE = timedelta(0)


async def request(
    database: Database, kind: Kind = Kind.FULL, *, clock_off: timedelta = timedelta(0)
) -> Run:
    async with transaction(database, "a") as session:
        wanted = RunRequest(kind, Trigger.MANUAL)
        return await run_requests.request_run(session, "a", wanted, now=now() + clock_off)


async def acquire(
    database: Database, run: Run, length: timedelta = timedelta(minutes=1)
) -> Lease | None:
    """Take a turn in the run's lane; return None if the turn is not the run's."""
    async with transaction(database, "a") as session:
        lease = await turns.take_turn(session, "a", run.lane, length=length, now=now())
        assert lease is None or lease.run_id == run.run_id
        return lease


async def make_read_account(database: Database) -> None:
    """Make an account whose `initial` run has ended."""
    await make_account(database, "a")
    lease = await acquire(database, await request(database))
    assert lease is not None
    await end(database, lease)


async def end(database: Database, lease: Lease) -> None:
    async with transaction(database, "a") as session:
        await leases.close_run(session, lease, runs.Status.SUCCEEDED, problems=[], now=now())


async def test_a_leased_run_cannot_be_acquired_again(database: Database):
    await make_account(database, "a")
    run = await request(database)
    assert await acquire(database, run) is not None
    assert await acquire(database, run) is None


async def test_a_worker_that_lost_its_lease_cannot_renew_it(database: Database):
    # F13: a worker is stopped, another acquires the lease, the first one continues
    await make_account(database, "a")
    run = await request(database)
    stalled = await acquire(database, run, EXPIRED_AT_ONCE)
    other = await acquire(database, run)
    assert stalled is not None
    assert other is not None
    async with transaction(database, "a") as session:
        await leases.renew(session, other)
    with pytest.raises(RunTakenOver):
        async with transaction(database, "a") as session:
            await leases.renew(session, stalled)


async def test_a_fenced_transaction_renews_the_lease_and_stores_values_on_the_run(
    database: Database,
):
    await make_account(database, "a")
    run = await request(database)
    lease = await acquire(database, run)
    assert lease is not None
    before = await leased_until(database)
    async with leases.fenced_transaction(database, lease, phase="pulling") as session:
        assert (await runs.get_run(session, "a", run.run_id)).phase == "pulling"
    assert await leased_until(database) > before


async def test_a_fenced_transaction_of_a_lost_lease_writes_nothing(database: Database):
    # F13
    await make_account(database, "a")
    run = await request(database)
    stalled = await acquire(database, run, EXPIRED_AT_ONCE)
    other = await acquire(database, run)
    assert stalled is not None
    assert other is not None
    reached = False
    with pytest.raises(RunTakenOver):
        async with leases.fenced_transaction(database, stalled, phase="pulling"):
            reached = True
    assert not reached
    async with transaction(database, "a") as session:
        assert (await runs.get_run(session, "a", run.run_id)).phase is None


async def test_no_worker_acquires_the_lease_during_a_fenced_transaction(database: Database):
    # the lease may expire during the transaction: the lock on the run's row protects it
    await make_account(database, "a")
    run = await request(database)
    lease = await acquire(database, run, EXPIRED_AT_ONCE)
    assert lease is not None
    async with leases.fenced_transaction(database, lease):
        assert await acquire(database, run) is None
    assert await acquire(database, run) is not None


async def test_starts_count_as_crashes_until_the_run_makes_progress(database: Database):
    # I8: the current start does not count
    await make_account(database, "a")
    run = await request(database)
    assert [await crashes(database, run) for _ in range(3)] == [0, 1, 2]
    lease = await acquire(database, run, EXPIRED_AT_ONCE)
    assert lease is not None
    async with transaction(database, "a") as session:
        await leases.record_progress(session, lease, Usage(1, 0, 0.0), expected_end=None, now=now())
    assert await crashes(database, run) == 0


async def crashes(database: Database, run: Run) -> int:
    """Start the run and return how many of its starts count as crashes."""
    lease = await acquire(database, run, EXPIRED_AT_ONCE)
    assert lease is not None
    async with transaction(database, "a") as session:
        return await leases.count_crashes(session, lease)


async def test_a_resumed_assessment_counts_what_was_assessed_before(database: Database):
    # IS-2
    await make_account(database, "a")
    run = await request(database)
    lease = await acquire(database, run)
    assert lease is not None
    async with transaction(database, "a") as session:
        await leases.begin_assessing(session, lease, to_assess=5)
        batch = AssessedBatch(contacts=3)
        await leases.record_assessed(session, lease, batch, expected_end=None, now=now())
        await leases.begin_assessing(session, lease, to_assess=2)
        found = await runs.get_run(session, "a", run.run_id)
    assert (found.assessed, found.to_assess) == (3, 5)


async def leased_until(database: Database) -> datetime:
    async with transaction(database, "a") as session:
        found: datetime = (
            await session.execute(text("select leased_until from runs"))
        ).scalar_one()
        return found


async def test_the_runs_that_read_lists_of_an_account_are_executed_one_after_another(
    database: Database,
):
    await make_read_account(database)
    first = await request(database, Kind.FULL)
    second = await request(database, Kind.COVERAGE)
    assert await acquire(database, second) is None
    lease = await acquire(database, first)
    assert lease is not None
    await end(database, lease)
    assert await acquire(database, second) is not None


async def test_a_run_that_reads_no_lists_is_executed_between_two_slices_of_one_that_does(
    database: Database,
):
    await make_account(database, "a")
    reading = await request(database, Kind.FULL)
    between = await request(database, Kind.REDERIVE)
    lease = await acquire(database, reading)
    assert lease is not None
    assert await acquire(database, between) is None, "one run of an account is at work at a time"
    async with transaction(database, "a") as session:
        await leases.renew(session, lease)
        await leases.pause_run(session, lease, after=timedelta(0), now=now())
    lease = await acquire(database, between)
    assert lease is not None
    assert await acquire(database, reading) is None
    await end(database, lease)
    assert await acquire(database, reading) is not None


async def test_a_started_run_precedes_one_with_an_older_id_from_a_slow_clock(
    database: Database,
):
    # F17: ids contain the times of several processes
    await make_read_account(database)
    first = await request(database, Kind.FULL)
    lease = await acquire(database, first)
    assert lease is not None
    second = await request(database, Kind.COVERAGE, clock_off=timedelta(hours=-1))
    assert second.run_id < first.run_id
    assert await acquire(database, second) is None
    async with transaction(database, "a") as session:
        await session.execute(text("update runs set leased_until = clock_timestamp()"))
    assert await acquire(database, second) is None, (
        "the first run has started, although no worker has its lease"
    )
    again = await acquire(database, first)
    assert again is not None, "any worker may continue the first run"
    await end(database, again)
    assert await acquire(database, second) is not None


async def test_one_of_many_concurrent_workers_acquires_one_run_of_an_account(database: Database):
    await make_read_account(database)
    requested = [
        await request(database, kind, clock_off=timedelta(minutes=-nth))
        for nth, kind in enumerate((Kind.INCREMENTAL, Kind.FULL, Kind.COVERAGE))
    ]
    acquired: list[Lease] = []
    while not acquired:  # a worker that finds the account locked tries again, as jobs do
        async with asyncio.TaskGroup() as group:
            tries = [group.create_task(acquire(database, run)) for run in requested * 3]
        acquired = [lease for task in tries if (lease := task.result()) is not None]
    assert [lease.run_id for lease in acquired] == [min(run.run_id for run in requested)]


async def test_a_manual_request_does_not_wait_for_a_run_that_collects_webhooks(database: Database):
    # S14: webhooks of Clio are collected for 45 s into one run, but a manual run starts immediately
    await make_account(database, "a")
    delayed = RunRequest(Kind.INCREMENTAL, Trigger.WEBHOOK, after=timedelta(seconds=45))
    async with transaction(database, "a") as session:
        await run_requests.request_run(session, "a", delayed, now=now())
    assert await count_delayed_jobs(database) == 1
    await request(database)
    assert await count_delayed_jobs(database) == 0


async def count_delayed_jobs(database: Database) -> int:
    query = text("select count(*) from pgqueuer where status = 'queued' and execute_after > now()")
    async with transaction(database, "a") as session:
        return int((await session.execute(query)).scalar_one())


async def test_equal_requests_at_the_same_time_get_one_run(database: Database):
    # S14
    await make_account(database, "a")
    async with asyncio.TaskGroup() as group:
        requests = [group.create_task(request(database)) for _ in range(5)]
    assert len({task.result().run_id for task in requests}) == 1
