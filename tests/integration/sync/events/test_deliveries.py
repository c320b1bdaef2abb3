"""Events reach Levitate at least once, with one id and in order, for any behaviour of receivers [NC-8]."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, text
from standardwebhooks import Webhook

from app import webhook_sender
from app.db.accounts import service_tokens
from app.db.events import claims, endpoints, events
from app.db.events import tables as event_tables
from app.db.events.events import Event, EventKind
from app.main import now as real_now
from app.simulator.http.server import Simulator
from app.sync.events import endpoint_secrets, endpoint_slice, retries
from tests.support.event_service import START, EventService, delivering, ids, numbers
from tests.support.sessions import as_owner
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import PATIENCE, opened_world

HOUR = timedelta(hours=1)


@pytest.fixture
async def service(dsn: str, simulator: Simulator) -> AsyncIterator[EventService]:
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        yield EventService(world)


async def test_an_event_arrives_once_without_personal_data_and_with_a_valid_signature(
    service: EventService,
):
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        service.time = real_now()  # the library uses its own clock
        (event_id,) = await service.record("con_1")
        assert await service.deliver() == 1
        assert await service.deliver() == 0
    (received,) = receiver.received
    document = Webhook(endpoint["secret"]).verify(received.body, received.headers)
    assert document.keys() == {"type", "timestamp", "data"}
    assert document["type"] == "client.new"
    assert document["timestamp"] == service.time.isoformat().replace("+00:00", "Z")
    assert document["data"] == {"account_id": "hp", "n": 1}
    assert received.headers["webhook-id"] == event_id
    (delivery,) = await service.deliveries(endpoint)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert delivery["response_status"] == 204


async def test_an_event_recorded_twice_is_posted_once(service: EventService):
    # NC-8: the id is derived from the content of the event
    async with receiving() as receiver:
        await service.listen(receiver)
        for _ in range(2):
            service.recorded = 0
            await service.record("con_1")
            await service.deliver()
    assert len(receiver.received) == 1


async def test_an_event_that_was_rolled_back_is_not_posted(service: EventService):
    async with receiving() as receiver:
        await service.listen(receiver)
        event = Event("evt_1", EventKind.CLIENT_NEW, "con_1")

        async def fails() -> None:
            async with as_owner(service.services.database) as session:
                await events.record_events(session, "hp", [event], now=service.time)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fails()
        assert await service.deliver() == 0
    assert receiver.received == []


async def test_a_receiver_that_is_down_for_two_days_gets_everything_with_the_same_ids_in_order(
    service: EventService,
):
    # NC-8, F26
    down = True
    tried: list[str] = []
    async with receiving() as receiver:

        def answer(received) -> int:
            tried.append(received.headers["webhook-id"])
            return 503 if down else 204

        receiver.answer = answer
        endpoint = await service.listen(receiver)
        told: list[str] = []
        for _ in range(24):
            told += await service.record("con_1", "con_2", "con_3")
            await service.pass_time(timedelta(hours=2), timedelta(minutes=30))
        refused = len(receiver.received)
        down = False
        await service.pass_time(timedelta(minutes=16), timedelta(minutes=2))
        arrived = receiver.received[refused:]
    assert refused < 2 * 24 * 7  # a receiver that is down gets few attempts
    assert set(tried) <= set(told)
    assert sorted(ids(Receiver(received=arrived))) == sorted(told)
    for subject in range(3):
        of_subject = [n for n in numbers(Receiver(received=arrived)) if n % 3 == subject]
        assert of_subject == sorted(of_subject)
    assert (await service.endpoint(endpoint))["status"] == "enabled"


async def test_an_endpoint_that_a_person_enables_gets_its_events_at_once(service: EventService):
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1")
        pausing = {
            "enabled": False,
            "failures": 9,
            "rests_until": service.time + timedelta(hours=1),
        }
        async with as_owner(service.services.database) as session:
            await session.execute(event_tables.webhook_endpoints.update().values(pausing))
        await service.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/enable")
        assert await service.deliver() == 1


async def test_a_receiver_that_answers_410_is_disabled_and_gets_the_rest_once_it_is_enabled(
    service: EventService,
):
    # F26
    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1")
        await service.deliver()
        found = await service.endpoint(endpoint)
        assert (found["status"], found["problem"]["code"]) == ("disabled", "endpoint_gone")
        service.time += timedelta(minutes=1)
        await service.record("con_2")
        await service.pass_time(timedelta(hours=5))
        assert len(receiver.received) == 1
        receiver.answer = lambda _: 204
        url = f"/v1/webhook-endpoints/{endpoint['id']}/enable"
        enabled = (await service.api.post(url)).json()
        assert (enabled["status"], enabled["problem"]) == ("enabled", None)
        await service.deliver()
    assert numbers(receiver) == [1, 1, 2]


async def test_enabling_restarts_all_deliveries_without_changing_a_row_of_them(
    service: EventService, dsn: str
):
    # F26: millions of deliveries may wait after thirty days; to update them took 29 s
    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await service.listen(receiver, events=["client.new"])
        await service.record("con_1")
        await service.deliver()
        await service.record(*(f"con_{n}" for n in range(2, 9)))
        service.time += timedelta(seconds=1)
        connection = await asyncpg.connect(dsn)
        query = "select event_id, ctid::text, xmin::text from deliveries order by 1"
        before = await connection.fetch(query)
        await service.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/enable")
        assert before == await connection.fetch(query)
        await connection.close()
        shown = await service.deliveries(endpoint)
        assert [one["attempts"] for one in shown] == [0] * 8
        assert service.time in [datetime.fromisoformat(one["next_attempt_at"]) for one in shown]
        receiver.answer = lambda _: 500
        service.time += timedelta(days=4)
        await service.deliver()
        shown = await service.deliveries(endpoint)
        assert {(one["status"], one["attempts"]) for one in shown} == {("pending", 1)}
        receiver.answer = lambda _: 204
        await service.pass_time(timedelta(minutes=1), timedelta(seconds=5))
    assert sorted(numbers(receiver)[9:]) == list(range(1, 9))


async def test_an_endpoint_that_fails_for_three_days_is_disabled_and_loses_nothing(
    service: EventService,
):
    async with receiving(answer=lambda _: 500) as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1")
        await service.pass_time(timedelta(days=2, hours=23), HOUR)
        assert (await service.endpoint(endpoint))["status"] == "enabled"
        await service.pass_time(timedelta(hours=8), HOUR)
        found = await service.endpoint(endpoint)
        assert (found["status"], found["problem"]["code"]) == ("disabled", "endpoint_failing")
        tries = len(receiver.received)
        await service.pass_time(timedelta(days=1), HOUR)
        assert len(receiver.received) == tries
        waiting = {one["type"]: one["status"] for one in await service.deliveries(endpoint)}
        assert waiting == {"client.new": "pending", "issue.opened": "pending"}


async def test_an_event_that_a_receiver_never_accepts_fails_after_three_days_and_delays_no_other(
    service: EventService,
):
    async with receiving() as receiver:
        receiver.answer = lambda got: 500 if json.loads(got.body)["data"]["n"] == 1 else 204
        endpoint = await service.listen(receiver)
        await service.record("con_1", "con_1", "con_2")
        await service.deliver()
        assert numbers(receiver) == [1, 3]  # the second event of con_1 waits for the first
        for _ in range(40):
            await service.record("con_3")
            await service.pass_time(timedelta(hours=2), HOUR)
        statuses = {one["event_id"]: one["status"] for one in await service.deliveries(endpoint)}
        assert list(statuses.values()).count("failed") == 1
        assert list(statuses.values()).count("delivered") == 42
    assert numbers(receiver)[-1] == 43
    assert 2 in numbers(receiver)
    assert (await service.endpoint(endpoint))["status"] == "enabled"


async def test_retry_delays_grow_differ_between_deliveries_and_stay_under_eight_hours():
    pauses = [retries.retry_delay(n, "dlv_1") for n in range(1, 15)]
    assert pauses[:9] == sorted(pauses[:9])
    assert max(pauses) <= timedelta(hours=6) * 1.2
    jittered = [retries.retry_delay(3, f"dlv_{n}") / retries.RETRY_DELAYS[2] for n in range(50)]
    assert len(set(jittered)) > 40
    assert 0.8 <= min(jittered) < 1 < max(jittered) <= 1.2


async def test_the_pause_grows_with_each_failed_attempt(service: EventService):
    # F26: the pauses are 5 s, 30 s and 2 minutes, each with a jitter of a fifth
    async with receiving(answer=lambda _: 500) as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1")
        for pause in retries.RETRY_DELAYS[:3]:
            assert await service.deliver() == 1
            (delivery,) = await service.deliveries(endpoint)
            due = datetime.fromisoformat(delivery["next_attempt_at"]) - service.time
            assert 0.8 * pause <= due <= 1.2 * pause
            service.time += due


async def test_a_dead_receiver_delays_no_other_endpoint(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        webhook_sender, "DEADLINE", 2 * PATIENCE
    )  # no post to the dead receiver times out before
    alive_again = asyncio.Event()
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(receiving(answers=alive_again))
        alive = await stack.enter_async_context(receiving())
        await service.listen(dead)
        await service.listen(alive)
        await service.record(*(f"con_{n}" for n in range(40)))
        async with delivering(service), asyncio.timeout(PATIENCE):
            while len(alive.received) < 40 or not dead.posting:
                await asyncio.sleep(0.02)
            # this event arrives although posts to the dead receiver are still open
            await service.record("con_late")
            while len(alive.received) < 41:
                await asyncio.sleep(0.02)
            assert dead.posting
            assert dead.most_at_once <= endpoint_slice.CONCURRENT_POSTS
            alive_again.set()


async def test_processes_that_deliver_at_the_same_time_post_everything_once(service: EventService):
    async with receiving() as receiver:
        await service.listen(receiver)
        told = await service.record(*(f"con_{n % 9}" for n in range(100)))
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(service.deliver())
        assert sorted(ids(receiver)) == sorted(told)
        for subject in range(9):
            of_subject = [n for n in numbers(receiver) if (n - 1) % 9 == subject]
            assert of_subject == sorted(of_subject)


async def test_a_process_that_dies_after_posting_posts_again_under_the_same_id(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    async with receiving() as receiver:
        await service.listen(receiver)
        (event_id,) = await service.record("con_1")
        real = endpoint_slice._post_all

        async def dies(*args: Any) -> Any:
            await real(*args)
            raise asyncio.CancelledError

        monkeypatch.setattr(endpoint_slice, "_post_all", dies)
        with pytest.raises(asyncio.CancelledError):
            await service.deliver()
        monkeypatch.setattr(endpoint_slice, "_post_all", real)
        assert await service.deliver() == 0  # the claim of the dead process is valid for a while …
        over = {"claimed_until": func.clock_timestamp() - timedelta(seconds=1)}
        async with as_owner(service.services.database) as session:
            await session.execute(
                event_tables.webhook_endpoints.update().values(over)
            )  # … and then expires
        assert await service.deliver() == 1
    assert ids(receiver) == [event_id, event_id]


async def test_a_claim_that_another_took_over_writes_nothing(service: EventService):
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver))["id"]
        await service.record("con_1")
        length, database = timedelta(seconds=9), service.services.database
        claim = partial(claims.claim_endpoint, endpoint_id=endpoint_id, now=service.time)
        async with as_owner(database) as session:
            first = await claim(session, length=timedelta(0))
        async with as_owner(database) as session:
            second = await claim(session, length=length)
            assert first is not None
            assert second is not None
            assert await claims.renew_claim(session, first, length=length) is None
            assert await claims.renew_claim(session, second, length=length) is not None


async def test_processes_that_claim_at_the_same_moment_and_a_firm_that_stores_events_never_wait(
    service: EventService,
):
    async with receiving() as receiver:
        endpoint_id = (await service.listen(receiver))["id"]
        await service.record("con_1")
        length, database = timedelta(seconds=9), service.services.database
        claim = partial(claims.claim_endpoint, endpoint_id=endpoint_id, length=length, now=START)
        event = Event("evt_1", EventKind.CLIENT_NEW, "con_1")
        async with AsyncExitStack() as stack:
            storing, one, other, later = [
                await stack.enter_async_context(as_owner(database)) for _ in range(4)
            ]
            for session in (storing, one, other, later):
                await session.execute(text("set local lock_timeout = '5s'"))
            assert await events.record_events(storing, "hp", [event], now=START) == 1
            assert await claim(one) is not None
            assert await claim(other) is None
            event = replace(event, event_id="evt_2")
            assert await events.record_events(later, "hp", [event], now=START) == 1


async def test_after_a_rotation_both_secrets_verify_for_a_day(service: EventService):
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        url = f"/v1/webhook-endpoints/{endpoint['id']}/rotate"
        rotated = (await service.api.post(url)).json()
        assert rotated["secret"] != endpoint["secret"]
        await service.record("con_1")
        await service.deliver()
        service.time += timedelta(days=1, seconds=1)
        await service.record("con_2")
        await service.deliver()
    signed = [received.headers["webhook-signature"].split() for received in receiver.received]
    assert [len(signatures) for signatures in signed] == [2, 1]


async def test_a_rotation_whose_answer_was_lost_leaves_the_receivers_secret_valid(
    service: EventService,
):
    # API-27: it is rotated once more, because nobody knows the second secret; the receiver still has the first
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        url = f"/v1/webhook-endpoints/{endpoint['id']}/rotate"
        service.time = real_now()  # the library uses its own clock
        secrets = [endpoint["secret"]]
        secrets += [(await service.api.post(url)).json()["secret"] for _ in range(2)]
        await service.record("con_1")
        await service.deliver()
        (received,) = receiver.received
        for secret in secrets:
            assert Webhook(secret).verify(received.body, received.headers)
        for _ in range(9):
            await service.api.post(url)
        service.time += timedelta(hours=23)
        await service.record("con_2")
        await service.deliver()
        service.time += timedelta(hours=2)
        await service.record("con_3")
        await service.deliver()
    signed = [received.headers["webhook-signature"].split() for received in receiver.received]
    assert [len(signatures) for signatures in signed] == [
        3,
        1 + endpoint_secrets.MAX_OLD_SECRETS,
        1,
    ]


async def test_a_secret_that_cannot_be_opened_stops_the_posts_and_is_reported_until_it_is_rotated(
    service: EventService, dsn: str
):
    # API-27, F29: the value is damaged, or its key was removed
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        connection = await asyncpg.connect(dsn)
        await connection.execute("update webhook_endpoints set sealed_secret = 'broken'")
        await connection.close()
        await service.record("con_1")
        assert await service.deliver() == 0
        found = await service.endpoint(endpoint)
        assert (found["status"], found["problem"]["code"]) == ("disabled", "secret_unreadable")
        (issue,) = [issue async for issue in service.world.all("issues", status="open")]
        assert issue["code"] == "webhook_endpoint_disabled"
        assert issue["subject"] == {"kind": "webhook_endpoint", "id": endpoint["id"]}
        url = f"/v1/webhook-endpoints/{endpoint['id']}"
        rotated = (await service.api.post(f"{url}/rotate")).json()
        await service.api.post(f"{url}/enable")
        service.time = real_now()  # the library uses its own clock
        await service.deliver()
        assert (await service.endpoint(endpoint))["status"] == "enabled"
        assert not [issue async for issue in service.world.all("issues", status="open")]
    assert numbers(receiver) == [1]
    received = receiver.received[0]
    Webhook(rotated["secret"]).verify(received.body, received.headers)


async def test_an_endpoint_gets_the_kinds_that_it_asked_for(service: EventService):
    async with receiving() as receiver:
        await service.listen(receiver, events=["run.finished"])
        await service.record("con_1")
        await service.record("run_1", kind=EventKind.RUN_FINISHED)
        await service.deliver()
    assert [json.loads(got.body)["type"] for got in receiver.received] == ["run.finished"]


async def test_an_endpoint_gets_events_of_its_tokens_accounts_only_and_is_hidden_from_other_tokens(
    service: EventService,
):
    # T2
    await service.world.create_account("other")
    mine, _ = await service.world.create_token("hp")
    others, _ = await service.world.create_token("other")
    async with receiving() as receiver:
        answer = await service.api.post(
            "/v1/webhook-endpoints", json={"url": receiver.url}, headers=mine
        )
        endpoint = answer.json()
        await service.record("con_1", account_id="hp")
        await service.record("con_1", account_id="other")
        await service.deliver()
        (delivery,) = await service.deliveries(endpoint)
        assert [json.loads(got.body)["data"]["account_id"] for got in receiver.received] == ["hp"]
    url = f"/v1/webhook-endpoints/{endpoint['id']}"
    for verb, path in (
        ("GET", url),
        ("DELETE", url),
        ("POST", f"{url}/rotate"),
        ("POST", f"{url}/enable"),
        ("GET", f"{url}/deliveries"),
        ("POST", f"/v1/deliveries/{delivery['id']}/redeliver"),
    ):
        assert (await service.api.request(verb, path, headers=others)).status_code == 404, path
    again = f"/v1/deliveries/{delivery['id']}/redeliver"
    assert (await service.api.post(again, headers=mine)).status_code == 202
    listed = (await service.api.get("/v1/webhook-endpoints", headers=others)).json()
    assert listed["data"] == []
    assert len((await service.api.get("/v1/webhook-endpoints", headers=mine)).json()["data"]) == 1
    assert len((await service.api.get("/v1/webhook-endpoints")).json()["data"]) == 1


async def test_the_endpoint_of_a_revoked_token_gets_no_more_events(service: EventService):
    # T14
    mine, token_id = await service.world.create_token()
    async with receiving() as receiver:
        await service.api.post("/v1/webhook-endpoints", json={"url": receiver.url}, headers=mine)
        await service.record("con_1")
        async with as_owner(service.services.database) as session:
            await service_tokens.revoke_token(session, token_id, now=service.time)
        await service.record("con_2")
        assert await service.deliver() == 0


async def test_a_delivery_is_repeated_when_asked_for_under_the_same_id(service: EventService):
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        (event_id,) = await service.record("con_1")
        await service.deliver()
        (delivery,) = await service.deliveries(endpoint)
        answer = await service.api.post(f"/v1/deliveries/{delivery['id']}/redeliver")
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        await service.deliver()
    assert ids(receiver) == [event_id, event_id]


async def test_the_secret_is_shown_once_and_stored_sealed(service: EventService, dsn: str):
    # T6
    async with receiving() as receiver:
        endpoint = await service.listen(receiver)
        url = f"/v1/webhook-endpoints/{endpoint['id']}"
        assert "secret" not in (await service.api.get(url)).json()
        connection = await asyncpg.connect(dsn)
        row = str(await connection.fetchrow("select * from webhook_endpoints"))
        await connection.close()
        assert endpoint["secret"].removeprefix("whsec_") not in row


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://hooks.example.com/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://hooks.example.com/", "events": ["client.old"]},
        {"url": "https://hooks.example.com/", "events": []},
        {"url": "https://hooks.example.com/", "secret": "whsec_mine"},
        {},
    ],
)
async def test_an_invalid_endpoint_is_refused(service: EventService, body: dict[str, Any]):
    answer = await service.api.post("/v1/webhook-endpoints", json=body)
    assert answer.status_code == 422, answer.text


async def test_a_token_has_no_more_endpoints_than_it_may_have(service: EventService):
    for n in range(endpoints.MAX_ENDPOINTS):
        answer = await service.api.post(
            "/v1/webhook-endpoints", json={"url": f"https://hooks.example.com/{n}"}
        )
        assert answer.status_code == 201
    answer = await service.api.post("/v1/webhook-endpoints", json={"url": "https://example.com/"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


async def test_events_are_dropped_with_their_deliveries_after_thirty_days(service: EventService):
    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1")
        await service.deliver()
        service.time += timedelta(days=30) - timedelta(seconds=1)
        # the first event, and the event that the endpoint was disabled
        assert await service.delete_expired() == 2
        service.time += timedelta(seconds=2)
        await service.record("con_2")
        assert await service.delete_expired() == 1
        assert len(await service.deliveries(endpoint)) == 1
