"""Cursors of lists: opaque, and bound to the query of the list."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from typing_extensions import override

# The metadata of a field that a later release added to a filter: a digest has it only where it filters.
ADDED = {"added": True}


def encode(after: str | int | Sequence[str | int], *asked: Any) -> str:
    """Return the cursor that continues a list after a key; `asked` are the parameters of the list."""
    document = json.dumps([after, query_digest(asked)], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def encode_feed_cursor(account_id: str, seq: int) -> str:
    """Return the cursor that continues the change feed after a number."""
    return encode(seq, "changes", account_id)


def query_digest(asked: tuple[Any, ...]) -> str:
    """Return a short digest of a list's parameters. Cursors of earlier releases stay valid."""
    text = repr(tuple(_Text(part) if is_dataclass(part) else part for part in asked))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


class _Text:
    """A filter in a digest. It is written with the class name of the first release, which cursors depend on."""

    def __init__(self, part: Any) -> None:
        self._part = part

    @override
    def __repr__(self) -> str:
        values = (
            (one.name, getattr(self._part, one.name))
            for one in fields(self._part)
            if not one.metadata.get("added") or getattr(self._part, one.name) != one.default
        )
        return f"Wanted({', '.join(f'{name}={value!r}' for name, value in values)})"
