"""Opaque cursors of lists: where the next page begins, bound to what the list was asked for."""

import base64
import json
from typing import Any

from app.db.cursors import encode, query_digest
from app.errors import AppError

__all__ = ["after_id", "after_number", "encode"]

HIGHEST = 2**63 - 1  # as far as the database counts


class InvalidCursor(AppError):
    """The cursor is damaged."""

    status = 400
    code = "invalid_cursor"
    title = "The cursor is damaged; use next_cursor as it was given, or begin without one"


class CursorMismatch(AppError):
    """The cursor belongs to another list or other filters."""

    status = 400
    code = "cursor_mismatch"
    title = "The cursor was made for another list or other filters; begin without one"


def after_id(cursor: str | None, *asked: Any) -> str:
    """The id after which a list goes on, "" without a cursor; raises InvalidCursor or CursorMismatch."""
    after = _decode(cursor, asked) if cursor else ""
    if not isinstance(after, str) or not after.isprintable():
        raise InvalidCursor
    return after


def after_number(cursor: str | None, *asked: Any) -> int:
    """The number after which a list goes on, 0 without a cursor; raises InvalidCursor or CursorMismatch."""
    after = _decode(cursor, asked) if cursor else 0
    if type(after) is not int or not 0 <= after <= HIGHEST:
        raise InvalidCursor
    return after


def _decode(cursor: str, asked: tuple[Any, ...]) -> Any:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after, made_for = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError) as error:
        raise InvalidCursor from error
    if made_for != query_digest(asked):
        raise CursorMismatch
    return after
