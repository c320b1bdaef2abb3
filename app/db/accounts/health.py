"""The stored health of the accounts, the facts from which it follows, and which accounts must be computed again.

What the health is, and when an account is overdue, is decided in `app/sync/health.py`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import NoResultFound

from app.db.accounts import receipts, tables
from app.db.runs.tables import READ_FIRM
from app.db.session import Session, any_of

_accounts = tables.accounts
_changes = tables.health_changes


@dataclass(frozen=True)
class OpenIssues:
    """The open issues of one code: the highest severity, their number, and the detail of the oldest."""

    code: str
    severity: str
    count: int
    detail: str


@dataclass(frozen=True)
class HealthFacts:
    """The facts from which the health of an account follows.

    `synced_at` is the end of the newest run that succeeded and read every list; `progressed_at` is when an unfinished
    first run last stored something; `first_connected_at` is None if no login ever worked.
    """

    enabled: bool
    enabled_at: datetime
    time_zone: str
    first_connected_at: datetime | None
    working_logins: int
    synced_at: datetime | None
    progressed_at: datetime | None
    issues: Sequence[OpenIssues]


@dataclass(frozen=True)
class StoredHealth:
    """What is stored for an account: its health with the reasons, and `synced_at` as in `HealthFacts`."""

    health: str
    reasons: Sequence[Mapping[str, Any]]
    synced_at: datetime | None


@dataclass(frozen=True)
class HealthState:
    """The health that is stored for an account, and the facts from which it follows now."""

    stored: StoredHealth
    facts: HealthFacts


async def note_change(session: Session, account_id: str) -> None:
    """Note that a fact about the account's health changes in this transaction.

    It adds a row and changes none, so that it never waits for another transaction that does the same.
    """
    await session.execute(insert(_changes).values(account_id=account_id))


async def list_changed(session: Session, *, limit: int) -> list[str]:
    """Return accounts about whose health a fact has changed since it was computed."""
    changed = select(_changes.c.account_id).distinct().limit(limit)
    return list((await session.execute(changed)).scalars())


async def claim(session: Session, account_id: str) -> bool:
    """Return whether this transaction may compute the health; False while another one does it, or after an erasure.

    The changes that were noted so far are forgotten: the facts are read after this.
    """
    lock = (
        "select pg_try_advisory_xact_lock(hashtextextended('health/' || account_id, 0))"
        " from accounts where account_id = :account"
    )
    if not (await session.execute(text(lock), {"account": account_id})).scalar_one_or_none():
        return False
    await session.execute(delete(_changes).where(_changes.c.account_id == account_id))
    return True


async def load_facts(session: Session, account_id: str) -> HealthFacts:
    """Return the facts about the account's health; raises NoResultFound if there is no such account."""
    found = (await load_states(session, [account_id])).get(account_id)
    if found is None:
        raise NoResultFound
    return found.facts


async def load_states(session: Session, account_ids: Collection[str]) -> dict[str, HealthState]:
    """Return the stored health of these accounts and the facts from which it follows, by account."""
    named = {"accounts": list(account_ids)}
    issues: defaultdict[str, list[OpenIssues]] = defaultdict(list)
    for row in await session.execute(_OPEN_ISSUES, named):
        values = {name: row._mapping[name] for name in OpenIssues.__dataclass_fields__}
        issues[row.account_id].append(OpenIssues(**values))
    return {
        row.account_id: HealthState(
            StoredHealth(row.health, row.health_reasons, row.last_success_at),
            _facts(row, issues[row.account_id]),
        )
        for row in await session.execute(_STATES, named)
    }


def _facts(row: Any, issues: Sequence[OpenIssues]) -> HealthFacts:
    plain = HealthFacts.__dataclass_fields__.keys() - {"issues"}
    return HealthFacts(**{name: row._mapping[name] for name in plain}, issues=issues)


_STATES = text(
    "select a.account_id, a.health, a.health_reasons, a.last_success_at, a.enabled,"  # noqa: S608  # the condition is our own text
    " coalesce(a.enabled_at, a.created_at) as enabled_at, a.time_zone,"
    " l.first_connected_at, l.working_logins,"
    f" (select max(finished_at) from runs where account_id = a.account_id and {READ_FIRM}) as synced_at,"
    " (select max(progressed_at) from runs where account_id = a.account_id and kind = 'initial'"
    "  and status in ('queued', 'running', 'interrupted')) as progressed_at"
    " from accounts a cross join lateral (select min(connected_at) as first_connected_at,"
    "  count(*) filter (where status = 'connected') as working_logins"
    "  from connections where account_id = a.account_id) l"
    " where a.account_id = any(:accounts)"
)
_OPEN_ISSUES = text(
    "select account_id, code,"
    " case when bool_or(severity = 'error') then 'error' else min(severity) end as severity,"
    " count(*) as count, (array_agg(detail order by opened_at, subject_id))[1] as detail"
    " from issues where account_id = any(:accounts) and resolved_at is null and severity <> 'info'"
    " group by account_id, code order by account_id, code"
)


async def store_health(
    session: Session, account_id: str, found: StoredHealth, *, now: datetime, due_at: datetime
) -> None:
    """Store the health, and when it must be computed again although no fact changes."""
    await session.execute(
        update(_accounts)
        .where(_accounts.c.account_id == account_id)
        .values(
            health=found.health,
            health_reasons=list(found.reasons),
            health_checked_at=now,
            last_success_at=found.synced_at,
            health_due_at=due_at,
        )
    )


async def count_by_health(
    session: Session, *, only: Collection[str] | None = None
) -> Mapping[str, int]:
    """Return how many accounts have each health, by the stored values; of those in `only` if it is given.

    An account that is being erased is not counted.
    """
    query = select(_accounts.c.health, func.count().label("n")).group_by(_accounts.c.health)
    query = query.where(~receipts.is_being_erased(_accounts.c.account_id))
    if only is not None:
        query = query.where(any_of(_accounts.c.account_id, only))
    return {row.health: row.n for row in await session.execute(query)}
