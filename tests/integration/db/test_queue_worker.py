"""A queue manager: a job that another manager has picked it neither ends nor gives back; it knows the next job."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from sqlalchemy import text

from app.db import job_queue
from app.db.queue_worker import ListeningDriver, OwnJobs, QueueWorker
from app.db.session import Database, transaction
from app.lanes import Lane
from tests.support.postgres import address_of
from tests.support.world import PATIENCE

OTHER_MANAGER = UUID(int=8)
LANE = Lane.WRITE_BACK


class Late:
    """Does a job until the test lets it end, and then ends it in a given way; a job that is done again succeeds."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.began, self.may_end, self.again = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._end = end

    async def do(self, _: Job) -> None:
        if self.began.is_set():
            self.again.set()
            return
        self.began.set()
        await self.may_end.wait()
        self._end()


@asynccontextmanager
async def working(dsn: str, late: Late) -> AsyncIterator[None]:
    """Run a queue manager while the block runs; at its end the manager has stored how its jobs ended."""
    stopping = asyncio.Event()
    async with job_queue.worker_pool(address_of(dsn)) as pool, asyncio.TaskGroup() as group:
        worker = QueueWorker(
            ListeningDriver(pool), failed=lambda _: 0.1, turned=lambda: None, shutdown=stopping
        )
        worker.entrypoint(LANE.label, on_failure="hold")(late.do)
        group.create_task(worker.work(2, heartbeat=timedelta(minutes=1)))
        yield
        stopping.set()


def succeed() -> None:
    pass


def crash() -> None:
    raise LookupError


def give_back() -> None:
    raise RetryRequested(timedelta(0), "the database was lost")


async def statuses(database: Database) -> list[tuple[str, UUID | None]]:
    query = text("select status, queue_manager_id from pgqueuer")
    async with transaction(database, "a") as session:
        return [(row.status, row.queue_manager_id) for row in await session.execute(query)]


async def do_one_job(database: Database, dsn: str, end: Callable[[], None]) -> None:
    """Let a manager pick a job and end it in this way."""
    async with transaction(database, "a") as session:
        await job_queue.want(session, LANE, "a")
    late = Late(end)
    async with working(dsn, late):
        async with asyncio.timeout(PATIENCE):
            await late.began.wait()
        late.may_end.set()


@pytest.mark.parametrize("end", [succeed, crash, give_back])
async def test_a_manager_that_comes_too_late_leaves_the_job_to_the_other_one(
    database: Database, dsn: str, end: Callable[[], None]
):
    # F13: the process was stopped for longer than its heartbeat, and went on
    async with transaction(database, "a") as session:
        await job_queue.want(session, LANE, "a")
    late = Late(end)
    async with working(dsn, late):
        async with asyncio.timeout(PATIENCE):
            await late.began.wait()
        async with transaction(database, "a") as session:
            picked = "update pgqueuer set queue_manager_id = :manager"
            await session.execute(text(picked), {"manager": OTHER_MANAGER})
        late.may_end.set()
    assert await statuses(database) == [("picked", OTHER_MANAGER)]


@pytest.mark.parametrize(("end", "expected"), [(succeed, []), (crash, [("failed", None)])])
async def test_a_manager_that_still_has_its_job_ends_it(
    database: Database, dsn: str, end: Callable[[], None], expected: object
):
    await do_one_job(database, dsn, end)
    assert await statuses(database) == expected


async def test_a_manager_that_still_has_its_job_gives_it_back_and_does_it_again(
    database: Database, dsn: str
):
    async with transaction(database, "a") as session:
        await job_queue.want(session, LANE, "a")
    late = Late(give_back)
    async with working(dsn, late), asyncio.timeout(PATIENCE):
        await late.began.wait()
        late.may_end.set()
        await late.again.wait()
    assert await statuses(database) == []


def crash_with_a_name() -> None:
    raise LookupError("Ann Harlow")


def give_back_with_a_name() -> None:
    raise RetryRequested(timedelta(0), "Ann Harlow") from LookupError("Ann Harlow")


@pytest.mark.parametrize("end", [crash_with_a_name, give_back_with_a_name])
async def test_the_text_of_a_failure_is_not_stored(
    database: Database, dsn: str, end: Callable[[], None]
):
    # T9, T15: it may have client data, and pgqueuer's log is of no account
    await do_one_job(database, dsn, end)
    async with transaction(database, "a") as session:
        ended = text("select status from pgqueuer_log where status in ('failed', 'queued')")
        assert (await session.execute(ended)).all()
        told = text(
            "select log::text from pgqueuer_log log union all select job::text from pgqueuer job"
        )
        assert "Ann Harlow" not in str((await session.execute(told)).all())


async def test_a_manager_knows_when_the_next_job_of_its_own_lane_is_due(
    database: Database, dsn: str
):
    async with job_queue.worker_pool(address_of(dsn)) as pool:
        jobs = OwnJobs(ListeningDriver(pool))

        async def queue(lane: Lane, key: str, after: timedelta) -> timedelta | None:
            async with transaction(database, "a") as session:
                await job_queue.want_later(session, lane, key, after=after)
            return await jobs.until_next([LANE.label])

        assert await queue(Lane.PERSON, "of another lane", timedelta(0)) is None
        later = await queue(LANE, "later", timedelta(seconds=60))
        assert later is not None
        assert timedelta(seconds=30) < later <= timedelta(seconds=60)
        sooner = await queue(LANE, "sooner", timedelta(seconds=30))
        assert sooner is not None
        assert timedelta(0) < sooner <= timedelta(seconds=30)
        assert await queue(LANE, "now", timedelta(0)) == timedelta(0)
