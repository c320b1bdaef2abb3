"""Statements without their account condition: what they find then is kept from other accounts by PostgreSQL alone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from app.db.embedded import ROLES

CONDITION = re.compile(r"(?<!\w)((?:\w+\.)?account_id) = (\$\d+(?:::\w+)?)")
ACCOUNTS, _ = ROLES


def strip(statement: str) -> str:
    """Return the statement with every account condition made true."""
    return CONDITION.sub(r"(\1 = \2 or true)", statement)


@contextmanager
def without_account_conditions() -> Iterator[set[str]]:
    """Strip each statement of the role that serves accounts while the block runs; yield those that were stripped."""
    stripped: set[str] = set()

    def change(
        connection: Any, _cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        if CONDITION.search(statement) and user_of(connection) == ACCOUNTS:
            stripped.add(statement)
            statement = strip(statement)
        return statement, parameters

    event.listen(Engine, "before_cursor_execute", change, retval=True)
    try:
        yield stripped
    finally:
        event.remove(Engine, "before_cursor_execute", change)


def user_of(connection: Any) -> str:
    """Return the role of a connection."""
    user: str = connection.connection.driver_connection._params.user
    return user
