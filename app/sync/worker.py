"""What a worker can do, by name. The only import of pgqueuer beside `db/job_queue`.

A job only names a run; the run's own row says what is left to do, so a job that comes twice does no harm.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pgqueuer
import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.db import job_queue
from app.errors import DatabaseUnavailable
from app.sync.run import run
from app.sync.services import Services
from app.sync.writeback.send import write_back
from app.sync.writeback.verify import sweep

AT_ONCE = 20  # jobs of either sort that one process works on at the same time
DATABASE_BACK = timedelta(seconds=5)

log = structlog.get_logger(__name__)

Take = Callable[[Job], Awaitable[None]]
Step = Callable[[dict[str, Any]], Awaitable[timedelta | None]]


async def work(services: Services, dsn: str) -> None:
    """Take jobs and do them until the process is asked to stop; a lost database is met again.

    Runs last for hours and write-backs for a moment, so each has hands of its own.
    """
    writes = {job_queue.WRITEBACK: _writer(services), job_queue.SWEEP: _sweeper(services)}
    async with asyncio.TaskGroup() as group:
        runs = {job_queue.RUN: _runner(services)}
        group.create_task(_hands(services, dsn, runs, relisten=False))
        group.create_task(_hands(services, dsn, writes, relisten=True))


async def _hands(
    services: Services, dsn: str, takes: Mapping[str, Take], *, relisten: bool
) -> None:
    """Work on some sorts of jobs. `relisten`: begin again when the database's notices no longer arrive.

    Before it begins again, pgqueuer waits for the jobs under way and takes no other: not where these last for hours.
    """

    @asynccontextmanager
    async def worker() -> AsyncIterator[pgqueuer.PgQueuer]:
        async with job_queue.worker_pool(dsn) as pool:
            manager = pgqueuer.PgQueuer.from_asyncpg_pool(pool)
            for name, take in takes.items():
                manager.entrypoint(name)(take)
            yield manager

    await pgqueuer.run(
        worker,
        shutdown=services.stopping,
        restart_on_failure=True,
        restart_delay=timedelta(seconds=1),
        shutdown_on_listener_failure=relisten,
        dequeue_timeout=timedelta(seconds=2),
        heartbeat_timeout=services.timing.heartbeat,
        max_concurrent_tasks=AT_ONCE,
    )


def _job(step: Step) -> Take:
    """A job does the step for what its payload names, and is handed back when the step must wait.

    So it is when the database is lost (F14): pgqueuer forgets a job that raises. It forgets one also that cannot be
    handed back just then; the clock takes up what lost its job.
    """

    async def take(job: Job) -> None:
        try:
            again = await step(json.loads(job.payload or b"{}"))
        except DatabaseUnavailable:
            log.warning("database_unavailable")
            again = DATABASE_BACK
        if again is not None:
            raise RetryRequested(again, "the rest goes later")

    return take


def _runner(services: Services) -> Take:
    """Work on a run."""
    return _job(lambda names: run(services, names["account_id"], names["run_id"]))


def _writer(services: Services) -> Take:
    """Bring what waits at a contact to Clio."""
    return _job(lambda names: write_back(services, names["account_id"], names["clio_contact_id"]))


def _sweeper(services: Services) -> Take:
    """Count what the account wrote a day ago."""
    return _job(lambda names: sweep(services, names["account_id"]))
