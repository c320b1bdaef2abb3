"""A body cannot set more than the document says, and an answer shows no more than it says (T13, API-3)."""

from typing import Any

import pytest

from tests.integration.api.test_tenancy import filled
from tests.support.openapi import faults, openapi_document
from tests.support.world import World

SMUGGLED = (
    "account_id", "id", "status", "role", "token", "token_id", "created_at", "version", "__proto__",
)  # fmt: skip


def operations_with_body() -> list[tuple[str, str, dict[str, Any]]]:
    """Return verb, path and an example of the body of every operation that takes JSON."""
    document = openapi_document()
    found = []
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                if "json" in kind:
                    found.append((verb, path, example_of(document, content)))
    return found


def example_of(document: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    examples = schema.get("examples") or content.get("examples") or [{}]
    example: dict[str, Any] = examples[0]
    return example


OPERATIONS = operations_with_body()


def test_every_operation_with_a_body_is_tried():
    assert len(OPERATIONS) > 10


@pytest.mark.parametrize(
    ("verb", "path", "body"), OPERATIONS, ids=[f"{verb} {path}" for verb, path, _ in OPERATIONS]
)
async def test_a_field_that_the_document_does_not_name_is_refused(
    idle_with_two: World, verb: str, path: str, body: dict[str, Any]
):
    world = idle_with_two
    url = filled(path, {"account_id": "hp"})
    headers = {"Idempotency-Key": "k", "If-Match": "*"}
    if verb == "patch":
        headers["Content-Type"] = "application/merge-patch+json"
    for name in SMUGGLED:
        if name in body:
            continue
        sent = {**body, name: "x"}
        answer = await world.api.request(verb, url, json=sent, headers=headers)
        assert answer.status_code == 422, (name, answer.text)
        pointers = [error["pointer"] for error in answer.json().get("errors", [])]
        assert any(pointer.endswith(f"/{name}") for pointer in pointers), answer.text


async def test_answers_have_exactly_the_fields_of_the_document(pulled: World):
    document = openapi_document()
    checked = 0
    for path, verbs in document["paths"].items():
        names = [part for part in path.split("/") if part.startswith("{")]
        if (
            "get" not in verbs
            or names not in (["{account_id}"], [])
            or "200" not in verbs["get"]["responses"]
        ):
            continue
        schema = (
            verbs["get"]["responses"]["200"]
            .get("content", {})
            .get("application/json", {})
            .get("schema")
        )
        if not schema or not schema.get("$ref"):
            continue
        answer = await pulled.api.get(filled(path, {"account_id": "hp"}))
        assert answer.status_code == 200, path
        assert faults(schema, answer.json()) == [], path
        checked += 1
    assert checked > 10
