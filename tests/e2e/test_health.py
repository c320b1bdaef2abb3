"""Whatever keeps a firm from its runs is seen in its health after two slots; nothing stops in silence."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import time_machine
from sqlalchemy import select, text

from app import main
from app.db.accounts import accounts, health
from app.db.accounts import tables as account_tables
from app.db.accounts.accounts import AccountFields
from app.db.runs import leases, run_requests, slots, turns
from app.db.runs.named_records import NamedRecord
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger, Usage
from app.db.session import Database, Session
from app.lanes import Lane
from app.simulator.faults.faults import Fault
from app.simulator.http.server import Simulator
from app.sync import scheduler
from app.sync.health import refresh_health
from app.sync.services import Services
from app.sync.slot_times import overdue_at, zone_of
from tests.support.sessions import as_owner
from tests.support.world import PATIENCE, World, opened_world

NEW_YORK = zone_of("America/New_York")


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def status(world: World) -> dict[str, Any]:
    answer = await world.api.get("/v1/accounts/hp/status")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def stored(world: World) -> tuple[str, list[str]]:
    """Compute the health of the accounts that are due; return what is stored for the account."""
    await refresh_health(services_of(world))
    columns = account_tables.accounts.c
    async with as_owner(services_of(world).database) as session:
        row = (await session.execute(select(columns.health, columns.health_reasons))).one()
    return row.health, [reason["code"] for reason in row.health_reasons]


async def events_about(world: World, code: str) -> list[str]:
    about = text("select kind from events where data ->> 'code' = :code order by kind")
    async with as_owner(services_of(world).database) as session:
        return list((await session.execute(about, {"code": code})).scalars())


async def interrupt_for_ever(world: World, _: pytest.MonkeyPatch) -> None:
    world.simulator.faults.add(Fault("status", path="contacts", value="502", times=10**6))
    await scheduler.propose_slots(services_of(world))
    async with asyncio.timeout(PATIENCE):
        while (await world.runs())[-1]["status"] != "interrupted":
            await asyncio.sleep(0.05)


async def refuse_the_login(world: World, _: pytest.MonkeyPatch) -> None:
    world.simulator.oauth["us"].revoke_user(501)
    await scheduler.propose_slots(services_of(world))
    await world.settled()


async def fail_every_run(world: World, _: pytest.MonkeyPatch) -> None:
    # every login is told that the API version has ended, which only an operator can repair
    world.simulator.faults.add(Fault("refused", value="410", path="contacts", times=10**6))
    await scheduler.propose_slots(services_of(world))
    await world.settled()


async def break_the_proposals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> bool:
        raise RuntimeError

    monkeypatch.setattr(slots, "claim", broken)
    assert await scheduler.propose_slots(services_of(world)) == 0


async def stop_the_clock(_: World, __: pytest.MonkeyPatch) -> None:
    pass


async def stick_the_queue(world: World, _: pytest.MonkeyPatch) -> None:
    async with as_owner(services_of(world).database) as session:  # no worker sees the job
        run = await run_requests.request_run(
            session, "hp", RunRequest(Kind.FULL, Trigger.SCHEDULE), now=main.now()
        )
        await session.execute(text("delete from pgqueuer"))
    assert run.status == "queued"


async def run_only_for_nudges(world: World, _: pytest.MonkeyPatch) -> None:
    async with as_owner(services_of(world).database) as session:
        login = (await session.execute(text("select connection_id from connections"))).scalar_one()
        record = NamedRecord("contacts", 1001, login)
        await run_requests.request_reading(
            session, "hp", record, after=timedelta(0), now=main.now()
        )
    run = (await world.settled())[-1]
    assert (run["status"], run["reads"]) == ("succeeded", "records")


Stop = Callable[[World, pytest.MonkeyPatch], Awaitable[None]]


@pytest.mark.parametrize(
    ("stop", "health", "reasons"),
    [
        (interrupt_for_ever, "degraded", ["sync_overdue"]),
        (refuse_the_login, "needs_attention", ["no_working_login", "needs_reconnect", "sync_overdue"]),
        (fail_every_run, "needs_attention", ["clio_api_version_gone", "sync_overdue"]),
        (break_the_proposals, "degraded", ["sync_overdue"]),
        (stop_the_clock, "degraded", ["sync_overdue"]),
        (stick_the_queue, "degraded", ["sync_overdue"]),
        (run_only_for_nudges, "degraded", ["sync_overdue"]),
    ],
)  # fmt: skip
async def test_a_firm_that_is_stopped_is_not_ok_after_two_slots(
    pulled: World, monkeypatch: pytest.MonkeyPatch, stop: Stop, health: str, reasons: list[str]
):
    synced = datetime.fromisoformat((await status(pulled))["last_successful_run_at"])
    second = overdue_at(synced, NEW_YORK, services_of(pulled).timing, "hp")
    with time_machine.travel(second - timedelta(hours=10), tick=True) as clock:
        assert (await status(pulled))["health_reasons"] == []
        await stop(pulled, monkeypatch)
        clock.move_to(second)
        found = await status(pulled)  # without anything that the scheduler does
        assert found["health"] == health
        assert {reason["code"] for reason in found["health_reasons"]} >= set(reasons)
        assert await stored(pulled) == (
            health,
            [reason["code"] for reason in found["health_reasons"]],
        )
        issues = [issue async for issue in pulled.all("issues", status="open")]
        (overdue,) = [issue for issue in issues if issue["code"] == "sync_overdue"]
        assert overdue["severity"] == "warning"
        assert await events_about(pulled, "sync_overdue") == ["issue.opened"]


async def test_an_overdue_account_is_an_error_after_three_days_and_works_again_after_a_run(
    pulled: World,
):
    with time_machine.travel(main.now() + timedelta(days=2), tick=True) as clock:
        assert await stored(pulled) == ("degraded", ["sync_overdue"])
        (issue,) = [issue async for issue in pulled.all("issues", status="open")]
        clock.shift(timedelta(days=3))
        assert await stored(pulled) == ("needs_attention", ["sync_overdue"])
        (worse,) = [issue async for issue in pulled.all("issues", status="open")]
        assert worse == {**issue, "severity": "error"}
        await pulled.api.post(f"/v1/accounts/hp/issues/{issue['id']}/resolve")
        assert await stored(pulled) == ("needs_attention", ["sync_overdue"]), "its cause lasts"
        await pulled.run("full")
        assert [issue async for issue in pulled.all("issues", status="open")] == []
        assert (await status(pulled))["health"] == "ok"
        assert await stored(pulled) == ("ok", [])


async def test_a_first_run_is_not_overdue_while_it_makes_progress(dsn: str, simulator: Simulator):
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        await world.create_account()
        assert (await status(world))["health_reasons"][0]["code"] == "no_working_login"
        await world.connect("u_ann", 501)
        with time_machine.travel(main.now() + timedelta(days=2), tick=True) as clock:
            assert (await status(world))["health"] == "degraded"
            async with as_owner(services_of(world).database) as session:
                lease = await turns.take_turn(
                    session, "hp", Lane.INITIAL, length=timedelta(minutes=1), now=main.now()
                )
                assert lease is not None
                await leases.record_progress(
                    session, lease, Usage(), expected_end=None, now=main.now()
                )
            assert await stored(world) == ("ok", [])
            clock.shift(timedelta(days=2))
            assert await stored(world) == ("degraded", ["sync_overdue"])


async def test_the_stored_health_follows_each_fact_and_is_counted(pulled: World):
    assert await stored(pulled) == ("ok", [])
    pulled.simulator.oauth["us"].revoke_user(501)
    await pulled.run()
    assert (await stored(pulled))[0] == "needs_attention"
    await pulled.connect("u_ann", 501)
    assert await stored(pulled) == ("ok", [])
    await pulled.create_account(enabled=False)
    assert await stored(pulled) == ("disabled", ["disabled"])
    await pulled.create_account("other")
    await refresh_health(services_of(pulled))
    async with as_owner(services_of(pulled).database) as session:
        assert await health.count_by_health(session) == {"disabled": 1, "needs_attention": 1}


async def test_an_account_that_is_switched_on_again_is_not_overdue_at_once(pulled: World):
    await pulled.create_account(enabled=False)
    with time_machine.travel(main.now() + timedelta(days=9), tick=True):
        await pulled.create_account(enabled=True)
        assert await stored(pulled) == ("ok", [])


async def test_health_is_computed_by_one_process_at_a_time_and_no_change_is_lost(
    pulled: World, dsn: str
):
    database = services_of(pulled).database
    async with as_owner(database) as other:
        assert await health.claim(other, "hp")
        await pulled.create_account(enabled=False)  # it does not wait for the other process
        assert await stored(pulled) == ("needs_attention", []), "the other process has the account"
    assert await stored(pulled) == ("disabled", ["disabled"])
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select count(*) from health_changes") == 0
    await connection.close()


async def test_a_fault_in_one_account_does_not_keep_the_health_of_the_others_from_being_stored(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    load = health.load_facts

    async def load_or_fail(session: Session, account_id: str) -> health.HealthFacts:
        assert account_id != "a0", "this account is broken"
        return await load(session, account_id)

    monkeypatch.setattr(health, "load_facts", load_or_fail)
    await make_account(services_of(pulled).database, "a0")
    await refresh_health(services_of(pulled))
    async with as_owner(services_of(pulled).database) as session:
        assert await health.count_by_health(session) == {"needs_attention": 1, "ok": 1}


async def make_account(database: Database, account_id: str) -> None:
    firm = AccountFields("x", "UTC", "US", None, enabled=True)
    async with as_owner(database) as session:
        await accounts.put_account(session, account_id, firm, now=main.now())


async def test_a_run_that_may_not_read_a_list_has_not_read_all_lists(pulled: World):
    # F19: so `sync_overdue` opens if the right is not given
    before = (await status(pulled))["last_successful_run_at"]
    pulled.simulator.faults.add(Fault("forbidden", path="contacts", times=99))
    await pulled.run("full")
    assert (await status(pulled))["last_successful_run_at"] == before
