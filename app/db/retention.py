"""Retention: deletes the rows that are no longer needed, some at a time.

`TABLES` names what is deleted and after how long. Each statement finds its rows by an index on their time, and looks at
a limited number of rows. The change feed, the new-client rows and the versions of the settings are kept for ever.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from app.db import tables
from app.db.accounts import idempotency
from app.db.contacts import kept_deliveries, scope_changes
from app.db.events import events
from app.db.outbox import maintenance, old_activities
from app.db.runs import listed_ids, old_runs
from app.db.session import Session

_chores = tables.chores
_sweeps = tables.sweeps

DAILY = "daily"
CHORE_LIFE = timedelta(days=7)
LOG_LIFE = timedelta(days=1)  # of the queue: each slice adds two rows
QUARANTINE_LIFE = timedelta(days=90)  # after the record was read
ATTEMPT_LIFE = timedelta(days=1)
SLOT_LIFE = timedelta(days=7)  # the scheduler proposes no slot that is older than six hours
ISSUE_LIFE = timedelta(days=90)  # after it was resolved
RECEIPT_LIFE = timedelta(days=365)  # after the erasure has ended
SCOPE_CHANGE_LIFE = 2 * scope_changes.COUNTED


@dataclass(frozen=True)
class Periods:
    """The configured times for which rows are kept."""

    runs: timedelta = timedelta(days=400)
    activities: timedelta = timedelta(days=400)
    attempts: timedelta = timedelta(days=30)
    events: timedelta = timedelta(days=30)
    audit: timedelta = timedelta(days=2555)


# Deletes some of what is older than a moment; returns how many rows it looked at, 0 when nothing is left.
_Delete = Callable[[Session, datetime, int], Awaitable[int]]


async def claim_daily_task(session: Session, name: str, day: date) -> bool:
    """Return whether the caller has to do this task of this day: True for the first process, False for all others."""
    claimed = await session.execute(
        insert(_chores)
        .values(name=name, day=day)
        .on_conflict_do_nothing()
        .returning(_chores.c.name)
    )
    return claimed.one_or_none() is not None


async def delete_some(
    session: Session, name: str, periods: Periods, *, now: datetime, limit: int
) -> int:
    """Delete some of the expired rows that `name` stands for, one of `TABLES`.

    Looks at about `limit` rows and returns how many they were. 0 says that no expired row is left.
    """
    expiry = TABLES[name]
    return await expiry.delete(session, now - expiry.life(periods), limit)


def _oldest(table: str, column: str, also: str = "true", *, is_date: bool = False) -> _Delete:
    """Return what deletes the oldest rows of a table; an index on the column must find them."""
    found = f"select ctid from {table} where {column} < :before and {also} order by {column}"  # noqa: S608  # our own names
    statement = text(f"delete from {table} where ctid = any(array({found} limit :limit))")  # noqa: S608

    async def delete_oldest(session: Session, before: datetime, limit: int) -> int:
        moment = before.date() if is_date else before
        gone = await session.execute(statement, {"before": moment, "limit": limit})
        return gone.rowcount

    return delete_oldest


async def _delete_events(session: Session, before: datetime, limit: int) -> int:
    """Delete events; what the receivers answered to `client.new` stays in the new-client rows [NC-5]."""
    old = await events.lock_expired(session, before=before, limit=limit)
    await kept_deliveries.keep_deliveries(session, old)
    await events.delete_events(session, old)
    return len(old)


def _sweep(name: str, look_at: "_LookAt") -> _Delete:
    """Return what looks at the old rows of a table once, from the oldest to the newest, and deletes what is not needed.

    The rows that are needed are as old as those that are not. So it stores how far it came, and begins anew when it
    has looked at all.
    """

    async def go_on(session: Session, before: datetime, limit: int) -> int:
        own = _sweeps.c.name == name
        query = select(_sweeps.c.position).where(own).with_for_update()
        after = (await session.execute(query)).scalar_one_or_none() or _BEGINNING
        looked_at, position = await look_at(session, after, before, limit)
        if position is None:
            await session.execute(delete(_sweeps).where(own))
        else:
            row = insert(_sweeps).values(name=name, position=position)
            moved = row.on_conflict_do_update(
                index_elements=[_sweeps.c.name], set_={"position": position}
            )
            await session.execute(moved)
        return looked_at

    return go_on


_LookAt = Callable[[Session, datetime, datetime, int], Awaitable[tuple[int, datetime | None]]]
_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _of_ended_runs(table: str) -> _Delete:
    async def delete_ended(session: Session, before: datetime, limit: int) -> int:
        return await listed_ids.delete_ended(session, table, limit=limit)

    return delete_ended


@dataclass(frozen=True)
class _Expiry:
    """For how long rows are kept, and what deletes them afterwards."""

    life: Callable[[Periods], timedelta]
    delete: _Delete


def _after(life: timedelta, delete_: _Delete) -> _Expiry:
    return _Expiry(lambda _: life, delete_)


_NOW = timedelta(0)
TABLES: Mapping[str, _Expiry] = {
    "runs": _Expiry(lambda periods: periods.runs, _sweep("runs", old_runs.delete_superseded)),
    "activities": _Expiry(
        lambda periods: periods.activities, _sweep("activities", old_activities.delete_ended)
    ),
    "activity_attempts": _Expiry(
        lambda periods: periods.attempts, _oldest("activity_attempts", "began_at")
    ),
    "events": _Expiry(lambda periods: periods.events, _delete_events),
    "audit": _Expiry(lambda periods: periods.audit, _oldest("audit", "at")),
    "service_audit": _Expiry(lambda periods: periods.audit, _oldest("service_audit", "at")),
    "activity_texts": _after(maintenance.TEXT_LIFE, maintenance.delete_texts),
    "idempotency_keys": _after(idempotency.KEY_LIFETIME, _oldest("idempotency_keys", "created_at")),
    "authorizations": _after(ATTEMPT_LIFE, _oldest("authorizations", "expires_at")),
    "connect_links": _after(ATTEMPT_LIFE, _oldest("connect_links", "expires_at")),
    "console_sessions": _after(ATTEMPT_LIFE, _oldest("console_sessions", "expires_at")),
    "quarantine": _after(QUARANTINE_LIFE, _oldest("quarantine", "resolved_at")),
    "issues": _after(ISSUE_LIFE, _oldest("issues", "resolved_at")),
    "erasures": _after(RECEIPT_LIFE, _oldest("erasures", "finished_at")),
    "scope_changes": _after(SCOPE_CHANGE_LIFE, _oldest("scope_changes", "at")),
    "slots": _after(SLOT_LIFE, _oldest("slots", "local_date", is_date=True)),
    **{table: _after(_NOW, _of_ended_runs(table)) for table in listed_ids.PER_RUN},
    "failed_jobs": _after(ATTEMPT_LIFE, _oldest("pgqueuer", "updated", "status = 'failed'")),
    "pgqueuer_log": _after(LOG_LIFE, _oldest("pgqueuer_log", "created")),
    "chores": _after(CHORE_LIFE, _oldest("chores", "day", is_date=True)),
}
