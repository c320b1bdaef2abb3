"""The workers of a process: one for each lane, with places of its own. They do slices of work, in turn over accounts.

A job only names its lane and a key. Their rows say what is left to do, so a slice that is done twice does no harm.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.db.job_queue import EARLIER_JOBS, OwnJob
from app.db.queue_worker import ListeningDriver, QueueWorker
from app.errors import DatabaseUnavailable
from app.lanes import RUN_LANES, Lane
from app.sync.concurrency import Stopping
from app.sync.earlier_jobs import wake_lane_of
from app.sync.events import serve_endpoint
from app.sync.housekeeping import keep_house
from app.sync.outages import wait_for_database
from app.sync.run import work_on_runs
from app.sync.services import Services
from app.sync.slices import Ending, end_slice
from app.sync.supervisor import Part, Supervisor
from app.sync.writeback import write_back

# The slices of each lane that one process does at the same time. More processes have more places. Where somebody waits,
# there are many: a slice keeps its place while it waits for Clio, and the requests of many firms may take long.
PLACES = {
    Lane.PERSON: 24,
    Lane.WRITE_BACK: 24,
    Lane.INCREMENTAL: 16,
    Lane.INITIAL: 4,
    Lane.RECONCILE: 4,
    Lane.DELIVERIES: 100,  # an endpoint that does not answer keeps its place for ten seconds
    Lane.HOUSEKEEPING: 8,  # some of its slices wait for Clio
}
PLACES_FOR_EARLIER_JOBS = 4
RETRY_AFTER_DATABASE_LOSS = timedelta(seconds=1)

log = structlog.get_logger(__name__)

Work = Callable[[Services, str], Awaitable[Ending]]  # does a slice of the work of a key

WORK: Mapping[Lane, Work] = {
    **{lane: partial(work_on_runs, lane) for lane in RUN_LANES},
    Lane.WRITE_BACK: write_back,
    Lane.DELIVERIES: serve_endpoint,
    Lane.HOUSEKEEPING: keep_house,
}


async def work_on_lane(
    services: Services, driver: ListeningDriver, lane: Lane, supervisor: Supervisor, part: Part
) -> None:
    """Do slices of a lane until the process must stop."""
    worker = _worker(services, driver, supervisor, part)

    async def do_slice(job: Job) -> None:
        key = (job.payload or b"").decode()
        own = OwnJob(job.id, str(job.queue_manager_id))
        ending = await WORK[lane](services, key)
        try:
            await end_slice(services.database, lane, key, own, ending)
        except DatabaseUnavailable:
            await ending.abandon()
            raise

    worker.entrypoint(lane.label, on_failure="hold")(_surviving_outages(services, do_slice))
    await worker.work(PLACES[lane], heartbeat=services.timing.heartbeat)


async def work_on_earlier_jobs(
    services: Services, driver: ListeningDriver, supervisor: Supervisor, part: Part
) -> None:
    """Turn jobs that the previous release queued into slices, until the process must stop."""
    worker = _worker(services, driver, supervisor, part)

    async def wake(job: Job) -> None:
        await wake_lane_of(services, job.entrypoint, job.payload or b"{}")

    for name in EARLIER_JOBS:
        worker.entrypoint(name, on_failure="hold")(_surviving_outages(services, wake))
    await worker.work(PLACES_FOR_EARLIER_JOBS, heartbeat=services.timing.heartbeat)


def _worker(
    services: Services, driver: ListeningDriver, supervisor: Supervisor, part: Part
) -> QueueWorker:
    failed = partial(supervisor.note, part)
    return QueueWorker(driver, failed=failed, turned=part.turned, shutdown=services.stopping)


def _surviving_outages(
    services: Services, step: Callable[[Job], Awaitable[None]]
) -> Callable[[Job], Awaitable[None]]:
    """Return a handler that does a step, and has it done again once the database is back when it was lost (F14).

    A step that the end of the process interrupts is done again at once, by another process (F27). A job whose handler
    fails for another reason is held, and the clock queues the work again.
    """

    async def handle(job: Job) -> None:
        try:
            await step(job)
        except DatabaseUnavailable as failure:
            after = timedelta(0)
            if not failure.retry_now:
                after = RETRY_AFTER_DATABASE_LOSS
                await wait_for_database(services)
            raise RetryRequested(after, "the database was lost") from failure
        except Stopping as stop:
            raise RetryRequested(timedelta(0), "the process stops") from stop
        except Exception:
            log.exception("slice_crashed")
            raise

    return handle
