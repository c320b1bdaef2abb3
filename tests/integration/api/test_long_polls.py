"""Long polls of the change feed and streams of a run: they wait without a connection until a notification [S13]."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app import main
from app.api import run_reports
from app.api import runs as run_endpoints
from app.db import notifications
from app.db.accounts import service_tokens
from app.db.contacts import change_feed
from app.db.contacts.change_feed import FeedLine
from app.db.json_codec import json_text
from app.db.notifications import Channel
from app.db.runs import followers, leases, runs, turns
from app.db.runs import tables as run_tables
from app.db.runs.runs import Usage
from app.db.session import Database
from app.sync import request_check_refresh
from app.sync.waits import MOST_WAITING, Readers
from tests.support.raw_requests import RawRequest
from tests.support.sessions import as_owner
from tests.support.world import PATIENCE, TOKEN, World, opened_world

LONG = "/v1/accounts/hp/changes?wait=30"
LISTENERS = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = :name"
)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The accounts whose feed was read, in order."""
    found, real = [], change_feed.read_json

    async def counted(session: Any, account_id: str, **more: Any) -> Any:
        found.append(account_id)
        return await real(session, account_id, **more)

    monkeypatch.setattr(change_feed, "read_json", counted)
    return found


async def append(database: Database, account_id: str = "hp") -> None:
    async with as_owner(database) as session:
        await change_feed.append(
            session, account_id, [FeedLine("con_1", json_text({"kind": "test"}))]
        )


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def waiting(world: World, account_id: str = "hp") -> int:
    waits: Readers = world.app.state.services.feed_waits
    return len(waits._by_key.get(account_id, ()))


async def test_waiting_readers_have_no_connection_and_one_notification_wakes_those_of_the_account(
    api: World, database: Database, reads: list[str]
):
    await api.create_account("other")
    async with asyncio.TaskGroup() as group:
        polls = [group.create_task(api.api.get(LONG)) for _ in range(5)]
        other = group.create_task(api.api.get(LONG.replace("/hp/", "/other/")))
        await until(lambda: waiting(api) == 5 and waiting(api, "other") == 1)
        await until(lambda: api.app.state.services.database.accounts.pool.checkedout() == 0)
        before = len(reads)
        await append(database)
        pages = [(await poll).json() for poll in polls]
        assert reads[before:] == ["hp"] * 5
        assert not other.done()
        await append(database, "other")
    assert [page["data"] for page in pages] == [[{"seq": 1, "kind": "test"}]] * 5
    assert len(other.result().json()["data"]) == 1
    assert not api.app.state.services.feed_waits._by_key


async def test_a_lost_notification_is_made_up_for_when_the_listener_connects_again(
    api: World, database: Database
):
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(api.api.get(LONG))
        await until(lambda: waiting(api) == 1)
        async with as_owner(database) as session:
            await session.execute(text(LISTENERS), {"name": "levitate-clio listener"})
            line = "insert into changes (account_id, seq, contact_id, body) values ('hp', 1, 'c', '{\"n\": 1}')"
            await session.execute(text(line))
    assert poll.result().json()["data"] == [{"seq": 1, "n": 1}]


async def test_a_token_has_fifty_waiting_requests_and_a_caller_who_leaves_frees_a_place(
    api: World, database: Database
):
    # API-9
    head = {"Authorization": f"Bearer {TOKEN}"}
    async with asyncio.TaskGroup() as group:
        left = RawRequest("GET", "/v1/accounts/hp/changes", head, query="wait=30", body=b"")
        leaving = group.create_task(left.send(api.app))
        polls = [group.create_task(api.api.get(LONG)) for _ in range(MOST_WAITING - 1)]
        await until(lambda: waiting(api) == MOST_WAITING)
        refused = await api.api.get(LONG)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waiting")
        assert refused.headers["retry-after"] == "1"
        assert (await api.api.get("/v1/accounts/hp/changes")).status_code == 200
        left.gone.set()
        await leaving
        polls.append(group.create_task(api.api.get(LONG)))
        await until(lambda: waiting(api) == MOST_WAITING)
        await append(database)
    assert {poll.result().status_code for poll in polls} == {200}


