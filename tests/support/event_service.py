"""The service for tests of events: no workers; the test moves the clock and says when to deliver."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import text
from typing_extensions import override

from app.clio.call_budget import CallBudget
from app.db import job_queue
from app.db.events import events, turns
from app.db.events.events import Event, EventKind
from app.db.queue_worker import ListeningDriver
from app.lanes import Lane
from app.sync.events import queue_due_endpoints, serve_endpoint
from app.sync.services import Services
from app.sync.supervisor import Supervisor
from app.sync.worker import work_on_lane
from app.webhook_sender import EndpointClient, Message, Outcome, WebhookSender
from tests.support.postgres import address_of
from tests.support.retention import delete_expired
from tests.support.sessions import as_owner
from tests.support.webhook_receiver import Receiver
from tests.support.world import World

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


async def serve(services: Services, endpoint_id: str) -> timedelta | None:
    """Serve one slice of an endpoint without a job; return after what time the next one is due, or None."""
    ending = await serve_endpoint(services, endpoint_id)
    async with as_owner(services.database) as session:
        return await ending.finish(session)


@asynccontextmanager
async def delivering(service: "EventService") -> AsyncIterator[None]:
    """Queue and serve what is due, as a process does, until the block ends."""
    services = service.services
    supervisor = Supervisor(services.stopping, monotonic)
    look, work = (supervisor.add(name, interval=1.0) for name in ("look", "work"))
    async with (
        job_queue.worker_pool(address_of(service.world.dsn)) as pool,
        asyncio.TaskGroup() as group,
    ):
        queue = partial(queue_due_endpoints, services)
        group.create_task(supervisor.repeat(look, queue, every=0.02))
        driver = ListeningDriver(pool)
        group.create_task(work_on_lane(services, driver, Lane.DELIVERIES, supervisor, work))
        yield
        services.stopping.set()


async def deliver_due(services: Services) -> None:
    """Serve all endpoints until nothing is due now."""
    while True:
        async with as_owner(services.database) as session:
            due = await turns.list_due_endpoints(session, limit=100, now=services.now())
        if not due:
            return
        async with asyncio.TaskGroup() as group:
            served = [group.create_task(serve(services, each)) for each in due]
        for slice_ in served:
            slice_.result()  # a task group does not raise that a task was cancelled


class CountingSender(WebhookSender):
    """A sender that counts the posts."""

    posts = 0

    @override
    @asynccontextmanager
    async def connect(self, url: str) -> AsyncIterator[EndpointClient]:
        async with super().connect(url) as client:
            yield _CountedClient(client, self)


@dataclass
class _CountedClient(EndpointClient):
    client: EndpointClient
    sender: CountingSender

    @override
    async def post(self, message: Message, secrets: Sequence[str], *, now: datetime) -> Outcome:
        self.sender.posts += 1
        return await self.client.post(message, secrets, now=now)


class EventService:
    """A service without workers; the test moves its clock and records its events."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.api = world.api
        self.time = START
        services: Services = world.app.state.services
        self.sender = CountingSender(private_hosts=frozenset({"127.0.0.1"}))
        self.services = replace(
            services,
            now=lambda: self.time,
            open_budget=lambda: CallBudget(lambda: self.time.timestamp()),
            notifier=self.sender,
        )
        world.app.state.services = self.services
        self.recorded = 0

    async def listen(self, receiver: Receiver, **body: Any) -> dict[str, Any]:
        answer = await self.api.post("/v1/webhook-endpoints", json={"url": receiver.url, **body})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def record(
        self, *subjects: str, account_id: str = "hp", kind: EventKind = EventKind.CLIENT_NEW
    ) -> list[str]:
        """Record one event about each subject and return their ids."""
        found = []
        for subject in subjects:
            self.recorded += 1
            event_id = events.event_id_of(account_id, kind, subject, self.recorded)
            found.append(Event(event_id, kind, subject, {"n": self.recorded}))
        async with as_owner(self.services.database) as session:
            await events.record_events(session, account_id, found, now=self.time)
        return [event.event_id for event in found]

    async def deliver(self) -> int:
        """Post everything that is due now; return the number of posts."""
        before = self.sender.posts
        await deliver_due(self.services)
        return self.sender.posts - before

    async def pass_time(self, length: timedelta, step: timedelta = timedelta(minutes=10)) -> None:
        """Advance the clock and deliver what becomes due."""
        end = self.time + length
        while self.time < end:
            await self.deliver()
            self.time = min(end, self.time + step)
        await self.deliver()

    async def delete_expired(self) -> int:
        """Delete expired rows; return how many events are left."""
        async with as_owner(self.services.database) as session:
            await delete_expired(session, now=self.time)
            counted = await session.execute(text("select count(*) from events"))
            return int(counted.scalar_one())

    async def deliveries(self, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
        url = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
        page = (await self.api.get(url, params={"limit": 200})).json()
        found: list[dict[str, Any]] = page["data"]
        return found

    async def endpoint(self, made: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(f"/v1/webhook-endpoints/{made['id']}")).json()
        return found


def ids(receiver: Receiver) -> list[str]:
    return [received.headers["webhook-id"] for received in receiver.received]


def numbers(receiver: Receiver) -> list[int]:
    """Return the numbers of the test's events; the events about issues that an endpoint also gets have none."""
    told = [json.loads(received.body)["data"] for received in receiver.received]
    return [data["n"] for data in told if "n" in data]
