"""The gate before a Clio login's calls: several processes that use one token keep its limit together [S10].

A process takes a few calls at a time from the login's row, so that most calls cost no question (docs/decisions/0007).
"""

from collections.abc import Mapping
from time import monotonic

from app.clio import shared
from app.clio.budget import Budget, told_by
from app.clio.shared import Given, Window
from app.db import budgets
from app.db.budgets import StoredWindow
from app.db.connections import Connection
from app.db.session import Database, transaction
from app.sync import Services

AT_ONCE = 5  # calls that a process takes from the row; what it does not use in the window is lost


def shared_budget(services: Services, connection: Connection) -> Budget:
    """The budget of a login's token, behind the gate that all processes pass."""
    budget = services.budgets.of(connection.connection_id)
    if budget.gate is None:
        budget.gate = TokenGate(services.database, connection)
    return budget


class TokenGate:
    """The `Gate` of one login in one process."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._account_id = connection.account_id
        self._connection_id = connection.connection_id
        self._calls = 0
        self._until = 0.0
        self._asks_to_be_told = True

    async def enter(self) -> float:
        """0.0 means go, else ask again after so many seconds."""
        if self._calls == 0 or monotonic() >= self._until:
            given, seconds = await self._take()
            if not given.calls:
                return given.wait
            self._calls, self._until = given.calls, monotonic() + seconds
            self._asks_to_be_told = True
        self._calls -= 1
        return 0.0

    async def told(self, headers: Mapping[str, str]) -> None:
        """Once for each few calls: what Clio says of the window."""
        said = told_by(headers)
        if said is None or not (self._asks_to_be_told or said[1] == 0):
            return
        self._asks_to_be_told = False
        limit, left, reset_in = said

        def learn(known: StoredWindow | None, now: float) -> tuple[StoredWindow, None]:
            window = _window(known) or Window(None, 0, 0.0)
            return _stored(
                shared.learn(window, now, limit=limit, left=left, reset_in=reset_in)
            ), None

        async with transaction(self._database) as session:
            await budgets.change(session, self._account_id, self._connection_id, learn)

    async def _take(self) -> tuple[Given, float]:
        """Calls out of the row, and for how many seconds they are good."""

        def give(
            known: StoredWindow | None, now: float
        ) -> tuple[StoredWindow, tuple[Given, float]]:
            window, given = shared.give(_window(known), now, want=AT_ONCE)
            return _stored(window), (given, given.until - now)

        async with transaction(self._database) as session:
            return await budgets.change(session, self._account_id, self._connection_id, give)


def _window(known: StoredWindow | None) -> Window | None:
    return Window(known.limit, known.given, known.ends) if known else None


def _stored(window: Window) -> StoredWindow:
    return StoredWindow(window.limit, window.given, window.ends)
