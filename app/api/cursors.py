"""Opaque cursors of lists: where the next page begins, bound to what the list was asked for."""

import base64
import json
from typing import Any

from app.db.cursors import digest, encode
from app.errors import AppError

__all__ = ["decode", "encode"]


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


def decode(cursor: str, *asked: Any) -> Any:
    """The key after which to go on; raises InvalidCursor or CursorMismatch."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after, made_for = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError) as error:
        raise InvalidCursor from error
    if made_for != digest(asked):
        raise CursorMismatch
    return after
