"""How records and views are kept in JSONB: without their defaults, and compared by digest.

Both ways go straight between JSON text and frozen dataclasses, a batch at once: building Python's dicts and lists
in between costs more than all rules together.
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
    """Turns values of one frozen dataclass into JSON and back, losing nothing."""

    adapter: TypeAdapter[T]
    batch: TypeAdapter[list[T]]

    def dump(self, value: T) -> JsonText:
        """The value as JSON text, its defaults left out."""
        return JsonText(self.adapter.dump_json(value, exclude_defaults=True).decode())

    def load(self, document: Any) -> T:
        """The value that was dumped, from its JSON objects."""
        return self.adapter.validate_python(document)

    def load_all(self, texts: Iterable[str]) -> list[T]:
        """The values that were dumped, from their `as_text`."""
        return self.batch.validate_json(f"[{','.join(texts)}]")

    def digest(self, value: T) -> bytes:
        """16 bytes that are equal exactly when two values are."""
        return digest(self.adapter.dump_json(value, exclude_defaults=True))


def codec(kind: type[T]) -> Codec[T]:
    """The codec of a frozen dataclass."""
    return Codec(TypeAdapter(kind), TypeAdapter(list[kind]))  # type: ignore[valid-type]  # a type at run time


def digest(document: bytes) -> bytes:
    """16 bytes that tell a document from any other."""
    return blake2b(document, digest_size=16).digest()


def as_text(column: Column[Any]) -> ColumnElement[str]:
    """A JSONB column as its text: asked for as JSONB, the driver would parse it."""
    return cast(column, Text)
