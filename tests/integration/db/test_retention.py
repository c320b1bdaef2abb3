"""Retention: what expires, what stays, and how; a run that lost its job is queued again."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
import time_machine
from sqlalchemy import Column, func, insert, select, text

from app import main
from app.clio.call_budget import CallBudget
from app.db import issues, retention, tables
from app.db.accounts import accounts, audit, health, idempotency
from app.db.accounts import tables as account_tables
from app.db.accounts.accounts import AccountFields
from app.db.accounts.audit import Actor, AuditAction
from app.db.accounts.idempotency import IdempotentRequest, StoredResult
from app.db.connections import attempts
from app.db.connections.attempts import OAuthAttempt
from app.db.contacts import tables as contact_tables
from app.db.events import tables as event_tables
from app.db.issues import Finding
from app.db.mirror import tables as mirror_tables
from app.db.outbox import tables as outbox_tables
from app.db.runs import runs, slots
from app.db.runs import tables as run_tables
from app.db.runs.runs import Trigger
from app.db.runs.slots import Slot
from app.db.session import Database, Session
from app.lanes import RETENTION, Lane, housekeeping_key
from app.simulator.http.server import Simulator
from app.sync import scheduler
from app.sync.lost_work import queue_due_work
from app.sync.services import Services
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.retention import delete_expired
from tests.support.sessions import as_owner
from tests.support.slices import do_slice, do_slices
from tests.support.world import opened_world

TABLES = ("idempotency_keys", "authorizations", "pgqueuer_log", "listed")


async def counts(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        return {t: await connection.fetchval(f"select count(*) from {t}") for t in TABLES}
    finally:
        await connection.close()


async def test_one_of_many_processes_deletes_expired_rows_once_a_day(
    dsn: str, simulator: Simulator
):
    # S16: pgqueuer never prunes its log
    async with opened_world(
        dsn, simulator, clock=False
    ) as working:  # its log is complete at its end
        await working.create_account()
        await working.connect("u_ann", 501)
        await working.settled()
        await working.run()
    async with AsyncExitStack() as stack:
        worlds = [
            await stack.enter_async_context(
                opened_world(dsn, simulator, clock=False, workers=False)
            )
            for _ in range(3)
        ]
        now = main.now()
        attempt = OAuthAttempt("hp", "h", "cnx", "us", "https://x.test", "sealed", now)
        async with as_owner(worlds[0].app.state.services.database) as session:
            await idempotency.store_response(
                session, IdempotentRequest("hp", "o", "k", "f"), StoredResult(1, None), now=now
            )
            await attempts.store_attempt(session, attempt)
        before = await counts(dsn)
        assert before["listed"] == 0, "an ended run keeps no details"
        assert all(before[table] for table in TABLES if table != "listed")

        async def all_ask() -> int:
            """Let all processes ask and the jobs be done; return how many jobs were queued."""
            async with asyncio.TaskGroup() as group:
                for world in worlds:
                    group.create_task(scheduler.delete_expired_daily(world.app.state.services))
            queued = await retention_jobs(dsn)
            for name in queued:
                await do_slices(worlds[0].app.state.services, Lane.HOUSEKEEPING, name)
            assert await retention_jobs(dsn) == []
            return len(queued)

        assert await all_ask() == len(retention.TABLES)
        logged = before["pgqueuer_log"] + len(retention.TABLES)
        assert await counts(dsn) == {**before, "pgqueuer_log": logged}, "nothing is old enough"
        with time_machine.travel(now + timedelta(days=7, minutes=1), tick=True):
            assert await all_ask() == len(retention.TABLES)
            assert await all_ask() == 0
        assert set((await counts(dsn)).values()) == {0}


async def test_the_log_of_the_queue_is_kept_for_one_day(database: Database):
    logged = "insert into pgqueuer_log (job_id, status, priority, entrypoint) values (1, 'successful', 0, 'person')"
    async with as_owner(database) as session:
        await session.execute(text(logged))
        left = []
        for hours in (23, 25):
            await delete_expired(session, now=main.now() + timedelta(hours=hours))
            left.append(
                (await session.execute(text("select count(*) from pgqueuer_log"))).scalar_one()
            )
    assert left == [1, 0]


async def retention_jobs(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "select convert_from(payload, 'UTF8') as key from pgqueuer where entrypoint = $1",
            Lane.HOUSEKEEPING.label,
        )
    finally:
        await connection.close()
    return [row["key"] for row in found]


async def test_a_run_that_lost_its_job_is_queued_again_at_start(dsn: str, simulator: Simulator):
    # F30: the state after a restore
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        await world.create_account()
        await world.connect("u_ann", 501)
    connection = await asyncpg.connect(dsn)
    await connection.execute("delete from pgqueuer")
    await connection.close()
    async with opened_world(dsn, simulator, clock=False) as world:
        await queue_due_work(world.app.state.services)
        assert [run["status"] for run in await world.settled()] == ["succeeded"]


async def test_old_slots_and_resolved_issues_are_deleted(database: Database):
    # S16, OV-3: an open issue of any age stays, and so does a slot that a late scheduler may still propose
    now, nobody = main.now(), AccountFields("x", "UTC", "US", None, enabled=True)
    async with as_owner(database) as session:
        await accounts.put_account(session, "hp", nobody, now=now)
        for code in ("coverage_lost", "run_failed"):
            await issues.open_issue(session, "hp", Finding(code, "x"), now=now)
        await issues.resolve_issues(session, "hp", "run_failed", now=now)
        await slots.claim(session, "hp", Slot(now.date(), "06:00", now), now=now)
        await delete_expired(session, now=now + timedelta(days=7))
        assert await _left(session) == (2, 1)
        await delete_expired(session, now=now + timedelta(days=9))
        assert await _left(session) == (2, 0)
        await delete_expired(session, now=now + timedelta(days=91))
        assert await _left(session) == (1, 0)
        (issue,) = await issues.list_open(session, "hp", ["coverage_lost", "run_failed"])
        assert issue.code == "coverage_lost"


async def test_a_resolved_quarantine_entry_is_deleted_after_90_days_and_an_open_one_stays(
    database: Database,
):
    # S16, row 34
    now, firm = main.now(), AccountFields("x", "UTC", "US", None, enabled=True)
    table = mirror_tables.quarantine
    entry = {
        "account_id": "hp", "resource": "contacts", "connection_id": "cnx", "run_id": "run",
        "reason": "id", "found_at": now,
    }  # fmt: skip
    entries = [
        {**entry, "clio_id": 1, "resolved_at": now},
        {**entry, "clio_id": 2, "resolved_at": None},
    ]
    async with as_owner(database) as session:
        await accounts.put_account(session, "hp", firm, now=now)
        await session.execute(insert(table), entries)
        for days, left in ((90, [1, 2]), (91, [2])):
            await delete_expired(session, now=now + timedelta(days=days))
            rows = await session.execute(select(table.c.clio_id).order_by(table.c.clio_id))
            assert list(rows.scalars()) == left


async def test_more_rows_than_one_batch_are_deleted_and_a_slice_ends_after_three_seconds(
    dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.sync.retention.BATCH_SIZE", 2)
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        await world.create_account()
        services: Services = world.app.state.services
        old = services.now() - timedelta(days=8)
        async with as_owner(services.database) as session:
            for n in range(7):
                request = IdempotentRequest("hp", "o", f"k{n}", "f")
                await idempotency.store_response(session, request, StoredResult(1, None), now=old)
        ticks = count()
        slow = replace(services, open_budget=lambda: CallBudget(lambda: float(next(ticks))))
        key = housekeeping_key(RETENTION, "idempotency_keys")
        assert await do_slice(slow, Lane.HOUSEKEEPING, key) == timedelta(0), "it goes on at once"
        assert (await counts(dsn))["idempotency_keys"] == 3
        assert await do_slice(services, Lane.HOUSEKEEPING, key) is None
        assert (await counts(dsn))["idempotency_keys"] == 0


RUNS = {  # by id: kind, trigger, status
    "run_1": ("initial", "connect", "succeeded"),
    "run_2": ("full", "schedule", "succeeded"),
    "run_3": ("full", "schedule", "succeeded"),
    "run_4": ("incremental", "schedule", "succeeded"),
    "run_5": ("incremental", "webhook", "succeeded"),
    "run_6": ("incremental", "schedule", "cancelled"),
    "run_7": ("full", "schedule", "succeeded"),
    "run_8": ("incremental", "webhook", "succeeded"),
    "run_9": ("incremental", "schedule", "running"),
}


async def test_of_old_runs_those_stay_that_something_depends_on(database: Database):
    # the newest of each kind, cause and outcome; run_3 has an open hold; the order of time has no gaps
    now, begun = main.now(), main.now() - timedelta(days=500)
    await make_account(database, "hp")
    holds = contact_tables.holds
    hold = {"hold_id": "h", "kind": "removals", "status": "open", "run_id": "run_3"}
    pull = {"connection_id": "cnx", "resource": "contacts", "complete": True}
    async with as_owner(database) as session:
        for nth, (run_id, (kind, trigger, status)) in enumerate(RUNS.items()):
            ended = None if status == "running" else begun + timedelta(hours=nth)
            run = {"kind": kind, "trigger": trigger, "status": status, "finished_at": ended}
            key = {"account_id": "hp", "run_id": run_id}
            await session.execute(
                insert(run_tables.runs).values(
                    **key, **run, settings_version=1, queued_at=begun, started_at=begun
                )
            )
            await session.execute(insert(run_tables.pulls).values(**key, **pull))
        await session.execute(insert(holds).values(account_id="hp", opened_at=begun, **hold))
        before = await _what_runs_say(session)
        await delete_expired(session, now=begun + timedelta(days=400), limit=10)
        assert await _column(session, run_tables.runs.c.run_id) == sorted(RUNS)
        await delete_expired(session, now=now, limit=10)
        left = sorted(RUNS.keys() - {"run_2", "run_5"})
        assert await _column(session, run_tables.runs.c.run_id) == left
        assert await _column(session, run_tables.pulls.c.run_id) == left
        assert await _what_runs_say(session) == before
        assert await _column(session, tables.sweeps.c.name) == []


async def _what_runs_say(session: Session) -> tuple[object, ...]:
    return (
        await runs.has_initial(session, "hp"),
        await runs.has_complete_pull(session, "hp"),
        await runs.is_incomplete(session, "hp"),
        (await health.load_facts(session, "hp")).synced_at,
        await runs.newest_run(session, "hp"),
        await runs.newest_run(session, "hp", Trigger.WEBHOOK),
    )


ENDED = {"status": "written", "unsure": False, "conversation_id": None, "marker": "M", "place": 1}
THREAD = {"conversation_id": "c", "clio_contact_id": 1}


@pytest.mark.parametrize(
    ("stays", "activity"),
    [
        (False, {}),
        (False, {"status": "skipped", "marker": None}),
        (False, {"status": "failed"}),
        (False, {"status": "cancelled"}),
        (True, {"status": "queued"}),
        (True, {"status": "sending"}),
        (True, {"status": "blocked"}),
        (True, {"status": "failed", "unsure": True}),
        (False, {**THREAD, "marker": None}),
        (False, {**THREAD, "place": 2}),
        (True, {**THREAD, "place": 4}),
    ],
    ids=str,
)
async def test_of_old_activities_those_stay_that_may_be_needed(
    database: Database, stays: bool, activity: dict[str, object]
):
    # WB-3: `newer` is of the same conversation and day as some of them
    old = main.now() - timedelta(days=401)
    await make_account(database, "hp")
    same = {
        "account_id": "hp", "kind": "email", "user_id": "u", "occurred_at": old, "time_zone": "UTC",
        "local_date": old.date(), "subject": "", "body": "",
    }  # fmt: skip
    newer = {**ENDED, **THREAD, "activity_id": "newer", "created_at": main.now(), "place": 3}
    found = {**ENDED, **activity, "activity_id": "old", "created_at": old}
    async with as_owner(database) as session:
        for row in (newer, found):
            await session.execute(insert(outbox_tables.activities).values(**same, **row))
        await delete_expired(session, now=main.now())
        left = await _column(session, outbox_tables.activities.c.activity_id)
    assert left == ["newer", *(["old"] if stays else [])]


async def test_old_attempts_and_audit_entries_are_deleted(database: Database):
    now = main.now()
    await make_account(database, "hp")
    attempt = {"activity_id": "act", "fence": 1, "connection_id": "cnx"}
    async with as_owner(database) as session:
        for nth, days in enumerate((29, 31)):
            began = now - timedelta(days=days)
            row = insert(outbox_tables.activity_attempts).values(account_id="hp", **attempt)
            await session.execute(row.values(attempt=nth, began_at=began))
        for days in (2554, 2556):
            action = AuditAction(f"days.{days}")
            await audit.record(session, "hp", Actor(), action, now=now - timedelta(days=days))
        await delete_expired(session, now=now)
        assert await _column(session, outbox_tables.activity_attempts.c.attempt) == [0]
        assert await _column(session, account_tables.audit.c.action) == ["days.2554"]


async def test_an_event_stays_while_it_can_still_be_delivered(database: Database):
    # an endpoint that is disabled gets the events of 30 days when it is enabled again
    old = main.now() - timedelta(days=31)
    await make_account(database, "hp")
    cases = {"e1": ("on", "pending"), "e2": ("on", "failed"), "e3": ("off", "pending")}
    async with as_owner(database) as session:
        for endpoint_id in ("on", "off"):
            await session.execute(
                insert(event_tables.webhook_endpoints).values(
                    endpoint_id=endpoint_id, token_id="bootstrap", url="https://x.test", kinds=["*"],
                    description="", enabled=endpoint_id == "on", sealed_secret="s",
                    created_at=old, updated_at=old,
                )
            )  # fmt: skip
        for event_id, (endpoint_id, status) in cases.items():
            key = {"account_id": "hp", "event_id": event_id, "subject": "s"}
            await session.execute(
                insert(event_tables.events).values(**key, kind="run.finished", data={}, at=old)
            )
            await session.execute(
                insert(event_tables.deliveries).values(
                    **key, endpoint_id=endpoint_id, delivery_id=event_id, status=status,
                    due_at=old, created_at=old,
                )
            )  # fmt: skip
        await delete_expired(session, now=main.now())
        assert await _column(session, event_tables.events.c.event_id) == ["e1"]
        assert await _column(session, event_tables.deliveries.c.event_id) == ["e1"]


async def _column(session: Session, column: Column[Any]) -> list[Any]:
    return list((await session.execute(select(column).order_by(column))).scalars())


async def _left(session: Session) -> tuple[int, ...]:
    counted = [
        (await session.execute(select(func.count()).select_from(table))).scalar_one()
        for table in (tables.issues, run_tables.slots)
    ]
    return tuple(counted)
