"""A process that is stopped in the middle of its work loses nothing, and another one ends the work (F27)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.clio.local_rate_limit import LocalLimit
from app.db.connections.tables import subscriptions
from app.db.events import events
from app.db.events.events import Event, EventKind
from app.lanes import Lane
from app.simulator.http.server import Simulator
from app.sync.assess import assess
from app.sync.concurrency import Stopping
from app.sync.connections import clio_webhooks
from app.sync.events import endpoint_slice
from app.sync.writeback import maintain_outbox, send
from app.sync.writeback.send import Step
from tests.e2e.writeback.test_writeback import EMAIL, get, notes, post, until
from tests.support import world as world_module
from tests.support.first_run import AfterFirstRun
from tests.support.harlow_pike import clio, new_clients, person
from tests.support.postgres import Server
from tests.support.sessions import as_owner
from tests.support.slices import do_slice
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import PATIENCE, World, config_for, opened_world


@asynccontextmanager
async def process(
    dsn: str, simulator: Simulator, *, clock: bool = False, **parts: bool
) -> AsyncIterator[World]:
    async with opened_world(dsn, simulator, clock=clock, **parts) as world, world:
        yield world


async def until_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def start(world: World, work: str) -> dict[str, Any]:
    """Start a kind of work; return the activity if it is one."""
    if work == "note":
        posted: dict[str, Any] = await post(world, EMAIL)
        return posted
    answer = await world.api.post(
        "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": work}
    )
    assert answer.status_code == 202, answer.text
    return {}


async def jobs_of(world: World, kind: str) -> int:
    """Return how many jobs of a kind wait."""
    query = "select count(*) from pgqueuer where entrypoint = :kind and status = 'queued'"
    async with as_owner(world.app.state.services.database) as session:
        return int((await session.execute(text(query), {"kind": kind})).scalar_one())


async def sweep(world: World) -> None:
    await maintain_outbox(world.app.state.services)


async def erase(world: World) -> None:
    assert (await world.api.delete("/v1/accounts/hp")).status_code == 202


async def refresh(world: World) -> None:
    await start(world, "refresh")


START = {"sweep": sweep, "erasure": erase, "refresh": refresh}
UNFINISHED = {
    "refresh": "select count(*) from runs where finished_at is null",
    "sweep": "select count(*) from activities where proven_at is null",
    "erasure": "select (select count(*) from accounts) + (select count(*) from revocations)",
    "subscription": "select count(*) from subscriptions where hook_id is null or pending",
}


async def unfinished(world: World, work: str) -> int:
    """Return how much of a kind of work is left."""
    async with as_owner(world.app.state.services.database) as session:
        return int((await session.execute(text(UNFINISHED[work]))).scalar_one())


@pytest.mark.parametrize(
    ("work", "path"),
    [
        ("run", "/api/v4/users/who_am_i"),
        ("run", "/api/v4/contacts"),
        ("run", "/api/v4/matters"),
        ("note", "/api/v4/notes"),
    ],
)
async def test_work_that_a_stop_interrupts_is_ended_by_another_process(
    pulled: World, simulator: Simulator, dsn: str, work: str, path: str
):
    wanted = await pulled.contacts()
    pulled.app.state.services.stopping.set()  # this process works no more
    async with process(dsn, simulator) as first, first.clio_transport.paused(path):
        activity = await start(first, work)
        await first.clio_transport.waiting.wait()
        first.app.state.services.stopping.set()
    async with process(dsn, simulator) as second:
        runs = await second.settled()
        assert {run["status"] for run in runs} == {"succeeded"}
        assert await second.contacts() == wanted
        if activity:
            assert (await until(second, activity))["status"] == "written"
            assert len(notes(second)) == 1


async def test_a_note_that_waits_for_the_rate_limit_is_queued_again_as_never_sent(
    pulled: World, dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    # searched notes count as lost responses, so five stops would end one that was never sent
    pulled.app.state.services.stopping.set()
    with monkeypatch.context() as patch:
        patch.setattr(LocalLimit, "reserve", lambda *_: 2.0)
        async with process(dsn, simulator) as first:
            activity = await post(first, EMAIL)
            async with asyncio.timeout(PATIENCE):
                while not await jobs_of(first, "write_back"):  # the slice has ended
                    await asyncio.sleep(0.02)
            first.app.state.services.stopping.set()
    async with process(dsn, simulator, workers=False) as idle:
        waiting = await get(idle, activity)
        assert (waiting["status"], waiting["attempts"]) == ("queued", 0)
        assert await jobs_of(idle, "write_back") == 1
    async with process(dsn, simulator) as second:
        assert (await until(second, activity))["status"] == "written"
    assert [entry.method for entry in simulator.requests("/api/v4/notes")] == ["POST"]


async def test_a_search_that_a_stop_interrupts_is_done_by_another_process(
    pulled: World, dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    pulled.app.state.services.stopping.set()
    async with process(dsn, simulator, workers=False) as idle:
        activity = await post(idle, EMAIL)
        services = replace(idle.app.state.services, stopping=asyncio.Event())

        async def stop(*_: Any, **__: Any) -> Any:
            services.stopping.set()
            raise Stopping

        with monkeypatch.context() as patch:
            patch.setattr(send, "_search", stop)
            patch.setattr(Step, "searches", True)
            assert await do_slice(services, Lane.WRITE_BACK) == timedelta(0)
        async with as_owner(services.database) as session:
            await session.execute(text("delete from budgets"))  # no request was sent after all
        assert (await get(idle, activity))["status"] == "sending"
    async with process(dsn, simulator) as second:
        assert (await until(second, activity))["status"] == "written"
        assert len(notes(second)) == 1


@pytest.mark.parametrize(
    ("work", "path"),
    [("sweep", "/api/v4/notes"), ("refresh", "/oauth/token"), ("erasure", "/oauth/deauthorize")],
)
async def test_a_verification_a_refresh_and_an_erasure_are_ended_by_another_process(
    pulled: World, simulator: Simulator, dsn: str, work: str, path: str
):
    activity = await until(pulled, await post(pulled, EMAIL))
    await pulled.idle()
    before = len(simulator.requests(path))
    pulled.app.state.services.stopping.set()
    days = 31 if work == "refresh" else 2  # a token lives 30 days
    with time_machine.travel(main.now() + timedelta(days=days), tick=True):
        async with process(dsn, simulator) as first, first.clio_transport.paused(path):
            await START[work](first)
            async with asyncio.timeout(PATIENCE):
                await first.clio_transport.waiting.wait()
            first.app.state.services.stopping.set()
        async with process(dsn, simulator) as second:
            await second.resume()
            await second.idle()
            async with asyncio.timeout(PATIENCE):
                while await unfinished(second, work):
                    await asyncio.sleep(0.02)
            if work != "erasure":
                assert await get(second, activity) == activity
    assert len(simulator.requests(path)) == before + 1
    assert len(notes(pulled)) == 1


async def record_events(world: World, count: int) -> list[str]:
    """Record events about different subjects; return their ids."""
    kind = EventKind.CLIENT_NEW
    found = [
        Event(events.event_id_of("hp", kind, f"con_{n}", n), kind, f"con_{n}") for n in range(count)
    ]
    async with as_owner(world.app.state.services.database) as session:
        await events.record_events(session, "hp", found, now=main.now())
    return [event.event_id for event in found]


def ids(receiver: Receiver) -> list[str]:
    return sorted(post.headers["webhook-id"] for post in receiver.received)


async def test_events_that_a_stop_interrupts_are_delivered_once_and_the_rest_by_another_process(
    pulled: World, dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    # NC-8: what was posted is recorded, and the endpoint is released for the next process
    monkeypatch.setattr(endpoint_slice, "CLAIM_LENGTH", timedelta(hours=1))
    pulled.app.state.services.stopping.set()
    async with receiving(answers=asyncio.Event()) as receiver:
        assert receiver.answers is not None
        async with process(dsn, simulator) as first:
            made = await first.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
            told = await record_events(first, 3 * endpoint_slice.CONCURRENT_POSTS)
            await until_true(lambda: len(receiver.posting) == endpoint_slice.CONCURRENT_POSTS)
            first.app.state.services.stopping.set()
            receiver.answers.set()
        assert len(receiver.received) == endpoint_slice.CONCURRENT_POSTS
        async with process(dsn, simulator) as second:
            await until_true(lambda: len(receiver.received) == len(told))
            url = f"/v1/webhook-endpoints/{made.json()['id']}"
            second.app.state.services.stopping.set()
        async with process(dsn, simulator, workers=False) as idle:
            listed = (await idle.api.get(f"{url}/deliveries", params={"limit": 200})).json()
            assert (await idle.api.get(url)).json()["status"] == "enabled"
            assert [issue async for issue in idle.all("issues")] == []
    assert ids(receiver) == sorted(told)
    assert {(one["status"], one["attempts"]) for one in listed["data"]} == {("delivered", 1)}


@asynccontextmanager
async def process_with_clock(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """A process that the simulated Clio can reach."""
    async with process(dsn, simulator, clock=True) as world:
        simulator.webhooks.transport = httpx.ASGITransport(world.app)
        yield world


async def subscribe(world: World, model: str, due_at: datetime) -> None:
    async with as_owner(world.app.state.services.database) as session:
        rows = subscriptions.update().where(subscriptions.c.model == model)
        await session.execute(rows.values(due_at=due_at))


async def stop_during_handshake(dsn: str, simulator: Simulator, *, answered: bool) -> None:
    """Stop a process when Clio has the subscription and has not responded yet; its response is lost."""
    hooks, waiting, stopped = simulator.webhooks, asyncio.Event(), asyncio.Event()
    confirm = hooks._handshake

    async def wait(hook: Any) -> None:
        if answered:
            await confirm(hook)
        waiting.set()
        await stopped.wait()
        raise httpx.ReadError("The connection was lost")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hooks, "_handshake", wait)
        async with process_with_clock(dsn, simulator) as world:
            await waiting.wait()
            world.app.state.services.stopping.set()
            stopped.set()


@pytest.mark.parametrize("answered", [False, True])
async def test_a_subscription_that_a_stop_interrupts_is_not_doubled_in_clio(
    pulled: World,
    dsn: str,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answered: bool,
):
    monkeypatch.setattr(
        world_module, "config_for", partial(config_for, public_url="https://service.test")
    )
    pulled.app.state.services.stopping.set()
    later = main.now() + clio_webhooks.RETRY_AFTER + timedelta(minutes=1)
    await subscribe(pulled, "contact", main.now())
    await subscribe(pulled, "matter", later)
    await stop_during_handshake(dsn, simulator, answered=answered)
    with time_machine.travel(later, tick=True):
        async with process_with_clock(dsn, simulator) as second:
            async with asyncio.timeout(PATIENCE):
                while await unfinished(second, "subscription"):
                    await asyncio.sleep(0.02)
            async with as_owner(second.app.state.services.database) as session:
                known = (await session.execute(subscriptions.select())).all()
    hooks = simulator.webhooks.hooks
    assert sorted(hook.model for hook in hooks.values()) == ["contact", "matter"]
    assert {hook.status for hook in hooks.values()} == {"enabled"}
    assert {row.hook_id for row in known} == set(hooks)
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == []


def change_firm(world: World) -> None:
    """Change every contact in Clio, so that there are many batches, and add a client."""
    firm = clio(world)
    for contact_id in firm.ids("contact"):
        firm.put("contact", {"id": contact_id, "title": "Judge"})
    firm.put("contact", person(1901, primary_email_address="new@client.test"))
    firm.put("matter", {"id": 901, "client_id": 1901, "status": "Open"})


async def published(world: World) -> dict[str, Any]:
    """Return what a receiver learns of the firm, without the ids and times that differ between two runs."""
    volatile = {"id", "contact_id", "run_id", "at", "updated_at", "first_synced_at", "contact"}
    stored = {
        clio_id: {name: value for name, value in contact.items() if name not in volatile}
        for clio_id, contact in (await world.contacts()).items()
    }
    feed = [
        {name: value for name, value in line.items() if name not in volatile}
        for line in await world.changes()
    ]
    news = {clio_id: row["status"] for clio_id, row in (await new_clients(world)).items()}
    async with as_owner(world.app.state.services.database) as session:
        told = (
            (await session.execute(text("select kind from events order by kind"))).scalars().all()
        )
    issues = [issue["code"] async for issue in world.all("issues")]
    return {"contacts": stored, "feed": feed, "new": news, "events": told, "issues": issues}


async def assessed(
    server: Server, firm: AfterFirstRun, stop_after: int | None = None
) -> dict[str, Any]:
    """Assess a changed firm, and stop the process after so many batches; return what was published."""
    simulator, batches = firm.simulator(), 0
    real = assess._assess_batch
    async with server.database(firm.template) as dsn:
        async with process(dsn, simulator) as first:

            async def counted(*args: Any) -> Any:
                nonlocal batches
                batches += 1
                if batches == stop_after:
                    first.app.state.services.stopping.set()
                return await real(*args)

            change_firm(first)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(assess, "_assess_batch", counted)
                await start(first, "run")
                if stop_after is None:
                    await first.settled()
                else:
                    await first.app.state.services.stopping.wait()
                    await first.idle()
        assert batches > 3 if stop_after is None else batches == stop_after
        async with process(dsn, simulator) as second:
            assert {run["status"] for run in await second.settled()} == {"succeeded"}
            return await published(second)


async def test_an_assessment_that_a_stop_interrupts_publishes_what_an_undisturbed_one_does(
    server: Server, after_first_run: AfterFirstRun, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(assess, "BATCH_SIZE", 3)
    assert await assessed(server, after_first_run, 2) == await assessed(server, after_first_run)
