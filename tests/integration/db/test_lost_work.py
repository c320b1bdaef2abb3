"""Lost work in the database: the statements find what the rules in Python would do, and nothing else."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, text

from app.db import lost_work
from app.db.accounts import tables as account_tables
from app.db.outbox import waiting
from app.db.runs import run_order, tables, turns
from app.db.runs.runs import Kind, Status, Trigger
from app.db.session import Database, Session
from app.db.system import system_transaction
from app.lanes import RUN_LANES
from app.main import now
from tests.support.sessions import as_owner
from tests.support.waiting_activities import store_waiting, waiting_activity

ACCOUNTS = 400
UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.INTERRUPTED)
JOB = text(
    "insert into pgqueuer (priority, status, entrypoint, dedupe_key, payload)"
    " values (0, cast(:status as pgqueuer_status), :lane, :key, :payload) on conflict do nothing"
)


def any_run(chance: random.Random, account_id: str, number: int) -> dict[str, Any]:
    """Return the row of a run as it may be found: paused, at work, waiting, or ended."""
    status = chance.choice((*UNFINISHED, *UNFINISHED, Status.SUCCEEDED))
    pause = chance.choice((None, None, -60, 60))
    lease = chance.choice((None, None, None, -60, 60)) if status is Status.RUNNING else None
    return {
        "account_id": account_id,
        "run_id": f"run_{number}",
        "kind": chance.choice(list(Kind)),
        "trigger": chance.choice(list(Trigger)),
        "status": status,
        "settings_version": 1,
        "queued_at": now(),
        "resume_at": None if pause is None else now() + timedelta(seconds=pause),
        "leased_until": None
        if lease is None
        else func.clock_timestamp() + timedelta(seconds=lease),
    }


async def store_any_runs(session: Session, chance: random.Random, account_id: str) -> None:
    """Store an account with some runs, and with jobs of some lanes."""
    account = {"name": "x", "time_zone": "UTC", "country": "US", "enabled": True}
    times = {"created_at": now(), "updated_at": now()}
    await session.execute(
        insert(account_tables.accounts).values(account_id=account_id, **account, **times)
    )
    for number in chance.sample(range(9), chance.randint(0, 4)):
        await session.execute(insert(tables.runs).values(any_run(chance, account_id, number)))
    for lane in RUN_LANES:
        if chance.random() < 0.3:
            status = chance.choice(("queued", "picked", "failed"))
            key = {"key": f"{lane.label}:{account_id}", "payload": account_id.encode()}
            await session.execute(JOB, {"status": status, "lane": lane.label, **key})


async def can_be_worked_on(session: Session, account_id: str) -> bool:
    """Return whether a lane without a job has a run that `run_order` lets it work on now."""
    query = text(
        "select dedupe_key from pgqueuer where status in ('queued', 'picked')"
        " and dedupe_key like '%:' || :account"
    )
    jobs = set((await session.execute(query, {"account": account_id})).scalars())
    runs = await turns._waiting_runs(session, account_id)
    free = [lane for lane in RUN_LANES if f"{lane.label}:{account_id}" not in jobs]
    chosen = [run_order.choose(runs, lane, now()) for lane in free]
    return any(choice is not None and not choice.after for choice in chosen)


@pytest.mark.parametrize("seed", [1, 2])
async def test_runs_are_lost_if_the_order_of_runs_lets_a_lane_work_that_has_no_job(
    database: Database, seed: int
):
    chance = random.Random(seed)  # noqa: S311  # an example, no secret
    account_ids = [f"acct_{number:03}" for number in range(ACCOUNTS)]
    async with as_owner(database) as session:
        for account_id in account_ids:
            await store_any_runs(session, chance, account_id)
    async with as_owner(database) as session:
        expected = [each for each in account_ids if await can_be_worked_on(session, each)]
    async with system_transaction(database) as session:
        found = await lost_work.list_accounts_with_lost_runs(session, now=now(), limit=ACCOUNTS)
        first = await lost_work.list_accounts_with_lost_runs(session, now=now(), limit=5)
    assert found == expected
    assert first == expected[:5]
    assert 50 < len(expected) < ACCOUNTS - 50


async def store_any_activities(
    session: Session, chance: random.Random, account_id: str, *, enabled: bool
) -> None:
    """Store an account with some activities, leases of contacts, and perhaps a job."""
    values = {"name": "x", "time_zone": "UTC", "country": "US", "enabled": enabled}
    times = {"created_at": now(), "updated_at": now()}
    await session.execute(
        insert(account_tables.accounts).values(account_id=account_id, **values, **times)
    )
    rows = [
        waiting_activity(
            account_id,
            number,
            clio_contact_id=chance.choice((1001, 1002)),
            status=chance.choice(("queued", "sending", "blocked", "written")),
            due_at=chance.choice(
                (None, now() - timedelta(minutes=1), now() + timedelta(minutes=1))
            ),
        )
        for number in range(chance.randint(0, 3))
    ]
    leased = {(account_id, each): chance.choice((-60, 60)) for each in (1001, 1002)}
    await store_waiting(session, rows, leased=leased)
    if chance.random() < 0.3:
        status = chance.choice(("queued", "picked", "failed"))
        key = {"key": f"write_back:{account_id}", "payload": account_id.encode()}
        await session.execute(JOB, {"status": status, "lane": "write_back", **key})


async def can_be_sent(session: Session, account_id: str) -> bool:
    """Return whether the account has an activity that can be sent, and no job."""
    query = text(
        "select count(*) from pgqueuer where status in ('queued', 'picked') and dedupe_key = :key"
    )
    if (await session.execute(query, {"key": f"write_back:{account_id}"})).scalar_one():
        return False
    everything: dict[str, Any] = {"except_users": (), "except_contacts": (), "now": now()}
    return await waiting.find_contact(session, account_id, **everything) is not None


async def test_writes_are_lost_if_an_activity_can_be_sent_and_has_no_job(database: Database):
    chance = random.Random(1)  # noqa: S311  # an example, no secret
    account_ids = [f"acct_{number:03}" for number in range(ACCOUNTS)]
    async with as_owner(database) as session:
        for account_id in account_ids:
            enabled = chance.random() < 0.8
            await store_any_activities(session, chance, account_id, enabled=enabled)
    async with as_owner(database) as session:
        expected = [each for each in account_ids if await can_be_sent(session, each)]
    async with system_transaction(database) as session:
        found = await lost_work.list_accounts_with_lost_writes(session, now=now(), limit=ACCOUNTS)
        first = await lost_work.list_accounts_with_lost_writes(session, now=now(), limit=5)
    assert found == expected
    assert first == expected[:5]
    assert 20 < len(expected) < ACCOUNTS - 50
