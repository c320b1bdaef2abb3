"""The list of events: nothing appears behind a cursor, nothing is skipped, a token sees its accounts (API-28, T2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.api import cursors
from app.api import events as event_endpoint
from app.db.connection import Address
from app.db.events import event_list, events
from app.db.events.events import EventKind
from app.db.migrate import migrate
from app.db.session import Database, Session
from app.sync.services import Services
from app.sync.waits import MOST_WAITING
from tests.support.sessions import as_owner
from tests.support.world import ACCOUNT, World

URL = "/v1/events"


@pytest.fixture
async def quiet(api: World) -> World:
    """Two accounts without events."""
    await api.api.put("/v1/accounts/other", json=ACCOUNT)
    async with as_owner(database_of(api)) as session:
        await session.execute(text("delete from events"))
    return api


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


def database_of(world: World) -> Database:
    return services_of(world).database


async def emit(
    session: Session,
    number: int,
    account_id: str = "hp",
    kind: EventKind = EventKind.RUN_FINISHED,
    *,
    now: datetime | None = None,
) -> None:
    at = now or main.now()
    await events.emit(session, account_id, kind, f"run_{number}", {"n": number}, now=at)


async def store(world: World, *numbers: int, **more: Any) -> None:
    """Store events, each in a transaction of its own."""
    for number in numbers:
        async with as_owner(database_of(world)) as session:
            await emit(session, number, **more)


async def page(world: World, query: str = "", **more: Any) -> dict[str, Any]:
    answer = await world.api.get(f"{URL}?{query}", **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert isinstance(found["next_cursor"], str)
    return found


def numbers(found: dict[str, Any]) -> list[int]:
    return [event["data"]["n"] for event in found["data"]]


async def follow(world: World, query: str = "", **more: Any) -> list[int]:
    """Return the numbers of all events, read page by page until there are no more."""
    found, cursor = [], ""
    while True:
        one = await page(world, f"{query}{cursor}", **more)
        found += numbers(one)
        cursor = f"&cursor={one['next_cursor']}"
        if not one["has_more"]:
            return found


@asynccontextmanager
async def open_transaction(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of somebody else that has written something, open until the block ends."""
    connection = await asyncpg.connect(dsn)
    try:
        writes = connection.transaction()
        await writes.start()
        await connection.execute("select pg_current_xact_id()")
        yield connection
        await writes.commit()
    finally:
        await connection.close()


async def test_an_event_is_what_a_webhook_gets(quiet: World):
    at = datetime.fromisoformat("2026-03-03T11:04:09.512+00:00")
    await store(quiet, 7, now=at)
    (event,) = (await page(quiet))["data"]
    assert event["id"].startswith("evt_")
    assert {name: event[name] for name in ("type", "timestamp", "data")} == {
        "type": "run.finished",
        "timestamp": "2026-03-03T11:04:09.512000Z",
        "data": {"account_id": "hp", "n": 7},
    }


async def test_pages_have_every_event_once_in_the_order_of_storing(quiet: World):
    await store(quiet, *range(5))
    async with as_owner(database_of(quiet)) as session:
        for number in (5, 6):
            await emit(session, number)
    for limit in (1, 2, 7, 200):
        assert await follow(quiet, f"limit={limit}") == list(range(7))
    end = await page(quiet)
    assert numbers(await page(quiet, f"cursor={end['next_cursor']}")) == []
    await store(quiet, 8)
    assert numbers(await page(quiet, f"cursor={end['next_cursor']}")) == [8]


async def test_an_event_waits_for_each_transaction_that_began_before_it(quiet: World, dsn: str):
    # the transaction that began first stores its event last: a reader sees both, and in one order
    start = await page(quiet)
    cursor = f"cursor={start['next_cursor']}"
    async with as_owner(database_of(quiet)) as first:
        await first.execute(text("select pg_current_xact_id()"))
        await store(quiet, 2)
        assert numbers(await page(quiet, cursor)) == [], "a transaction that began before is open"
        await emit(first, 1)
        assert numbers(await page(quiet, cursor)) == []
    found = await page(quiet, cursor)
    assert numbers(found) == [1, 2]
    async with open_transaction(dsn):
        assert numbers(await page(quiet, cursor)) == [1, 2], "what is shown stays"
        await store(quiet, 3)
        assert numbers(await page(quiet, f"cursor={found['next_cursor']}")) == []
    assert numbers(await page(quiet, f"cursor={found['next_cursor']}")) == [3]


