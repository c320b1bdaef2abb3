"""Events arrive although the process that posts them is killed while it posts."""

import asyncio
import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
from standardwebhooks import Webhook

from app.db.events import events
from app.db.events.events import Event, EventKind
from app.db.session import open_database
from app.main import now
from tests.chaos.processes import Stack, running_stack
from tests.chaos.takeover import wait_until
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.webhook_receiver import Received, Receiver, receiving

ACCOUNT = "hp"
SUBJECTS = 5
EVENTS_EACH = 12  # events about each subject
KILLS = (3, 18, 41)  # posts that arrive, but whose sender is killed before it gets the response


async def record_test_events(dsn: str) -> list[str]:
    """Record events about a few people in turn; return the ids of the events."""
    told = [
        Event(
            events.event_id_of(ACCOUNT, EventKind.CLIENT_NEW, f"con_{subject}", nth),
            EventKind.CLIENT_NEW,
            f"con_{subject}",
            {"subject": subject, "nth": nth},
        )
        for nth in range(EVENTS_EACH)
        for subject in range(SUBJECTS)
    ]
    database = open_database(address_of(dsn))
    async with as_owner(database) as session:
        await events.record_events(session, ACCOUNT, told, now=now())
    await database.dispose()
    return [event.event_id for event in told]


async def start_again(stack: Stack, dsn: str) -> None:
    """End the claim of the killed service on the endpoint, and start the service again."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("update webhook_endpoints set claimed_until = clock_timestamp()")
    await connection.close()
    await asyncio.to_thread(stack.service.start, path="/healthz")


async def subscribed(stack: Stack, receiver: Receiver) -> dict[str, Any]:
    """Create an account and an endpoint for its events; return the endpoint."""
    stack.create(ACCOUNT)
    made = stack.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
    endpoint: dict[str, Any] = made.raise_for_status().json()
    return endpoint


async def test_events_keep_their_order_and_ids_although_the_sender_is_killed_during_a_delivery(
    tmp_path: Path, dsn: str
):
    # NC-8, F1, F26: kill -9 after the receiver has an event and before the service has the response
    hosts = {"LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1"}
    with running_stack(tmp_path, dsn, contacts=1, environment=hosts) as stack:
        kills = asyncio.Queue[int]()

        def answer(_: Received) -> int:
            if len(receiver.received) in KILLS:
                stack.service.kill()
                kills.put_nowait(len(receiver.received))
            return 204

        async with receiving(Receiver(answer)) as receiver:
            endpoint = await subscribed(stack, receiver)
            told = await record_test_events(dsn)
            for _ in KILLS:
                await asyncio.wait_for(kills.get(), 60)
                await start_again(stack, dsn)
            path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"

            async def delivered() -> bool:
                found = await asyncio.to_thread(lambda: list(stack.all(path)))
                return [each["status"] for each in found] == ["delivered"] * len(told)

            await wait_until(delivered, "not all was delivered")
    check(receiver.received, told, Webhook(endpoint["secret"]))


def check(received: list[Received], told: list[str], webhook: Webhook) -> None:
    """Check that all events arrived, repeated ones with the same id and body, in the order of each subject."""
    words: dict[str, set[bytes]] = defaultdict(set)
    order: dict[int, list[int]] = defaultdict(list)
    for post in received:
        webhook.verify(post.body, post.headers)
        words[post.headers["webhook-id"]].add(post.body)
        data = json.loads(post.body)["data"]
        order[data["subject"]].append(data["nth"])
    assert set(words) == set(told)
    assert {len(each) for each in words.values()} == {1}
    for nths in order.values():
        assert (nths[0], nths[-1]) == (0, EVENTS_EACH - 1)
        assert {after - before for before, after in pairwise(nths)} <= {0, 1}
    assert len(KILLS) <= len(received) - len(told) <= len(KILLS) * SUBJECTS
