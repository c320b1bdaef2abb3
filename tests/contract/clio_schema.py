"""Clio's own OpenAPI document, turned into JSON Schema that refuses what the document does not know.

The document never says `nullable`, and Clio sends null for whatever is missing: so null is allowed everywhere but in
what the document requires. Formats and integer widths are checked. A field that the document does not name is refused.
"""

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

DOCUMENT = Path(__file__).parents[1] / "data" / "openapi-subset.json"
WIDTH = {"int32": 31, "int64": 63}
Schema = dict[str, Any]
formats = FormatChecker(formats=())


@formats.checks("date", raises=ValueError)
def is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@formats.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def document() -> Schema:
    loaded: Schema = json.loads(DOCUMENT.read_text())
    return loaded


def operation(path: str, method: str = "get") -> Schema:
    found: Schema = document()["paths"][path.removeprefix("/api/v4")][method]
    return found


def parameters(path: str, where: str = "query") -> dict[str, Schema]:
    """The parameters of a GET by name, as their schemas."""
    listed = operation(path).get("parameters", [])
    return {p["name"]: p["schema"] for p in listed if p["in"] == where}


def named(schema: Schema) -> Schema:
    """The schema behind a reference, or the schema itself."""
    if "$ref" not in schema:
        return schema
    found: Schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def properties(schema: Schema) -> dict[str, Schema]:
    """The properties of an object, those of its bases included."""
    schema = named(schema)
    found: dict[str, Schema] = {}
    for base in schema.get("allOf", []):
        found |= properties(base)
    found |= schema.get("properties", {})
    return found


def item(schema: Schema) -> Schema:
    """What a property holds: of a list its items."""
    schema = named(schema)
    return named(schema["items"]) if schema.get("type") == "array" else schema


def record_of(path: str) -> dict[str, Schema]:
    """The fields of the records that a GET answers with."""
    return properties(item(properties(response(path, "get", 200))["data"]))


def response(path: str, method: str, status: int) -> Schema:
    (content,) = operation(path, method)["responses"][str(status)]["content"].values()
    schema: Schema = content["schema"]
    return schema


def strict(schema: Schema, *, null: bool = False) -> Schema:
    """JSON Schema for one of the document's."""
    schema = named(schema)
    kind = "object" if "allOf" in schema else schema["type"]
    told: Schema = {"type": [kind, "null"] if null else kind}
    if kind == "object":
        required = schema.get("required", [])
        fields = properties(schema)
        told["properties"] = {
            name: strict(field, null=name not in required) for name, field in fields.items()
        }
        told["required"] = required
        told["additionalProperties"] = False
    elif kind == "array":
        told["items"] = strict(schema["items"])
    if "enum" in schema:
        told["enum"] = [*schema["enum"], *([None] if null else [])]
    if schema.get("format") in WIDTH:
        width = WIDTH[schema["format"]]
        told |= {"minimum": -(2**width), "maximum": 2**width - 1}
    elif schema.get("format") in ("date", "date-time"):
        told["format"] = schema["format"]
    return told


@cache
def validator(path: str, method: str, status: int) -> Draft202012Validator:
    """Holds answers against the document."""
    return checked(strict(response(path, method, status)))


def checked(schema: Schema) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=formats)
