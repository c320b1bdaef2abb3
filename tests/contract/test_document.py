"""The OpenAPI document: valid 3.1, committed as docs/openapi.json, and open for values of later releases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.openapi import openapi_document

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
DOCUMENT = openapi_document()


def test_a_strict_validator_accepts_the_document():
    assert DOCUMENT["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_is_the_committed_one(tmp_path: Path):
    now = json.dumps(DOCUMENT, indent=1, ensure_ascii=False) + "\n"
    made = tmp_path / "openapi.json"
    made.write_text(now)
    assert COMMITTED.read_text() == now, f"If clients can cope with it: cp {made} {COMMITTED}"


def enums(part: Any, place: str) -> Iterator[str]:
    if isinstance(part, list):
        for number, one in enumerate(part):
            yield from enums(one, f"{place}/{number}")
    elif isinstance(part, dict):
        if "enum" in part or "const" in part:
            yield place
        for name, one in part.items():
            yield from enums(one, f"{place}/{name}")


def references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from references(one)
    elif isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        for one in part.values():
            yield from references(one)


def test_no_response_has_a_closed_enum():
    operations = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    responses = [operation["responses"] for operation in operations]
    left, seen = [*references(responses)], set[str]()
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += references(DOCUMENT["components"]["schemas"][name])
    schemas = {name: DOCUMENT["components"]["schemas"][name] for name in seen}
    assert len(schemas) > 80
    assert [*enums(responses, "responses"), *enums(schemas, "schemas")] == []
    known = schemas["Run"]["properties"]["status"]["x-extensible-enum"]
    assert "succeeded" in known


def test_a_body_keeps_its_closed_enums():
    kind = DOCUMENT["components"]["schemas"]["RunIn"]["properties"]["kind"]
    assert any(enums(kind, "kind"))


@pytest.mark.parametrize("place", ["query", "header", "path"])
def test_a_parameter_is_left_out_and_never_null(place: str):
    found = [
        parameter
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == place
    ]
    assert found
    assert [one["name"] for one in found if "null" in json.dumps(one["schema"])] == []


def test_each_body_of_a_response_has_a_form():
    formless = [
        (operation["operationId"], status)
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        if not content["schema"]
    ]
    assert formless == []
