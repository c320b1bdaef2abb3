"""The queue: one job of each lane and key, and no wake-up is lost, in whatever order two transactions come."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from pgqueuer.domain.settings import db_settings
from sqlalchemy import text

from app.db import job_queue
from app.db.job_queue import FIRST_SLICE, LATER_SLICE, OwnJob
from app.db.session import Database, Session, transaction
from app.lanes import Lane
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.interleaving import interleave, orders, step
from tests.support.postgres import until_waiting_for_lock
from tests.support.slices import OTHER_MANAGER, pick
from tests.support.waiting_activities import store_waiting, waiting_activity

LANE, KEY = Lane.WRITE_BACK, "a"
LATER = timedelta(seconds=30)
NOW = timedelta(0)


@dataclass(frozen=True)
class Row:
    """A job in the queue."""

    job_id: int
    status: str
    priority: int
    is_due: bool


async def jobs(database: Database, key: str = "write_back:a") -> list[Row]:
    """Return the jobs of a lane and key that are queued or at work."""
    query = text(
        "select id, status, priority, execute_after <= clock_timestamp() from pgqueuer"
        " where dedupe_key = :key and status in ('queued', 'picked')"
    )
    async with transaction(database, "a") as session:
        return [Row(*row) for row in await session.execute(query, {"key": key})]


async def want(database: Database) -> None:
    async with transaction(database, "a") as session:
        await job_queue.want(session, LANE, KEY)


async def want_later(database: Database, after: timedelta = NOW, *, is_new: bool = False) -> None:
    async with transaction(database, "a") as session:
        await job_queue.want_later(session, LANE, KEY, after=after, is_new=is_new)


# --- one job -----------------------------------------------------------------------------------------


async def test_new_work_goes_before_later_slices_and_gets_one_job(database: Database):
    await want(database)
    await want(database)
    (job,) = await jobs(database)
    assert (job.status, job.priority, job.is_due) == ("queued", FIRST_SLICE, True)


async def test_the_rest_of_some_work_goes_behind_new_work(database: Database):
    await want_later(database)
    (job,) = await jobs(database)
    assert (job.priority, job.is_due) == (LATER_SLICE, True)


@pytest.mark.parametrize("after", [NOW, LATER])
async def test_work_that_is_added_to_a_lane_that_has_a_job_does_not_overtake_new_work(
    database: Database, after: timedelta
):
    # otherwise an account to which work is always added would keep others from their first slice
    await want_later(database, after)
    await want(database)
    (job,) = await jobs(database)
    assert (job.status, job.priority, job.is_due) == ("queued", LATER_SLICE, True)


async def test_new_work_that_is_due_later_goes_before_later_slices(database: Database):
    await want_later(database, LATER, is_new=True)
    (job,) = await jobs(database)
    assert (job.priority, job.is_due) == (FIRST_SLICE, False)
    await want(database)
    (job,) = await jobs(database)
    assert (job.priority, job.is_due) == (FIRST_SLICE, True)


async def test_a_job_at_work_stays_with_its_worker_when_work_is_added(database: Database):
    own = await pick(database, LANE, KEY)
    await want(database)
    (job,) = await jobs(database)
    assert (job.job_id, job.status, job.priority) == (own.job_id, "picked", LATER_SLICE)


async def test_a_job_that_is_due_does_not_become_one_that_is_due_later(database: Database):
    await want(database)
    before = await jobs(database)
    await want_later(database, LATER)
    assert await jobs(database) == before


async def test_a_job_that_failed_does_not_keep_its_work_from_a_new_one(database: Database):
    await want(database)
    async with transaction(database, "a") as session:
        await session.execute(text("update pgqueuer set status = 'failed'"))
    await want(database)
    assert [job.status for job in await jobs(database)] == ["queued"]


async def test_what_is_due_after_the_longest_delay_is_left_to_the_clock(database: Database):
    await want_later(database, job_queue.LONGEST_DELAY + timedelta(seconds=1))
    assert await jobs(database) == []
    await want_later(database, job_queue.LONGEST_DELAY)
    assert [job.is_due for job in await jobs(database)] == [False]


async def test_a_worker_that_waits_for_a_job_that_is_due_later_hears_of_one_that_is_due_now(
    database: Database, dsn: str
):
    await want_later(database, LATER)
    (delayed,) = await jobs(database)
    heard: asyncio.Queue[Any] = asyncio.Queue()
    listener = await asyncpg.connect(dsn)
    await listener.add_listener(
        db_settings().channel, lambda *notice: heard.put_nowait(json.loads(notice[3]))
    )
    await want(database)
    operations = set()
    async with asyncio.timeout(20):
        while "insert" not in operations:
            operations.add((await heard.get())["operation"])
    await listener.close()
    (job,) = await jobs(database)
    assert job.job_id != delayed.job_id
    assert job.is_due


# --- the owner of a job ------------------------------------------------------------------------------


async def test_only_the_owner_of_a_job_deletes_it(database: Database):
    own = await pick(database, LANE, KEY)
    await pick(database, LANE, KEY, manager=OTHER_MANAGER)
    async with transaction(database, "a") as session:
        assert not await job_queue.delete_own_job(session, own)
        assert not await job_queue.delete_own_job(session, OwnJob(own.job_id + 1, own.manager_id))
    assert len(await jobs(database)) == 1
    async with transaction(database, "a") as session:
        assert await job_queue.delete_own_job(session, OwnJob(own.job_id, str(OTHER_MANAGER)))
    assert await jobs(database) == []


# --- no wake-up is lost ------------------------------------------------------------------------------


async def is_left(session: Session) -> bool:
    count = "select count(*) from activities where status = 'queued'"
    return bool((await session.execute(text(count))).scalar_one())


@pytest.fixture
async def looker(
    dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees who waits for a lock; queueing a job is a step of its own."""
    enqueue = job_queue._enqueue

    async def enqueue_in_turn(*given: Any, **named: Any) -> None:
        await step()
        await enqueue(*given, **named)

    monkeypatch.setattr(job_queue, "_enqueue", enqueue_in_turn)
    await make_account(database, KEY)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def add_work(database: Database) -> None:
    """Add work as a request does: the work and its job in one transaction."""
    async with transaction(database, "a") as session:
        await step()
        await store_waiting(session, [waiting_activity(KEY, 1)], leased={})
        await step()
        await job_queue.want(session, LANE, KEY)
        await step()


