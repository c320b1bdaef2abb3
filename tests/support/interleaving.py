"""Two transactions, statement by statement, in every order: a statement that waits for a lock lets the other one go on.

Each side is a coroutine that calls `step()` before each of its statements.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar

import asyncpg
from sqlalchemy.util import await_only

from app.db.session import Database
from tests.support.sessions import listen

ALL = 1000  # more statements than any side has
LOOK = 0.01  # seconds after which PostgreSQL is asked whether a side waits for a lock; a statement takes less

Side = Callable[[], Awaitable[None]]

_WAITING = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event_type = 'Lock'"
)
_current: ContextVar["_Permits"] = ContextVar("current")


class _Permits:
    """How many statements a side may begin; `asks` is set while it waits for the permission for one more."""

    def __init__(self) -> None:
        self._given = asyncio.Semaphore(0)
        self.asks = asyncio.Event()

    def give(self, count: int = 1) -> None:
        self.asks.clear()
        for _ in range(count):
            self._given.release()

    async def take(self) -> None:
        if self._given.locked():
            self.asks.set()
        await self._given.acquire()


async def step() -> None:
    """Wait until this side may begin its next statement. Does nothing outside of `interleave`."""
    if permits := _current.get(None):
        await permits.take()


def steps_of(database: Database) -> None:
    """Make each statement of a database a step of its side; queueing a job is none, because its driver differs."""
    listen(database, "before_cursor_execute", lambda *_: await_only(step()))


def orders(first: int, second: int) -> Iterator[tuple[int, ...]]:
    """Yield each order of so many statements of the first side, named 0, and so many of the second, named 1."""
    total = first + second
    for places in itertools.combinations(range(total), first):
        yield tuple(0 if place in places else 1 for place in range(total))


async def interleave(
    looker: asyncpg.Connection, sides: tuple[Side, Side], order: Sequence[int]
) -> None:
    """Do both sides, their statements in this order, and the rest of both at the end. `looker` sees who waits."""
    permits = (_Permits(), _Permits())
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_run(side, own)) for side, own in zip(sides, permits, strict=True)
        ]
        for number in order:
            permits[number].give()
            await _until_at_rest(looker, tasks[number], permits[number])
        for own in permits:
            own.give(ALL)


async def interrupt(looker: asyncpg.Connection, first: Side, second: Side, *, after: int) -> bool:
    """Do some statements of the first side, then the second side as far as it comes, then the rest of both.

    Return whether the first side had more statements than that.
    """
    permits = (_Permits(), _Permits())
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_run(side, own))
            for side, own in zip((first, second), permits, strict=True)
        ]
        permits[0].give(after)
        await _until_at_rest(looker, tasks[0], permits[0])
        had_more = not tasks[0].done()
        permits[1].give(ALL)
        await _until_at_rest(looker, tasks[1], permits[1])
        permits[0].give(ALL)
    return had_more


async def _run(side: Side, permits: _Permits) -> None:
    _current.set(permits)
    await side()


async def _until_at_rest(
    looker: asyncpg.Connection, task: "asyncio.Task[None]", permits: _Permits
) -> None:
    """Wait until the side has ended, asks for its next statement, or waits for a lock."""
    asks = asyncio.ensure_future(permits.asks.wait())
    try:
        while not task.done() and not permits.asks.is_set():
            await asyncio.wait({task, asks}, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and not permits.asks.is_set() and await looker.fetchval(_WAITING):
                return
    finally:
        asks.cancel()
