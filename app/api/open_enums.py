"""Makes the enums of responses open in the OpenAPI document: clients made from it accept the values of later releases.

An open enum is a string with its known values in `x-extensible-enum` and in the description. The enums of schemas that
only requests have stay closed: the service refuses other values.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from app.api.problems import SCHEMAS


def open_enums(document: dict[str, Any]) -> None:
    """Replace each enum that a response can have."""
    schemas = document["components"]["schemas"]
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    responses = [operation["responses"] for operation in operations]
    for response in responses:
        _open(response)
    for name in _reachable(schemas, _references(responses)):
        _open(schemas[name])


def _references(part: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to."""
    if isinstance(part, list):
        for one in part:
            yield from _references(one)
    elif isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].removeprefix(SCHEMAS)
        for one in part.values():
            yield from _references(one)


def _reachable(schemas: dict[str, Any], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _references(schemas[name])
    return found


def _open(part: Any) -> None:
    if isinstance(part, list):
        for one in part:
            _open(one)
    elif isinstance(part, dict):
        if _is_enum(part):
            values = part.pop("enum", None) or [part.pop("const")]
            part["x-extensible-enum"] = values
            known = ", ".join(f"`{value}`" for value in values)
            part["description"] = f"{part.get('description', '')} Known values: {known}.".strip()
        for one in part.values():
            _open(one)


def _is_enum(part: dict[str, Any]) -> bool:
    """Return whether a schema is an enum; a property may be called `enum`, too."""
    return part.get("type") in ("string", "integer") and ("enum" in part or "const" in part)