async def test_a_reader_misses_nothing_while_transactions_end_in_any_order(quiet: World):
    seen: list[int] = []
    cursor = ""

    async def read() -> None:
        nonlocal cursor
        found = await page(quiet, f"limit=2{cursor}")
        seen.extend(numbers(found))
        cursor = f"&cursor={found['next_cursor']}"

    async def writer(number: int, begins: asyncio.Event, ends: asyncio.Event) -> None:
        async with as_owner(database_of(quiet)) as session:
            await begins.wait()
            await emit(session, number)
            await ends.wait()

    order = (3, 0, 4, 1, 2)
    async with asyncio.TaskGroup() as tasks:
        steps = {number: (asyncio.Event(), asyncio.Event()) for number in order}
        writers = {number: tasks.create_task(writer(number, *steps[number])) for number in order}
        for number in sorted(order):
            steps[number][0].set()
            await read()
        for number in order:
            steps[number][1].set()
            await writers[number]
            await read()
    for _ in order:
        await read()
    assert sorted(seen) == sorted(order)
    assert seen == await follow(quiet)


async def test_filters_and_tokens_show_what_is_theirs(
    quiet: World, monkeypatch: pytest.MonkeyPatch
):
    # T2
    await store(quiet, 1, 4)
    await store(quiet, 2, 5, account_id="other")
    await store(quiet, 3, kind=EventKind.CLIENT_NEW)
    await store(quiet, 6, account_id="other", kind=EventKind.CLIENT_NEW)
    both, _ = await quiet.create_token("hp", "other", "nowhere")
    own, _ = await quiet.create_token("hp")
    lists: list[tuple[str, dict[str, str], list[int]]] = [
        ("", {}, [1, 4, 2, 5, 3, 6]),
        ("", both, [1, 4, 2, 5, 3, 6]),
        ("", own, [1, 4, 3]),
        ("account_id=other", {}, [2, 5, 6]),
        ("account_id=other", both, [2, 5, 6]),
        ("type=client.new", {}, [3, 6]),
        ("type=client.new", both, [3, 6]),
        ("type=client.new", own, [3]),
        ("type=run.finished&account_id=other", {}, [2, 5]),
    ]
    for examined, looked_up in ((2000, 100), (2, 100), (2, 1)):
        monkeypatch.setattr(event_list, "EXAMINED", examined)
        monkeypatch.setattr(event_list, "MOST_LOOKED_UP", looked_up)
        for query, headers, wanted in lists:
            for limit in (1, 3, 50):
                found = await follow(quiet, f"limit={limit}&{query}", headers=headers)
                assert found == wanted, (query, limit, examined)
    for account_id, headers in (("other", own), ("nowhere", both), ("nowhere", {})):
        refused = await quiet.api.get(f"{URL}?account_id={account_id}", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "account_not_found")


async def test_the_events_of_an_account_that_is_erased_are_gone(quiet: World):
    await store(quiet, 1)
    await store(quiet, 2, account_id="other")
    found = await page(quiet, "limit=1")
    erased = await quiet.api.delete("/v1/accounts/hp")
    assert erased.status_code == 202
    assert await follow(quiet) == [2]
    assert numbers(await page(quiet, f"cursor={found['next_cursor']}")) == [2]
    async with as_owner(database_of(quiet)) as session:
        await session.execute(text("delete from events where account_id = 'hp'"))
    assert numbers(await page(quiet, f"cursor={found['next_cursor']}")) == [2]


