"""How the place in a list is written down: opaque, and bound to what the list was asked for."""

import base64
import hashlib
import json
from typing import Any


def encode(after: str | int, *asked: Any) -> str:
    """A cursor to go on after a key, for a list asked for like this."""
    document = json.dumps([after, query_digest(asked)], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def encode_feed_cursor(account_id: str, seq: int) -> str:
    """The cursor with which the change feed goes on after a number."""
    return encode(seq, "changes", account_id)


def query_digest(asked: tuple[Any, ...]) -> str:
    """What a list was asked for, in short."""
    return hashlib.blake2b(repr(asked).encode(), digest_size=6).hexdigest()
