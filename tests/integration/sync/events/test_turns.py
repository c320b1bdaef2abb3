"""Endpoints and accounts are served in turn, in slices, and choosing reads few rows however many events wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, text

from app.clio.call_budget import SECONDS
from app.db.events import claims, deliveries, endpoints, turns
from app.db.events import tables as event_tables
from app.db.events.claims import Claim
from app.db.events.deliveries import Delivery, DeliveryAttempt, Status
from app.db.events.events import EventKind
from app.db.session import Session
from app.errors import DatabaseUnavailable
from app.lanes import Lane
from app.simulator.http.server import Simulator
from app.sync.events import endpoint_slice, retries
from app.sync.worker import PLACES
from tests.support.event_service import START, EventService, delivering, numbers, serve
from tests.support.postgres import until_waiting_for_lock
from tests.support.sessions import as_owner
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import PATIENCE, opened_world

WAITING = 20_000
READ_AT_MOST = 1_500  # rows of a slice's statements, whatever waits


@pytest.fixture
async def service(dsn: str, simulator: Simulator) -> AsyncIterator[EventService]:
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        yield EventService(world)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.01)


def claim_of(endpoint_id: str) -> Claim:
    return Claim(endpoint_id, "", 0, None, "", paused=False, until=START)


async def chosen(session: Session, endpoint_id: str, *, now: datetime = START) -> list[Delivery]:
    await turns.wake(session, claim_of(endpoint_id), now=now)
    turn = await turns.next_turn(session, claim_of(endpoint_id), places=16, now=now)
    return list(turn.chosen)


# --- slices ----------------------------------------------------------------------------------------


async def test_a_firm_with_many_events_delays_another_one_by_one_group_of_posts(
    service: EventService,
):
    await service.world.create_account("other")
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver, events=["client.new"]))["id"]
        await service.record(*(f"con_{n}" for n in range(80)))
        await service.record("con_1", account_id="other")
        assert await serve(service.services, endpoint_id) == timedelta(0)
        assert 81 in numbers(receiver)[: endpoint_slice.CONCURRENT_POSTS]
        assert len(receiver.received) == endpoint_slice.POSTS_IN_A_SLICE
        assert receiver.most_at_once <= endpoint_slice.CONCURRENT_POSTS
        await service.deliver()
    assert sorted(numbers(receiver)) == list(range(1, 82))


async def test_an_endpoint_forgets_an_account_that_is_deleted_while_it_is_served(
    service: EventService,
):
    # S15: nothing that names the account is left
    await service.world.create_account("other")
    served = "select count(*) from webhook_endpoints where served_account_id = 'other'"
    delete = [
        text(f"delete from {table} where account_id = 'other'") for table in ("audit", "accounts")
    ]
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver, events=["client.new"]))["id"]
        await service.record("con_1", account_id="other")
        await service.deliver()
        async with as_owner(service.services.database) as session:
            assert (await session.execute(text(served))).scalar_one() == 1
            claim = await claims.claim_endpoint(
                session, endpoint_id, length=timedelta(hours=1), now=START
            )
            assert claim is not None
        async with asyncio.TaskGroup() as group, as_owner(service.services.database) as session:
            for statement in delete:
                await session.execute(statement)
            await claims.forget_account(session, "other")
            releasing = group.create_task(_release(service, claim))
            await until_waiting_for_lock(service.world.dsn, releasing)
        async with as_owner(service.services.database) as session:
            assert (await session.execute(text(served))).scalar_one() == 0


async def is_free(service: EventService, endpoint_id: str) -> bool:
    hour = timedelta(hours=1)
    async with as_owner(service.services.database) as session:
        now = service.services.now()
        claim = await claims.claim_endpoint(session, endpoint_id, length=hour, now=now)
        if claim is not None:
            await claims.release_claim(session, claim)
    return claim is not None


async def test_after_the_loss_of_the_database_an_endpoint_can_be_served_at_once(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    # Otherwise all events wait until the claim of the lost slice ends.
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver, events=["client.new"]))["id"]
        await service.record("con_1")
        with monkeypatch.context() as patch:
            patch.setattr(endpoint_slice, "_store", _lose_database)
            with pytest.raises(DatabaseUnavailable):
                await endpoint_slice.serve_endpoint(service.services, endpoint_id)
        assert await is_free(service, endpoint_id)
        ending = await endpoint_slice.serve_endpoint(service.services, endpoint_id)
        assert not await is_free(service, endpoint_id)
        await ending.abandon()  # its end lost the database
        assert await is_free(service, endpoint_id)


async def _lose_database(*_: object) -> None:
    raise DatabaseUnavailable


async def _release(service: EventService, claim: Claim) -> None:
    async with as_owner(service.services.database) as session:
        await claims.release_claim(session, claim)


async def test_more_accounts_than_places_are_served_in_turn_also_in_the_next_slice(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(endpoint_slice, "CONCURRENT_POSTS", 2)
    monkeypatch.setattr(endpoint_slice, "POSTS_IN_A_SLICE", 2)
    firms = [f"firm_{n}" for n in range(5)]
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver))["id"]
        for firm in firms:
            await service.world.create_account(firm)
            await service.record("con_1", "con_2", "con_3", account_id=firm)
        for served in range(2, 16, 2):
            await serve(service.services, endpoint_id)
            assert len(receiver.received) == served
            told = [(n - 1) // 3 for n in numbers(receiver)]
            counts = [told.count(firm) for firm in range(5)]
            assert max(counts) - min(counts) <= 1
    assert sorted(numbers(receiver)[:5]) == [1, 4, 7, 10, 13]  # the oldest of each


async def test_a_slice_begins_no_post_after_three_seconds(service: EventService):
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver, events=["client.new"]))["id"]
        await service.record(*(f"con_{n}" for n in range(40)))

        def slow(_: Any) -> int:
            service.time += timedelta(seconds=SECONDS) / endpoint_slice.CONCURRENT_POSTS
            return 204

        receiver.answer = slow
        assert await serve(service.services, endpoint_id) == timedelta(0)
        assert len(receiver.received) == endpoint_slice.CONCURRENT_POSTS


async def test_a_slice_says_when_the_next_one_is_due(service: EventService):
    async with receiving(answer=lambda _: 500) as receiver:
        endpoint = await service.listen(receiver, events=["client.new"])
        serve_it = partial(serve, service.services, endpoint["id"])
        assert await serve_it() is None  # nothing waits
        await service.record("con_1")
        retry_after = await serve_it()
        assert retry_after is not None
        (delivery,) = await service.deliveries(endpoint)
        assert service.time + retry_after == datetime.fromisoformat(delivery["next_attempt_at"])
        for n in range(2, 6):
            await service.record(f"con_{n}")
            await serve_it()
        assert [await serve_it(), await serve_it()] == [retries.endpoint_pause(5)] * 2
        assert len(receiver.received) == 5
        paused_until = (await service.endpoint(endpoint))["paused_until"]
        assert datetime.fromisoformat(paused_until) == service.time + retries.endpoint_pause(5)
        service.time += retries.endpoint_pause(5)
        receiver.answer = lambda _: 410
        assert await serve_it() is None  # it is disabled
    assert len(receiver.received) == 6


async def test_an_outage_of_a_moment_delays_many_events_no_longer_than_one(service: EventService):
    # NC-8: twelve posts that fail at the same time are one failure of the endpoint
    async with receiving(answer=lambda _: 503) as receiver:
        endpoint = await service.listen(receiver, events=["client.new"])
        await service.record(*(f"con_{n}" for n in range(12)))
        await service.deliver()
        assert (await service.endpoint(endpoint))["paused_until"] is None
        receiver.answer = lambda _: 204
        await service.pass_time(timedelta(seconds=7), timedelta(seconds=1))
        statuses = {one["status"] for one in await service.deliveries(endpoint)}
    assert statuses == {"delivered"}
    assert len(receiver.received) == 24


async def test_a_test_that_succeeds_ends_the_pause(service: EventService):
    async with receiving(answer=lambda _: 503) as receiver:
        endpoint = await service.listen(receiver, events=["client.new"])
        test = f"/v1/webhook-endpoints/{endpoint['id']}/test"
        await service.record("con_1", "con_2")
        await service.pass_time(timedelta(days=1), timedelta(minutes=30))
        paused = (await service.endpoint(endpoint))["paused_until"]
        assert (await service.api.post(test)).json()["succeeded"] is False
        assert (await service.endpoint(endpoint))["paused_until"] == paused is not None
        receiver.answer = lambda _: 204
        service.time += timedelta(seconds=1)
        assert (await service.api.post(test)).json()["succeeded"] is True
        assert (await service.endpoint(endpoint))["paused_until"] is None
        await service.deliver()
        statuses = [one["status"] for one in await service.deliveries(endpoint)]
    assert statuses == ["delivered"] * 2


async def test_an_endpoint_with_many_events_gives_its_place_to_another_one(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    # two places, and two endpoints with events for many slices
    monkeypatch.setitem(PLACES, Lane.DELIVERIES, 2)
    async with receiving() as one, receiving() as two, receiving() as other:
        for busy in (one, two):
            await service.listen(busy, events=["client.new"])
        await service.listen(other, events=["run.finished"])
        one.answers = two.answers = answers = asyncio.Event()
        await service.record(*(f"con_{n}" for n in range(400)))
        async with delivering(service):

            async def both_post() -> bool:
                return bool(one.posting and two.posting)

            async def has_arrived() -> bool:
                return bool(other.received)

            await until(both_post)
            await service.record("run_1", kind=EventKind.RUN_FINISHED)
            async with as_owner(service.services.database) as session:
                assert len(await turns.list_due_endpoints(session, limit=9, now=service.time)) < 2
            answers.set()
            await until(has_arrived)
            assert len(one.received) + len(two.received) < 400


async def test_an_owner_that_finishes_late_stores_nothing_a_second_time(service: EventService):
    answers = asyncio.Event()
    async with receiving(answers=answers) as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1", "con_1")

        async def posts(number: int) -> None:
            async def arrived() -> bool:
                return len(receiver.received) == number

            await until(arrived)

        async with asyncio.TaskGroup() as group:
            late = group.create_task(serve(service.services, endpoint["id"]))
            await posts(1)
            over = {"claimed_until": func.clock_timestamp() - timedelta(seconds=1)}
            async with as_owner(service.services.database) as session:
                await session.execute(event_tables.webhook_endpoints.update().values(over))
            group.create_task(serve(service.services, endpoint["id"]))
            await posts(2)
            answers.set()
        found = await service.deliveries(endpoint)
        assert [(one["status"], one["attempts"]) for one in found] == [("delivered", 1)] * 2
        assert late.done()
    assert numbers(receiver) == [1, 1, 2]


# --- choosing --------------------------------------------------------------------------------------


def delivered(delivery: Delivery) -> list[DeliveryAttempt]:
    return [DeliveryAttempt(delivery, Status.DELIVERED, 204, None, delivery.due_at)]


async def is_waiting_for_a_lock(service: EventService) -> bool:
    query = text("select count(*) from pg_locks where not granted")
    async with as_owner(service.services.database) as session:
        return bool((await session.execute(query)).scalar_one())


async def test_a_delivery_is_not_put_aside_while_the_one_before_it_ends(service: EventService):
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver))["id"]
        await service.record("con_1")
        async with as_owner(service.services.database) as session:
            (first,) = await chosen(session, endpoint_id)
        await service.record("con_1")
        async with as_owner(service.services.database) as ending:
            await deliveries.record_attempts(ending, delivered(first), now=START)
            async with as_owner(service.services.database) as session:
                await session.execute(text("set local lock_timeout = '5s'"))
                assert await chosen(session, endpoint_id) == [first]
        assert await service.deliver() == 1
    assert numbers(receiver) == [2]


@pytest.mark.parametrize("deletes", [False, True])
async def test_a_delivery_that_ends_waits_for_who_puts_the_next_one_aside_or_deletes_it(
    service: EventService, deletes: bool
):
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver))["id"]
        told = await service.record("con_1", "con_1", "con_1")
        async with as_owner(service.services.database) as session:
            (first,) = await chosen(session, endpoint_id)
            if not deletes:
                await session.execute(text("update deliveries set waits_for = null"))
        async with asyncio.TaskGroup() as group, as_owner(service.services.database) as other:
            if deletes:
                gone = text("delete from events where event_id = :second")
                await other.execute(gone, {"second": told[1]})
            else:
                assert await chosen(other, endpoint_id) == [first]
            group.create_task(end(service, first))
            await until(lambda: is_waiting_for_a_lock(service))
        await service.deliver()
    assert numbers(receiver) == ([3] if deletes else [2, 3])


async def test_a_delivery_behind_one_that_is_deleted_is_posted(service: EventService):
    # An old event is deleted after thirty days, or with a person
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver))["id"]
        told = await service.record("con_1", "con_1")
        async with as_owner(service.services.database) as session:
            (first,) = await chosen(session, endpoint_id)
            assert first.event_id == told[0]
        async with as_owner(service.services.database) as session:
            gone = text("delete from events where event_id = :first")
            await session.execute(gone, {"first": first.event_id})
        await service.deliver()
    assert numbers(receiver) == [2]


async def end(service: EventService, delivery: Delivery) -> None:
    async with as_owner(service.services.database) as session:
        await deliveries.record_attempts(session, delivered(delivery), now=START)


@pytest.mark.parametrize(
    ("subject", "waits_for", "tried_at", "due_in"),
    [
        ("n", "null", "null", "0 hours"),
        ("1", "null", "null", "0 hours"),
        ("n", "'retry'", ":now", "-1 hours"),
        ("n", "'retry'", ":now", "1 hour"),
    ],
    ids=["one for each subject", "all about one", "retries", "later retries"],
)
async def test_choosing_hurrying_and_enabling_read_few_rows_however_many_wait(
    service: EventService, subject: str, waits_for: str, tried_at: str, due_in: str
):
    endpoint_id = (await service.listen(Receiver(port=9)))["id"]
    async with as_owner(service.services.database) as session:
        for statement in (
            "insert into accounts select (jsonb_populate_record(a, jsonb_build_object('account_id',"
            " 'a' || n))).* from accounts a, generate_series(0, 499) n",
            "insert into events select case when n % 2 = 0 then 'hp' else 'a' || n % 500 end, 'e' || n,"
            f" 'client.new', {subject}, '{{}}', '{START}' from generate_series(1, {WAITING}) n",
            "insert into deliveries (account_id, event_id, endpoint_id, delivery_id, subject, status,"
            " waits_for, last_attempt_at, due_at, created_at) select account_id, event_id,"
            f" '{endpoint_id}', event_id, subject, 'pending', {waits_for}, {tried_at.replace(':now', 'at')},"
            f" at + interval '{due_in}', at from events",
            "analyze deliveries",
        ):
            await session.execute(text(statement))
    now = START + timedelta(seconds=1)
    async with as_owner(service.services.database) as session:
        before = await rows_read(session)
        await endpoints.enable_endpoint(session, endpoint_id, now=now)
        await claims.retry_now(session, endpoint_id, now=now)
        assert await turns.next_due(session, endpoint_id, now=now) == now
        assert await turns.list_due_endpoints(session, limit=50, now=now) == [endpoint_id]
        assert await chosen(session, endpoint_id, now=now)
        assert await rows_read(session) - before < READ_AT_MOST


async def rows_read(session: Session) -> int:
    """Return the rows of `deliveries` that this transaction has read, by index or not."""
    query = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'deliveries'"
    return int((await session.execute(text(query))).scalar_one())
