"""Cursors of lists: opaque, and bound to the query of the list."""

import base64
import hashlib
import json
from typing import Any


def encode(after: str | int, *asked: Any) -> str:
    """Return the cursor that continues a list after a key; `asked` are the parameters of the list."""
    document = json.dumps([after, query_digest(asked)], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def encode_feed_cursor(account_id: str, seq: int) -> str:
    """Return the cursor that continues the change feed after a number."""
    return encode(seq, "changes", account_id)


def query_digest(asked: tuple[Any, ...]) -> str:
    """Return a short digest of a list's parameters."""
    return hashlib.blake2b(repr(asked).encode(), digest_size=6).hexdigest()
