"""Beside 100,000 waiting activities and 20,000 jobs the statements of the queue read only a few pages, by an index."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.db import job_queue, lost_work
from app.db.connections import clio_subscriptions, revocations
from app.db.job_queue import OwnJob
from app.db.outbox import waiting
from app.db.session import Database, Session, transaction
from app.db.system import system_transaction
from app.lanes import Lane
from app.main import now
from app.sync.lost_work import ACCOUNTS
from tests.support.sessions import as_owner, listen, unlisten

FILL = (
    # 2,000 firms; the first one has half of all activities, at 10,000 contacts
    "insert into accounts (account_id, name, time_zone, country, enabled, created_at, updated_at)"
    " select 'a' || n, 'x', 'UTC', 'US', true, now(), now() from generate_series(1, 2000) n",
    "insert into activity_turns (account_id, clio_contact_id, accepted)"
    " select distinct 'a' || case when n % 2 = 0 then 1 else 1 + n % 2000 end, n % 20000, 99"
    " from generate_series(1, 100000) n",
    "insert into activities (account_id, activity_id, kind, status, user_id, clio_contact_id, place,"
    "  occurred_at, time_zone, local_date, subject, body, created_at)"
    " select 'a' || case when n % 2 = 0 then 1 else 1 + n % 2000 end, 'act_' || lpad(n::text, 9, '0'),"
    "  'note', 'queued', 'u_' || n % 3, n % 20000, n, now(), 'UTC', current_date, 'x', 'x', now()"
    " from generate_series(1, 100000) n",
    # two firms whose activities are all due later: 20,000 at one contact behind the first, and 5,000 contacts
    "insert into activity_turns (account_id, clio_contact_id, accepted)"
    " select 'a5', 999999, 99 union all select 'a3', 1000000 + n, 99 from generate_series(1, 5000) n",
    "insert into activities (account_id, activity_id, kind, status, user_id, clio_contact_id, place,"
    "  occurred_at, time_zone, local_date, subject, body, created_at, due_at)"
    " select account, 'act_later_' || n, 'note', 'queued', 'u_1', contact, n, now(), 'UTC', current_date, 'x', 'x',"
    "  now(), case when n = 1 or account = 'a3' then now() + interval '1 hour' end"
    " from (select 'a5' account, 999999 contact, n from generate_series(1, 20000) n"
    "  union all select 'a3', 1000000 + n, n from generate_series(1, 5000) n) later",
    "insert into runs (account_id, run_id, kind, trigger, status, settings_version, queued_at)"
    " select 'a' || 1 + n % 2000, 'run_' || n, 'full', 'schedule',"
    "  case when n > 19900 then 'queued' else 'succeeded' end, 1, now() from generate_series(1, 20000) n",
    "insert into pgqueuer (priority, status, entrypoint, dedupe_key, payload, execute_after)"
    " select 0, 'queued', lane, lane || ':a' || n, 'a', now() + (n % 7 - 3) * interval '1 minute'"
    " from generate_series(1, 4000) n,"
    "  unnest(array['write_back', 'incremental', 'initial', 'reconcile', 'person']) lane"
    " where n > 100",
    # of each firm one row is due; half of these have a job
    "insert into revocations"
    " (account_id, revocation_id, connection_id, user_id, region, sealed_tokens, owed_since, due_at)"
    " select 'a' || 1 + n % 2000, 'rvk_' || n, 'cnx', 'u', 'us', 'x', now(),"
    "  now() + (n - 2000) * interval '1 minute' from generate_series(1, 20000) n",
    "insert into subscriptions (account_id, connection_id, model, due_at)"
    " select 'a' || 1 + n % 2000, 'cnx_' || n, 'contact', now() + (n - 2000) * interval '1 minute'"
    " from generate_series(1, 20000) n",
    "insert into pgqueuer (priority, status, entrypoint, dedupe_key, payload)"
    " select 0, 'queued', 'housekeeping', 'housekeeping:' || task || ':a' || n, 'a'"
    " from generate_series(1, 1000) n, unnest(array['deauthorisation', 'subscriptions']) task",
    "analyze accounts, activities, activity_turns, runs, pgqueuer, revocations, subscriptions",
)
ONE_ACCOUNT = 60  # pages that a statement about one account may read
ALL_ACCOUNTS = (
    12_000  # pages for a look at all accounts with waiting work, most of them more than once
)
LARGE = {"activities", "pgqueuer", "runs", "activity_turns", "revocations", "subscriptions"}
Step = Callable[[Session], Awaitable[object]]


async def explain(database: Database, step: Step, account_id: str | None) -> list[dict[str, Any]]:
    """Do a step of an account, or of all, and return the plan of each of its statements as it was executed."""

    def opened() -> AbstractAsyncContextManager[Session]:
        if account_id is None:
            return system_transaction(database)
        return transaction(database, account_id)

    statements: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        statements.append((given[2], given[3]))

    async with opened() as session:
        listen(database, "before_cursor_execute", note)
        await step(session)
        unlisten(database, "before_cursor_execute", note)
    found = []
    async with opened() as session:
        for statement, parameters in statements:
            asked = f"explain (analyze, buffers, format json) {statement}"
            plan = (await session.exec_driver_sql(asked, parameters)).scalar_one()
            found += json.loads(plan) if isinstance(plan, str) else plan
    return found


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


EVERYBODY: dict[str, Any] = {"except_users": (), "except_contacts": (), "now": now()}
CLOSED = {f"u_{number}": now() + timedelta(minutes=1) for number in range(3)}
ONE: dict[str, tuple[str, Step]] = {
    "find_contact": ("a1", lambda s: waiting.find_contact(s, "a1", **EVERYBODY)),
    "next_due": ("a1", lambda s: waiting.next_due(s, "a1", closed={}, now=now())),
    "next_due_closed": ("a1", lambda s: waiting.next_due(s, "a1", closed=CLOSED, now=now())),
    "find_behind": ("a5", lambda s: waiting.find_contact(s, "a5", **EVERYBODY)),
    "next_due_behind": ("a5", lambda s: waiting.next_due(s, "a5", closed={}, now=now())),
    "find_later": ("a3", lambda s: waiting.find_contact(s, "a3", **EVERYBODY)),
    "next_due_later": ("a3", lambda s: waiting.next_due(s, "a3", closed={}, now=now())),
    "want": ("a3000", lambda s: job_queue.want(s, Lane.WRITE_BACK, "a3000")),
    "want_new": ("a1", lambda s: job_queue.want(s, Lane.WRITE_BACK, "new")),
    "delete_own_job": ("a1", lambda s: job_queue.delete_own_job(s, OwnJob(5000, f"{NOBODY}"))),
    "delete_jobs": ("a3000", lambda s: job_queue.delete_jobs(s, "a3000")),
    "claim_revocations": ("a1", lambda s: revocations.claim_due(s, "a1", limit=10, now=now())),
    "claim_subscriptions": (
        "a1",
        lambda s: clio_subscriptions.claim_due(
            s, "a1", again=timedelta(minutes=10), limit=10, now=now()
        ),
    ),
    "next_revocation": ("a1", lambda s: revocations.next_due(s, "a1")),
    "next_subscription": ("a1", lambda s: clio_subscriptions.next_due(s, "a1")),
}
ALL: dict[str, Step] = {
    "lost_runs": lambda s: lost_work.list_accounts_with_lost_runs(s, now=now(), limit=ACCOUNTS),
    "lost_writes": lambda s: lost_work.list_accounts_with_lost_writes(s, now=now(), limit=ACCOUNTS),
    "lost_housekeeping": lambda s: lost_work.list_lost_housekeeping(s, now=now(), limit=ACCOUNTS),
    "measure": job_queue.measure,
}
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def full(database: Database) -> Database:
    """A database with much waiting work."""
    async with as_owner(database) as session:
        # The service plans each statement anew; here that would be the check of the foreign key of each row.
        await session.execute(text("set local plan_cache_mode = auto"))
        for statement in FILL:
            await session.exec_driver_sql(statement)
    return database


async def test_the_statements_of_the_queue_use_an_index(full: Database):
    for name, (account_id, step) in ONE.items():
        check(name, await explain(full, step, account_id), ONE_ACCOUNT)
    for name, step in ALL.items():
        check(name, await explain(full, step, None), ALL_ACCOUNTS)


def check(name: str, plans: list[dict[str, Any]], most: int) -> None:
    """Check that the plans read a large table only by an index, and no more pages."""
    for plan in plans:
        found = nodes(plan["Plan"])
        scanned = {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}
        read = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
        assert not scanned & LARGE, name
        assert read <= most, name
