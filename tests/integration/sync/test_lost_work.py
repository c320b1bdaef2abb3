"""The look-out: work that is due and has no job is queued by one look, and nothing else is."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.db.runs import run_requests, turns
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.lanes import Lane
from app.sync.lost_work import queue_due_work
from tests.e2e.writeback.test_writeback import EMAIL, post
from tests.integration.sync.test_slices import (
    WORK,
    Work,
    services_of,
    start_run,
)
from tests.support.sessions import as_owner
from tests.support.slices import do_slice, do_slices
from tests.support.world import World

DAMAGES = {
    "deleted": "delete from pgqueuer",
    "failed": "update pgqueuer set status = 'failed', queue_manager_id = null",
    "restored": "truncate pgqueuer, pgqueuer_log",
}


async def jobs(world: World) -> list[str]:
    """Return the keys of the jobs that are due."""
    query = text(
        "select dedupe_key from pgqueuer where status = 'queued' and execute_after <= now()"
        " order by dedupe_key"
    )
    async with as_owner(services_of(world).database) as session:
        return list((await session.execute(query)).scalars())


async def execute(world: World, statement: str) -> None:
    async with as_owner(services_of(world).database) as session:
        await session.execute(text(statement))


@pytest.mark.parametrize("work", WORK.values(), ids=list(WORK))
@pytest.mark.parametrize("damage", DAMAGES)
async def test_work_whose_job_was_lost_is_queued_by_one_look(idle: World, work: Work, damage: str):
    key = await work.start(idle)
    there = await jobs(idle)
    assert there == [f"{work.lane.label}:{key}"]
    await execute(idle, DAMAGES[damage])
    assert await jobs(idle) == []
    await queue_due_work(services_of(idle))
    assert await jobs(idle) == there
    await queue_due_work(services_of(idle))
    assert await jobs(idle) == there, "once"


@pytest.mark.parametrize(
    ("pause", "start", "label"),
    [
        ("update runs set resume_at = :later where finished_at is null", start_run, "reconcile"),
        ("update activities set due_at = :later", WORK["note"].start, "write_back"),
    ],
    ids=["run", "note"],
)
async def test_work_is_queued_when_its_long_pause_is_over_and_not_before(
    idle: World, pause: str, start: Callable[[World], Awaitable[str]], label: str
):
    await start(idle)
    async with as_owner(services_of(idle).database) as session:
        later = main.now() + timedelta(minutes=30)
        await session.execute(text(pause), {"later": later})
        await session.execute(text("delete from pgqueuer"))
    await queue_due_work(services_of(idle))
    assert await jobs(idle) == []
    with time_machine.travel(later + timedelta(seconds=1), tick=True):
        await queue_due_work(services_of(idle))
        assert await jobs(idle) == [f"{label}:hp"]


async def test_a_run_that_waits_behind_another_is_not_queued_until_that_one_has_ended(idle: World):
    services = services_of(idle)
    await start_run(idle)
    async with as_owner(services.database) as session:
        length = timedelta(minutes=10)
        lease = await turns.take_turn(session, "hp", Lane.RECONCILE, length=length, now=main.now())
        assert lease is not None
        for asked in (
            RunRequest(Kind.COVERAGE, Trigger.CONNECT),
            RunRequest(Kind.REDERIVE, Trigger.SETTINGS),
        ):
            await run_requests.request_run(session, "hp", asked, now=main.now())
    await execute(idle, "delete from pgqueuer")
    await queue_due_work(services)
    assert await jobs(idle) == [], "a worker has the first run"
    await execute(idle, "update runs set leased_until = clock_timestamp()")
    await queue_due_work(services)
    assert await jobs(idle) == ["incremental:hp", "reconcile:hp"], "one reads no lists"
    for lane in (Lane.INCREMENTAL, Lane.RECONCILE):
        await do_slices(services, lane)
    assert await jobs(idle) == ["initial:hp"], "the end of the first run has queued it"


async def test_nothing_is_queued_again_and_again_for_an_account_that_is_disabled(idle: World):
    # EN-1
    await post(idle, EMAIL)
    account = (await idle.api.get("/v1/accounts/hp")).json()
    fields = ("name", "time_zone", "country", "primary_user_id")
    body = {**{name: account[name] for name in fields}, "enabled": False}
    assert (await idle.api.put("/v1/accounts/hp", json=body)).status_code == 200
    assert await do_slice(services_of(idle), Lane.WRITE_BACK) is None
    await queue_due_work(services_of(idle))
    assert await jobs(idle) == []
    assert (await idle.api.put("/v1/accounts/hp", json={**body, "enabled": True})).is_success
    await queue_due_work(services_of(idle))
    assert await jobs(idle) == ["write_back:hp"]
