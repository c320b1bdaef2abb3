"""The JSON text of a stored value never changes: digests of it are stored, and another text would be a change.

Until version 3 of the rules pydantic wrote these texts, from dataclasses and without their defaults.
`tests/data/pinned/encoded.jsonl.gz` has texts that it wrote.
"""

import dataclasses
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import NODEFAULT, Struct, structs
from pydantic import TypeAdapter

from app.db.json_codec import codec
from app.db.mirror.records import CONTACTS
from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord
from app.rules.results import Assessment, ContactView
from tests.support.pinned import PINNED

STORED: list[Any] = [ContactRecord, MatterRecord, RelationshipRecord, Assessment, ContactView]
CODECS = {
    "ContactRecord": CONTACTS.codec,
    **{kind.__name__: codec(kind) for kind in STORED[1:]},
}
ZONES = st.sampled_from(
    [UTC, *(timezone(timedelta(minutes=m)) for m in (-300, 330, 1439, -1439, 1))]
)
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"])),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=ZONES) | st.datetimes(),
    type(None): st.none(),
}


def pinned_texts() -> Iterator[tuple[str, str]]:
    for line in gzip.decompress((PINNED / "encoded.jsonl.gz").read_bytes()).splitlines():
        kind, text = json.loads(line)
        yield kind, text


def test_texts_of_the_releases_with_pydantic_are_read_and_written_as_they_are():
    read = 0
    for kind, text in pinned_texts():
        known = CODECS[kind]
        (value,) = known.load_all([text.encode()])
        assert known.dump(value) == text
        assert known.encode(value) == text.encode()
        assert known.load(json.loads(text)) == value
        read += 1
    assert read > 100


def test_the_pinned_texts_have_every_field():
    """Fields that no text has prove nothing; here is each field of each stored kind that differs from its default."""
    shown = {name for _, text in pinned_texts() for name in names_in(json.loads(text))}
    assert shown >= {name for kind in STORED for name in names_of(kind)}


def names_in(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for name, part in document.items():
            yield name
            yield from names_in(part)
    elif isinstance(document, list):
        for part in document:
            yield from names_in(part)


def names_of(kind: Any) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        for field in structs.fields(kind):
            yield field.name
            yield from names_of(field.type)
    else:
        for part in get_args(kind):
            yield from names_of(part)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for any value of a type."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return st.builds(kind, **{part.name: values(part.type) for part in structs.fields(kind)})
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    if get_args(kind):
        return st.one_of(*map(values, get_args(kind)))
    return LEAVES.get(kind, st.from_type(kind))


@cache
def dataclass_like(kind: Any) -> Any:
    """Return a type with a dataclass in place of each Struct."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        parts: list[Any] = [
            (part.name, dataclass_like(part.type))
            if part.default is NODEFAULT
            else (part.name, dataclass_like(part.type), part.default)
            for part in structs.fields(kind)
        ]
        return dataclasses.make_dataclass(kind.__name__, parts, frozen=True)
    if get_origin(kind) is tuple:
        return tuple[dataclass_like(get_args(kind)[0]), ...]  # type: ignore[misc]  # at run time
    if get_args(kind):
        found = [dataclass_like(part) for part in get_args(kind)]
        union = found[0]
        for part in found[1:]:
            union |= part
        return union
    return kind


def as_dataclass(value: Any) -> Any:
    if isinstance(value, Struct):
        parts = {name: as_dataclass(part) for name, part in structs.asdict(value).items()}
        return dataclass_like(type(value))(**parts)
    return tuple(map(as_dataclass, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize("kind", STORED, ids=CODECS)
def test_any_value_is_written_as_pydantic_writes_it_and_read_again(kind: Any):
    adapter = TypeAdapter(dataclass_like(kind))
    known = CODECS[kind.__name__]

    @given(values(kind))
    def check(value: Any) -> None:
        text = known.dump(value)
        assert text == adapter.dump_json(as_dataclass(value), exclude_defaults=True).decode()
        assert known.load_all([text.encode()]) == [value]
        assert known.digest(value) == known.digest(known.load(json.loads(text)))

    run: Callable[[], None] = check
    run()
