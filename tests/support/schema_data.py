"""Records made at random from Clio's OpenAPI document: every value may be null, except ids."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract import clio_schema
from tests.contract.clio_schema import Schema

IDS = 40  # few, so that records refer to each other
NULLS = 0.25  # the share of values that are null
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_WORDS = (
    "",
    " ",
    "Al",
    "Łukasz",
    "O'Brien & Söhne",
    "😀",
    "\u200b",
    "=1+1",
    "<b>",
    "27601",
    "true",
    "2024-02-30",
    "x" * 300,
)


def record(path: str, clio_id: int, dice: random.Random) -> dict[str, Any]:
    """Return a record of the list at a path of Clio's API."""
    fields = clio_schema.record_of(path)
    return {
        **{name: _value(name, schema, dice, 3) for name, schema in fields.items()},
        "id": clio_id,
    }


def _value(name: str, schema: Schema, dice: random.Random, depth: int) -> Any:
    schema = clio_schema.named(schema)
    if name == "id":
        return (
            f"text_line-{dice.randint(1, IDS)}"
            if schema["type"] == "string"
            else dice.randint(1, IDS)
        )
    if dice.random() < NULLS or depth == 0:
        return None
    if "enum" in schema:
        return dice.choice(schema["enum"])
    if "allOf" in schema or schema.get("type") == "object":
        return _object(schema, dice, depth - 1)
    if schema.get("type") == "array":
        made = [_value("", schema["items"], dice, depth - 1) for _ in range(dice.randint(0, 3))]
        return [*made, None] if made and dice.random() < NULLS else made
    return _plain(schema, dice)


def _object(schema: Schema, dice: random.Random, depth: int) -> dict[str, Any]:
    fields = clio_schema.properties(schema)
    if "id" in fields and dice.random() < NULLS / 2:
        return {"id": _value("id", fields["id"], dice, depth), "redacted": True}
    return {name: _value(name, field, dice, depth) for name, field in fields.items()}


def _plain(schema: Schema, dice: random.Random) -> Any:
    kind, form = schema.get("type"), schema.get("format")
    moment = _BEGIN + timedelta(minutes=dice.randint(0, 3_000_000))
    if kind == "integer":
        highest = 2 ** (31 if form == "int32" else 63) - 1
        return dice.choice([0, 1, dice.randint(1, highest)])
    if kind == "number":
        return dice.choice([0, 0.5, 1e9])
    if kind == "boolean":
        return dice.choice([True, False])
    times = {"date": moment.date().isoformat(), "date-time": moment.isoformat()}
    return times.get(str(form)) or dice.choice(_WORDS)
