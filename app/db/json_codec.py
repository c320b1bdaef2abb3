"""Store records and views in JSONB, without their defaults, and compare them by digest.

Values are converted directly between JSON text and frozen dataclasses, many at a time: building Python dicts and
lists in between takes longer than all rules together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, ColumnElement, Text, cast

from app.db.session import JsonText

T = TypeVar("T")


@dataclass(frozen=True)
class Codec(Generic[T]):
    """Converts values of one frozen dataclass to JSON and back without loss."""

    adapter: TypeAdapter[T]
    batch: TypeAdapter[list[T]]

    def dump(self, value: T) -> JsonText:
        """Return the value as JSON text, without its defaults."""
        return JsonText(self.adapter.dump_json(value, exclude_defaults=True).decode())

    def load(self, document: Any) -> T:
        """Return the value of dumped JSON objects."""
        return self.adapter.validate_python(document)

    def load_all(self, texts: Iterable[str]) -> list[T]:
        """Return the values of dumped JSON texts (see `as_text`)."""
        return self.batch.validate_json(f"[{','.join(texts)}]")

    def digest(self, value: T) -> bytes:
        """Return 16 bytes that are equal exactly when two values are equal."""
        return digest(self.adapter.dump_json(value, exclude_defaults=True))


def codec(kind: type[T]) -> Codec[T]:
    """Return the codec of a frozen dataclass."""
    return Codec(TypeAdapter(kind), TypeAdapter(list[kind]))  # type: ignore[valid-type]  # a type at run time


def digest(document: bytes) -> bytes:
    """Return a 16-byte digest of a document."""
    return blake2b(document, digest_size=16).digest()


def as_text(column: Column[Any]) -> ColumnElement[str]:
    """Return a JSONB column as text, so that the driver does not parse it."""
    return cast(column, Text)
