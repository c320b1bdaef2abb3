"""The jobs that a worker process can do, by name. Only this module and `app/db/job_queue.py` import pgqueuer.

A job only names a run, a contact or an account. Their rows say what is left to do, so a job that is delivered twice
does no harm.
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
from app.sync.account_erasure import erase_account
from app.sync.run import execute_run
from app.sync.services import Services
from app.sync.writeback import verify_written, write_back

CONCURRENT_JOBS = 20  # per worker: one worker does runs, another one writes to Clio
RETRY_AFTER_DATABASE_LOSS = timedelta(seconds=5)

log = structlog.get_logger(__name__)

JobHandler = Callable[[Job], Awaitable[None]]
Step = Callable[[dict[str, Any]], Awaitable[timedelta | None]]


async def run_workers(services: Services, dsn: str) -> None:
    """Do jobs until the process must stop; reconnect when the database was lost.

    A run takes hours and a write-back takes a moment, so each kind has its own worker.
    """
    writes = {
        job_queue.WRITEBACK: _write_handler(services),
        job_queue.SWEEP: _verify_handler(services),
        job_queue.ERASURE: _erasure_handler(services),
    }
    async with asyncio.TaskGroup() as group:
        runs = {job_queue.RUN: _run_handler(services)}
        group.create_task(_run_worker(services, dsn, runs, restart_listener=False))
        group.create_task(_run_worker(services, dsn, writes, restart_listener=True))


async def _run_worker(
    services: Services, dsn: str, handlers: Mapping[str, JobHandler], *, restart_listener: bool
) -> None:
    """Do the jobs that have a handler.

    With `restart_listener` the worker restarts when the database's notifications stop. Before a restart pgqueuer
    waits for the jobs in progress and takes no other job, so a worker whose jobs take hours must not restart.
    """

    @asynccontextmanager
    async def worker() -> AsyncIterator[pgqueuer.PgQueuer]:
        async with job_queue.worker_pool(dsn) as pool:
            manager = pgqueuer.PgQueuer.from_asyncpg_pool(pool)
            for name, handler in handlers.items():
                manager.entrypoint(name)(handler)
            yield manager

    await pgqueuer.run(
        worker,
        shutdown=services.stopping,
        restart_on_failure=True,
        restart_delay=timedelta(seconds=1),
        shutdown_on_listener_failure=restart_listener,
        dequeue_timeout=timedelta(seconds=2),
        heartbeat_timeout=services.timing.heartbeat,
        max_concurrent_tasks=CONCURRENT_JOBS,
    )


def _job(step: Step) -> JobHandler:
    """Return a handler that calls the step with the job's payload, and queues the job again when the step asks for it.

    The job is queued again also when the database is lost (F14), because pgqueuer drops a job that raises. If it
    cannot be queued again at that moment, pgqueuer drops it too; the scheduler then queues the run again.
    """

    async def handle(job: Job) -> None:
        try:
            retry_after = await step(json.loads(job.payload or b"{}"))
        except DatabaseUnavailable:
            log.warning("database_unavailable")
            retry_after = RETRY_AFTER_DATABASE_LOSS
        if retry_after is not None:
            raise RetryRequested(retry_after, "the rest is done later")

    return handle


def _run_handler(services: Services) -> JobHandler:
    """Return the handler that works on a run."""
    return _job(lambda names: execute_run(services, names["account_id"], names["run_id"]))


def _write_handler(services: Services) -> JobHandler:
    """Return the handler that writes a contact's waiting activities to Clio."""
    return _job(lambda names: write_back(services, names["account_id"], names["clio_contact_id"]))


def _verify_handler(services: Services) -> JobHandler:
    """Return the handler that verifies what the account wrote a day ago."""
    return _job(lambda names: verify_written(services, names["account_id"]))


def _erasure_handler(services: Services) -> JobHandler:
    """Return the handler that erases an account, some steps at a time."""
    return _job(lambda names: erase_account(services, names["account_id"], names["erasure_id"]))
