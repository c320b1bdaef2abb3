"""Retention: one process deletes expired rows once a day; a run that lost its job is queued again."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import asyncpg
import time_machine
from sqlalchemy import func, insert, select

from app import main
from app.db import issues, retention, tables
from app.db.accounts import accounts, idempotency
from app.db.accounts.accounts import AccountFields
from app.db.accounts.idempotency import IdempotentRequest
from app.db.connections import attempts
from app.db.connections.connections import OAuthAttempt
from app.db.issues import Finding
from app.db.mirror import tables as mirror_tables
from app.db.runs import slots
from app.db.runs import tables as run_tables
from app.db.runs.slots import Slot
from app.db.session import Database, Session, transaction
from app.simulator.http.server import Simulator
from app.sync import scheduler
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
        attempt = OAuthAttempt("hp", "cnx", "us", "https://x.test", "sealed", now)
        async with transaction(worlds[0].app.state.services.database) as session:
            await idempotency.store_response(
                session, IdempotentRequest("hp", "o", "k", "f"), 1, now=now
            )
            await attempts.store_attempt(session, attempt, state_hash="h")
        before = await counts(dsn)
        assert before["listed"] == 0, "an ended run keeps no details"
        assert all(before[table] for table in TABLES if table != "listed")

        async def all_ask() -> list[bool]:
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(scheduler.delete_expired_daily(world.app.state.services))
                    for world in worlds
                ]
            return [task.result() for task in asked]

        assert sum(await all_ask()) == 1
        assert await counts(dsn) == before, "nothing is old enough"
        with time_machine.travel(now + timedelta(days=7, minutes=1), tick=True):
            assert sum(await all_ask()) == 1
            assert sum(await all_ask()) == 0
        assert set((await counts(dsn)).values()) == {0}


async def test_a_run_that_lost_its_job_is_queued_again_at_start(dsn: str, simulator: Simulator):
    # F30: the state after a restore
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        await world.create_account()
        await world.connect("u_ann", 501)
    connection = await asyncpg.connect(dsn)
    await connection.execute("delete from pgqueuer")
    await connection.close()
    async with opened_world(dsn, simulator, clock=False) as world:
        await scheduler.requeue_lost_runs(world.app.state.services)
        assert [run["status"] for run in await world.settled()] == ["succeeded"]


async def test_old_slots_and_resolved_issues_are_deleted(database: Database):
    # S16, OV-3: an open issue of any age stays, and so does a slot that a late scheduler may still propose
    now, nobody = main.now(), AccountFields("x", "UTC", "US", None, enabled=True)
    async with transaction(database) as session:
        await accounts.put_account(session, "hp", nobody, now=now)
        for code in ("coverage_lost", "run_failed"):
            await issues.open_issue(session, "hp", Finding(code, "x"), now=now)
        await issues.resolve_issues(session, "hp", "run_failed", now=now)
        await slots.claim(session, "hp", Slot(now.date(), "06:00", now), now=now)
        await retention.delete_expired(session, now=now + timedelta(days=7))
        assert await _left(session) == (2, 1)
        await retention.delete_expired(session, now=now + timedelta(days=9))
        assert await _left(session) == (2, 0)
        await retention.delete_expired(session, now=now + timedelta(days=91))
        assert await _left(session) == (1, 0)
        (issue,) = await issues.list_open(session, "hp")
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
    async with transaction(database) as session:
        await accounts.put_account(session, "hp", firm, now=now)
        await session.execute(insert(table), entries)
        for days, left in ((90, [1, 2]), (91, [2])):
            await retention.delete_expired(session, now=now + timedelta(days=days))
            rows = await session.execute(select(table.c.clio_id).order_by(table.c.clio_id))
            assert list(rows.scalars()) == left


async def _left(session: Session) -> tuple[int, ...]:
    counted = [
        (await session.execute(select(func.count()).select_from(table))).scalar_one()
        for table in (tables.issues, run_tables.slots)
    ]
    return tuple(counted)
