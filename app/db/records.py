"""How records and views are kept in JSONB: without their defaults, and compared by digest."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@dataclass(frozen=True)
class Codec(Generic[T]):
    """Turns values of one frozen dataclass into JSON and back, losing nothing."""

    adapter: TypeAdapter[T]

    def dump(self, value: T) -> Any:
        """The value as JSON objects, its defaults left out."""
        return self.adapter.dump_python(value, mode="json", exclude_defaults=True)

    def load(self, document: Any) -> T:
        """The value that was dumped."""
        return self.adapter.validate_python(document)

    def digest(self, value: T) -> bytes:
        """16 bytes that are equal exactly when two values are."""
        return blake2b(
            self.adapter.dump_json(value, exclude_defaults=True), digest_size=16
        ).digest()


def codec(kind: type[T]) -> Codec[T]:
    """The codec of a frozen dataclass."""
    return Codec(TypeAdapter(kind))
