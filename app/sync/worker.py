"""The jobs that a worker process can do, by name.

A job only names a run, a contact or an account. Their rows say what is left to do, so a job that is delivered twice
does no harm.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.db import job_queue
from app.db.connection import Address
from app.db.queue_worker import QueueWorker
from app.db.session import transaction
from app.errors import DatabaseUnavailable
from app.shutdown import wait_for_stop
from app.sync.account_erasure import erase_account
from app.sync.concurrency import Stopping
from app.sync.run import execute_run
from app.sync.services import Services
from app.sync.supervisor import Part, Supervisor
from app.sync.writeback import verify_written, write_back

CONCURRENT_JOBS = 20  # per worker: one worker does runs, another one writes to Clio
POLL_INTERVAL = timedelta(seconds=2)
RETRY_AFTER_DATABASE_LOSS = timedelta(seconds=1)
DATABASE_CHECK_SECONDS = 3.0

log = structlog.get_logger(__name__)

JobHandler = Callable[[Job], Awaitable[None]]
Step = Callable[[dict[str, Any]], Awaitable[timedelta | None]]


async def work_on_runs(
    services: Services, address: Address, supervisor: Supervisor, part: Part
) -> None:
    """Do the jobs of runs until the process must stop."""
    handlers = {job_queue.RUN: _run_handler(services)}
    await _work(services, address, handlers, partial(supervisor.note, part), part.turned)


async def work_on_writes(
    services: Services, address: Address, supervisor: Supervisor, part: Part
) -> None:
    """Write to Clio and verify what was written until the process must stop.

    A run takes hours and a write-back takes a moment, so each kind has its own worker.
    """
    handlers = {
        job_queue.WRITEBACK: _write_handler(services),
        job_queue.SWEEP: _verify_handler(services),
        job_queue.ERASURE: _erasure_handler(services),
    }
    await _work(services, address, handlers, partial(supervisor.note, part), part.turned)


async def _work(
    services: Services,
    address: Address,
    handlers: Mapping[str, JobHandler],
    failed: Callable[[Exception], float],
    turned: Callable[[], None],
) -> None:
    """Do the jobs that have a handler."""
    async with job_queue.worker_pool(address) as pool:
        worker = QueueWorker(pool, failed=failed, turned=turned, shutdown=services.stopping)
        for name, handler in handlers.items():
            worker.entrypoint(name)(handler)
        await worker.run(
            dequeue_timeout=POLL_INTERVAL,
            heartbeat_timeout=services.timing.heartbeat,
            max_concurrent_tasks=CONCURRENT_JOBS,
        )


def _job(services: Services, step: Step) -> JobHandler:
    """Return a handler that calls the step with the job's payload, and queues the job again when the step asks for it.

    When the database is lost the job is queued again once it is back (F14). pgqueuer drops a job that raises; the
    scheduler then queues what is left to do again.
    """

    async def handle(job: Job) -> None:
        try:
            retry_after = await step(json.loads(job.payload or b"{}"))
        except DatabaseUnavailable as failure:
            retry_after = timedelta(0)
            if not failure.retry_now:
                retry_after = RETRY_AFTER_DATABASE_LOSS
                await _wait_for_database(services)
        except Stopping:  # another process continues at once
            retry_after = timedelta(0)
        if retry_after is not None:
            raise RetryRequested(retry_after, "the rest is done later")

    return handle


async def _wait_for_database(services: Services) -> None:
    """Return when the database answers, or the process must stop."""
    while not services.stopping.is_set():
        try:
            async with transaction(services.database):
                return
        except DatabaseUnavailable:
            await wait_for_stop(services.stopping, DATABASE_CHECK_SECONDS)


def _run_handler(services: Services) -> JobHandler:
    """Return the handler that works on a run."""
    return _job(services, lambda names: execute_run(services, names["account_id"], names["run_id"]))


def _write_handler(services: Services) -> JobHandler:
    """Return the handler that writes a contact's waiting activities to Clio."""
    return _job(
        services, lambda names: write_back(services, names["account_id"], names["clio_contact_id"])
    )


def _verify_handler(services: Services) -> JobHandler:
    """Return the handler that verifies what the account wrote a day ago."""
    return _job(services, lambda names: verify_written(services, names["account_id"]))


def _erasure_handler(services: Services) -> JobHandler:
    """Return the handler that erases an account, some steps at a time."""
    return _job(
        services, lambda names: erase_account(services, names["account_id"], names["erasure_id"])
    )
