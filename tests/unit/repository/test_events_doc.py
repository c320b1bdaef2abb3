"""The programs in docs/events.md work as the page describes."""

import re
import sqlite3
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from app.db.events.events import EventKind
from app.main import now
from app.webhook_sender import Message, signature_header

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def program(name: str) -> types.ModuleType:
    """Return a program of the page, executed as a module."""
    code = re.search(rf"```python {name}\n(.*?)```", PAGE, re.DOTALL)
    assert code
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(code[1], f"docs/events.md:{name}", "exec"), module.__dict__)  # noqa: S102
    return module


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVENTS_SECRET", SECRET)
    monkeypatch.setenv("EVENTS_DB", str(tmp_path / "events.db"))
    module = program("receiver")
    yield module
    module.db.close()
    del sys.modules["receiver"]


def signed_request(event_id: str, body: bytes, secret: str = SECRET) -> dict[str, Any]:
    moment = now()
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature_header([secret], Message(event_id, body), moment),
    }
    return {"content": body, "headers": headers}


async def test_the_receiver_handles_each_event_once_and_refuses_invalid_signatures(receiver):
    body = b'{"type":"client.new","timestamp":"2026-03-03T11:04:09Z","data":{"contact_id":"con_1"}}'
    unknown = b'{"type":"coffee.ready","timestamp":"2026-03-03T11:04:09Z","data":{}}'
    transport = httpx.ASGITransport(receiver.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver.test") as client:
        for _ in range(3):
            assert (await client.post("/hook", **signed_request("evt_1", body))).status_code == 204
        assert (await client.post("/hook", **signed_request("evt_2", unknown))).status_code == 204
        forged = signed_request("evt_3", body, secret="whsec_C2FVsBQIhrscChlQIMVxb5sSYspob7oD")
        assert (await client.post("/hook", **forged)).status_code == 400
        changed = {**signed_request("evt_4", body), "content": body.replace(b"con_1", b"con_2")}
        assert (await client.post("/hook", **changed)).status_code == 400
        assert (await client.post("/hook", content=body)).status_code == 400
    assert receiver.db.execute("select contact_id from automations").fetchall() == [("con_1",)]
    assert receiver.db.execute("select count(*) from handled").fetchone() == (2,)
    assert isinstance(receiver.db, sqlite3.Connection)


def test_the_receiver_has_at_most_32_lines():
    code = re.search(r"```python receiver\n(.*?)```", PAGE, re.DOTALL)
    assert code
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 32


def test_the_reader_applies_every_change_of_every_page_and_returns_the_last_cursor():
    pages = [
        {"data": [{"seq": 1}, {"seq": 2}], "next_cursor": "two", "has_more": True},
        {"data": [{"seq": 3}], "next_cursor": "three", "has_more": False},
    ]
    cursors: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        cursors.append(request.url.params.get("cursor"))
        return httpx.Response(200, json=pages[len(cursors) - 1])

    applied: list[int] = []
    reader = program("feed")
    with httpx.Client(transport=httpx.MockTransport(respond), base_url="http://x") as client:
        cursor = reader.read_feed(client, "hp", None, lambda change: applied.append(change["seq"]))
    assert (cursor, applied, cursors) == ("three", [1, 2, 3], [None, "two"])


def test_the_page_lists_exactly_the_types_of_events():
    table = PAGE.split("| type |")[1].split("Ignore types")[0]
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", table)) == set(EventKind)


def test_the_signature_of_the_example_is_valid():
    body = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert body
    example = signed_request("evt_1", body[1].encode())
    document = Webhook(SECRET).verify(example["content"], example["headers"])
    assert datetime.fromisoformat(document["timestamp"]).tzinfo == UTC
    assert document["data"].keys() >= {"contact_id", "origin", "basis", "possible_duplicate_of"}