async def test_a_cursor_is_valid_for_its_filters_only(quiet: World):
    await store(quiet, 1)
    cursor = (await page(quiet))["next_cursor"]
    for query in ("type=client.new&", "account_id=hp&"):
        answer = await quiet.api.get(f"{URL}?{query}cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_mismatch")
    at = main.now().isoformat()
    damaged: list[Any] = [
        *(7, "x", [1], [1, 2, "e", "never"], [-1, 2, "e", at], [1, 2**63, "e", at]),
        *([1, 2, "\x00", at], [1, 2, 3, at], [True, "1", "e", at], [1, 2, "e", "2026-03-03T11:04"]),
    ]
    for values in damaged:
        answer = await quiet.api.get(f"{URL}?cursor={cursors.encode(values, 'events', None, None)}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), values


async def refused_as_expired(world: World, cursor: str) -> bool:
    answer: httpx.Response = await world.api.get(f"{URL}?cursor={cursor}")
    if answer.status_code == 410:
        assert answer.json()["code"] == "cursor_expired"
        assert "begin again without a cursor" in answer.json()["detail"]
    return answer.status_code == 410


async def test_a_cursor_that_points_before_what_is_kept_is_expired(quiet: World):
    await store(quiet, 1, 2)
    behind = (await page(quiet, "limit=1"))["next_cursor"]
    current = (await page(quiet))["next_cursor"]
    with time_machine.travel(main.now() + timedelta(days=29), tick=True):
        read_later = (await page(quiet, f"cursor={current}"))["next_cursor"]
    with time_machine.travel(main.now() + timedelta(days=31), tick=True):
        assert not await refused_as_expired(quiet, behind), "its event is still there"
        async with as_owner(database_of(quiet)) as session:
            await session.execute(text("delete from events"))
        assert await refused_as_expired(quiet, behind)
        assert await refused_as_expired(quiet, current)
        assert not await refused_as_expired(quiet, read_later), "nothing was missed since"


async def test_events_of_a_restored_dump_are_listed_and_their_cursors_are_not_valid(
    quiet: World, dsn: str
):
    await store(quiet, 1, 2)
    moved = "update events set transaction_id = transaction_id + 1000000"
    async with as_owner(database_of(quiet)) as session:
        await session.execute(text(moved))
        place = (await session.execute(text(
            "select transaction_id, position, event_id, at from events order by position limit 1"
        ))).one()  # fmt: skip
    values = [place.transaction_id, place.position, place.event_id, place.at.isoformat()]
    cursor = cursors.encode(values, "events", None, None)
    await migrate(Address(dsn))
    await store(quiet, 3)
    assert await follow(quiet) == [1, 2, 3]
    assert await refused_as_expired(quiet, cursor)


async def test_events_of_the_release_before_are_listed_first(quiet: World):
    # it names the columns that it knows; those that were there before the migration have the transaction 0
    await store(quiet, 1, 2)
    async with as_owner(database_of(quiet)) as session:
        await session.execute(text("update events set transaction_id = 0"))
        await session.execute(text(
            "insert into events (account_id, event_id, kind, subject, data, at)"
            " values ('hp', 'evt_old', 'run.finished', 'run_3', '{\"n\": 3}', now())"
        ))  # fmt: skip
    await store(quiet, 4)
    assert await follow(quiet, "limit=1") == [1, 2, 3, 4]


async def test_a_long_poll_ends_with_the_event_and_an_empty_one_after_its_time(
    quiet: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(event_endpoint, "PAUSE", 0.01)
    cursor = (await page(quiet))["next_cursor"]
    waits = services_of(quiet).feed_waits
    async with asyncio.TaskGroup() as tasks:
        polled = tasks.create_task(page(quiet, f"wait=30&cursor={cursor}"))
        while not waits.count:
            await asyncio.sleep(0.01)
        await store(quiet, 1)
    assert numbers(polled.result()) == [1]
    assert waits.count == 0
    after = polled.result()["next_cursor"]
    empty = await page(quiet, f"wait=1&cursor={after}")
    assert (empty["data"], empty["has_more"]) == ([], False)
    places = [waits.place("bootstrap") for _ in range(MOST_WAITING)]
    for one in places:
        one.__enter__()
    full = await quiet.api.get(f"{URL}?wait=1&cursor={after}")
    assert (full.status_code, full.json()["code"]) == (429, "too_many_waiting")
    assert full.headers["retry-after"] == "1"
