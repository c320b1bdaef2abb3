"""Statements without their account condition: what they find then is kept from other accounts by PostgreSQL alone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from app.db.embedded import ROLES

# Compared with a parameter, with one of several, or with the account of another table that is joined.
CONDITION = re.compile(
    r"(?<!\w)(?:\w+\.)?account_id = (?:\$\d+(?:::\w+)?|any ?\([^()]*\)|\w+\.account_id\b)",
    re.IGNORECASE,
)
# What looks like a condition of another form. Nobody writes one; `CONDITION` would have to know it.
OTHER_FORM = re.compile(
    r"(?<!\w)account_id\)? *(?:[=<>!]|in\b|not\b|is\b|like\b)|[=<>] *(?:\w+\.)?account_id\b"
    r"|\((?=[^()]*account_id)[^()]*\) *(?:=|in\b)|using *\([^()]*account_id",
    re.IGNORECASE,
)
ACCOUNTS, _ = ROLES


def strip(statement: str) -> str:
    """Return the statement with every account condition made true."""
    return CONDITION.sub(r"(\g<0> or true)", statement)


def stripped_in_turn(statement: str) -> Iterator[str]:
    """Yield the statement with one of its account conditions made true, for each of them."""
    for found in CONDITION.finditer(statement):
        start, end = found.span()
        yield f"{statement[:start]}({found[0]} or true){statement[end:]}"


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
