"""The background work of a process: starts every part under the supervisor, each with a connection pool of its own.

`Background` is what health checks and metrics show of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from time import monotonic

import structlog

from app.db import job_queue
from app.db.accounts import health
from app.db.connection import Address
from app.db.job_queue import QueueSize
from app.db.queue_worker import ListeningDriver
from app.db.runs import slots
from app.db.session import (
    CLOCK_POOL,
    DELIVERY_POOL,
    PROBE_POOL,
    WORKER_POOL,
    Database,
    PoolLimits,
    PoolWaits,
    open_database,
    waits_of,
)
from app.db.system import system_transaction
from app.errors import CannotStart, DatabaseUnavailable
from app.lanes import Lane
from app.loop_watch import LoopWatch
from app.shutdown import wait_for_stop
from app.sync.database_probe import PROBE_SECONDS, DatabaseProbe
from app.sync.events import LOOK_SECONDS, queue_due_endpoints
from app.sync.listener import hear_notifications
from app.sync.request_check_refresh import refresh_request_checks
from app.sync.scheduler import run_scheduler
from app.sync.services import Services
from app.sync.supervisor import Part, Supervisor
from app.sync.waits import Readers
from app.sync.worker import work_on_earlier_jobs, work_on_lane

MEASURE_SECONDS = 20.0
PART_INTERVAL = 5.0  # seconds; a part that waits wakes at least so often
PREPARE_AGAIN_SECONDS = 3.0  # while the database is away at the start

log = structlog.get_logger(__name__)

Prepare = Callable[[Database], Awaitable[None]]


@dataclass(frozen=True)
class Process:
    """The work of a process beside the API.

    `prepare` must succeed before anything uses the database; it is called until the database answers. It raises
    CannotStart.
    """

    workers: bool = True
    clock: bool = True
    prepare: Prepare | None = None
    loop: LoopWatch = field(default_factory=LoopWatch)


@dataclass(frozen=True)
class Measurements:
    """The newest measurements of a process: due jobs by kind, accounts by health, the age of the oldest open slot."""

    queues: Mapping[str, QueueSize] = field(default_factory=dict)
    accounts: Mapping[str, int] = field(default_factory=dict)
    oldest_slot_seconds: float = 0.0


@dataclass
class Background:
    """The parts of a process and its measurements. `prepared` is false until the database was checked and migrated."""

    supervisor: Supervisor
    probe: DatabaseProbe
    loop: LoopWatch
    pools: Mapping[str, PoolWaits]
    feed_waits: Readers
    prepared: bool
    measured: Measurements = Measurements()


async def measure(services: Services, background: Background) -> None:
    """Measure what the metrics show. Only the count of the accounts by health grows with the number of firms."""
    async with system_transaction(services.database) as session:
        oldest = await slots.oldest_unserved(session)
        age = max(services.now() - oldest, timedelta(0)) if oldest else timedelta(0)
        background.measured = Measurements(
            queues=await job_queue.measure(session),
            accounts=await health.count_by_health(session),
            oldest_slot_seconds=age.total_seconds(),
        )


@asynccontextmanager
async def background_work(
    services: Services, address: Address, process: Process
) -> AsyncIterator[Background]:
    """Run the parts of this process while the block runs.

    When the block ends, runs in progress are interrupted between two pages and continue in another process.
    """
    async with AsyncExitStack() as stack:
        pools = {"api": waits_of(services.database)}

        def with_pool(name: str, limits: PoolLimits) -> Services:
            database = open_database(address, limits)
            stack.push_async_callback(database.dispose)
            pools[name] = waits_of(database)
            return replace(services, database=database)

        supervisor = Supervisor(services.stopping, monotonic)
        probe = DatabaseProbe(with_pool("probe", PROBE_POOL).database, monotonic)
        prepared = process.prepare is None
        background = Background(
            supervisor, probe, process.loop, pools, services.feed_waits, prepared=prepared
        )
        stack.enter_context(process.loop.beating())
        async with asyncio.TaskGroup() as group:

            def repeat(name: str, turn: Callable[[], Awaitable[None]], every: float) -> None:
                part = supervisor.add(name, interval=PART_INTERVAL)
                group.create_task(supervisor.repeat(part, turn, every=every))

            measure = partial(process.loop.measure, services.stopping)
            repeat("event_loop", measure, every=0)
            repeat("database_probe", probe.check, every=PROBE_SECONDS)
            group.create_task(_run_parts(background, with_pool, address, process))
            try:
                yield background
            finally:
                services.stopping.set()


async def _run_parts(
    background: Background,
    with_pool: Callable[[str, PoolLimits], Services],
    address: Address,
    process: Process,
) -> None:
    """Prepare the database, then run all parts until the process must stop; the process ends if they cannot start."""
    try:
        await _start_parts(background, with_pool, address, process)
    except Exception:
        log.exception("parts_not_started")
        background.supervisor.end("the background parts could not be started")


async def _start_parts(
    background: Background,
    with_pool: Callable[[str, PoolLimits], Services],
    address: Address,
    process: Process,
) -> None:
    supervisor = background.supervisor
    clock = with_pool("clock", CLOCK_POOL)
    if not await _prepare(background, clock, process):
        return
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:

        def run(name: str, work: Callable[[Supervisor, Part], Awaitable[None]]) -> None:
            part = supervisor.add(name, interval=PART_INTERVAL)
            group.create_task(supervisor.run(part, partial(work, supervisor, part)))

        run("listener", lambda _, part: hear_notifications(clock, address, part.turned))
        run("request_checks", lambda _, part: refresh_request_checks(clock, part.turned))
        if process.clock:
            run("clock", partial(run_scheduler, clock))
        group.create_task(_measure_regularly(background, clock))
        if process.workers:
            worker = with_pool("worker", WORKER_POOL)
            driver = ListeningDriver(
                await stack.enter_async_context(job_queue.worker_pool(address))
            )
            delivery = with_pool("delivery", DELIVERY_POOL)
            for lane in Lane:
                own = delivery if lane is Lane.DELIVERIES else worker
                run(f"worker.{lane.label}", partial(work_on_lane, own, driver, lane))
            run("worker.earlier_jobs", partial(work_on_earlier_jobs, worker, driver))
            look = supervisor.add("due_endpoints", interval=PART_INTERVAL)
            queue = partial(queue_due_endpoints, delivery)
            group.create_task(supervisor.repeat(look, queue, every=LOOK_SECONDS))


async def _measure_regularly(background: Background, services: Services) -> None:
    supervisor = background.supervisor
    part = supervisor.add("measurements", interval=MEASURE_SECONDS)
    await supervisor.repeat(part, partial(measure, services, background), every=MEASURE_SECONDS)


async def _prepare(background: Background, services: Services, process: Process) -> bool:
    """Prepare the database as soon as it answers; return False if the process must stop before or cannot start."""
    while not background.prepared and process.prepare is not None:
        try:
            await process.prepare(services.database)
            background.prepared = True
        except DatabaseUnavailable:
            await wait_for_stop(services.stopping, PREPARE_AGAIN_SECONDS)
        except CannotStart as reason:
            background.supervisor.end(str(reason), exit_code=2)
        if services.stopping.is_set():
            return False
    return True