async def test_a_token_follows_fifty_runs_and_a_caller_who_leaves_frees_a_place(api: World):
    # API-9: each reads the database regularly
    head, key = {"Authorization": f"Bearer {TOKEN}"}, {"Idempotency-Key": "a"}
    asked = await api.api.post("/v1/accounts/hp/runs", json={"kind": "full"}, headers=key)
    path = f"/v1/accounts/hp/runs/{asked.json()['id']}"
    readers = api.app.state.services.run_readers
    async with asyncio.TaskGroup() as group:
        streams = [RawRequest("GET", f"{path}/events", head, body=b"") for _ in range(MOST_WAITING)]
        for stream in streams:
            group.create_task(stream.send(api.app))
        await until(lambda: readers.count == MOST_WAITING)
        refused = await api.api.get(f"{path}/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waiting")
        assert (await api.api.get("/v1/accounts/hp/changes?wait=1")).status_code == 200
        streams[0].gone.set()
        await until(lambda: readers.count == MOST_WAITING - 1)
        assert (await api.api.post(f"{path}/cancel")).status_code == 200
    assert {stream.status for stream in streams} == {200}
    assert readers.count == 0


async def ask(api: World) -> str:
    asked = await api.api.post(
        "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"}
    )
    run_id: str = asked.json()["id"]
    return run_id


