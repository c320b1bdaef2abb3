"""The gate before a Clio login's calls: all who use one token keep its limit together, each in its lane [S10].

Reads take a few calls at a time from the login's row, so that most calls cost no question (docs/decisions/0007).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from app.clio import shared_limit
from app.clio.local_limit import LocalLimit, read_limit_headers
from app.clio.shared_limit import Allotment, Lane, Window
from app.db.connections import rate_limits
from app.db.connections.connections import Connection
from app.db.connections.rate_limits import StoredWindow
from app.db.session import Database, transaction
from app.sync.services import Services

AT_ONCE = 5  # calls that a process takes from the row; what it does not use in the window is lost

T = TypeVar("T")
Step = Callable[[Window | None, float], tuple[Window, T]]


class Row(Protocol):
    """The window that all who use a token share: changes it by a step that is told the time, nobody else meanwhile."""

    async def __call__(self, step: Step[T]) -> T:
        """Answers what the step answers."""
        ...


def shared_budget(services: Services, connection: Connection) -> LocalLimit:
    """The budget of a login's token, behind the gate that all processes pass."""
    budget = services.local_limits.of(connection.connection_id)
    if budget.gate is None:
        budget.gate = TokenGate(partial(_stored_row, services.database, connection))
    return budget


@dataclass(frozen=True)
class _Stock:
    """Calls that a process holds, by whose right, and until when they are good."""

    calls: int = 0
    lane: Lane = Lane.RECONCILE
    until: float = 0.0


class TokenGate:
    """The `Gate` of one login in one process."""

    def __init__(self, row: Row, seconds: Callable[[], float] = monotonic) -> None:
        self._row = row
        self._seconds = seconds
        self._stock = _Stock()
        self._taking = asyncio.Lock()  # reads that come together take once
        self._untold = AT_ONCE  # calls taken since an answer was told to all

    async def enter(self, lane: Lane) -> float:
        """0.0 means go, else ask again after so many seconds."""
        if self._use_stock(lane):
            return 0.0
        if lane.is_urgent:
            return (await self._take(lane, want=1))[0].wait
        async with self._taking:
            return 0.0 if self._use_stock(lane) else await self._restock(lane)

    async def told(self, headers: Mapping[str, str]) -> None:
        """Once for each few calls: what Clio says of the window."""
        said = read_limit_headers(headers)
        if said is None or (self._untold < AT_ONCE and said[1] > 0):
            return
        self._untold = 0
        limit, left, reset_in = said

        def learn(window: Window | None, now: float) -> tuple[Window, None]:
            known = window or Window(None, 0, 0.0)
            return shared_limit.update_window(
                known, now, limit=limit, left=left, reset_in=reset_in
            ), None

        await self._row(learn)

    def _use_stock(self, lane: Lane) -> bool:
        """Use a call that is held, unless it was given by a better right than the lane has."""
        held = self._stock
        if not self._is_good(held) or lane > held.lane:
            return False
        self._stock = _Stock(held.calls - 1, held.lane, held.until)
        return True

    def _is_good(self, held: _Stock) -> bool:
        return held.calls > 0 and self._seconds() < held.until

    async def _restock(self, lane: Lane) -> float:
        """Take a few calls and use one; only one while those are held that the lane has no right to."""
        taken, good_for = await self._take(lane, want=1 if self._is_good(self._stock) else AT_ONCE)
        if taken.calls > 1:
            self._stock = _Stock(taken.calls - 1, lane, self._seconds() + good_for)
        return taken.wait

    async def _take(self, lane: Lane, *, want: int) -> tuple[Allotment, float]:
        """Calls out of the row, and for how many seconds they are good."""

        def give(window: Window | None, now: float) -> tuple[Window, tuple[Allotment, float]]:
            after, given = shared_limit.allot(window, now, want=want, lane=lane)
            if given.calls and (after.limit is None or after.given == given.calls):
                self._untold = AT_ONCE  # the limit is not known, or the window has just opened
            return after, (given, given.until - now)

        taken = await self._row(give)
        self._untold += taken[0].calls
        return taken


async def _stored_row(database: Database, connection: Connection, step: Step[T]) -> T:
    """The row in the database, by the database's clock."""

    def stored(known: StoredWindow | None, now: float) -> tuple[StoredWindow, T]:
        window = Window(known.limit, known.given, known.ends) if known else None
        after, answer = step(window, now)
        return StoredWindow(after.limit, after.given, after.ends), answer

    async with transaction(database) as session:
        return await rate_limits.change(
            session, connection.account_id, connection.connection_id, stored
        )
