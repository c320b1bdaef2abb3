"""The rate limit of a Clio login, shared by all processes that use its token, with a priority for each lane [S10].

Reads take a few requests at a time from the login's row, so that most requests need no query (docs/decisions/0007).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

import structlog

from app.clio import shared_rate_limit
from app.clio.local_rate_limit import LocalLimit, read_limit_headers
from app.clio.shared_rate_limit import Allotment, Window
from app.db.connections import rate_limits
from app.db.connections.connections import Connection
from app.db.connections.rate_limits import StoredWindow
from app.db.session import Database, Session, transaction
from app.lanes import Lane
from app.sync.services import Services

ALLOTMENT_SIZE = (
    5  # requests that a process takes at a time; those it does not use in the window are lost
)

log = structlog.get_logger(__name__)

T = TypeVar("T")
Step = Callable[[Window | None, float], tuple[Window, T]]


class SharedWindow(Protocol):
    """The window that all users of a token share. A call changes it by a step, alone and at the shared time."""

    async def __call__(self, step: Step[T]) -> T:
        """Apply the step and return its result."""
        ...


def limit_of(services: Services, connection: Connection) -> LocalLimit:
    """Return this process's limit for a login's token, connected to the limit that all processes share."""
    limit = services.local_limits.of(connection.connection_id)
    if limit.shared is None:
        limit.shared = TokenGate(partial(_stored_window, services.database, connection))
    return limit


@dataclass(frozen=True)
class _Stock:
    """Requests that this process has taken and not used, the lane they were taken for, and until when they are valid.

    `until` is in seconds of the process's clock.
    """

    calls: int = 0
    lane: Lane = Lane.RECONCILE
    until: float = 0.0


class TokenGate:
    """The `SharedLimit` of one login in one process."""

    def __init__(self, window: SharedWindow, seconds: Callable[[], float] = monotonic) -> None:
        self._window = window
        self._seconds = seconds
        self._stock = _Stock()
        self._single_until = 0.0  # until when the last single request is valid
        self._restocking = asyncio.Lock()  # reads that arrive together take one allotment
        self._limit_known = False  # whether the window that was read last has a limit
        self._unreported = ALLOTMENT_SIZE  # requests taken since a response was reported to all

    async def acquire(self, lane: Lane) -> float:
        """Return 0.0 if a request may start now, else the seconds to wait before the next try."""
        if self._use_stock(lane):
            return 0.0
        if lane.is_urgent:
            taken, valid_for = await self._take(lane, want=1)
            self._single_until = self._seconds() + valid_for
            return taken.wait
        async with self._restocking:
            return 0.0 if self._use_stock(lane) else await self._restock(lane)

    def give_back(self, lane: Lane) -> None:
        """Keep a single request that was not sent. Otherwise nobody could send one while the limit is unknown."""
        if not self._is_valid(self._stock):
            self._stock = _Stock(1, lane, self._single_until)

    async def record_response(self, headers: Mapping[str, str]) -> None:
        """Store Clio's rate limit headers in the shared window, once for every few requests."""
        read = read_limit_headers(headers)
        if read is None and "retry-after" not in headers:
            await self._assume_limit()
        if read is None or (self._unreported < ALLOTMENT_SIZE and read[1] > 0):
            return
        self._unreported = 0
        limit, left, reset_in = read

        def update(window: Window | None, now: float) -> tuple[Window, None]:
            known = window or Window(None, 0, 0.0)
            return shared_rate_limit.update_window(
                known, now, limit=limit, left=left, reset_in=reset_in
            ), None

        await self._window(update)

    async def _assume_limit(self) -> None:
        """Store the documented limit if none is known: otherwise requests would go one by one, five seconds apart."""
        if self._limit_known:
            return

        def assume(window: Window | None, now: float) -> tuple[Window, bool]:
            known = window or Window(None, 0, 0.0)
            return shared_rate_limit.assume_limit(known), known.limit is None

        self._limit_known = True
        if await self._window(assume):
            log.warning("clio_rate_limit_unknown", count=shared_rate_limit.ASSUMED_LIMIT)

    def _use_stock(self, lane: Lane) -> bool:
        """Use a request from the stock, unless it was taken for a lane with more priority; return whether it was."""
        held = self._stock
        if not self._is_valid(held) or lane > held.lane:
            return False
        self._stock = _Stock(held.calls - 1, held.lane, held.until)
        return True

    def _is_valid(self, held: _Stock) -> bool:
        return held.calls > 0 and self._seconds() < held.until

    async def _restock(self, lane: Lane) -> float:
        """Take some requests and use one; take only one while the stock belongs to a lane with more priority."""
        taken, valid_for = await self._take(
            lane, want=1 if self._is_valid(self._stock) else ALLOTMENT_SIZE
        )
        if taken.calls > 1:
            self._stock = _Stock(taken.calls - 1, lane, self._seconds() + valid_for)
        return taken.wait

    async def _take(self, lane: Lane, *, want: int) -> tuple[Allotment, float]:
        """Take requests from the shared window; return them and the seconds for which they are valid."""

        def allot(window: Window | None, now: float) -> tuple[Window, tuple[Allotment, float]]:
            after, given = shared_rate_limit.allot(window, now, want=want, lane=lane)
            if given.report:
                self._unreported = ALLOTMENT_SIZE
            self._limit_known = after.limit is not None
            return after, (given, given.until - now)

        taken = await self._window(allot)
        self._unreported += taken[0].calls
        return taken


async def time_until_request(session: Session, connection: Connection, lane: Lane) -> timedelta:
    """Return after what time the login's token has a request left for this lane, without taking one."""
    stored, now = await rate_limits.read_window(
        session, connection.account_id, connection.connection_id
    )
    if stored is None:
        return timedelta(0)
    window = _window_of(stored)
    _, given = shared_rate_limit.allot(window, now, want=1, lane=lane)
    return timedelta(seconds=given.wait)


def _window_of(stored: StoredWindow) -> Window:
    return Window(stored.limit, stored.given, stored.ends, stored.tail)


async def _stored_window(database: Database, connection: Connection, step: Step[T]) -> T:
    """Apply a step to the window in the database, by the database's clock, and return the step's result.

    The step is not durable: all processes of a busy login wait for its row. After a crash of the server Clio refuses
    at worst the requests that were forgotten.
    """

    def stored(known: StoredWindow | None, now: float) -> tuple[StoredWindow, T]:
        after, result = step(_window_of(known) if known else None, now)
        return StoredWindow(after.limit, after.given, after.ends, after.tail), result

    async with transaction(database, connection.account_id, durable=False) as session:
        return await rate_limits.update_window(
            session, connection.account_id, connection.connection_id, stored
        )
