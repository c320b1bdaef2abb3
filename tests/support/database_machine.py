"""The base of hypothesis' state machines that change a database: each step is one transaction, at a later time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from typing_extensions import override

from app.db.connection import Address
from app.db.session import Session, open_database, transaction


class DatabaseMachine(RuleBasedStateMachine):
    """A machine with a database and a clock. `dsn` is set before it runs; `between` is the time between two steps."""

    dsn = ""
    between = timedelta(minutes=1)

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.database = open_database(Address(self.dsn))
        self.time = datetime(2026, 3, 2, tzinfo=UTC)

    @override
    def teardown(self) -> None:
        self.loop.run(self.database.dispose())
        self.loop.close()

    def do(self, step: Callable[[Session], Awaitable[Any]]) -> Any:
        """Run a step in one transaction."""

        async def whole() -> Any:
            async with transaction(self.database) as session:
                return await step(session)

        self.time += self.between
        return self.loop.run(whole())
