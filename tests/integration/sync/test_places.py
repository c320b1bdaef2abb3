"""Places of a lane in a real worker: new work goes first, and slices go on after the database was away."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from app.db import job_queue
from app.db.queue_worker import ListeningDriver
from app.lanes import Lane
from app.simulator.http.server import Simulator
from app.sync import outages, worker
from app.sync.services import Services
from app.sync.slices import Ending
from app.sync.supervisor import Supervisor
from tests.e2e.writeback.test_writeback import EMAIL, notes, post
from tests.support.database_proxy import database_proxy
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.world import PATIENCE, World, opened_world

FIRMS, PLACES = 50, 2


class LongWork:
    """The work of firms that never ends, but for the new firm's; each slice is noted when it begins."""

    def __init__(self) -> None:
        self.slices: list[str] = []
        self.begun = asyncio.Condition()

    async def do(self, services: Services, key: str) -> Ending:
        async with self.begun:
            self.slices.append(key)
            self.begun.notify_all()
        return Ending.after(None if key == "new" else timedelta(0))

    async def until_each_began(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE), self.begun:
            await self.begun.wait_for(lambda: len(set(self.slices)) >= count)


async def want(services: Services, key: str) -> None:
    async with as_owner(services.database) as session:
        await job_queue.want(session, Lane.INITIAL, key)


async def test_a_new_firm_s_first_slice_goes_before_the_later_slices_of_fifty_long_ones(
    idle: World, dsn: str, monkeypatch: pytest.MonkeyPatch
):
    work = LongWork()
    monkeypatch.setattr(worker, "WORK", {Lane.INITIAL: work.do})
    monkeypatch.setattr(worker, "PLACES", {Lane.INITIAL: PLACES})
    services = replace(idle.app.state.services, stopping=asyncio.Event())
    for number in range(FIRMS):
        await want(services, f"firm_{number}")
    supervisor = Supervisor(services.stopping, asyncio.get_running_loop().time)
    part = supervisor.add("initial", interval=5.0)
    async with job_queue.worker_pool(address_of(dsn)) as pool, asyncio.TaskGroup() as group:
        driver = ListeningDriver(pool)
        group.create_task(worker.work_on_lane(services, driver, Lane.INITIAL, supervisor, part))
        await work.until_each_began(FIRMS)
        await want(services, "new")
        before = len(work.slices)
        await work.until_each_began(FIRMS + 1)
        services.stopping.set()
    assert work.slices.index("new") - before <= 2 * PLACES, "those that were picked already"
    counts = Counter(work.slices)
    assert counts.pop("new") == 1
    assert max(counts.values()) - min(counts.values()) <= PLACES + 1, "in turn"


async def test_slices_at_work_go_on_after_the_database_was_away(
    dsn: str, simulator: Simulator, pulled: None, monkeypatch: pytest.MonkeyPatch
):
    # F14: a run that reads, and write-backs whose requests are on their way
    monkeypatch.setattr(outages, "DATABASE_CHECK_SECONDS", 0.05)
    async with (
        database_proxy(dsn) as proxy,
        opened_world(proxy.dsn, simulator) as world,
        world,
    ):
        for number in range(20):
            contact = str(1001 + number % 5)
            await post(world, {**EMAIL, "subject": f"{number}", "clio_contact_id": contact})
        async with world.clio_transport.paused():
            key = {"Idempotency-Key": "full"}
            asked = await world.api.post("/v1/accounts/hp/runs", json={"kind": "full"}, headers=key)
            assert asked.status_code == 202
            await asyncio.wait_for(world.clio_transport.waiting.wait(), PATIENCE)
            proxy.refuse()
        proxy.restore()
        waiting = "select count(*) from activities where status in ('queued', 'sending')"
        await world.none_left(waiting)
        await world.none_left("select count(*) from runs where finished_at is null")
        assert {run["status"] for run in await world.runs()} == {"succeeded"}
        subjects = [note["subject"] for note in notes(world)]
    assert sorted(subjects) == sorted(f"Email: {number}" for number in range(20))


@pytest.fixture
def pulled() -> None:
    """Let the test begin after the first run of the firm."""