@pytest.fixture
def run_reads(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times at which a stream has read its run."""
    found, real = [], run_endpoints._read_followed

    async def counted(*args: Any) -> Any:
        found.append(asyncio.get_running_loop().time())
        return await real(*args)

    monkeypatch.setattr(run_endpoints, "_read_followed", counted)
    return found


async def test_a_stream_reads_its_run_when_it_has_changed_and_not_before(
    api: World, database: Database, run_reads: list[float], monkeypatch: pytest.MonkeyPatch
):
    # IS-2: progress of a run by a worker, and its end by a request, both in other transactions
    monkeypatch.setattr(run_endpoints, "LEAST_PAUSE", 0.05)
    monkeypatch.setattr(run_endpoints, "LONGEST_PAUSE", PATIENCE)
    run_id, readers = await ask(api), api.app.state.services.run_readers
    path = f"/v1/accounts/hp/runs/{run_id}"
    async with asyncio.TaskGroup() as group:
        stream = group.create_task(api.api.get(f"{path}/events"))
        await until(lambda: run_reads and readers._by_key)
        await asyncio.wait({stream}, timeout=0.3)
        assert len(run_reads) == 1, "nothing has changed"
        async with as_owner(database) as session:
            minute = timedelta(minutes=1)
            lane = (await runs.get_run(session, "hp", run_id)).lane
            lease = await turns.take_turn(session, "hp", lane, length=minute, now=main.now())
        assert lease is not None
        await until(lambda: len(run_reads) == 2)
        async with leases.fenced_transaction(database, lease) as session:
            await leases.record_progress(
                session, lease, Usage(requests=7), expected_end=None, now=main.now()
            )
        await until(lambda: len(run_reads) == 3)
        await api.api.post(f"{path}/cancel")
    data = [line for line in stream.result().text.splitlines() if line.startswith("data:")]
    states = [json.loads(line.removeprefix("data:")) for line in data]
    assert [state["status"] for state in states] == ["queued", "running", "running", "cancelled"]
    assert states[2]["clio"]["requests"] == 7
    assert not readers._by_key


async def test_a_run_that_nobody_follows_sends_no_notification(
    api: World, database: Database, monkeypatch: pytest.MonkeyPatch
):
    # each commit with a notification waits for all others
    heard: list[str] = []
    monkeypatch.setattr(api.app.state.services.run_readers, "wake", heard.append)
    run_id = await ask(api)
    async with as_owner(database) as session:
        assert await followers.follow(session, "hp", run_id)
        past = update(run_tables.runs).values(followed_until=main.now() - timedelta(seconds=1))
        await session.execute(past)
    async with as_owner(database) as session:
        minute = timedelta(minutes=1)
        lane = (await runs.get_run(session, "hp", run_id)).lane
        assert await turns.take_turn(session, "hp", lane, length=minute, now=main.now())
    async with as_owner(database) as session:
        await followers.follow(session, "hp", run_id)
    async with as_owner(database) as session:
        await runs.cancel_all(session, "hp", now=main.now())
    await until(lambda: heard)
    assert heard == [f"hp/{run_id}"], "the acquisition was not followed, the end was"


async def test_who_follows_a_run_does_not_wait_for_its_worker(api: World, database: Database):
    run_id = await ask(api)
    async with as_owner(database) as worker, as_owner(database) as reader:
        await worker.execute(select(run_tables.runs).with_for_update())
        assert not await followers.follow(reader, "hp", run_id)


async def test_waiting_readers_get_an_empty_page_when_the_process_stops(api: World):
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(api.api.get(LONG))
        await until(lambda: waiting(api) == 1)
        api.app.state.services.stopping.set()
    assert poll.result().json()["data"] == []


async def until_revoked(database: Database, token_id: str, how: str) -> None:
    """End a token: by the command, or because its time is over."""
    async with as_owner(database) as session:
        if how == "revoked":
            assert await service_tokens.revoke_token(session, token_id, now=main.now())
        else:
            past = "update service_tokens set expires_at = now() - interval '1 second' where token_id = :id"
            await session.execute(text(past), {"id": token_id})
            await notifications.notify(session, Channel.SERVICE_TOKENS)


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_token_that_ends_ends_its_waiting_readers_and_streams_in_every_process(
    api: World, dsn: str, simulator: Any, database: Database, how: str
):
    # T14: a poll lasts 30 seconds and this stream for ever; the notification ends both at once
    run_id = await ask(api)
    stream_path = f"/v1/accounts/hp/runs/{run_id}/events"
    headers, token_id = await api.create_token("hp")
    lasting, _ = await api.create_token("hp")
    async with opened_world(dsn, simulator, workers=False, clock=False) as other, other:
        await other.until_token(headers, works=True)
        both = (api, other)
        async with asyncio.TaskGroup() as group:
            polls = [group.create_task(one.api.get(LONG, headers=headers)) for one in both]
            streams = [group.create_task(one.api.get(stream_path, headers=headers)) for one in both]
            kept = group.create_task(api.api.get(LONG, headers=lasting))
            await until(lambda: waiting(api) == 2 and waiting(other) == 1)
            readers = [one.app.state.services.run_readers for one in both]
            await until(lambda: all(reader.count == 1 for reader in readers))
            await until_revoked(database, token_id, how)
            async with asyncio.timeout(request_check_refresh.REFRESH_SECONDS / 2):
                answers = [await poll for poll in polls]
                events = [await stream for stream in streams]
            assert not kept.done()
            await append(database)
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert {answer.status_code for answer in events} == {200}, "a stream that has begun just ends"
    assert kept.result().status_code == 200


async def test_a_reader_whose_token_ended_gets_no_line_that_came_meanwhile(
    api: World, database: Database
):
    # T14
    headers, token_id = await api.create_token("hp")
    waits: Readers = api.app.state.services.feed_waits
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(api.api.get(LONG, headers=headers))
        await until(lambda: waiting(api) == 1)
        waits.end_unless(lambda other: other != token_id)
        await append(database)
        waits.wake("hp")
    assert poll.result().status_code == 401
    assert "seq" not in poll.result().text


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_a_report_breaks_off_when_its_token_ends_and_does_not_look_complete(
    api: World, database: Database, monkeypatch: pytest.MonkeyPatch, form: str
):
    # T14
    headers, token_id = await api.create_token("hp")

    async def changed_contacts(*_: object) -> AsyncIterator[dict[str, Any]]:
        yield run_reports._row(outcome="row-before")
        async with as_owner(database) as session:
            await service_tokens.revoke_token(session, token_id, now=main.now())
        await api.until_token(headers, works=False)
        yield run_reports._row(outcome="row-after")

    monkeypatch.setattr(run_reports, "_changed_contacts", changed_contacts)
    path = f"/v1/accounts/hp/runs/{await ask(api)}/report"
    report = RawRequest("GET", path, headers, query=f"format={form}", body=b"")
    with pytest.raises((RuntimeError, ExceptionGroup)):
        await report.send(api.app)
    assert b"row-before" in report.answer
    assert b"row-after" not in report.answer
