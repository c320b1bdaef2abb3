"""What the lists over many accounts show: pages of accounts by health, name or last success, and counts over them.

Every statement is about all accounts, or about those that a token is for. An account that is being erased is not shown.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    DateTime,
    Integer,
    Select,
    Text,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db import tables
from app.db.accounts import accounts
from app.db.accounts import tables as account_tables
from app.db.accounts.accounts import Account
from app.db.connections import tables as connection_tables
from app.db.contacts import tables as contact_tables
from app.db.list_pages import Listed, ListPage, SortedBy, read_page
from app.db.runs import runs
from app.db.runs import tables as run_tables
from app.db.runs.runs import Run
from app.db.session import Session, among, any_of

_accounts = account_tables.accounts
_logins = connection_tables.connections
_issues = tables.issues
_holds = contact_tables.holds
_runs = run_tables.runs
_BY_CREATION = SortedBy(_accounts.c.account_id, _accounts.c.created_at, chronological=False)
# Each has an index. The name of a key is that of the order, and of the column that a row of it has.
KEYS: Mapping[str, Any] = {
    "health": literal_column(f"({account_tables.HEALTH_RANK})", Integer),
    "name": literal_column(f"({account_tables.NAME_KEY})", Text),
    "last_success": literal_column(f"({account_tables.LAST_SUCCESS})", DateTime(timezone=True)),
}
_WORDS = re.compile(r"[^\W_]+")
_SPOKEN = func.concat(  # id and name in lower case, with a space before each word
    " ",
    func.regexp_replace(
        func.lower(func.concat(_accounts.c.account_id, " ", _accounts.c.name)),
        "[^[:alnum:]]+",
        " ",
        "g",
    ),
)
_each = (
    func.unnest(bindparam("accounts", type_=ARRAY(Text)))
    .table_valued("key", name="wanted")
    .render_derived()
)
_newest = (
    select(_runs)
    .where(_runs.c.account_id == _each.c.key)
    .order_by(_runs.c.run_id.desc())
    .limit(1)
    .correlate(_each)
    .lateral("newest")
)
_NEWEST_RUNS = select(_newest).select_from(_each).join(_newest, true())


@dataclass(frozen=True)
class FleetFilter:
    """Which accounts are wanted: those of a health, and those whose id and name have words with these beginnings."""

    health: str | None = None
    q: str | None = None


@dataclass(frozen=True)
class FleetRow:
    """An account with its stored health. `key` is what sorts it, in an order that has a key."""

    account: Account
    health: str
    reasons: Sequence[Mapping[str, str]]
    synced_at: datetime | None
    key: Any = None


@dataclass(frozen=True)
class FleetPage:
    """The page of a list, the key by which it is sorted if it has one, and the accounts of the token."""

    page: ListPage
    sorted_by: str | None
    only: Collection[str] | None


async def list_fleet(session: Session, wanted: FleetFilter, asked: FleetPage) -> Listed[FleetRow]:
    """Return a page of the accounts that are wanted, with their stored health."""
    key, page = KEYS.get(asked.sorted_by or ""), asked.page
    query = accounts.visible(asked.only).where(*_conditions(wanted))
    if key is None:
        found = await read_page(session, query, _BY_CREATION, page)
        return found.of(_row)
    if page.since is not None:
        query = query.where(_accounts.c.created_at >= page.since)
    if page.until is not None:
        query = query.where(_accounts.c.created_at < page.until)
    timeless = ListPage(page.limit, page.after, "oldest", count=page.count)
    by = SortedBy(_accounts.c.account_id, key, chronological=False)
    found = await read_page(session, query.add_columns(key.label("sort_key")), by, timeless)
    return found.of(_row)


def _conditions(wanted: FleetFilter) -> list[Any]:
    """Return the conditions of a filter. A text without a letter or digit finds nothing."""
    conditions: list[Any] = []
    if wanted.health is not None:
        rank = ("needs_attention", "degraded", "ok", "disabled").index(wanted.health) + 1
        conditions.append(KEYS["health"] == rank)
    if wanted.q is not None:
        words = _WORDS.findall(wanted.q.lower())
        conditions += [_SPOKEN.contains(f" {word}", autoescape=True) for word in words] or [
            literal(value=False)
        ]
    return conditions


def _row(row: Any) -> FleetRow:
    data = row._mapping
    return FleetRow(
        account=accounts.account_of(row),
        health=data["health"],
        reasons=data["health_reasons"],
        synced_at=data["last_success_at"],
        key=data.get("sort_key"),
    )


async def newest_runs(session: Session, account_ids: Collection[str]) -> dict[str, Run]:
    """Return the newest run of each of these accounts that has one, by account."""
    rows = await session.execute(_NEWEST_RUNS, {"accounts": list(account_ids)})
    return {row.account_id: runs.run_of(row) for row in rows}


async def count_logins(session: Session, account_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Return how many logins of each of these accounts work and how many need their users, by account and status."""
    counted = _count_by(_logins.c.account_id, _logins.c.status).where(
        among(_logins.c.account_id, "accounts"),
        _logins.c.status.in_(("connected", "needs_reconnect")),
    )
    found: dict[str, dict[str, int]] = {account: {} for account in account_ids}
    for row in await session.execute(counted, {"accounts": list(account_ids)}):
        found[row.account_id][row.status] = row.n
    return found


async def list_names(session: Session, account_ids: Collection[str]) -> dict[str, str]:
    """Return the names of these accounts, by id. One that is being erased is not named."""
    query = accounts.visible(account_ids)
    return {row.account_id: row.name for row in await session.execute(query)}


async def list_first_runs(session: Session, only: Collection[str] | None, limit: int) -> list[Run]:
    """Return first runs that have not ended, the oldest first, of the accounts in `only` or of all."""
    query = select(_runs).where(text("status in ('queued', 'running', 'interrupted')"))
    query = query.where(_runs.c.kind == runs.Kind.INITIAL).order_by(_runs.c.run_id).limit(limit)
    if only is not None:
        query = query.where(any_of(_runs.c.account_id, only))
    return [runs.run_of(row) for row in await session.execute(query)]


async def count_open_issues(session: Session, account_ids: Collection[str]) -> dict[str, int]:
    """Return how many issues of these accounts are open, by account; one without any is not named."""
    counted = _count_by(_issues.c.account_id).where(
        among(_issues.c.account_id, "accounts"), _issues.c.resolved_at.is_(None)
    )
    rows = await session.execute(counted, {"accounts": list(account_ids)})
    return {row.account_id: row.n for row in rows}


def _count_by(*columns: Any) -> Select[Any]:
    return select(*columns, func.count().label("n")).group_by(*columns)


async def count_runs_in_flight(session: Session, only: Collection[str] | None) -> int:
    """Return how many runs have not ended, of the accounts in `only` or of all."""
    unfinished = text("status in ('queued', 'running', 'interrupted')")
    return await _count(session, _runs, unfinished, only)


async def count_open_holds(session: Session, only: Collection[str] | None) -> int:
    """Return how many holds wait for a person, of the accounts in `only` or of all."""
    return await _count(session, _holds, text("status = 'open'"), only)


async def _count(session: Session, table: Any, condition: Any, only: Collection[str] | None) -> int:
    """Count rows by the index that has the same condition."""
    query = select(func.count()).select_from(table).where(condition)
    if only is not None:
        query = query.where(any_of(table.c.account_id, only))
    return int((await session.execute(query)).scalar_one())
