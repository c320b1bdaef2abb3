"""A change of the OpenAPI document that breaks clients needs a line under "Breaking" in the changelog."""

import gzip
import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.openapi import openapi_document
from tests.support.promises import breaks, promises_of

ROOT = Path(__file__).parents[2]
# The document that callers of the last release have. A release puts its own here.
RELEASED = ROOT / "tests" / "data" / "released" / "openapi.json.gz"


def announced() -> set[str]:
    """Return the operation ids in the lines under "Breaking" of what is not released yet."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## ")[0]
    lines = unreleased.partition("### Breaking")[2].partition("\n### ")[0]
    return set(re.findall(r"`(\w+)`", lines))


def test_what_breaks_clients_is_in_the_changelog():
    released = json.loads(gzip.decompress(RELEASED.read_bytes()))
    found = breaks(promises_of(released), promises_of(openapi_document()))
    silent = [line for line in found if line.partition(":")[0] not in announced()]
    assert silent == [], "Name the operation and what its callers must do in CHANGELOG.md"


A_DOCUMENT: dict[str, Any] = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "make",
                "parameters": [
                    {"in": "query", "name": "order", "schema": {"type": "string", "enum": ["up", "down"]}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 9}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}},
                },
                "responses": {
                    "200": {
                        "headers": {"ETag": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "In": {
                "type": "object",
                "properties": {"name": {"type": "string", "minLength": 1}, "note": {"type": "string"}},
                "required": ["name"],
            },
            "Thing": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
                "required": ["id"],
            },
        }
    },
}  # fmt: skip
Edit = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]


def broken_by(edit: Edit) -> list[str]:
    """Return what an edit of the operation, the schema of its body or that of its answer breaks."""
    edited = deepcopy(A_DOCUMENT)
    schemas = edited["components"]["schemas"]
    edit(edited["paths"]["/things"]["post"], schemas["In"], schemas["Thing"])
    return breaks(promises_of(A_DOCUMENT), promises_of(edited))


STRING = {"type": "string"}


@pytest.mark.parametrize(
    "edit",
    [
        lambda make, body, thing: make.update(operationId="create"),
        lambda make, body, thing: make["parameters"].pop(),
        lambda make, body, thing: make["parameters"][0].update(required=True),
        lambda make, body, thing: make["parameters"][0]["schema"]["enum"].pop(),
        lambda make, body, thing: make["parameters"][1]["schema"].update(maximum=8),
        lambda make, body, thing: make["parameters"][1]["schema"].update(minimum=2),
        lambda make, body, thing: make["parameters"].append(
            {"in": "query", "name": "new", "schema": STRING, "required": True}
        ),
        lambda make, body, thing: body["properties"].pop("note"),
        lambda make, body, thing: body["required"].append("note"),
        lambda make, body, thing: body["required"].append("new"),
        lambda make, body, thing: body["properties"]["note"].update(enum=["a"]),
        lambda make, body, thing: body["properties"]["name"].update(minLength=2),
        lambda make, body, thing: make["responses"]["200"].pop("headers"),
        lambda make, body, thing: make["responses"].update({"201": make["responses"].pop("200")}),
        lambda make, body, thing: thing["properties"].update(id={"type": "integer"}),
        lambda make, body, thing: thing["properties"].update(
            id={"anyOf": [STRING, {"type": "null"}]}
        ),
        lambda make, body, thing: thing["required"].remove("id"),
        lambda make, body, thing: thing["properties"]["tags"].update(items={"type": "integer"}),
    ],
)
def test_what_breaks_a_client_is_found(edit: Edit):
    found = broken_by(edit)
    assert found
    assert {line.partition(":")[0] for line in found} <= {"make", "create"}


@pytest.mark.parametrize(
    "edit",
    [
        lambda make, body, thing: None,
        lambda make, body, thing: make["parameters"].append(
            {"in": "query", "name": "new", "schema": {**STRING, "maxLength": 9}}
        ),
        lambda make, body, thing: make["parameters"][0]["schema"]["enum"].append("sideways"),
        lambda make, body, thing: make["parameters"][1]["schema"].update(maximum=10),
        lambda make, body, thing: make["parameters"][1]["schema"].pop("maximum"),
        lambda make, body, thing: body["properties"].update(new={**STRING, "maxLength": 9}),
        lambda make, body, thing: body["properties"].update(
            note={"anyOf": [STRING, {"type": "null"}]}
        ),
        lambda make, body, thing: body["required"].remove("name"),
        lambda make, body, thing: make["responses"].update({"202": {}, "409": {}}),
        lambda make, body, thing: make["responses"].pop("404"),
        lambda make, body, thing: thing["properties"].update(new=STRING),
        lambda make, body, thing: thing["required"].append("tags"),
        lambda make, body, thing: thing.update(description="A thing."),
    ],
)
def test_what_breaks_no_client_passes(edit: Edit):
    assert broken_by(edit) == []


def test_a_new_operation_may_ask_for_anything():
    edited = deepcopy(A_DOCUMENT)
    made = deepcopy(edited["paths"]["/things"]["post"])
    made["operationId"] = "remake"
    edited["paths"]["/others"] = {"post": made}
    assert breaks(promises_of(A_DOCUMENT), promises_of(edited)) == []
