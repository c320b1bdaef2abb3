"""Takes apart a page that is not JSON as a whole, so that one broken record does not fail the list. No I/O.

A lone surrogate, a stray byte or deep nesting in one record makes a parser refuse the whole body. Here the text of each
record is found by its brackets, and parsed by itself.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic_core import from_json

from app.clio.ceilings import TOKENS_OF_JSON
from app.clio.resources import UnreadableRecord

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_ID = re.compile(rb"\s*:\s*([1-9][0-9]{0,18})\s*")
_NOT_UNICODE = "its text is not valid Unicode"
_NOT_JSON = "it is not valid JSON, or nested too deeply"


def parse_document(body: bytes) -> Any:
    """Return a page whose `data` has an UnreadableRecord in place of each record that is not JSON.

    Raise ValueError if that is not enough to read the page.
    """
    skeleton, pieces = _take_apart(body)
    document = from_json(skeleton, allow_inf_nan=False)
    document["data"] = [_parse_piece(piece) for piece in pieces]
    return document


def _parse_piece(piece: bytes) -> Any:
    try:
        return from_json(piece, allow_inf_nan=False)
    except ValueError as error:
        broken = any(word in str(error) for word in ("unicode", "hex escape", "surrogate"))
        return UnreadableRecord(_id(piece), _NOT_UNICODE if broken else _NOT_JSON)


def _take_apart(body: bytes) -> tuple[bytes, list[bytes]]:
    """Return the body with an empty list of records, and the text of each record."""
    depth = listed = begin = 0
    last, pieces = b"", []
    for token, start, end in _tokens(body):
        if token in b"]}":
            depth -= 1
            if listed and depth == 1:
                pieces.append(body[begin:start])
                whole = [piece for piece in pieces if piece.strip()]
                return body[:listed] + body[start:], whole
        elif token in b"[{":
            depth += 1
            if token == b"[" and depth == 2 and last == b'"data"' and not listed:
                listed = begin = end
        elif token == b"," and listed and depth == 2:
            pieces.append(body[begin:start])
            begin = end
        last = token
    raise ValueError("no list of records")


def _id(record: bytes) -> int | None:
    """Return the id of a record that is not JSON, None if that cannot be found either."""
    depth, after = 0, None
    for token, start, end in _tokens(record):
        if after is not None and (found := _ID.fullmatch(record, after, start)):
            clio_id = int(found[1])
            return clio_id if clio_id < 2**63 else None
        depth += (token in b"[{") - (token in b"]}")
        after = end if token == b'"id"' and depth == 1 else None
    return None


def _tokens(text: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield strings, brackets and commas with their places; not more than a page can have."""
    for found in islice(_TOKEN.finditer(text), TOKENS_OF_JSON):
        yield found[0], found.start(), found.end()
