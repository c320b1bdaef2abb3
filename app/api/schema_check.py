"""The check of the database for `/readyz`, which anybody may call: one at a time, shared for a second."""

import asyncio

from app.db import migrate
from app.db.migrate import SchemaState
from app.db.session import Database
from app.errors import DatabaseUnavailable

SHARED_SECONDS = 1.0
TIMEOUT = 5.0  # seconds after which a database that is silent counts as away


class SchemaCheck:
    """The newest result of the check: the state of the schema, or None if the database was away."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._result: SchemaState | None = None
        self._ends = 0.0

    async def state(self, database: Database) -> SchemaState:
        """Return how the schema compares with the expected one, as of the last second. Raises DatabaseUnavailable."""
        now = asyncio.get_running_loop().time
        async with self._lock:
            if now() >= self._ends:
                self._result = await _ask(database)
                self._ends = now() + SHARED_SECONDS
            if self._result is None:
                raise DatabaseUnavailable
            return self._result


async def _ask(database: Database) -> SchemaState | None:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await migrate.compare_schema(database)
    except (DatabaseUnavailable, TimeoutError):
        return None
