"""Store records and views as JSON, without their defaults, and compare them by digest.

msgspec converts directly between JSON text and frozen Structs, many at a time: building Python dicts and lists in
between takes longer than all rules together. The text of a value must never change, because digests of it are stored.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from msgspec import Raw, convert, to_builtins
from msgspec.json import Decoder, Encoder
from pydantic_core import to_json
from sqlalchemy import Column, ColumnElement, LargeBinary, Text, cast, func, literal_column

from app.db.session import JsonText

T = TypeVar("T")
_encode = Encoder().encode


@dataclass(frozen=True)
class Codec(Generic[T]):
    """Converts values of one kind to JSON and back without loss."""

    kind: type[T]
    batch: Decoder[list[T]]
    has_huge: Callable[[T], bool]

    def encode(self, value: T) -> bytes:
        """Return the value as JSON, without its defaults: what is stored and what `digest` is made of.

        Texts were first written by pydantic, which writes `1e+16` where msgspec writes `1e16`.
        """
        return to_json(to_builtins(value)) if self.has_huge(value) else _encode(value)

    def dump(self, value: T) -> JsonText:
        """Return the value as JSON text, without its defaults."""
        return JsonText(self.encode(value).decode())

    def load(self, document: Any) -> T:
        """Return the value of dumped JSON objects."""
        return convert(document, self.kind)

    def load_all(self, texts: Iterable[bytes]) -> list[T]:
        """Return the values of dumped JSON texts (see `as_bytes`)."""
        return self.batch.decode(b"[%b]" % b",".join(texts))

    def digest(self, value: T) -> bytes:
        """Return 16 bytes that are equal exactly when two values are equal."""
        return digest(self.encode(value))


def codec(kind: type[T], has_huge: Callable[[T], bool] = lambda _: False) -> Codec[T]:
    """Return the codec of a Struct; `has_huge` says whether a value holds a huge number (see `is_huge`)."""
    return Codec(kind, Decoder(list[kind]), has_huge)  # type: ignore[valid-type]  # a type at run time


def is_huge(value: object) -> bool:
    """Return whether a value is a float that pydantic and msgspec write in different ways."""
    return type(value) is float and abs(value) >= 1e16


def json_text(document: Any) -> JsonText:
    """Return a document as JSON text. Its parts may be Structs; of these it has no defaults."""
    return JsonText(_encode(document).decode())


def json_part(value: Any) -> Raw:
    """Return a part of documents, encoded once for all of them."""
    return Raw(_encode(value))


def digest(document: bytes) -> bytes:
    """Return a 16-byte digest of a document."""
    return blake2b(document, digest_size=16).digest()


def as_bytes(column: Column[Any]) -> ColumnElement[bytes]:
    """Return a JSONB column as its text in UTF-8, so that the driver neither parses nor decodes it.

    Python takes a third of the time for a page of the feed, because nothing is decoded and encoded again.
    """
    return func.convert_to(cast(column, Text), literal_column("'UTF8'"), type_=LargeBinary)
