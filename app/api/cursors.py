"""Cursors of lists: a cursor is opaque to callers, and valid only for the list and filters it was made for."""

import base64
import json
from datetime import datetime
from typing import Any

from app.db.cursors import encode, query_digest
from app.errors import AppError

__all__ = ["after_id", "after_number", "after_time", "encode", "encode_key"]

MAX_NUMBER = 2**63 - 1  # the largest bigint of PostgreSQL


class InvalidCursor(AppError):
    """The cursor is damaged."""

    status = 400
    code = "invalid_cursor"
    title = "The cursor is damaged"
    next_step = "send next_cursor unchanged, or start without a cursor"


class CursorMismatch(AppError):
    """The cursor belongs to another list or other filters."""

    status = 400
    code = "cursor_mismatch"
    title = "The cursor belongs to another list or other filters"
    next_step = "start without a cursor"


def after_id(cursor: str | None, *query: Any) -> str:
    """Return the id after which a list continues, "" without a cursor; raises InvalidCursor or CursorMismatch."""
    after = _decode(cursor, query) if cursor else ""
    if not isinstance(after, str) or not after.isprintable():
        raise InvalidCursor
    return after


def after_number(cursor: str | None, *query: Any) -> int:
    """Return the number after which a list continues, 0 without a cursor; raises InvalidCursor or CursorMismatch."""
    after = _decode(cursor, query) if cursor else 0
    if type(after) is not int or not 0 <= after <= MAX_NUMBER:
        raise InvalidCursor
    return after


def after_time(cursor: str, *query: Any) -> tuple[datetime, str]:
    """Return the time and id after which a list continues; raises InvalidCursor or CursorMismatch."""
    time, _, last_id = after_id(cursor, *query).partition(" ")
    return moment(time), last_id


def moment(time: str) -> datetime:
    """Return the time that a cursor names; raises InvalidCursor."""
    try:
        after = datetime.fromisoformat(time)
    except ValueError as error:
        raise InvalidCursor from error
    if after.tzinfo is None:
        raise InvalidCursor
    return after


def after_values(cursor: str | None, *query: Any) -> list[Any]:
    """Return the values after which a list continues, none without a cursor; raises InvalidCursor or CursorMismatch."""
    after = _decode(cursor, query) if cursor else []
    if not isinstance(after, list):
        raise InvalidCursor
    return after


def encode_key(key: str | int | tuple[datetime, str], *query: Any) -> str:
    """Return the cursor that continues a list after a row: its id or number, or its time and id."""
    if isinstance(key, tuple):
        key = f"{key[0].isoformat()} {key[1]}"
    return encode(key, *query)


def _decode(cursor: str, query: tuple[Any, ...]) -> Any:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after, digest = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError) as error:
        raise InvalidCursor from error
    if digest != query_digest(query):
        raise CursorMismatch
    return after
