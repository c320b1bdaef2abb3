"""`QueueWorker`: pgqueuer's queue manager for one lane, which goes on while the database is away.

It does not know the jobs. All managers of a process share one `ListeningDriver`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import asyncpg
from pgqueuer.core import listeners
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job, TableChangedEvent, TracebackRecord
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import JOB_STATUS
from typing_extensions import override

from app.shutdown import wait_for_stop

LISTENER_CHECK = timedelta(seconds=10)
POLL_INTERVAL = timedelta(seconds=2)  # if no notification comes


class LatestNotice(listeners.PGNoticeEventListener):
    """A queue of notices that keeps one: each says only that the queue has changed.

    A manager works its notices off one by one and reads the queue for each; a backlog keeps it busy for a long time.
    """

    @override
    def put_nowait(self, item: TableChangedEvent) -> None:
        if self.empty():
            super().put_nowait(item)


listeners.PGNoticeEventListener = LatestNotice  # type: ignore[misc]  # pgqueuer has no option for it


class OwnJobs(Queries):
    """pgqueuer's queries, for a manager that may lose a job to another one while it does it.

    pgqueuer ends a job and gives it back by its id alone. So a process that was stopped for longer than its heartbeat
    would take the job from the manager that has it now.

    pgqueuer stores why a job failed, with the text of the exception and of its causes. Texts of the database's driver
    contain statements and their values, so only the type of the exception is stored [T9].
    """

    @override
    async def log_jobs(
        self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]
    ) -> None:
        own = await self._still_own([job for job, _, _ in job_status])
        ended = [(job, status, _type_only(why)) for job, status, why in job_status if job.id in own]
        if ended:
            await super().log_jobs(ended)

    @override
    async def retry_job(
        self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None
    ) -> None:
        if await self._still_own([job]):
            await super().retry_job(job, delay, _type_only(traceback_record))

    async def _still_own(self, jobs: list[Job]) -> set[int]:
        """Return the ids of the jobs that the manager which picked them still has."""
        found = await self.driver.fetch(
            "select id from pgqueuer join unnest($1::bigint[], $2::uuid[]) picked (id, manager)"
            " using (id) where queue_manager_id = manager",
            [job.id for job in jobs],
            [job.queue_manager_id for job in jobs],
        )
        return {int(str(row["id"])) for row in found}

    async def until_next(self, entrypoints: list[str]) -> timedelta | None:
        """Return the time until a queued job is due, zero if one is; None if none is queued.

        pgqueuer asks three statements, each time that the queue has changed or a manager polls.
        """
        (row,) = await self.driver.fetch(_UNTIL_NEXT, entrypoints)
        return cast("timedelta | None", row["after"])


def _type_only(why: TracebackRecord | None) -> TracebackRecord | None:
    return why and why.model_copy(update={"exception_message": "", "traceback": ""})


_QUEUED = "from pgqueuer where entrypoint = any($1) and status = 'queued'"
_UNTIL_NEXT = (
    f"select coalesce((select interval '0' {_QUEUED} and execute_after <= now() limit 1),"  # our own text
    f" (select execute_after - now() {_QUEUED} and execute_after > now() order by execute_after limit 1)) as after"
)


class QueueWorker(QueueManager):
    """A queue manager that goes on while the database is away.

    pgqueuer's own loop ends at the first failure, and before a new start it waits for all jobs in progress. So a
    failure of the loop's own queries is reported to the supervisor, and the loop goes on after the delay. Jobs in
    progress notice the failure themselves.
    """

    def __init__(
        self,
        driver: "ListeningDriver",
        *,
        failed: Callable[[Exception], float],
        turned: Callable[[], None],
        shutdown: asyncio.Event,
    ) -> None:
        self._driver = driver
        self._jobs = OwnJobs(driver)
        super().__init__(self._jobs)
        self.shutdown = shutdown
        self._failed = failed
        self._turned = turned
        self._pause: float | None = None  # set after a failure

    async def work(self, places: int, *, heartbeat: timedelta) -> None:
        """Do jobs until the process must stop, at most `places` at the same time."""
        await self.run(
            dequeue_timeout=POLL_INTERVAL,
            heartbeat_timeout=heartbeat,
            batch_size=places // 2,
            max_concurrent_tasks=places,
            log_aggregation_interval=timedelta(0),  # nobody reads pgqueuer's statistics
        )

    @override
    async def fetch_jobs(self, *args: Any, **named: Any) -> AsyncGenerator[Job, None]:
        self._pause = None
        try:
            async for job in super().fetch_jobs(*args, **named):
                yield job
        except Exception as failure:  # noqa: BLE001  # the loop must not end
            self._pause = self._failed(failure)
        else:
            self._turned()

    @override
    async def _effective_dequeue_timeout(self, dequeue_timeout: timedelta) -> timedelta:
        if self._pause is not None:
            return timedelta(seconds=self._pause)
        try:
            after = await self._jobs.until_next(list(self.entrypoint_registry))
        except Exception as failure:  # noqa: BLE001  # the loop must not end
            return timedelta(seconds=self._failed(failure))
        if after is None:
            return dequeue_timeout
        return min(max(after, self.min_dequeue_poll_interval), dequeue_timeout)

    @override
    async def _run_periodic_health_check(self, interval: timedelta = LISTENER_CHECK) -> None:
        """Listen again whenever the notifications have stopped. Meanwhile the loop polls."""
        await wait_for_stop(self.shutdown, interval.total_seconds())
        while not self.shutdown.is_set():
            listening = self._driver.listening
            try:
                await self.listener_healthy(timeout=interval)
            except Exception:  # noqa: BLE001  # the loop reports a database that is away
                with suppress(Exception):
                    await self._driver.listen_again(instead_of=listening)
            await wait_for_stop(self.shutdown, interval.total_seconds())


class ListeningDriver(AsyncpgPoolDriver):
    """A driver for all managers of a process, which replaces the connection that listens when it is lost."""

    def __init__(self, pool: "asyncpg.pool.Pool[asyncpg.Record]") -> None:
        super().__init__(pool)
        self._listeners: list[tuple[str, Callable[[str | bytes | bytearray], None]]] = []

    @override
    async def add_listener(
        self, channel: str, callback: Callable[[str | bytes | bytearray], None]
    ) -> None:
        await super().add_listener(channel, callback)
        self._listeners.append((channel, callback))

    @property
    def listening(self) -> object:
        """The connection that listens now, or None."""
        return self._listener_connection

    async def listen_again(self, *, instead_of: object) -> None:
        """Listen on a new connection, unless another manager has already replaced this one."""
        async with self._lock:
            broken = self._listener_connection
            if broken is not instead_of:
                return
            self._listener_connection = None
        if broken is not None:
            await broken.close()
            await self._pool.release(broken)
        for channel, callback in self._listeners:
            await super().add_listener(channel, callback)
