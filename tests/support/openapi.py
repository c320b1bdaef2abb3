"""The OpenAPI document of the service. It takes two seconds to build."""

from functools import cache
from typing import Any

import jsonschema

from app.db.connection import Address
from app.main import create_app
from tests.support.world import config_for

NOWHERE = "postgresql://nowhere"


@cache
def openapi_document() -> dict[str, Any]:
    """Return the document, which tests must not change."""
    document: dict[str, Any] = create_app(config_for(NOWHERE), Address(NOWHERE)).openapi()
    return document


def closed(schema: Any) -> Any:
    """Return the schema with no room for a property that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    done = {name: closed(part) for name, part in schema.items()}
    if "properties" in done and isinstance(done["properties"], dict):
        done.setdefault("additionalProperties", False)
    return done


@cache
def _closed_components() -> dict[str, Any]:
    components: dict[str, Any] = closed(openapi_document()["components"])
    return components


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Return what is wrong with a value, also each property that its schema in the document does not name."""
    strict = jsonschema.Draft202012Validator(
        {**closed(schema), "components": _closed_components()},
        format_checker=jsonschema.FormatChecker(),
    )
    return [f"{error.json_path}: {error.message}" for error in strict.iter_errors(value)]
