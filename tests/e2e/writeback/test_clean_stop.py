"""A process that is stopped in the middle of its work loses nothing, and another one ends the work (F27)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.clio.local_rate_limit import LocalLimit
from app.db.session import transaction
from app.simulator.http.server import Simulator
from app.sync import writeback
from app.sync.concurrency import Stopping
from app.sync.writeback import send
from tests.e2e.writeback.test_writeback import EMAIL, get, notes, post, until
from tests.support.world import World, opened_world


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
