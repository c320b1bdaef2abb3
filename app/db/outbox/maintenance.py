"""Periodic work on the outbox: activities that waited too long, and verification.

The scheduler calls these functions. A written activity is verified a day later: exactly one record in Clio must have
its marker (docs/writeback.md).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select, text, union, update

from app.db import tables as all_tables
from app.db.accounts import tables as account_tables
from app.db.connections import tables as connection_tables
from app.db.outbox import tables
from app.db.outbox.activities import Activity, Outcome, Reason, Status
from app.db.outbox.outbox import BLOCKED_FOR_AT_MOST, activity_of, is_activity, record_outcome
from app.db.session import Session, any_of
from app.rules.settings import FallbackAuthor

BLOCKED_BATCH_SIZE = 500  # the next tick takes the next batch
_EXPIRED = {
    Reason.NEEDS_CONNECTION: (
        "The author did not connect a Clio login within 14 days. Retry it when the user has connected"
    ),
    Reason.USER_UNKNOWN: (
        "The user was not added to the directory within 14 days. Send the user with PUT …/users, then retry it"
    ),
}
VERIFY_AFTER = timedelta(hours=24)
VERIFY_WITHIN = timedelta(days=7)  # not verified later, e.g. if the author's login stopped working
TEXT_LIFE = VERIFY_WITHIN + timedelta(days=1)  # after an activity was written

_table = tables.activities
_logins = connection_tables.connections
_OF_UNKNOWN = func.coalesce(_table.c.reason == Reason.USER_UNKNOWN, False)
_ATTEMPTED = _table.c.unsure & _table.c.connection_id.is_not(None)  # only that login may go on


async def list_users_to_unblock(
    session: Session, account_ids: Collection[str], *, limit: int
) -> Sequence[Any]:
    """Return users of these accounts whose activities are blocked, although a login works that may write them.

    An activity that was accepted while its author connected is blocked after the connection has looked for such ones.
    Another user's login may write it since the settings or that login changed [WB-5]. Each comes with its account.
    """
    found = union(_blocked_with_own_login(account_ids), _blocked_with_fallback(account_ids))
    return (await session.execute(found.order_by(*found.selected_columns).limit(limit))).all()


def _blocked_with_own_login(account_ids: Collection[str]) -> Select[Any]:
    own = case(
        (_ATTEMPTED, _table.c.connection_id == _logins.c.connection_id),
        else_=_table.c.user_id == _logins.c.user_id,
    )
    return (
        select(_logins.c.account_id, _logins.c.user_id)
        .join(_table, (_table.c.account_id == _logins.c.account_id) & own)
        .where(_logins.c.status == "connected", _table.c.status == Status.BLOCKED, ~_OF_UNKNOWN)
        .where(any_of(_table.c.account_id, account_ids))
    )


def _blocked_with_fallback(account_ids: Collection[str]) -> Select[Any]:
    """Select the users whose activities any working login of the account may write."""
    settings = account_tables.settings
    chosen = (
        select(settings.c.document["writeback"]["fallback_author"].astext)
        .where(settings.c.account_id == _table.c.account_id)
        .order_by(settings.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    working = exists().where(
        _logins.c.account_id == _table.c.account_id, _logins.c.status == "connected"
    )
    return select(_table.c.account_id, _table.c.user_id).where(
        any_of(_table.c.account_id, account_ids),
        _table.c.status == Status.BLOCKED,
        ~_ATTEMPTED,
        ~_OF_UNKNOWN,
        chosen == FallbackAuthor.PRIMARY_CONNECTION,
        working,
    )


async def list_accounts_with_issue(
    session: Session, account_ids: Collection[str], code: str
) -> list[str]:
    """Return those of these accounts in which an issue of this code is open."""
    issues = all_tables.issues
    rows = await session.execute(
        select(issues.c.account_id)
        .where(any_of(issues.c.account_id, account_ids), issues.c.code == code)
        .where(issues.c.resolved_at.is_(None))
    )
    return list(rows.scalars())


async def list_known_users(session: Session, account_id: str, *, limit: int) -> list[str]:
    """Return users who are in the directory now and whose activities wait for that."""
    users = account_tables.users
    waits = exists().where(_of_unknown(account_id), _table.c.user_id == users.c.user_id)
    known = select(users.c.user_id).where(users.c.account_id == account_id, waits)
    return list((await session.execute(known.order_by(users.c.user_id).limit(limit))).scalars())


async def has_unknown_users(session: Session, account_id: str) -> bool:
    """Return whether an activity waits for its user to be in the directory."""
    return bool(
        (await session.execute(select(exists().where(_of_unknown(account_id))))).scalar_one()
    )


def _of_unknown(account_id: str) -> ColumnElement[bool]:
    blocked = (_table.c.account_id == account_id) & (_table.c.status == Status.BLOCKED)
    return blocked & _OF_UNKNOWN


async def fail_expired_blocked(session: Session, *, now: datetime) -> int:
    """Mark activities as failed that waited two weeks for their author [WB-5]; return how many."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.status == Status.BLOCKED, _table.c.blocked_at < now - BLOCKED_FOR_AT_MOST)
        .order_by(_table.c.blocked_at)
        .limit(BLOCKED_BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    expired = [activity_of(row) for row in rows]
    for activity in expired:
        reason = activity.reason or Reason.NEEDS_CONNECTION
        outcome = Outcome(Status.FAILED, reason, _EXPIRED[reason], unsure=activity.unsure)
        await record_outcome(session, activity, outcome, now=now)
    return len(expired)


async def list_accounts_to_verify(
    session: Session, account_ids: Collection[str], *, now: datetime
) -> list[str]:
    """Return those of these accounts that are enabled and have activities to verify."""
    accounts = account_tables.accounts
    rows = await session.execute(
        select(accounts.c.account_id)
        .where(any_of(accounts.c.account_id, account_ids), accounts.c.enabled)
        .where(exists().where(_to_verify(accounts.c.account_id, now=now)))
        .order_by(accounts.c.account_id)
    )
    return list(rows.scalars())


async def list_unverified(
    session: Session, account_id: str, *, now: datetime, limit: int
) -> list[Activity]:
    """Return activities to verify, the oldest first. Each must be marked as verified or as checked."""
    rows = await session.execute(
        select(_table)
        .where(_to_verify(account_id, now=now))
        .order_by(_table.c.written_at)
        .limit(limit)
    )
    return [activity_of(row) for row in rows]


def _to_verify(account_id: str | ColumnElement[str], *, now: datetime) -> ColumnElement[bool]:
    """Return the condition that an activity was written a day ago, and not tried in vain since."""
    own = (_table.c.account_id == account_id) & (_table.c.status == Status.WRITTEN)
    last = now - VERIFY_AFTER
    in_time = (_table.c.written_at < last) & (_table.c.written_at > last - VERIFY_WITHIN)
    return own & _table.c.proven_at.is_(None) & in_time & (_table.c.checked_at > last).is_not(True)


async def mark_verified(
    session: Session, activity: Activity, *, reason: Reason | None, problem: str | None, now: datetime
) -> None:  # fmt: skip
    """Mark an activity as verified and delete its text; `reason` and `problem` say what is wrong in Clio."""
    await session.execute(
        update(_table)
        .where(is_activity(activity.account_id, activity.activity_id))
        .values(proven_at=now, reason=reason, problem=problem, body="")
    )


async def mark_checked(session: Session, activity: Activity, *, now: datetime) -> None:
    """Note that an activity could not be verified now: it is tried again a day later."""
    own = is_activity(activity.account_id, activity.activity_id)
    await session.execute(update(_table).where(own).values(checked_at=now))


async def delete_texts(session: Session, before: datetime, limit: int) -> int:
    """Delete the texts of activities that were written before a moment and could not be verified in time.

    They have no use here any more. Changes at most `limit` rows; returns how many.
    """
    changed = await session.execute(_DELETE_TEXTS, {"before": before, "limit": limit})
    return changed.rowcount


_DELETE_TEXTS = text(
    "update activities set body = '' where ctid = any(array(select ctid from activities"
    " where status = 'written' and proven_at is null and body <> '' and written_at < :before"
    " order by written_at limit :limit for update skip locked))"
)
