"""`DatabaseProbe`: asks the database regularly whether it answers and which schema it has.

Health checks and the supervisor use the answer, so that a caller of a health check cannot cost a connection.
"""

import asyncio
from collections.abc import Callable

from app.db import migrate
from app.db.migrate import SchemaState
from app.db.session import Database

PROBE_SECONDS = 5.0  # between two questions
FRESH_SECONDS = 1.0  # an answer is used again for this time
TIMEOUT = 5.0  # seconds after which the database counts as silent


class DatabaseProbe:
    """The last answer of the database. `schema` is None before the first answer; times are seconds of `monotonic`."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self.schema: SchemaState | None = None
        self._database = database
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._asked_at: float | None = None
        self._answering_since: float | None = None

    async def check(self) -> None:
        """Ask the database, unless it was asked a moment ago; callers at the same time share one question."""
        async with self._lock:
            if self._asked_at is None or self._monotonic() - self._asked_at >= FRESH_SECONDS:
                await self._ask()
                self._asked_at = self._monotonic()

    def answering(self) -> float | None:
        """Return for how many seconds the database has answered; None if it does not answer."""
        if self._answering_since is None:
            return None
        return self._monotonic() - self._answering_since

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                self.schema = await migrate.compare_schema(self._database)
        except Exception:  # noqa: BLE001  # whatever the reason, it does not answer; other parts log why
            self._answering_since = None
        else:
            self._answering_since = self._answering_since or self._monotonic()
