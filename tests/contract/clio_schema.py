"""Clio's own OpenAPI document as JSON Schema that refuses fields unknown to the document.

The document never uses `nullable`, but Clio sends null for missing values. So null is allowed unless a field is
required. Formats and integer widths are checked.
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
    """Return the parameters of a GET, by name, as schemas."""
    listed = operation(path).get("parameters", [])
    return {p["name"]: p["schema"] for p in listed if p["in"] == where}


def named(schema: Schema) -> Schema:
    """Return the schema that a reference points to, or the schema itself."""
    if "$ref" not in schema:
        return schema
    found: Schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def properties(schema: Schema) -> dict[str, Schema]:
    """Return the properties of an object, including those of its bases."""
    schema = named(schema)
    found: dict[str, Schema] = {}
    for base in schema.get("allOf", []):
        found |= properties(base)
    found |= schema.get("properties", {})
    return found


def item(schema: Schema) -> Schema:
    """Return the schema of a property's value; for a list, of its items."""
    schema = named(schema)
    return named(schema["items"]) if schema.get("type") == "array" else schema


def record_of(path: str) -> dict[str, Schema]:
    """Return the fields of the records that a GET returns."""
    return properties(item(properties(response(path, "get", 200))["data"]))


def response(path: str, method: str, status: int) -> Schema:
    (content,) = operation(path, method)["responses"][str(status)]["content"].values()
    schema: Schema = content["schema"]
    return schema


def strict(schema: Schema, *, null: bool = False) -> Schema:
    """Return the JSON Schema for one schema of the document."""
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
    """Checks responses against the document."""
    return checked(strict(response(path, method, status)))


def checked(schema: Schema) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=formats)
