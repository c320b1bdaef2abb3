"""Functions for frozen values, whether they are Structs or dataclasses."""

import dataclasses
from typing import Any, TypeVar

from msgspec import Struct, structs

V = TypeVar("V")


def replace(value: V, **changes: Any) -> V:
    """Return the value with other fields."""
    if isinstance(value, Struct):
        return structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]  # a dataclass


def field_names(kind: type[Struct]) -> tuple[str, ...]:
    """Return the names of a Struct's fields."""
    return kind.__struct_fields__
