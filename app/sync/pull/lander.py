"""The lander: the one task of an attempt that writes what its logins read (docs/decisions/0015).

The lists of all logins put their pages on one bounded queue. The lander writes one after another, each in a fenced
transaction of its own: a crash costs one page, and the locks of a transaction are those of one page. So no list waits
for the run's row while another one lands, and requests, decoding and writing overlap.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.db.runs.leases import Lease, fenced_transaction
from app.db.session import Database, Session
from app.sync.concurrency import run_together

T = TypeVar("T")

WAITING = 8  # writes that may wait; a list that has one more waits itself

Write = Callable[[Session], Awaitable[T]]


@dataclass(frozen=True)
class _Waiting:
    """A write that waits, and the future that has its result when it is committed."""

    write: Write[Any]
    result: asyncio.Future[Any]


class Lander:
    """Writes for all lists of an attempt, in the order in which they ask for it."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(WAITING)
        self.landed = asyncio.Event()  # set after each write; whoever waits for more clears it

    async def put(self, write: Write[T]) -> asyncio.Future[T]:
        """Queue a write, after what was put before, and return its result to come; wait while the queue is full."""
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(write, result))
        return result

    async def write(self, write: Write[T]) -> T:
        """Write, after what was put before, and return the result when it is committed."""
        return await (await self.put(write))

    async def close(self) -> None:
        """Let `run` end when everything that waits is written."""
        await self._queue.put(None)

    async def run(self) -> None:
        """Write what is queued until the lander is closed. Raises RunTakenOver and the failures of the writes."""
        while (waiting := await self._queue.get()) is not None:
            async with fenced_transaction(self._database, self._lease) as session:
                written = await waiting.write(session)
            if not waiting.result.cancelled():
                waiting.result.set_result(written)
            self.landed.set()


async def run_with_lander(lander: Lander, read: Callable[[], Awaitable[None]]) -> None:
    """Read, and write beside it. When reading ends, however, all that was put is written first.

    A failure of the lander cancels the reading and is raised; otherwise what the reading raised.
    """
    failures: list[Exception] = []

    async def reading() -> None:
        try:
            await read()
        except Exception as failure:  # noqa: BLE001  # raised below, when what was read has landed
            failures.append(failure)
        await lander.close()

    await run_together(reading(), lander.run())
    if failures:
        raise failures[0]
