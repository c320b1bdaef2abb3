"""Events reach Levitate at least once, with one id and in order, for any behaviour of receivers [NC-8]."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func
from standardwebhooks import Webhook

from app import webhook_sender
from app.crypto import new_service_token
from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import ServiceToken
from app.db.events import deliveries, endpoints, events
from app.db.events import tables as event_tables
from app.db.events.events import Event, EventKind
from app.db.session import transaction
from app.main import now as real_now
from app.simulator.http.server import Simulator
from app.sync.events import endpoint_secrets, relay, relay_events
from app.sync.services import Services
from app.webhook_sender import WebhookSender
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import PATIENCE, World, opened_world

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Post:
    """A service without workers, whose clock is moved by hand and whose events are recorded by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.api = world.api
        self.time = START
        services: Services = world.app.state.services
        notifier = WebhookSender(private_hosts=frozenset({"127.0.0.1"}))
        self.services = replace(services, now=lambda: self.time, notifier=notifier)
        world.app.state.services = self.services
        self.told = 0

    async def listen(self, receiver: Receiver, **body: Any) -> dict[str, Any]:
        answer = await self.api.post("/v1/webhook-endpoints", json={"url": receiver.url, **body})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def tell(
        self, *subjects: str, account_id: str = "hp", kind: EventKind = EventKind.CLIENT_NEW
    ) -> list[str]:
        """Record one event about each subject and return their ids."""
        found = []
        for subject in subjects:
            self.told += 1
            event_id = events.event_id_of(account_id, kind, subject, self.told)
            found.append(Event(event_id, kind, subject, {"n": self.told}))
        async with transaction(self.services.database) as session:
            await events.record_events(session, account_id, found, now=self.time)
        return [event.event_id for event in found]

    async def deliver(self) -> int:
        return await relay.deliver_due(self.services)

    async def pass_time(self, length: timedelta, step: timedelta = timedelta(minutes=10)) -> None:
        """Advance the clock and deliver what becomes due."""
        end = self.time + length
        while self.time < end:
            await self.deliver()
            self.time = min(end, self.time + step)
        await self.deliver()

    async def deliveries(self, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
        url = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
        page = (await self.api.get(url, params={"limit": 200})).json()
        found: list[dict[str, Any]] = page["data"]
        return found

    async def endpoint(self, made: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(f"/v1/webhook-endpoints/{made['id']}")).json()
        return found


@pytest.fixture
async def post(dsn: str, simulator: Simulator) -> AsyncIterator[Post]:
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        yield Post(world)


def ids(receiver: Receiver) -> list[str]:
    return [received.headers["webhook-id"] for received in receiver.received]


def numbers(receiver: Receiver) -> list[int]:
    """The events of these tests, which are numbered; an endpoint's own issue is told to it as well."""
    told = [json.loads(received.body)["data"] for received in receiver.received]
    return [data["n"] for data in told if "n" in data]


async def test_an_event_arrives_once_thin_and_verifies(post: Post):
    async with receiving() as receiver:
        endpoint = await post.listen(receiver)
        post.time = real_now()  # the library looks at its own clock
        (event_id,) = await post.tell("con_1")
        assert await post.deliver() == 1
        assert await post.deliver() == 0
    (received,) = receiver.received
    document = Webhook(endpoint["secret"]).verify(received.body, received.headers)
    assert document.keys() == {"type", "timestamp", "data"}
    assert document["type"] == "client.new"
    assert document["data"] == {"account_id": "hp", "n": 1}
    assert received.headers["webhook-id"] == event_id
    (delivery,) = await post.deliveries(endpoint)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert delivery["response_status"] == 204


async def test_an_event_recorded_twice_is_posted_once(post: Post):
    # NC-8: the id follows from what is told
    async with receiving() as receiver:
        await post.listen(receiver)
        for _ in range(2):
            post.told = 0
            await post.tell("con_1")
            await post.deliver()
    assert len(receiver.received) == 1


async def test_an_event_that_was_rolled_back_is_not_posted(post: Post):
    async with receiving() as receiver:
        await post.listen(receiver)
        event = Event("evt_1", EventKind.CLIENT_NEW, "con_1")

        async def fails() -> None:
            async with transaction(post.services.database) as session:
                await events.record_events(session, "hp", [event], now=post.time)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fails()
        assert await post.deliver() == 0
    assert receiver.received == []


async def test_a_receiver_that_is_down_for_two_days_gets_everything_with_the_same_ids_in_order(
    post: Post,
):
    # NC-8, F26
    down = True
    tried: list[str] = []
    async with receiving() as receiver:

        def answer(received) -> int:
            tried.append(received.headers["webhook-id"])
            return 503 if down else 204

        receiver.answer = answer
        endpoint = await post.listen(receiver)
        told: list[str] = []
        for _ in range(24):
            told += await post.tell("con_1", "con_2", "con_3")
            await post.pass_time(timedelta(hours=2), timedelta(minutes=10))
        refused = len(receiver.received)
        down = False
        await post.pass_time(timedelta(minutes=16), timedelta(minutes=2))
        arrived = receiver.received[refused:]
    assert refused < 2 * 24 * 7  # a receiver that is down is left in peace
    assert set(tried) <= set(told)
    assert sorted(ids(Receiver(received=arrived))) == sorted(told)
    for subject in range(3):
        of_subject = [n for n in numbers(Receiver(received=arrived)) if n % 3 == subject]
        assert of_subject == sorted(of_subject)
    assert (await post.endpoint(endpoint))["status"] == "enabled"


async def test_a_receiver_that_answers_410_is_disabled_and_gets_the_rest_once_it_is_enabled(
    post: Post,
):
    # F26
    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await post.listen(receiver)
        await post.tell("con_1")
        await post.deliver()
        found = await post.endpoint(endpoint)
        assert (found["status"], found["problem"]["code"]) == ("disabled", "endpoint_gone")
        await post.tell("con_2")
        await post.pass_time(timedelta(hours=5))
        assert len(receiver.received) == 1
        receiver.answer = lambda _: 204
        url = f"/v1/webhook-endpoints/{endpoint['id']}/enable"
        enabled = (await post.api.post(url)).json()
        assert (enabled["status"], enabled["problem"]) == ("enabled", None)
        await post.deliver()
    assert numbers(receiver) == [1, 1, 2]


async def test_enabling_begins_anew_with_what_was_tried_and_touches_nothing_else(
    post: Post, dsn: str
):
    # F26: in thirty days millions may wait; to write each of them anew would take longer than a statement may
    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await post.listen(receiver, events=["client.new"])
        await post.tell("con_1")
        await post.deliver()
        await post.tell(*(f"con_{n}" for n in range(2, 9)))
        connection = await asyncpg.connect(dsn)
        query = "select event_id, xmin::text, attempts from deliveries where attempts = 0"
        before = await connection.fetch(query)
        await post.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/enable")
        after = await connection.fetch(query)
        await connection.close()
        receiver.answer = lambda _: 204
        await post.deliver()
    assert len(before) == 7
    assert len(after) == 8
    assert {tuple(row) for row in before} <= {tuple(row) for row in after}
    assert sorted(numbers(receiver)[1:]) == list(range(1, 9))


async def test_an_endpoint_that_fails_for_three_days_is_disabled_and_loses_nothing(post: Post):
    async with receiving(answer=lambda _: 500) as receiver:
        endpoint = await post.listen(receiver)
        await post.tell("con_1")
        await post.pass_time(timedelta(days=2, hours=23))
        assert (await post.endpoint(endpoint))["status"] == "enabled"
        await post.pass_time(timedelta(hours=8))
        found = await post.endpoint(endpoint)
        assert (found["status"], found["problem"]["code"]) == ("disabled", "endpoint_failing")
        tries = len(receiver.received)
        await post.pass_time(timedelta(days=1))
        assert len(receiver.received) == tries
        waiting = {one["type"]: one["status"] for one in await post.deliveries(endpoint)}
        assert waiting == {"client.new": "pending", "issue.opened": "pending"}


async def test_an_event_that_a_receiver_never_accepts_fails_after_three_days_and_delays_no_other(
    post: Post,
):
    async with receiving() as receiver:
        receiver.answer = lambda got: 500 if json.loads(got.body)["data"]["n"] == 1 else 204
        endpoint = await post.listen(receiver)
        await post.tell("con_1", "con_1", "con_2")
        await post.deliver()
        assert numbers(receiver) == [1, 3]  # the second event of con_1 waits for the first
        for _ in range(80):
            await post.tell("con_3")
            await post.pass_time(timedelta(hours=1), timedelta(minutes=30))
        statuses = {one["event_id"]: one["status"] for one in await post.deliveries(endpoint)}
        assert list(statuses.values()).count("failed") == 1
        assert list(statuses.values()).count("delivered") == 82
    assert numbers(receiver)[-1] == 83
    assert 2 in numbers(receiver)
    assert (await post.endpoint(endpoint))["status"] == "enabled"


async def test_retry_delays_grow_differ_between_deliveries_and_stay_under_eight_hours():
    pauses = [relay.retry_delay(n, "dlv_1") for n in range(1, 15)]
    assert pauses[:9] == sorted(pauses[:9])
    assert max(pauses) <= timedelta(hours=6) * 1.2
    assert len({relay.retry_delay(3, f"dlv_{n}") for n in range(50)}) > 40


async def test_a_dead_receiver_delays_no_other_endpoint(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        webhook_sender, "DEADLINE", 2 * PATIENCE
    )  # no post to the dead one is given up meanwhile
    alive_again = asyncio.Event()
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(receiving(answers=alive_again))
        alive = await stack.enter_async_context(receiving())
        await post.listen(dead)
        await post.listen(alive)
        await post.tell(*(f"con_{n}" for n in range(40)))
        async with asyncio.TaskGroup() as group:
            group.create_task(relay_events(post.services))
            async with asyncio.timeout(PATIENCE):
                while len(alive.received) < 40 or not dead.at_once:
                    await asyncio.sleep(0.02)
                await post.tell(
                    "con_late"
                )  # posts to the dead one are still open, yet this one arrives
                while len(alive.received) < 41:
                    await asyncio.sleep(0.02)
            assert dead.at_once
            assert dead.most_at_once <= relay.CONCURRENT_POSTS
            post.services.stopping.set()
            alive_again.set()


async def test_processes_that_deliver_at_the_same_time_post_everything_once(post: Post):
    async with receiving() as receiver:
        await post.listen(receiver)
        told = await post.tell(*(f"con_{n % 9}" for n in range(100)))
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(post.deliver())
        assert sorted(ids(receiver)) == sorted(told)
        for subject in range(9):
            of_subject = [n for n in numbers(receiver) if (n - 1) % 9 == subject]
            assert of_subject == sorted(of_subject)


async def test_a_process_that_dies_after_posting_posts_again_under_the_same_id(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    async with receiving() as receiver:
        await post.listen(receiver)
        (event_id,) = await post.tell("con_1")
        real = relay._post_all

        async def dies(*args: Any) -> Any:
            await real(*args)
            raise asyncio.CancelledError

        monkeypatch.setattr(relay, "_post_all", dies)
        with pytest.raises(asyncio.CancelledError):
            await post.deliver()
        monkeypatch.setattr(relay, "_post_all", real)
        assert await post.deliver() == 0  # the dead one's claim holds for a while …
        over = {"claimed_until": func.clock_timestamp() - timedelta(seconds=1)}
        async with transaction(post.services.database) as session:
            await session.execute(
                event_tables.webhook_endpoints.update().values(over)
            )  # … and no longer
        assert await post.deliver() == 1
    assert ids(receiver) == [event_id, event_id]


async def test_a_claim_that_another_took_over_writes_nothing(post: Post):
    async with receiving() as receiver:
        await post.listen(receiver)
        await post.tell("con_1")
        database = post.services.database
        async with transaction(database) as session:
            (first,) = await deliveries.claim_endpoints(
                session, length=timedelta(0), limit=5, now=post.time
            )
        async with transaction(database) as session:
            (second,) = await deliveries.claim_endpoints(
                session, length=timedelta(seconds=9), limit=5, now=post.time
            )
            assert await deliveries.renew_claim(session, first, length=timedelta(seconds=9)) is None
            assert (
                await deliveries.renew_claim(session, second, length=timedelta(seconds=9))
                is not None
            )


async def test_after_a_rotation_both_secrets_verify_for_a_day(post: Post):
    async with receiving() as receiver:
        endpoint = await post.listen(receiver)
        url = f"/v1/webhook-endpoints/{endpoint['id']}/rotate"
        rotated = (await post.api.post(url)).json()
        assert rotated["secret"] != endpoint["secret"]
        await post.tell("con_1")
        await post.deliver()
        post.time += timedelta(days=1, seconds=1)
        await post.tell("con_2")
        await post.deliver()
    signed = [received.headers["webhook-signature"].split() for received in receiver.received]
    assert [len(signatures) for signatures in signed] == [2, 1]


async def test_a_rotation_whose_answer_was_lost_leaves_the_receivers_secret_valid(post: Post):
    # API-27: rotated once more, for nobody knows the second secret; the receiver still has the first
    async with receiving() as receiver:
        endpoint = await post.listen(receiver)
        url = f"/v1/webhook-endpoints/{endpoint['id']}/rotate"
        post.time = real_now()  # the library looks at its own clock
        secrets = [endpoint["secret"]]
        secrets += [(await post.api.post(url)).json()["secret"] for _ in range(2)]
        await post.tell("con_1")
        await post.deliver()
        (received,) = receiver.received
        for secret in secrets:
            assert Webhook(secret).verify(received.body, received.headers)
        for _ in range(9):
            await post.api.post(url)
        post.time += timedelta(hours=23)
        await post.tell("con_2")
        await post.deliver()
        post.time += timedelta(hours=2)
        await post.tell("con_3")
        await post.deliver()
    signed = [received.headers["webhook-signature"].split() for received in receiver.received]
    assert [len(signatures) for signatures in signed] == [
        3,
        1 + endpoint_secrets.MAX_OLD_SECRETS,
        1,
    ]


async def test_a_secret_that_cannot_be_opened_stops_the_posts_and_is_told_until_it_is_rotated(
    post: Post, dsn: str
):
    # API-27, F29: damage, or a key that is gone
    async with receiving() as receiver:
        endpoint = await post.listen(receiver)
        connection = await asyncpg.connect(dsn)
        await connection.execute("update webhook_endpoints set sealed_secret = 'broken'")
        await connection.close()
        await post.tell("con_1")
        assert await post.deliver() == 0
        found = await post.endpoint(endpoint)
        assert (found["status"], found["problem"]["code"]) == ("disabled", "secret_unreadable")
        (issue,) = [issue async for issue in post.world.all("issues", status="open")]
        assert issue["code"] == "webhook_endpoint_disabled"
        assert issue["subject"] == {"kind": "webhook_endpoint", "id": endpoint["id"]}
        url = f"/v1/webhook-endpoints/{endpoint['id']}"
        rotated = (await post.api.post(f"{url}/rotate")).json()
        await post.api.post(f"{url}/enable")
        post.time = real_now()  # the library looks at its own clock
        await post.deliver()
        assert (await post.endpoint(endpoint))["status"] == "enabled"
        assert not [issue async for issue in post.world.all("issues", status="open")]
    assert numbers(receiver) == [1]
    received = receiver.received[0]
    Webhook(rotated["secret"]).verify(received.body, received.headers)


async def test_an_endpoint_gets_the_kinds_that_it_asked_for(post: Post):
    async with receiving() as receiver:
        await post.listen(receiver, events=["run.finished"])
        await post.tell("con_1")
        await post.tell("run_1", kind=EventKind.RUN_FINISHED)
        await post.deliver()
    assert [json.loads(got.body)["type"] for got in receiver.received] == ["run.finished"]


async def token_for(post: Post, account_ids: Sequence[str] | None) -> tuple[dict[str, str], str]:
    token, token_id, secret_hash = new_service_token()
    accounts = None if account_ids is None else tuple(account_ids)
    async with transaction(post.services.database) as session:
        made = ServiceToken(token_id, "test", secret_hash, accounts, post.time, None)
        await service_tokens.add_token(session, made)
    return {"Authorization": f"Bearer {token}"}, token_id


async def test_an_endpoint_gets_its_tokens_accounts_only_and_is_not_there_for_other_tokens(
    post: Post,
):
    # T2
    await post.world.create_account("other")
    mine, _ = await token_for(post, ["hp"])
    others, _ = await token_for(post, ["other"])
    async with receiving() as receiver:
        answer = await post.api.post(
            "/v1/webhook-endpoints", json={"url": receiver.url}, headers=mine
        )
        endpoint = answer.json()
        await post.tell("con_1", account_id="hp")
        await post.tell("con_1", account_id="other")
        await post.deliver()
        (delivery,) = await post.deliveries(endpoint)
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
        assert (await post.api.request(verb, path, headers=others)).status_code == 404, path
    listed = (await post.api.get("/v1/webhook-endpoints", headers=others)).json()
    assert listed["data"] == []
    assert len((await post.api.get("/v1/webhook-endpoints", headers=mine)).json()["data"]) == 1
    assert len((await post.api.get("/v1/webhook-endpoints")).json()["data"]) == 1


async def test_the_endpoint_of_a_revoked_token_gets_no_more_events(post: Post):
    # T14
    mine, token_id = await token_for(post, None)
    async with receiving() as receiver:
        await post.api.post("/v1/webhook-endpoints", json={"url": receiver.url}, headers=mine)
        await post.tell("con_1")
        async with transaction(post.services.database) as session:
            await service_tokens.revoke_token(session, token_id, now=post.time)
        await post.tell("con_2")
        assert await post.deliver() == 0


async def test_a_delivery_is_repeated_when_asked_for_under_the_same_id(post: Post):
    async with receiving() as receiver:
        endpoint = await post.listen(receiver)
        (event_id,) = await post.tell("con_1")
        await post.deliver()
        (delivery,) = await post.deliveries(endpoint)
        answer = await post.api.post(f"/v1/deliveries/{delivery['id']}/redeliver")
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        await post.deliver()
    assert ids(receiver) == [event_id, event_id]


async def test_the_secret_is_shown_once_and_stored_sealed(post: Post, dsn: str):
    # T6
    async with receiving() as receiver:
        endpoint = await post.listen(receiver)
        url = f"/v1/webhook-endpoints/{endpoint['id']}"
        assert "secret" not in (await post.api.get(url)).json()
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
async def test_an_invalid_endpoint_is_refused(post: Post, body: dict[str, Any]):
    answer = await post.api.post("/v1/webhook-endpoints", json=body)
    assert answer.status_code == 422, answer.text


async def test_a_token_has_no_more_endpoints_than_it_may_have(post: Post):
    for n in range(endpoints.MAX_ENDPOINTS):
        answer = await post.api.post(
            "/v1/webhook-endpoints", json={"url": f"https://hooks.example.com/{n}"}
        )
        assert answer.status_code == 201
    answer = await post.api.post("/v1/webhook-endpoints", json={"url": "https://example.com/"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


async def test_events_are_dropped_with_their_deliveries_after_thirty_days(post: Post):
    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await post.listen(receiver)
        await post.tell("con_1")
        await post.deliver()
        post.time += timedelta(days=30) - timedelta(seconds=1)
        async with transaction(post.services.database) as session:
            assert await events.delete_expired(session, now=post.time) == 0
        post.time += timedelta(seconds=2)
        await post.tell("con_2")
        async with transaction(post.services.database) as session:
            # the first one, and that the endpoint was disabled
            assert await events.delete_expired(session, now=post.time) == 2
        assert len(await post.deliveries(endpoint)) == 1
