"""`QueueWorker`: pgqueuer's queue manager, made to go on while the database is away. It does not know the jobs."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from typing_extensions import override

from app.shutdown import wait_for_stop

LISTENER_CHECK = timedelta(seconds=10)


class QueueWorker(QueueManager):
    """A queue manager that goes on while the database is away.

    pgqueuer's own loop ends at the first failure, and before a new start it waits for all jobs in progress. A run takes
    hours, and in that time the worker would take no other job. So a failure of the loop's own queries is reported to
    the supervisor, and the loop goes on after the delay. Jobs in progress notice the failure themselves.
    """

    def __init__(
        self,
        pool: "asyncpg.pool.Pool[asyncpg.Record]",
        *,
        failed: Callable[[Exception], float],
        turned: Callable[[], None],
        shutdown: asyncio.Event,
    ) -> None:
        self._driver = ListeningDriver(pool)
        super().__init__(Queries(self._driver))
        self.shutdown = shutdown
        self._failed = failed
        self._turned = turned
        self._pause: float | None = None  # set after a failure

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
            return await super()._effective_dequeue_timeout(dequeue_timeout)
        except Exception as failure:  # noqa: BLE001  # the loop must not end
            return timedelta(seconds=self._failed(failure))

    @override
    async def _run_periodic_health_check(self, interval: timedelta = LISTENER_CHECK) -> None:
        """Listen again whenever the notifications have stopped. Meanwhile the loop polls."""
        while not self.shutdown.is_set():
            try:
                await self.listener_healthy(timeout=interval)
            except Exception:  # noqa: BLE001  # the loop reports a database that is away
                with suppress(Exception):
                    await self._driver.listen_again()
            await wait_for_stop(self.shutdown, interval.total_seconds())


class ListeningDriver(AsyncpgPoolDriver):
    """A driver that can replace the connection that listens: pgqueuer opens it once."""

    def __init__(self, pool: "asyncpg.pool.Pool[asyncpg.Record]") -> None:
        super().__init__(pool)
        self._listeners: list[tuple[str, Callable[[str | bytes | bytearray], None]]] = []

    @override
    async def add_listener(
        self, channel: str, callback: Callable[[str | bytes | bytearray], None]
    ) -> None:
        await super().add_listener(channel, callback)
        self._listeners.append((channel, callback))

    async def listen_again(self) -> None:
        """Listen on a new connection."""
        async with self._lock:
            broken, self._listener_connection = self._listener_connection, None
        if broken is not None:
            await broken.close()
            await self._pool.release(broken)
        for channel, callback in self._listeners:
            await super().add_listener(channel, callback)
