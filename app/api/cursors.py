"""Opaque cursors of lists: where the next page begins, bound to what the list was asked for."""

import base64
import json
import re
from typing import Any

from app.db.cursors import digest, encode
from app.errors import AppError

__all__ = ["decode", "decode_number", "encode"]

LARGEST = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what no key of a database holds


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


def decode(cursor: str, *asked: Any) -> str:
    """The key after which to go on; raises InvalidCursor or CursorMismatch."""
    after = _after(cursor, asked)
    if not isinstance(after, str) or _UNSTORABLE.search(after):
        raise InvalidCursor
    return after


def decode_number(cursor: str, *asked: Any) -> int:
    """The number after which to go on; raises InvalidCursor or CursorMismatch."""
    after = _after(cursor, asked)
    if type(after) is not int or not 0 <= after <= LARGEST:  # True is an int, too
        raise InvalidCursor
    return after


def _after(cursor: str, asked: tuple[Any, ...]) -> Any:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after, made_for = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError) as error:
        raise InvalidCursor from error
    if made_for != digest(asked):
        raise CursorMismatch
    return after