async def do_work(database: Database, own: OwnJob, rest: timedelta | None) -> None:
    """Do a slice: the work that is there, and then its end. `rest` says when other work of the key is due."""
    await step()
    async with transaction(database, "a") as session:
        await session.execute(text("update activities set status = 'written'"))
    await step()
    async with transaction(database, "a") as session:
        assert await job_queue.delete_own_job(session, own)
        await step()
        after = NOW if await is_left(session) else rest
        if after is not None:
            await job_queue.want_later(session, LANE, KEY, after=after)
        await step()


@pytest.mark.parametrize("rest", [None, LATER], ids=["nothing", "later"])
async def test_work_that_is_added_while_a_slice_ends_is_done_or_has_a_job_that_is_due(
    database: Database, looker: asyncpg.Connection, rest: timedelta | None
):
    for order in orders(4, 5):
        await looker.execute("truncate activities, activity_turns, pgqueuer cascade")
        own = await pick(database, LANE, KEY)
        sides = (partial(add_work, database), partial(do_work, database, own, rest))
        await interleave(looker, sides, order)
        found = await jobs(database)
        async with transaction(database, "a") as session:
            if await is_left(session):
                assert [(job.status, job.is_due) for job in found] == [("queued", True)], order
        assert len(found) <= 1


async def test_work_that_two_requests_add_at_the_same_time_gets_one_job_that_is_due(
    database: Database, looker: asyncpg.Connection
):
    async def want_once() -> None:
        async with transaction(database, "a") as session:
            await step()
            await job_queue.want(session, LANE, KEY)
            await step()

    for before in (None, NOW, LATER):
        for order in orders(3, 3):
            await looker.execute("truncate pgqueuer")
            if before is not None:
                await want_later(database, before)
            await interleave(looker, (want_once, want_once), order)
            found = await jobs(database)
            assert [(job.status, job.is_due) for job in found] == [("queued", True)], order


async def test_the_end_of_a_slice_waits_for_work_that_is_being_added(database: Database, dsn: str):
    own = await pick(database, LANE, KEY)

    async def end() -> None:
        async with transaction(database, "a") as session:
            assert await job_queue.delete_own_job(session, own)

    async with asyncio.TaskGroup() as group, transaction(database, "a") as session:
        await job_queue.want(session, LANE, KEY)
        ending = group.create_task(end())
        await until_waiting_for_lock(dsn, ending)
        assert not ending.done()
