"""Each statement of an account beside itself without an account condition, on the same rows, with the same parameters.

A trial is undone at a savepoint, and the statement itself follows it. So a story goes on as if nothing had been tried.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy import Engine, event

from app.db.connection import ACCOUNT_SETTING
from tests.support.stripped import CONDITION, strip, stripped_in_turn

# Others work at the same time. Only what differs each time does so because of the statement.
ATTEMPTS = 3
EACH = 3  # so many rows of a statement with many rows are tried
TELLING = 2  # a statement is tried until so many times it has found something,
AT_MOST = 12  # or so many times in all


@dataclass(frozen=True)
class Outcome:
    """The rows of a statement, and its tag or the code of its error: `UPDATE 3`, `23505`."""

    rows: list[tuple[str, ...]]
    done: str

    def varies_from(self, other: "Outcome") -> set[int]:
        """Return the columns whose values are other ones."""
        pairs = zip(self._columns(), other._columns(), strict=False)
        return {place for place, (one, two) in enumerate(pairs) if one != two}

    def without(self, columns: set[int]) -> "tuple[str, Counter[tuple[str, ...]]]":
        """Return what can be compared if these columns vary."""
        return self.done, Counter(
            tuple(value for place, value in enumerate(row) if place not in columns)
            for row in self.rows
        )

    def _columns(self) -> "list[Counter[str]]":
        return [Counter(values) for values in zip(*self.rows, strict=True)]


@dataclass
class Trials:
    """What was tried, of which statements.

    `told_apart` has the statements without a condition that did something else than the statement itself.
    """

    account_id: str
    tried: Counter[str] = field(default_factory=Counter)
    telling: Counter[str] = field(default_factory=Counter)
    told_apart: dict[str, str] = field(default_factory=dict)
    without_condition: set[str] = field(default_factory=set)

    async def consider(self, driver: asyncpg.Connection, statement: str, rows: Any) -> None:
        """Try a statement that the account is about to execute, unless it was tried often enough."""
        if not self._is_open(statement) or not driver.is_in_transaction():
            return
        setting = f"select current_setting('{ACCOUNT_SETTING}', true)"
        if await driver.fetchval(setting) != self.account_id:
            return
        if not CONDITION.search(statement):
            self.without_condition.add(statement)
            return
        self.tried[statement] += 1
        for parameters in rows:
            await self._try(driver, statement, parameters)

    def _is_open(self, statement: str) -> bool:
        return self.telling[statement] < TELLING and self.tried[statement] < AT_MOST

    async def _try(self, driver: asyncpg.Connection, statement: str, parameters: Any) -> None:
        whole = Whole(driver, statement, parameters, await _outcome(driver, statement, parameters))
        found = whole.last
        self.telling[statement] += bool(found.rows or not found.done.endswith(" 0"))
        for variant in {*stripped_in_turn(statement), strip(statement)}:
            if difference := await whole.difference(variant):
                self.told_apart[variant] = difference


@dataclass
class Whole:
    """A whole statement with its parameters, and what it did when it was tried last."""

    driver: asyncpg.Connection
    statement: str
    parameters: Any
    last: Outcome

    async def difference(self, variant: str) -> str:
        """Return the tags of it and a variant that do not show or do the same, or an empty text if they do."""
        difference = ""
        for _ in range(ATTEMPTS):
            before = self.last
            tried = await _outcome(self.driver, variant, self.parameters)
            self.last = await _outcome(self.driver, self.statement, self.parameters)
            varying = before.varies_from(self.last)  # random values and the time
            if before.without(varying) == tried.without(varying) == self.last.without(varying):
                return ""
            difference = f"{before.done}, without the condition {tried.done}"
        return difference


async def _outcome(
    driver: asyncpg.Connection, statement: str, parameters: Sequence[Any]
) -> Outcome:
    await driver.execute("savepoint trial")
    try:
        prepared = await driver.prepare(statement)
        rows = await prepared.fetch(*parameters)
        return Outcome([tuple(map(repr, row)) for row in rows], str(prepared.get_statusmsg()))
    except asyncpg.PostgresError as error:
        return Outcome([], str(error.sqlstate))
    finally:
        await driver.execute("rollback to savepoint trial; release savepoint trial")


@contextmanager
def trying_each_statement(account_id: str) -> Iterator[Trials]:
    """Try each statement of the account's transactions while the block runs."""
    trials = Trials(account_id)

    def try_first(
        connection: Any, _cursor: object, statement: str, parameters: Any, _: object, many: bool
    ) -> None:
        rows = parameters[:EACH] if many else [parameters]
        adapted = connection.connection.dbapi_connection
        adapted.run_async(lambda driver: trials.consider(driver, statement, rows))

    event.listen(Engine, "before_cursor_execute", try_first)
    try:
        yield trials
    finally:
        event.remove(Engine, "before_cursor_execute", try_first)
