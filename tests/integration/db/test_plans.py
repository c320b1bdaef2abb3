"""What is done at the end of a run and once a day finds its rows by an index: nothing reads a table of all firms."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from app.db import deleted_endpoints, retention
from app.db.accounts import audit
from app.db.accounts.audit import AuditFilter
from app.db.contacts import (
    contacts,
    hold_decisions,
    new_client_holds,
    new_clients,
    visible_contacts,
    visible_holds,
    visible_new_clients,
)
from app.db.contacts.contact_lists import ContactFilter
from app.db.contacts.new_clients import NewClientFilter
from app.db.list_pages import ListPage
from app.db.mirror import (
    coverage,
    hidden_matters,
    quarantine,
    removals,
    staleness,
    visibility,
)
from app.db.mirror.audience import Audience, find_partly_seen, find_seen
from app.db.outbox import outbox
from app.db.outbox.activities import ActivityFilter
from app.db.session import Database, Session, transaction
from app.db.system import system_transaction
from app.main import now
from app.rules.new_clients import HeldFor
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import listen, unlisten

Step = Callable[[Session], Awaitable[object]]


@asynccontextmanager
async def plans(
    database: Database, account_id: str | None = "a"
) -> AsyncIterator[tuple[Session, list[str]]]:
    """Yield a session and the plans of its statements, which PostgreSQL makes as for large tables.

    With None the session is over all accounts.
    """
    opened = transaction(database, account_id) if account_id else system_transaction(database)
    found: list[str] = []
    statements: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        statements.append((given[2], given[3]))

    async with opened as session:
        await session.execute(text("set local enable_seqscan = off"))
        listen(database, "before_cursor_execute", note)
        yield session, found
        unlisten(database, "before_cursor_execute", note)
        for statement, parameters in statements:
            if statement.startswith("set"):
                continue
            plan = await session.exec_driver_sql(f"explain {statement}", parameters)
            found.append("\n".join(plan.scalars()))


RETENTION = {
    "runs": "finished_at",
    "activities": "created_at",
    "activity_attempts": "began_at",
    "events": "at",
    "audit": "at",
    "service_audit": "at",
    "activity_texts": "written_at",
    "idempotency_keys": "created_at",
    "authorizations": "expires_at",
    "connect_links": "expires_at",
    "console_sessions": "expires_at",
    "quarantine": "resolved_at",
    "issues": "resolved_at",
    "erasures": "finished_at",
    "scope_changes": "at",
    "slots": "local_date",
    "listed": "run_id",
    "list_failures": "run_id",
    "run_logins": "run_id",
    "lookups": "run_id",
    "named_records": "run_id",
    "pgqueuer_log": "created",
}


async def test_retention_finds_what_is_old_by_an_index(database: Database):
    # Of chores there are a few each day, and a queue has a job for each lane and account.
    assert RETENTION.keys() == retention.TABLES.keys() - {"chores", "failed_jobs"}
    for name, column in RETENTION.items():
        async with plans(database, None) as (session, found):
            await retention.delete_some(session, name, retention.Periods(), now=now(), limit=9)
        conditions = [line for plan in found for line in plan.splitlines() if "Index Cond" in line]
        assert any(f"({column} " in line or f".{column} " in line or f"{column})" in line for line in conditions), (
            name, found,
        )  # fmt: skip


STEPS: dict[str, Step] = {
    "coverage_changes_pk": lambda s: coverage.has_changed(s, "a"),
    "sightings_pk": lambda s: visibility.count_ever_seen(s, "a", "cnx"),
    "mirror_matters_unsettled_idx": lambda s: hidden_matters.update_hidden_matters(
        s, "a", everything=False, after=0, limit=9
    ),
    "pulls_read_idx": lambda s: hidden_matters.load_viewers(s, "a"),
    "contacts_state_idx": lambda s: contacts.count_by_state(s, "a"),
    "mirror_matters_former_client_idx": lambda s: removals.find_successors(s, "a", [1]),
    "InitPlan": lambda s: staleness.mark_stale(s, "a", staleness.Affected(employees_of=[1])),
    "quarantine_open_idx": lambda s: quarantine.list_open(s, "a", limit=9),
    "new_clients_held_for_idx": lambda s: new_clients.lock_held(s, "a", HeldFor.RUN),
}


async def test_looking_for_new_clients_without_a_hold_reads_one_page_of_an_index(
    database: Database,
):
    await make_account(database, "a")
    async with plans(database) as (session, found):
        await new_client_holds.list_unheld(session, "a", HeldFor.SETTING, after=0, limit=9)
    assert any("new_clients_held_for_idx" in plan for plan in found), found


async def test_the_summary_of_a_hold_reads_the_row_of_each_item_by_its_key(database: Database):
    # Without statistics it read all held rows for each item: 14 seconds for 10,000 of them.
    await make_account(database, "a")
    async with plans(database) as (session, found):
        await new_client_holds.summarize(session, "a", ["hld"])
    assert any("new_clients_pk" in plan for plan in found), found


async def test_looking_for_decisions_that_are_not_carried_out_reads_an_index(database: Database):
    async with plans(database, None) as (session, found):
        await hold_decisions.list_unfinished(session, limit=9)
    assert any("holds_unfinished_idx" in plan for plan in found), found


async def test_deleting_an_endpoint_reads_an_index(database: Database):
    async with plans(database, None) as (session, found):
        await deleted_endpoints.delete_some_deliveries(session, "whe", limit=9)
    assert any("deliveries_id_idx" in plan for plan in found), found


@pytest.mark.parametrize("index", STEPS)
async def test_the_end_of_a_run_reads_an_index(database: Database, index: str):
    await make_account(database, "a")
    async with plans(database) as (session, found):
        await STEPS[index](session)
    assert any(index in plan for plan in found), found


CAT = Audience("cnx", "u_cat")
LIMITED: dict[str, Step] = {
    "contacts": lambda s: visible_contacts.list_contacts(
        s, "a", ContactFilter(q="x"), CAT, ListPage(9)
    ),
    "one contact": lambda s: contacts.find_clio_id(s, "a", "con", CAT),
    "new clients": lambda s: visible_new_clients.list_new_clients(
        s, "a", CAT, NewClientFilter(), ListPage(9)
    ),
    "activities": lambda s: outbox.list_activities(s, "a", ActivityFilter(), CAT, ListPage(9)),
    "audit": lambda s: audit.list_entries(s, "a", CAT, AuditFilter(), ListPage(9)),
    "hold": lambda s: visible_holds.list_items(s, "a", CAT, "hld", after=0, limit=9),
    "matters": lambda s: find_seen(s, "a", CAT, "matters", [1, 2]),
    "all matters of a person": lambda s: find_partly_seen(s, "a", CAT, [1, 2]),
}


@pytest.mark.parametrize("name", LIMITED)
async def test_what_a_login_sees_is_looked_up_for_each_row_by_the_whole_key(
    database: Database, name: str
):
    # API-30: with a join PostgreSQL could read all sightings of the firm for one page
    await make_account(database, "a")
    async with plans(database) as (session, found):
        await LIMITED[name](session)
    conditions = [
        line
        for plan in found
        for before, line in pairwise(plan.splitlines())
        if "sightings_pk" in before
    ]
    assert conditions
    for line in conditions:
        assert all(
            column in line for column in ("account_id", "resource", "clio_id", "connection_id")
        ), line
    assert not any(
        join in plan for plan in found for join in ("Hash Join", "Merge Join", "Semi Join")
    )
