"""Each operation of the OpenAPI document is called, and the service answers as it says."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.document_details import EXAMPLES
from tests.support import world as world_module
from tests.support.api_examples import examples_of, written
from tests.support.api_story import OPERATIONS, PLACES, Call, tell
from tests.support.openapi import faults
from tests.support.postgres import MIGRATED, Server
from tests.support.world import (
    World,
    config_for,
    generous_simulator,
    harlow_and_pike,
    opened_world,
)

TOLD_HEADERS = ("location", "etag", "retry-after", "content-disposition")


@asynccontextmanager
async def reached_by_clio(server: Server) -> AsyncIterator[World]:
    """The service at an https address, to which the simulated Clio can post."""
    simulator = generous_simulator(harlow_and_pike())
    reached = partial(config_for, public_url="https://service.test")
    async with server.database(MIGRATED) as dsn:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(world_module, "config_for", reached)
            async with opened_world(dsn, simulator, clock=False) as world, world:
                world.api.base_url = httpx.URL("https://service.test")
                simulator.webhooks.transport = httpx.ASGITransport(world.app)
                yield world


@pytest.fixture(scope="module")
def calls(server: Server) -> list[Call]:
    """All calls of the story, which is told once."""

    async def told() -> list[Call]:
        async with reached_by_clio(server) as world:
            return await tell(world)

    return asyncio.run(told())


def documented(call: Call) -> dict[str, Any]:
    """Return what the document says about answers of this status."""
    found: dict[str, Any] = OPERATIONS[call.operation]["responses"].get(call.status, {})
    return found


def test_each_operation_is_called(calls: list[Call]):
    assert {call.operation for call in calls} == {*OPERATIONS}


def test_each_parameter_of_a_read_is_sent(calls: list[Call]):
    sent = {(call.operation, name) for call in calls for name in call.query}
    documented_ones = {
        (name, parameter["name"])
        for name, operation in OPERATIONS.items()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and PLACES[name][0] == "GET"
    }
    # A list of one page has no cursor. Attempts to connect that fail: tests/e2e/connections.
    missing = {(name, one) for name, one in documented_ones - sent if one != "cursor"}
    assert missing == {("finish_connection", "error"), ("finish_connection", "iss")}
    assert sum(name == "cursor" for _, name in sent) > 8


def test_each_answer_has_a_status_of_the_document(calls: list[Call]):
    assert [(call.operation, call.status) for call in calls if not documented(call)] == []


def test_each_body_has_a_media_type_and_the_form_of_the_document(calls: list[Call]):
    wrong = []
    for call in calls:
        contents = documented(call).get("content", {})
        if not call.answer.content:
            wrong += [(call.operation, call.media_type)] if call.media_type else []
        elif call.media_type not in contents:
            wrong.append((call.operation, call.media_type))
        elif call.media_type == "application/json":
            schema = contents[call.media_type]["schema"]
            wrong += [(call.operation, fault) for fault in faults(schema, call.answer.json())]
    assert wrong == []


def test_each_body_that_was_sent_is_one_of_the_document(calls: list[Call]):
    wrong = []
    for call in calls:
        if call.body is not None and "requestBody" in OPERATIONS[call.operation]:
            (content,) = OPERATIONS[call.operation]["requestBody"]["content"].values()
            wrong += [(call.operation, fault) for fault in faults(content["schema"], call.body)]
    assert wrong == []


def test_each_header_for_callers_is_documented(calls: list[Call]):
    found = {
        (call.operation, name)
        for call in calls
        for name in TOLD_HEADERS
        if name in call.answer.headers
        and name not in map(str.lower, documented(call).get("headers", {}))
    }
    assert found == set()


def bodies(example: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the status, the media type and the body of each answer of an example."""
    for status, by_media_type in example.get("responses", {}).items():
        for media_type, body in by_media_type.items():
            yield status, media_type, body


def fields(body: Any) -> set[str] | None:
    return {*body} if isinstance(body, dict) else None


def test_the_examples_of_the_document_are_answers_of_the_demo_firm(
    calls: list[Call], tmp_path: Path
):
    made = tmp_path / "examples.json"
    now = examples_of(calls)
    made.write_text(written(now))
    kept = json.loads(EXAMPLES.read_text())

    def forms(examples: dict[str, Any]) -> dict[str, Any]:
        return {
            name: (
                fields(one.get("request")),
                [(status, kind, fields(body)) for status, kind, body in bodies(one)],
            )
            for name, one in examples.items()
        }

    assert forms(kept) == forms(now), f"If callers can cope with it: cp {made} {EXAMPLES}"


def test_the_examples_of_the_document_follow_their_schemas():
    wrong, checked = [], 0
    for name, example in json.loads(EXAMPLES.read_text()).items():
        for status, media_type, body in bodies(example):
            if media_type == "application/json":
                schema = OPERATIONS[name]["responses"][status]["content"][media_type]["schema"]
                wrong += [(name, fault) for fault in faults(schema, body)]
                checked += 1
        if "request" in example:
            (content,) = OPERATIONS[name]["requestBody"]["content"].values()
            wrong += [(name, fault) for fault in faults(content["schema"], example["request"])]
    assert wrong == []
    assert checked > 55
