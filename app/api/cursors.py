"""Opaque cursors of lists: where the next page begins, bound to what the list was asked for."""

import base64
import hashlib
import json
from typing import Any

from app.errors import AppError


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


def encode(after: str | int, *asked: Any) -> str:
    """A cursor to go on after a key, for a list asked for like this."""
    document = json.dumps([after, _digest(asked)], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode(cursor: str, *asked: Any) -> Any:
    """The key after which to go on; raises InvalidCursor or CursorMismatch."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after, digest = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError) as error:
        raise InvalidCursor from error
    if digest != _digest(asked):
        raise CursorMismatch
    return after


def _digest(asked: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(asked).encode(), digest_size=6).hexdigest()
