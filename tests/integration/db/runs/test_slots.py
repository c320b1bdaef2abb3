"""Slots with several processes: each slot starts one run, however often it is proposed [OV-3]."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import time_machine
from sqlalchemy import select

from app import main
from app.db.runs import run_requests, slots, tables
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session, transaction
from app.simulator.faults.faults import Fault
from app.simulator.http.server import Simulator
from app.sync import scheduler, slot_times
from app.sync.lost_work import queue_due_work
from app.sync.services import Services
from tests.support.world import PATIENCE, World, opened_world

NEW_YORK = ZoneInfo("America/New_York")
DST_DAY = datetime(
    2026, 3, 8, 5, 0, tzinfo=UTC
)  # midnight in New York; at 02:00 the clocks go forward


async def scheduled(world: World) -> list[dict[str, Any]]:
    return [run for run in await world.runs() if run["trigger"] == "schedule"]


async def test_three_processes_start_two_runs_on_the_day_the_clock_changes(
    dsn: str, simulator: Simulator
):
    # OV-3
    async with AsyncExitStack() as stack:
        worlds = [
            await stack.enter_async_context(
                opened_world(dsn, simulator, clock=False, workers=nth == 0)
            )
            for nth in range(3)
        ]
        with time_machine.travel(DST_DAY, tick=True) as clock:
            await worlds[0].create_account()
            await worlds[0].connect("u_ann", 501)
            await worlds[0].settled()
            for _ in range(48):
                clock.shift(timedelta(minutes=30))
                async with asyncio.TaskGroup() as group:
                    for world in worlds:
                        group.create_task(scheduler.propose_slots(world.app.state.services))
                await worlds[0].runs_ended()
            found = await scheduled(worlds[0])
        slots = ["2026-03-08 06:00", "2026-03-08 18:00"]
        assert [run["slot"] for run in found] == slots
        assert {run["status"] for run in found} == {"succeeded"}


@pytest.mark.parametrize(
    ("midnight", "slots"),
    [
        (DST_DAY, ["2026-03-08 06:00", "2026-03-08 18:00", "2026-03-09 06:00", "2026-03-09 18:00"]),
        (
            datetime(2026, 11, 1, 4, 0, tzinfo=UTC),
            ["2026-11-01 06:00", "2026-11-01 18:00", "2026-11-02 06:00", "2026-11-02 18:00"],
        ),
    ],
    ids=["clocks go forward", "clocks go back"],
)
async def test_two_processes_over_48_hours_start_each_slot_exactly_once(
    dsn: str, simulator: Simulator, midnight: datetime, slots: list[str]
):
    # OV-3, F13, F21: both have workers and propose slots, at different minutes; one is down for some hours
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(opened_world(dsn, simulator, clock=False))
            for _ in range(2)
        ]
        with time_machine.travel(midnight, tick=True) as clock:
            await one.create_account()
            await one.connect("u_ann", 501)
            await one.settled()
            for step in range(2 * 24 * 2):
                clock.shift(timedelta(minutes=30))
                async with asyncio.TaskGroup() as group:
                    group.create_task(scheduler.propose_slots(one.app.state.services))
                    if not 20 <= step <= 30:
                        group.create_task(scheduler.propose_slots(other.app.state.services))
                await one.runs_ended()
            found = await scheduled(one)
        assert [run["slot"] for run in found] == slots
        assert {run["status"] for run in found} == {"succeeded"}


async def test_the_end_of_a_run_settles_its_slot_without_the_clock(dsn: str, simulator: Simulator):
    # row 44: no tick reads the slots whose runs have not ended
    async with opened_world(dsn, simulator, clock=False) as world:
        with time_machine.travel(DST_DAY, tick=True) as clock:
            await world.create_account()
            await world.connect("u_ann", 501)
            await world.settled()
            clock.shift(timedelta(hours=7))
            services = world.app.state.services
            simulator.faults.add(Fault("refused", value="410", path="contacts", times=10**6))
            await scheduler.propose_slots(services)
            failed = (await world.settled())[-1]
            async with transaction(services.database, "hp") as session:
                slot = (await session.execute(select(tables.slots))).one()
            ended = datetime.fromisoformat(failed["finished_at"])
            assert (slot.failures, slot.closed_at) == (1, None)
            assert slot.start_at == ended + timedelta(minutes=5)
            simulator.faults.clear()
            clock.shift(timedelta(minutes=6))
            assert await scheduler.propose_slots(services) == 1
            await world.settled()
            async with transaction(services.database, "hp") as session:
                assert await slots.oldest_unserved(session) is None


async def test_a_slot_missed_in_an_outage_is_run_once_later(dsn: str, simulator: Simulator):
    # OV-3: the process is down from 05:30 to 07:30 local time
    async with opened_world(dsn, simulator, clock=False) as world:
        with time_machine.travel(DST_DAY, tick=True) as clock:
            await world.create_account()
            await world.connect("u_ann", 501)
            await world.settled()
            clock.shift(timedelta(hours=7))
            services = world.app.state.services
            assert [await scheduler.propose_slots(services) for _ in range(3)] == [1, 0, 0]
            await world.settled()
            clock.shift(timedelta(days=2, hours=5))  # 13:00: the slot of 06:00 is too old to be run
            assert await scheduler.propose_slots(services) == 0


async def test_a_disabled_account_has_no_scheduled_run(dsn: str, simulator: Simulator):
    # EN-1
    async with opened_world(dsn, simulator, clock=False) as world:
        with time_machine.travel(DST_DAY, tick=True) as clock:
            await world.create_account()
            await world.connect("u_ann", 501)
            await world.settled()
            await world.create_account(enabled=False)
            clock.shift(timedelta(hours=7))
            assert await scheduler.propose_slots(world.app.state.services) == 0


async def test_a_scheduled_run_reads_all_relationships_and_a_manual_run_only_changes(
    dsn: str, simulator: Simulator
):
    # row 25
    async with opened_world(dsn, simulator, clock=False) as world:
        with time_machine.travel(DST_DAY, tick=True) as clock:
            await world.create_account()
            await world.connect("u_ann", 501)
            await world.settled()
            clock.shift(timedelta(hours=7))
            simulator.log.clear()
            await scheduler.propose_slots(world.app.state.services)
            await world.settled()
            (whole,) = simulator.requests("/api/v4/relationships")
            assert "updated_since" not in whole.query
            simulator.log.clear()
            await world.run("incremental")
            (changed,) = simulator.requests("/api/v4/relationships")
            assert "updated_since" in changed.query


@pytest.mark.parametrize("trigger", [Trigger.WEBHOOK, Trigger.MANUAL])
async def test_a_queued_run_that_serves_a_slot_reads_all_relationships(
    dsn: str, simulator: Simulator, trigger: Trigger
):
    # rows 25, 44: otherwise a removed relationship would stay until the next slot
    async with opened_world(dsn, simulator, clock=False) as world:
        await world.create_account()
        await world.connect("u_ann", 501)
        await world.settled()
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        services, wanted = world.app.state.services, RunRequest(Kind.INCREMENTAL, trigger)
        due = slot_times.next_due(main.now(), NEW_YORK, services.timing, "hp")
        async with transaction(services.database, "hp") as session:
            queued = await run_requests.request_run(session, "hp", wanted, now=main.now())
        with time_machine.travel(due, tick=True):
            assert await scheduler.propose_slots(services) == 1
    simulator.log.clear()
    async with opened_world(dsn, simulator, clock=False) as world:
        run = (await world.settled())[-1]
    assert (run["id"], run["slot"] is not None) == (queued.run_id, True)
    (whole,) = simulator.requests("/api/v4/relationships")
    assert "updated_since" not in whole.query


async def test_a_fault_in_one_account_does_not_keep_the_others_from_their_slots(
    dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    # OV-3
    claim = slots.claim

    async def claim_or_fail(session: Session, account_id: str, *more: Any, **named: Any) -> bool:
        assert account_id != "a0", "this account is broken"
        return await claim(session, account_id, *more, **named)

    monkeypatch.setattr(slots, "claim", claim_or_fail)
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        with time_machine.travel(DST_DAY, tick=True) as clock:
            for account_id in ("a0", "hp"):
                await world.create_account(account_id)
                await world.connect("u_ann", 501, account_id)
            clock.shift(timedelta(hours=7))
            assert await scheduler.propose_slots(world.app.state.services) == 1
            assert (await world.runs())[-1]["slot"] == "2026-03-08 06:00"


async def test_an_account_that_is_switched_off_and_on_again_waits_for_its_next_slot(
    dsn: str, simulator: Simulator
):
    # EN-1, row 44
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        with time_machine.travel(DST_DAY, tick=True) as clock:
            await world.create_account()
            await world.connect("u_ann", 501)
            services = world.app.state.services
            clock.shift(timedelta(hours=7))
            assert await scheduler.propose_slots(services) == 1
            for enabled in (False, True):
                await world.create_account(enabled=enabled)
            assert await scheduler.propose_slots(services) == 0
            clock.shift(timedelta(hours=12))
            assert await scheduler.propose_slots(services) == 1
            assert [run["status"] for run in await world.runs()] == ["cancelled", "queued"]


async def test_the_scheduler_continues_after_the_clock_was_set_back(
    dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    # F17, OV-3: the next tick is planned by date, so without the fix it would be a day late
    ticked: asyncio.Queue[None] = asyncio.Queue()

    async def step(_: Services) -> None:
        ticked.put_nowait(None)

    monkeypatch.setattr(scheduler, "_TASKS", ((step, timedelta(seconds=1)),))
    monkeypatch.setattr(scheduler, "TICK", timedelta(milliseconds=100))
    with time_machine.travel(DST_DAY, tick=True) as date:
        async with opened_world(dsn, simulator, clock=True, workers=False):
            async with asyncio.timeout(PATIENCE):
                await ticked.get()
            date.shift(timedelta(days=-1))
            async with asyncio.timeout(PATIENCE):
                for _ in range(3):
                    await ticked.get()


async def test_a_run_that_lost_its_job_is_queued_again_by_the_next_tick(
    dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    # F14: pgqueuer loses a job that it cannot return to the queue because the database is away
    monkeypatch.setattr(scheduler, "_TASKS", ((queue_due_work, timedelta(seconds=1)),))
    async with opened_world(dsn, simulator, clock=True, workers=False) as world:
        await world.create_account()
        await world.connect("u_ann", 501)
        connection = await asyncpg.connect(dsn)
        await connection.execute("delete from pgqueuer")
        async with asyncio.timeout(PATIENCE):
            while not await connection.fetchval("select count(*) from pgqueuer"):
                await asyncio.sleep(0.05)
        await connection.close()
