"""The base of hypothesis' state machines that change a database: each step is one transaction, at a later time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from typing_extensions import override

from app.db.session import Session, open_database
from tests.support.postgres import address_of
from tests.support.sessions import as_owner, kept_connections


class DatabaseMachine(RuleBasedStateMachine):
    """A machine with a database and a clock. `dsn` is set before it runs; `between` is the time between two steps."""

    dsn = ""
    between = timedelta(minutes=1)

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.kept = kept_connections(self.dsn)
        self.loop.run(self.kept.__aenter__())
        self.database = open_database(address_of(self.dsn))
        self.time = datetime(2026, 3, 2, tzinfo=UTC)

    @override
    def teardown(self) -> None:
        self.loop.run(self.database.dispose())
        self.loop.run(self.kept.__aexit__(None, None, None))
        self.loop.close()

    def do(self, step: Callable[[Session], Awaitable[Any]]) -> Any:
        """Run a step in one transaction."""

        async def whole() -> Any:
            async with as_owner(self.database) as session:
                return await step(session)

        self.time += self.between
        return self.loop.run(whole())
