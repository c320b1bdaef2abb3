"""The Python client follows a feed without a gap, over errors, restarts and expired cursors, until it is stopped."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from levitate_clio import (
    AsyncClio,
    Clio,
    ClioError,
    CursorExpired,
    FileCursorStore,
    Following,
    NotFound,
    Retries,
    Unauthorized,
)

from tests.support.scripted_api import CLIENTS, Answer, event, page, problem, scripted

AT_ONCE = Retries(first=0.0)


class Stored:
    """A cursor store in memory."""

    def __init__(self, cursor: str | None = None) -> None:
        self.cursor = cursor

    def load(self) -> str | None:
        return self.cursor

    def save(self, cursor: str) -> None:
        self.cursor = cursor


async def take(count: int, items: Iterator[Any] | AsyncIterator[Any]) -> list[Any]:
    """Return the first items of an endless iterator."""
    if isinstance(items, Iterator):
        return list(islice(items, count))
    found = []
    async for item in items:
        found.append(item)
        if len(found) == count:
            break
    return found


def cursors(api: Any) -> list[str | None]:
    """Return the cursor of each request."""
    return [request.url.params.get("cursor") for request in api.requests]


@pytest.mark.parametrize("kind", CLIENTS)
async def test_each_item_comes_once_in_order_and_the_cursor_goes_on(kind):
    api = scripted(page([event("1"), event("2")], "c2"), page([], "c2"), page([event("3")], "c3"))
    events = api.client(kind).follow.events(Stored("c0"), type_="client.new", account_id="acme")
    assert [item.id for item in await take(3, events)] == ["1", "2", "3"]
    assert cursors(api) == ["c0", "c2", "c2"]
    wanted = {"type": "client.new", "account_id": "acme", "wait": "25", "limit": "200"}
    assert {**api.requests[0].url.params, "cursor": ""} == {**wanted, "cursor": ""}


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_cursor_is_stored_when_the_caller_asks_for_what_follows(kind):
    api = scripted(page([event("1"), event("2")], "c2"), page([event("3")], "c3"))
    store = Stored("c0")
    events = api.client(kind).follow.events(store)
    for item, stored in (("1", "c0"), ("2", "c0"), ("3", "c2")):
        found = next(events) if isinstance(events, Iterator) else await anext(events)
        assert (found.id, store.cursor) == (item, stored)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_what_a_crash_interrupted_comes_again(kind):
    store = Stored("c0")
    api = scripted(page([event("1"), event("2")], "c2"), page([event("1"), event("2")], "c2"))
    await take(2, api.client(kind).follow.events(store))  # the caller ends without asking for more
    again = await take(2, api.client(kind).follow.events(store))
    assert [item.id for item in again] == ["1", "2"]
    assert cursors(api) == ["c0", "c0"]


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_batch_has_the_cursor_to_store_also_if_it_is_empty(kind):
    api = scripted(page([], "c1"), page([event("1")], "c2"))
    batches = await take(2, api.client(kind).follow.event_batches(None))
    assert [(batch.cursor, len(batch.items)) for batch in batches] == [("c1", 0), ("c2", 1)]
    assert cursors(api) == [None, "c1"]


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_batch_says_once_that_everything_was_read(kind):
    nothing = page([], "c1", has_more=False)
    api = scripted(
        page([event("1")], "c1"), nothing, nothing, page([event("2")], "c2", has_more=False)
    )
    batches = await take(3, api.client(kind).follow.event_batches("c0"))
    assert [(len(one.items), one.has_more) for one in batches] == [
        (1, True), (0, False), (1, False),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_outage_is_logged_with_its_reason(kind, caplog: pytest.LogCaptureFixture):
    api = scripted(problem(503, "database_unavailable"), page([event("1")], "c1"))
    options = Following(retries=AT_ONCE)
    await take(1, api.client(kind).follow.events(Stored("c0"), options=options))
    (record,) = [one for one in caplog.records if one.name == "levitate_clio"]
    assert "503 database_unavailable" in record.getMessage()


@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_outage_of_any_length_is_waited_for(kind):
    outage: list[Answer] = [
        httpx.ConnectError("nobody listens"),
        httpx.ReadTimeout("slow"),
        problem(429, "too_many_waiting"),
        problem(500, "internal_error"),
        problem(502, "x"),
        problem(503, "x"),
    ]
    told: list[tuple[ClioError, float]] = []
    options = Following(retries=AT_ONCE, on_outage=lambda error, delay: told.append((error, delay)))
    api = scripted(*outage * 20, page([event("1")], "c1"))
    events = api.client(kind).follow.events(Stored("c0"), options=options)
    assert [item.id for item in await take(1, events)] == ["1"]
    assert len(told) == 120
    assert set(cursors(api)) == {"c0"}


def test_the_delays_of_an_outage_grow_and_begin_anew_after_it():
    delays: list[float] = []
    options = Following(
        retries=Retries(first=0.001, longest=0.004, random=lambda: 1.0),
        on_outage=lambda _, delay: delays.append(delay),
    )
    down = problem(503, "x")
    api = scripted(*[down] * 4, page([event("1")], "c1"), down, page([event("2")], "c2"))
    list(islice(api.client(Clio).follow.events(Stored(), options=options), 2))
    assert delays == [0.001, 0.002, 0.004, 0.004, 0.001]


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "invalid_token"), Unauthorized),
        (problem(404, "account_not_found"), NotFound),
        (problem(410, "cursor_expired"), CursorExpired),
    ],
)
async def test_what_does_not_pass_is_raised(kind, answer, error):
    with pytest.raises(error):
        await take(1, scripted(answer).client(kind).follow.changes("acme", Stored("c0")))


@pytest.mark.parametrize("kind", CLIENTS)
async def test_following_begins_again_if_the_cursor_has_expired_and_the_caller_wants_it(kind):
    told: list[CursorExpired] = []
    options = Following(on_expired=told.append)
    api = scripted(problem(410, "cursor_expired"), page([event("1")], "n1"))
    store = Stored("c0")
    events = api.client(kind).follow.events(store, options=options)
    assert [item.id for item in await take(1, events)] == ["1"]
    assert cursors(api) == ["c0", None]
    assert len(told) == 1


async def test_a_cursor_that_expires_at_the_beginning_is_an_error_and_no_endless_loop():
    options = Following(on_expired=lambda _: None)
    api = scripted(*[problem(410, "cursor_expired")] * 2)
    with pytest.raises(CursorExpired):
        await take(1, api.client(Clio).follow.events(Stored("c0"), options=options))


def test_a_thread_that_follows_ends_when_it_is_stopped():
    stop = threading.Event()
    api = scripted(*[page([], "c0")] * 3, page([event("1")], "c1"))
    store = Stored("c0")
    for _ in api.client(Clio).follow.events(store, stop=stop):
        stop.set()
    assert store.cursor == "c1"


def test_a_delay_of_an_outage_ends_when_following_is_stopped():
    stop = threading.Event()
    options = Following(
        retries=Retries(first=3600.0, random=lambda: 1.0), on_outage=lambda *_: stop.set()
    )
    api = scripted(problem(503, "x"))
    assert list(api.client(Clio).follow.events(Stored(), stop=stop, options=options)) == []


async def test_a_long_poll_ends_when_an_asynchronous_follower_is_stopped():
    stop, asked = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError(request)

    clio = AsyncClio("http://clio.test", "x", transport=httpx.MockTransport(answer))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        following = group.create_task(take(1, clio.follow.changes("acme", Stored(), stop=stop)))
        await asked.wait()
        stop.set()
    assert following.result() == []


def test_a_file_keeps_the_cursor(tmp_path):
    store = FileCursorStore(tmp_path / "acme.cursor")
    assert store.load() is None
    for cursor in ("c1", "c2é"):
        store.save(cursor)
        assert FileCursorStore(str(tmp_path / "acme.cursor")).load() == cursor
    assert [path.name for path in tmp_path.iterdir()] == ["acme.cursor"]


def test_a_cursor_that_cannot_be_written_leaves_the_old_one(tmp_path):
    store = FileCursorStore(tmp_path / "acme.cursor")
    store.save("c1")
    with pytest.raises(UnicodeEncodeError):
        store.save("c2\udcff")
    assert store.load() == "c1"
    assert [path.name for path in tmp_path.iterdir()] == ["acme.cursor"]
