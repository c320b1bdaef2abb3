"""Tests of the allowed writes to Clio: no other write is ever sent, and each response proves one outcome."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from typing_extensions import override

from app.clio import notes, webhooks
from app.clio.allowed_writes import NewCommunication, NewNote, Party
from app.clio.client import ClioClient
from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    ClioUnreadable,
    WriteNotAllowed,
    WriteOutcomeUnknown,
)
from app.clio.local_rate_limit import LocalLimit
from app.clio.resources import COMMUNICATIONS, NOTES, Resource
from app.clio.responses import http_client
from app.clio.transport import ClioTransport, Clock
from app.lanes import Lane

ORIGIN = "https://app.clio.com"
DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "openapi-subset.json").read_text()
)
NOW = datetime(2026, 3, 3, tzinfo=UTC)
NOTE = NewNote(1001, "Email: x", "Hello\n\nRef: LVT-ABC", date(2026, 3, 2))
TEXTS = NewCommunication(
    "Text messages with Alice Moreno",
    "Hello",
    NOW,
    [Party("User", 501)],
    [Party("Contact", 1001)],
    [("levitate_activity_id", "ABC")],
)
METHODS = ("POST", "PUT", "PATCH", "DELETE")
PATHS = [re.sub(r"\{\w+\}", "12", path) for path in DOCUMENT["paths"]]
ALLOWED = {
    ("POST", "/notes.json"),
    ("POST", "/communications.json"),
    ("PATCH", "/communications/12.json"),
    ("POST", "/webhooks.json"),
    ("PATCH", "/webhooks/12.json"),
    ("DELETE", "/webhooks/12.json"),
}


class Tokens:
    """A token source whose renewal returns another token."""

    renewed = 0

    async def token(self) -> str:
        return "first"

    async def renew(self, refused: str) -> str:
        self.renewed += 1
        return "second"


async def no_sleep(_seconds: float) -> None:
    return None


def client(tokens: Tokens | None = None) -> ClioClient:
    clock = Clock(lambda: 0.0, lambda: NOW, no_sleep)
    source = tokens or Tokens()
    return ClioClient(
        ClioTransport(
            http_client(),
            origin=ORIGIN,
            source=source,
            local_limit=LocalLimit(),
            clock=clock,
            lane=Lane.WRITE_BACK,
        )
    )


@pytest.mark.parametrize("path", [*PATHS, "/webhooks/12/activate.json", "/../oauth/token"])
@respx.mock
async def test_no_other_write_is_ever_sent(path: str):
    # FQ-1: every path of Clio's document, with every method that writes
    for method in METHODS:
        if (method, path) in ALLOWED:
            continue
        with pytest.raises(WriteNotAllowed):
            await client().write(method, f"/api/v4{path}", {"name": "x"})
    assert respx.calls.call_count == 0


@respx.mock
async def test_the_few_writes_are_sent_once_with_their_bodies():
    # FQ-1, WB-2, WB-3
    respx.post(f"{ORIGIN}/api/v4/notes.json").respond(201, json={"data": {"id": 7}})
    respx.post(f"{ORIGIN}/api/v4/communications.json").respond(201, json={"data": {"id": 8}})
    respx.patch(f"{ORIGIN}/api/v4/communications/8.json").respond(200, json={"data": {"id": 8}})
    assert await notes.create_note(client(), NOTE) == 7
    assert await notes.create_communication(client(), TEXTS) == 8
    assert await notes.update_communication(client(), 8, body="newer") == 8
    bodies = [json.loads(call.request.content)["data"] for call in respx.calls]
    assert bodies[0]["contact"] == {"id": 1001}
    assert "matter" not in bodies[0]
    assert bodies[1]["external_properties"] == [{"name": "levitate_activity_id", "value": "ABC"}]
    assert bodies[2] == {"body": "newer"}


@pytest.mark.parametrize("name", ["notes", "communications"])
def test_every_write_matches_clios_document(name: str):
    schema = DOCUMENT["paths"][f"/{name}.json"]["post"]["requestBody"]["content"]
    known = schema["application/json"]["schema"]["properties"]["data"]["properties"]
    written = NOTE.document() if name == "notes" else TEXTS.document()
    assert written.keys() <= known.keys()
    for field, value in written.items():
        assert value in known[field].get("enum", [value])


@pytest.mark.parametrize("resource", [NOTES, COMMUNICATIONS], ids=lambda found: found.name)
def test_every_requested_field_is_in_clios_document(resource: Resource[Any]):
    path = resource.path.removeprefix("/api/v4")
    schemas = DOCUMENT["components"]["schemas"]
    (answer,) = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"].values()
    shown = fields_of(schemas, answer["schema"])["data"]["items"]
    known = fields_of(schemas, shown)
    for entry in resource.fields:
        name, _, inner = entry.rstrip("}").partition("{")
        assert name in known
        if inner:
            nested = fields_of(schemas, known[name].get("items", known[name]))
            assert set(inner.split(",")) <= nested.keys()
    parameters = {item["name"] for item in DOCUMENT["paths"][path]["get"]["parameters"]}
    assert {*resource.params, "fields", "created_since"} <= parameters


def fields_of(schemas: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a schema, including references and compositions."""
    if "$ref" in schema:
        return fields_of(schemas, schemas[schema["$ref"].rsplit("/", 1)[1]])
    found: dict[str, Any] = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found |= fields_of(schemas, part)
    return found


