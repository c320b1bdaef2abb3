"""Reads Clio's records: a value that cannot be read is left out, and the rest of the record is kept [row 49]. No I/O.

A record is refused only if its JSON, its id or its type cannot be read. Reasons are for people: they have names of
fields, never content.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from app.clio import ceilings
from app.clio.reasons import reason_of

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]

CUSTOM_VALUES = "custom_field_values"
SOME_VALUES = f"{CUSTOM_VALUES}.unknown"  # values whose fields are not known
_NEEDED = ("id", "type")  # of a record; `type` says whether a contact is a person
_CUT = ("string_too_long", "too_long")
_PLACEHOLDERS = {
    "status": "closed"
}  # of what a model needs; it is reported as unread and never stored
_CONTENT = (
    (),
    ("custom_field",),
    ("custom_field", "id"),
)  # without these a custom field value says nothing


class _NotStorable:
    """Stands in place of a text with a NUL character, which PostgreSQL cannot store."""


class PutAside(ValueError):
    """A record that must be put aside as a whole; the message is the reason."""


@dataclass(frozen=True)
class Unread:
    """A value that was left out, by the name of its field in Clio; one that is `cut` was only shortened."""

    field: str
    reason: str
    cut: bool = False


@dataclass(frozen=True)
class Read(Generic[M]):
    """A record, and what of it could not be read."""

    item: M
    unread: tuple[Unread, ...] = ()


def read_values(model: type[M], record: Any) -> Read[M]:
    """Return the record with everything that can be read. Raise PutAside if it must be put aside."""
    try:
        return Read(model.model_validate(record))
    except ValidationError as error:
        if not isinstance(record, dict):
            raise PutAside("the record is not an object") from None
        return _read_rest(model, _without_nulls(deepcopy(record)), error)


def without_nul(value: Any) -> Any:
    """Return a value of JSON in which no text with a NUL character can be read."""
    if isinstance(value, str):
        return _NotStorable() if "\0" in value else value
    if isinstance(value, list):
        return [without_nul(part) for part in value]
    return (
        {key: without_nul(part) for key, part in value.items()}
        if isinstance(value, dict)
        else value
    )


def _read_rest(model: type[M], rest: dict[str, Any], error: ValidationError) -> Read[M]:
    """Remove what cannot be read, the innermost value first, until the rest can be read."""
    found: dict[str, Unread] = {}
    while True:
        for unread in _repair(rest, error):
            found.setdefault(unread.field, unread)
        _without_nulls(rest)
        try:
            return Read(model.model_validate(rest), tuple(found.values()))
        except ValidationError as again:
            error = again


def _repair(rest: dict[str, Any], error: ValidationError) -> Iterator[Unread]:
    places: dict[Place, Any] = {}
    for one in error.errors(include_url=False, include_input=False):
        place = _place(rest, one["loc"])
        needed = place[0] if place else one["loc"][0]
        if not place and needed in _PLACEHOLDERS:
            rest[needed] = _PLACEHOLDERS[needed]
            yield Unread(needed, reason_of(one))
            continue
        if not place or needed in _NEEDED:
            raise PutAside(f"the field {needed} {reason_of(one)}")
        if place not in places or one["type"] in _CUT:  # of the forms that a custom value can have
            places[place] = one
    for place in sorted(places, key=len, reverse=True):
        is_there = _place(rest, place) == place  # unless its holder was replaced
        unread = _remove(rest, place, places[place]) if is_there else None
        if unread is not None:
            yield unread


def _place(rest: dict[str, Any], location: Iterable[str | int]) -> Place:
    """Return the place of the innermost value that an error is about; one that is null already cannot be it."""
    nodes: list[Any] = [rest]
    place: list[str | int] = []
    for key in location:
        node = nodes[-1]
        inside = (
            key in node if isinstance(node, dict) else isinstance(node, list) and type(key) is int
        )
        if not inside:
            break
        nodes.append(node[key])
        place.append(key)
    while place and nodes[-1] is None:
        nodes.pop()
        place.pop()
    return tuple(place)


def _remove(rest: dict[str, Any], place: Place, error: Any) -> Unread | None:
    """Write a number as text, shorten the value at a place, or set it to null; return what to report of it."""
    field, name = str(place[0]), str(place[-1])
    holder: Any = rest
    for key in place[:-1]:
        holder = holder[key]
    if error["type"] == "string_type" and _is_number(holder[place[-1]]):
        holder[place[-1]] = str(holder[place[-1]])
        return None
    if error["type"] in _CUT and name not in ceilings.SET_ASIDE and name != CUSTOM_VALUES:
        holder[place[-1]] = holder[place[-1]][: error["ctx"]["max_length"]]
        return Unread(field, reason_of(error), cut=True)
    if field == CUSTOM_VALUES and len(place) > 1:
        return _strip(rest[field], holder, place, error)
    if error["type"] in _CUT and name == CUSTOM_VALUES:
        holder[name] = [*holder[name][: ceilings.VALUES - 1], _stripped(None)]
        return Unread(SOME_VALUES, reason_of(error))
    holder[place[-1]] = None
    return Unread(field, reason_of(error))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _strip(values: list[Any], holder: Any, place: Place, error: Any) -> Unread | None:
    """Replace a custom field value by one without content, so that the stored one stays (clio.md §16.6)."""
    nth, inner = int(place[1]), place[2:]
    value = values[nth] if isinstance(values[nth], dict) else {}
    is_content = inner in _CONTENT or inner[0] == "value"
    if not is_content and value.get("value") is not None:
        holder[place[-1]] = None
        return None
    held = value.get("custom_field")
    field_id = held.get("id") if isinstance(held, dict) and inner[:1] != ("custom_field",) else None
    values[nth] = _stripped(field_id)
    return Unread(f"{CUSTOM_VALUES}.{field_id}" if field_id else SOME_VALUES, reason_of(error))


def _stripped(field_id: Any) -> dict[str, Any]:
    return {"id": "unread", "custom_field": {"id": field_id} if field_id else None}


def _without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """Remove the nulls from the record's lists, as the models do, so that errors name the right part."""
    for value in record.values():
        if isinstance(value, list):
            value[:] = [part for part in value if part is not None]
    return record
