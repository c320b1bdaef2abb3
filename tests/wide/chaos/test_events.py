"""Events arrive though the process that posts them is killed while it posts."""

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
from app.db.session import open_database, transaction
from app.main import now
from tests.chaos.processes import Stage, staged
from tests.chaos.takeover import until
from tests.support.webhook_receiver import Received, Receiver, receiving

ACCOUNT = "hp"
SUBJECTS = 5
EACH = 12  # events about one subject
STRIKES = (3, 18, 41)  # posts that arrive and whose sender is killed before it hears so


async def tell(dsn: str) -> list[str]:
    """Record events about a few people in turn; answers their ids."""
    told = [
        Event(
            events.event_id_of(ACCOUNT, EventKind.CLIENT_NEW, f"con_{subject}", nth),
            EventKind.CLIENT_NEW,
            f"con_{subject}",
            {"subject": subject, "nth": nth},
        )
        for nth in range(EACH)
        for subject in range(SUBJECTS)
    ]
    database = open_database(dsn)
    async with transaction(database) as session:
        await events.record_events(session, ACCOUNT, told, now=now())
    await database.dispose()
    return [event.event_id for event in told]


async def start_again(stage: Stage, dsn: str) -> None:
    """Start the killed one when the minute is over for which it had claimed the endpoint."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("update webhook_endpoints set claimed_until = clock_timestamp()")
    await connection.close()
    await asyncio.to_thread(stage.service.start, path="/healthz")


async def listened(stage: Stage, receiver: Receiver) -> dict[str, Any]:
    """An account, and an endpoint that hears of it."""
    stage.create(ACCOUNT)
    made = stage.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
    endpoint: dict[str, Any] = made.raise_for_status().json()
    return endpoint


async def test_events_arrive_in_order_under_their_ids_though_their_sender_is_killed_in_mid_delivery(
    tmp_path: Path, own_dsn: str
):
    # NC-8, F1, F26: kill -9 between the receiver's taking an event and our hearing so
    hosts = {"LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1"}
    with staged(tmp_path, own_dsn, contacts=1, environment=hosts) as stage:
        strikes = asyncio.Queue[int]()

        def answer(_: Received) -> int:
            if len(receiver.received) in STRIKES:
                stage.service.kill()
                strikes.put_nowait(len(receiver.received))
            return 204

        async with receiving(Receiver(answer)) as receiver:
            endpoint = await listened(stage, receiver)
            told = await tell(own_dsn)
            for _ in STRIKES:
                await asyncio.wait_for(strikes.get(), 60)
                await start_again(stage, own_dsn)
            path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"

            async def delivered() -> bool:
                found = await asyncio.to_thread(lambda: list(stage.all(path)))
                return [each["status"] for each in found] == ["delivered"] * len(told)

            await until(delivered, "not all was delivered")
    check(receiver.received, told, Webhook(endpoint["secret"]))


def check(received: list[Received], told: list[str], webhook: Webhook) -> None:
    """All arrived, some again: under the same id, with the same words, and in the order of each subject."""
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
        assert (nths[0], nths[-1]) == (0, EACH - 1)
        assert {after - before for before, after in pairwise(nths)} <= {0, 1}
    assert len(STRIKES) <= len(received) - len(told) <= len(STRIKES) * SUBJECTS