def clios(status: int) -> httpx.Response:
    """Return a refusal with Clio's error object: without it nothing would be proven."""
    return httpx.Response(status, json={"error": {"type": "ForbiddenError", "message": "No"}})


PROVEN: list[tuple[httpx.Response | Exception, type[ClioError]]] = [
    (httpx.ConnectError("refused, or TLS failed"), ClioRetryLater),
    (httpx.ConnectTimeout("no answer to SYN"), ClioRetryLater),
    (httpx.PoolTimeout("no connection free"), ClioRetryLater),
    (clios(400), ClioRefused),
    (clios(401), ClioReauthRequired),
    (clios(403), ClioRefused),
    (clios(404), ClioRefused),
    (clios(410), ClioMisconfigured),
    (clios(422), ClioRefused),
    (httpx.Response(429, headers={"Retry-After": "20"}), ClioRetryLater),
]
LOST: list[httpx.Response | Exception] = [
    httpx.ReadTimeout("answer late"),
    httpx.WriteTimeout("stuck"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("closed without an answer"),
    httpx.Response(201, text='{"data": {"i'),
    httpx.Response(201, json={"data": {}}),
    httpx.Response(200, text="<html>"),
    httpx.Response(302, headers={"Location": "/elsewhere"}),
    httpx.Response(201, content=b"[" * 200_000),
    httpx.Response(403, text="<html>"),
    httpx.Response(408),
    *(httpx.Response(status) for status in (500, 502, 503, 504)),
]


@pytest.mark.parametrize(("answer", "error"), PROVEN, ids=lambda value: repr(value)[:40])
@respx.mock
async def test_these_errors_prove_that_nothing_was_created(answer, error):
    # W4
    respx.post(f"{ORIGIN}/api/v4/notes.json").mock(side_effect=[answer, answer])
    with pytest.raises(error) as raised:
        await notes.create_note(client(), NOTE)
    assert not isinstance(raised.value, WriteOutcomeUnknown)
    assert respx.calls.call_count == (2 if isinstance(raised.value, ClioReauthRequired) else 1)


@pytest.mark.parametrize("answer", LOST, ids=lambda value: repr(value)[:40])
@respx.mock
async def test_after_every_other_error_the_outcome_is_unknown_and_nothing_is_sent_again(answer):
    # W5
    respx.post(f"{ORIGIN}/api/v4/notes.json").mock(side_effect=[answer])
    with pytest.raises(WriteOutcomeUnknown):
        await notes.create_note(client(), NOTE)
    assert respx.calls.call_count == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "99999999999"}, 86_400),
        ({"Retry-After": "Tue, 03 Mar 2026 02:00:00 GMT", "Date": "Tue, 03 Mar 2026 01:00:00 GMT"}, 3600),
    ],
)  # fmt: skip
@respx.mock
async def test_an_unknown_outcome_says_when_clio_may_be_asked(
    headers: dict[str, str], seconds: int
):
    # W7
    respx.post(f"{ORIGIN}/api/v4/notes.json").respond(503, headers=headers)
    with pytest.raises(WriteOutcomeUnknown) as raised:
        await notes.create_note(client(), NOTE)
    assert raised.value.after == timedelta(seconds=seconds)


@respx.mock
async def test_an_expired_token_is_renewed_once_and_the_write_succeeds():
    tokens = Tokens()
    route = respx.post(f"{ORIGIN}/api/v4/notes.json")
    route.side_effect = [clios(401), httpx.Response(201, json={"data": {"id": 7}})]
    assert await notes.create_note(client(tokens), NOTE) == 7
    assert tokens.renewed == 1


@respx.mock
async def test_without_new_tokens_nothing_was_written_and_the_write_is_sent_again_later():
    # W4: Clio has refused the first request, and the token endpoint did not answer
    class Unreadable(Tokens):
        @override
        async def renew(self, refused: str) -> str:
            raise ClioUnreadable("Clio's token endpoint did not return tokens")

    respx.post(f"{ORIGIN}/api/v4/notes.json").mock(return_value=clios(401))
    with pytest.raises(ClioRetryLater):
        await notes.create_note(client(Unreadable()), NOTE)


@respx.mock
async def test_a_subscription_is_deleted_without_parameters():
    route = respx.delete(f"{ORIGIN}/api/v4/webhooks/12.json").respond(204)
    await webhooks.unsubscribe(client(), 12)
    (call,) = route.calls
    assert (call.request.url.query, call.request.content) == (b"", b"")
    parameters = DOCUMENT["paths"]["/webhooks/{id}.json"]["delete"]["parameters"]
    assert "fields" not in {item["name"] for item in parameters}


@respx.mock
async def test_notes_are_found_by_reading_all_pages_and_comparing_the_text():
    # W6: Clio's own search may lag
    url = f"{ORIGIN}/api/v4/notes.json"
    following = {"paging": {"next": f"{url}?page_token=t2"}}
    first = {"data": [{"id": 1, "detail": "Ref: LVT-XYZ"}, {"id": 2}], "meta": following}
    second = {"data": [{"id": 3, "detail": "Hello\n\nRef: LVT-ABC"}], "meta": {}}
    route = respx.get(url)
    route.side_effect = [httpx.Response(200, json=first), httpx.Response(200, json=second)]
    assert await notes.find_notes(client(), 1001, "Ref: LVT-ABC", since=NOW) == [3]
    asked = respx.calls[0].request.url.params
    assert (asked["type"], asked["contact_id"]) == ("Contact", "1001")
    assert asked["created_since"] == "2026-03-03T00:00:00Z"
    assert "query" not in asked
