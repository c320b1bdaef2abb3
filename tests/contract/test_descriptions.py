"""Everything in the OpenAPI document that a caller reads or sends has a description."""

from collections.abc import Iterator
from typing import Any

from tests.support.openapi import openapi_document

DOCUMENT = openapi_document()
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


def described(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the place and the description of every schema, property and parameter; "" if it has none."""
    for name, schema in document["components"]["schemas"].items():
        yield f"schema {name}", schema.get("description", "")
        yield from properties(f"property {name}", schema)
    for path, item in document["paths"].items():
        yield from parameters(path, item)
        for method in METHODS:
            operation = item.get(method, {})
            yield from parameters(f"{method.upper()} {path}", operation)
            for part in ("requestBody", "responses"):
                yield from properties(f"{part} of {method.upper()} {path}", operation.get(part))


def parameters(place: str, holder: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in holder.get("parameters", ()):
        name = f"{parameter['in']} parameter {parameter['name']} of {place}"
        yield name, parameter.get("description", "")
        yield from properties(name, parameter)


def properties(place: str, node: Any) -> Iterator[tuple[str, str]]:
    """Yield the properties of a schema and of all schemas inside it, at any depth."""
    if isinstance(node, list):
        for item in node:
            yield from properties(place, item)
    elif isinstance(node, dict):
        found = node.get("properties", {}) if node.get("type") == "object" else {}
        for name, schema in found.items():
            yield f"{place}.{name}", schema.get("description", "")
            yield from properties(f"{place}.{name}", schema)
        for key, value in node.items():
            if key not in ("properties", "example", "examples", "default"):
                yield from properties(place, value)


def test_every_schema_property_and_parameter_has_a_description():
    """A field gets its description from the text below it (`app/api/schemas/base.py`)."""
    found = dict(described(DOCUMENT))
    assert len(found) > 500
    missing = [place for place, text in found.items() if not text.strip()]
    assert not missing, "\n".join([f"{len(missing)} places have no description:", *missing])
