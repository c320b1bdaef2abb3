"""Changing, testing and redelivering: what an operator of a receiver does with a webhook endpoint [API-27, T7]."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from standardwebhooks import Webhook

from app.lanes import REDELIVERY, Lane
from app.simulator.http.server import Simulator
from app.sync import redeliveries
from tests.support.event_service import EventService, ids
from tests.support.slices import do_slices
from tests.support.webhook_receiver import Received, receiving
from tests.support.world import opened_world


@pytest.fixture
async def service(dsn: str, simulator: Simulator) -> AsyncIterator[EventService]:
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        yield EventService(world)


def url_of(endpoint: dict[str, Any], what: str = "") -> str:
    return f"/v1/webhook-endpoints/{endpoint['id']}{what}"


def assert_signed(got: Received, secret: str) -> None:
    """Check the signature at the time of the test's clock."""
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    signed = Webhook(secret).sign(got.headers["webhook-id"], at, got.body.decode())
    assert got.headers["webhook-signature"] == signed


async def redelivery_keys(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select payload from pgqueuer where status = 'queued'")
    await connection.close()
    keys = [row["payload"].decode() for row in rows]
    return [key for key in keys if key.startswith(REDELIVERY)]


async def test_an_endpoint_is_changed_and_keeps_its_secret_and_what_waits(service: EventService):
    async with receiving() as old, receiving() as new:
        endpoint = await service.listen(old)
        (waiting,) = await service.record("con_1")
        changes = {"url": new.url, "events": ["client.new", "client.new"], "description": " d "}
        answer = await service.api.patch(url_of(endpoint), json=changes)
        assert answer.status_code == 200, answer.text
        kept = {**endpoint, "url": new.url, "events": ["client.new"], "description": "d"}
        secret = kept.pop("secret")
        assert answer.json() == {**kept, "updated_at": answer.json()["updated_at"]}
        await service.deliver()
        assert (old.received, ids(new)) == ([], [waiting])
        assert_signed(new.received[0], secret)
    same = await service.api.patch(url_of(endpoint), json={"description": "only this"})
    assert (same.json()["url"], same.json()["events"]) == (new.url, ["client.new"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://10.0.0.1/x"}, "url_not_allowed"),
        ({"url": "ftp://hooks.test"}, "url_not_allowed"),
        ({"events": []}, "invalid_request"),
        ({"events": ["nothing"]}, "invalid_request"),
        ({"status": "disabled"}, "invalid_request"),
    ],
)
async def test_a_change_is_checked_like_a_new_endpoint(
    service: EventService, changes: dict[str, Any], code: str
):
    # T7
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
    answer = await service.api.patch(url_of(endpoint), json=changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await service.api.get(url_of(endpoint))).json()["url"] == receiver.url


async def test_a_test_event_is_signed_and_shows_what_came_back(service: EventService):
    async with receiving() as receiver:
        endpoint = await service.listen(receiver, events=["client.new"])
        found = (await service.api.post(url_of(endpoint, "/test"))).json()
        assert (found["succeeded"], found["response_status"]) == (True, 204)
        assert (found["problem"], found["response_text"]) == (None, None)
        (got,) = receiver.received
        assert_signed(got, endpoint["secret"])
        document = json.loads(got.body)
        assert document["type"] == "ping"
        assert document["data"] == {"endpoint_id": endpoint["id"]}
        assert got.headers["webhook-id"] == found["event_id"]
        text = b"<b>no\x00 such\npath</b>" + b"x" * 5000
        head = f"HTTP/1.1 404 x\r\ncontent-length: {len(text)}\r\n\r\n".encode()
        receiver.answer = lambda _: head + text
        refused = (await service.api.post(url_of(endpoint, "/test"))).json()
    assert (refused["succeeded"], refused["response_status"]) == (False, 404)
    assert refused["response_text"].startswith("<b>no such path</b>xxx")
    assert len(refused["response_text"]) <= 300
    assert refused["problem"]["code"] == "refused"
    gone = (await service.api.post(url_of(endpoint, "/test"))).json()
    assert (gone["response_status"], gone["problem"]["code"]) == (None, "unreachable")
    assert await service.deliveries(endpoint) == [], "it is stored nowhere"


async def test_what_failed_in_some_time_is_sent_again_once(
    service: EventService, dsn: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(redeliveries, "BATCH_SIZE", 2)
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        sent = [(await service.record(f"con_{n}"))[0] for n in range(5)]
        await service.deliver()
        connection = await asyncpg.connect(dsn)
        await connection.execute(
            "update deliveries set status = 'failed' where event_id = any($1::text[])", sent[1:4]
        )
        made = await connection.fetch("select delivery_id, event_id from deliveries order by 1")
        await connection.close()
        assert {row["event_id"] for row in made} == set(sent)
        service.time += timedelta(seconds=1)
        since = (service.time - timedelta(days=1)).isoformat()
        body = {"since": since, "status": "failed"}
        answer = await service.api.post(url_of(endpoint, "/redeliver"), json=body)
        assert (answer.status_code, answer.content) == (202, b"")
        assert answer.headers["location"] == url_of(endpoint, "/deliveries")
        receiver.received.clear()
        while keys := await redelivery_keys(dsn):
            await do_slices(service.services, Lane.HOUSEKEEPING, keys[0])
        states = {one["event_id"]: one["status"] for one in await service.deliveries(endpoint)}
        assert {one for one in sent if states[one] == "pending"} == set(sent[1:4])
        await service.deliver()
        assert sorted(ids(receiver)) == sorted(sent[1:4])
        for again in ({"since": since, "until": since}, {"since": "2100-01-01T00:00:00Z"}):
            await service.api.post(url_of(endpoint, "/redeliver"), json=again)
        while keys := await redelivery_keys(dsn):
            await do_slices(service.services, Lane.HOUSEKEEPING, keys[0])
        assert await service.deliver() == 0, "nothing is of these times"


async def test_the_slices_of_a_redelivery_go_on_where_the_last_one_ended(
    service: EventService, dsn: str, monkeypatch: pytest.MonkeyPatch
):
    # each slice is bounded, and one that is done again sends nothing twice
    monkeypatch.setattr(redeliveries, "BATCH_SIZE", 1)
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        sent = [(await service.record(f"con_{n}"))[0] for n in range(3)]
        await service.deliver()
        service.time += timedelta(seconds=1)
        since = (service.time - timedelta(days=1)).isoformat()
        await service.api.post(url_of(endpoint, "/redeliver"), json={"since": since})
        (first,) = await redelivery_keys(dsn)
        receiver.received.clear()
        for _ in range(2):  # the process was killed at the end of the slice
            await redeliveries.redeliver_some(service.services, first.partition(":")[2])
            await service.deliver()
    assert sorted(ids(receiver)) == sorted(sent)


async def test_the_tools_are_for_the_token_of_the_endpoint_and_are_audited(service: EventService):
    # T3
    others, _ = await service.world.create_token("hp")
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("PATCH", "", {"description": "x"}),
            ("POST", "/test", {}),
            ("POST", "/redeliver", {"since": "2026-01-01T00:00:00Z"}),
        ]
        for verb, path, body in calls:
            url = url_of(endpoint, path)
            answer = await service.api.request(verb, url, json=body, headers=others)
            assert (answer.status_code, answer.json()["code"]) == (404, "endpoint_not_found")
        assert receiver.received == []
        for verb, path, body in calls:
            answer = await service.api.request(verb, url_of(endpoint, path), json=body)
            assert answer.is_success, answer.text
    listed = (await service.api.get("/v1/audit", params={"limit": 200})).json()["data"]
    actions = [entry["action"] for entry in listed]
    assert {"endpoint.changed", "endpoint.tested", "deliveries.repeated"} <= set(actions)
    assert json.dumps(listed).count(receiver.url) == 0
