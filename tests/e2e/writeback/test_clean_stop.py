"""A process that is stopped in the middle of its work loses nothing, and another one ends the work (F27)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.clio.local_rate_limit import LocalLimit
from app.db.session import transaction
from app.simulator.http.server import Simulator
from app.sync import writeback
from app.sync.concurrency import Stopping
from app.sync.writeback import maintain_outbox, send
from tests.e2e.writeback.test_writeback import EMAIL, get, notes, post, until
from tests.support.world import PATIENCE, World, opened_world


@asynccontextmanager
async def process(dsn: str, simulator: Simulator, **parts: bool) -> AsyncIterator[World]:
    async with opened_world(dsn, simulator, clock=False, **parts) as world, world:
        yield world


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
    async with transaction(world.app.state.services.database) as session:
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
}


async def unfinished(world: World, work: str) -> int:
    """Return how much of a kind of work is left."""
    async with transaction(world.app.state.services.database) as session:
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
            await until(first, activity, "sending")
            first.app.state.services.stopping.set()
    async with process(dsn, simulator, workers=False) as idle:
        assert (await get(idle, activity))["status"] == "queued"
        assert await jobs_of(idle, "writeback") == 1
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
            patch.setattr(send, "_must_search", lambda _: True)
            assert await writeback.write_back(services, "hp", 1001) == timedelta(0)
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
