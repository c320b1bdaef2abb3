"""Leases of contacts: the right of one worker to write to one contact in Clio, and what it records on its activities.

One write is in flight per contact, in the order in which the activities were accepted. A worker acquires the lease of
the contact (a row of `activity_turns`) for a limited time. If it hangs, another worker may acquire the lease
afterwards and gets a higher *fencing token* (`fence`). `renew` succeeds only for the stored number, so a worker that
lost its lease cannot record anything.

The order of locks is: the contact's lease, then its activities. Accepting an activity locks the lease's row too
(`outbox.accept`), so a worker that releases the lease sees every activity that was accepted before. Times are
compared by the database's clock, which all workers share.
"""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.outbox import tables
from app.db.outbox.activities import WAITING, Activity, Outcome, Status
from app.db.outbox.outbox import activity_of, is_activity, record_outcome
from app.db.session import Session
from app.errors import RunTakenOver

_leases, _table, _attempts = tables.activity_turns, tables.activities, tables.activity_attempts


@dataclass(frozen=True)
class ContactLease:
    """The right to write to one contact now; it is void once another worker has acquired a higher fence."""

    account_id: str
    clio_contact_id: int
    fence: int
    length: timedelta = field(compare=False)


async def acquire(
    session: Session, account_id: str, clio_contact_id: int, *, length: timedelta
) -> ContactLease | None:
    """Acquire and return the lease of a contact; None if another worker has it."""
    own = (_leases.c.account_id == account_id) & (_leases.c.clio_contact_id == clio_contact_id)
    free = _leases.c.leased_until.is_(None) | (_leases.c.leased_until < func.clock_timestamp())
    acquired = await session.execute(
        update(_leases)
        .where(own, free)
        .values(fence=_leases.c.fence + 1, leased_until=func.clock_timestamp() + length)
        .returning(_leases.c.fence)
    )
    row = acquired.one_or_none()
    return ContactLease(account_id, clio_contact_id, row.fence, length) if row else None


async def renew(session: Session, lease: ContactLease) -> None:
    """Renew the lease and lock its row until the transaction ends; raises RunTakenOver if another worker has it."""
    renewed = await session.execute(
        update(_leases)
        .where(_leases.c.account_id == lease.account_id)
        .where(_leases.c.clio_contact_id == lease.clio_contact_id, _leases.c.fence == lease.fence)
        .where(_leases.c.leased_until.is_not(None))
        .values(leased_until=func.clock_timestamp() + lease.length)
        .returning(_leases.c.fence)
    )
    if renewed.one_or_none() is None:
        raise RunTakenOver


async def release(session: Session, lease: ContactLease) -> None:
    """Release the lease, in the transaction that found nothing to do now."""
    await session.execute(
        update(_leases)
        .where(_leases.c.account_id == lease.account_id)
        .where(_leases.c.clio_contact_id == lease.clio_contact_id, _leases.c.fence == lease.fence)
        .values(leased_until=None)
    )


async def next_activity(session: Session, lease: ContactLease) -> Activity | None:
    """Return and lock the contact's oldest activity that waits, or None. Blocked activities do not hold up later ones.

    The lock lasts until the transaction ends, so a cancellation comes before or after the decision made here.
    """
    row = (
        await session.execute(
            select(_table)
            .where(_table.c.account_id == lease.account_id)
            .where(_table.c.clio_contact_id == lease.clio_contact_id)
            .where(_table.c.status.in_(WAITING))
            .order_by(_table.c.place)
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()
    return activity_of(row) if row else None


async def begin_attempt(
    session: Session, lease: ContactLease, activity: Activity, connection_id: str, *, due_at: datetime, now: datetime
) -> Activity | None:  # fmt: skip
    """Record an attempt before its first byte is sent; returns None if the activity was cancelled meanwhile.

    From now on Clio may have the record, so the next worker searches Clio for the marker before it sends again.
    """
    begun = await session.execute(
        update(_table)
        .where(is_activity(activity.account_id, activity.activity_id))
        .where(_table.c.status.in_(WAITING))
        .values(
            status=Status.SENDING,
            reason=None,
            problem=None,
            unsure=True,
            marker=func.coalesce(_table.c.marker, new_marker()),
            connection_id=connection_id,
            attempts=_table.c.attempts + 1,
            first_attempt_at=func.coalesce(_table.c.first_attempt_at, now),
            due_at=due_at,
        )
        .returning(_table)
    )
    row = begun.one_or_none()
    if row is None:
        return None
    await session.execute(
        insert(_attempts).values(
            account_id=activity.account_id,
            activity_id=activity.activity_id,
            attempt=row.attempts,
            fence=lease.fence,
            connection_id=connection_id,
            began_at=now,
        )
    )
    return activity_of(row)


async def end_attempt(
    session: Session, activity: Activity, outcome: Outcome, *, now: datetime
) -> None:
    """Record how the current attempt ended, and the outcome for the activity."""
    own = (_attempts.c.account_id == activity.account_id) & (
        _attempts.c.activity_id == activity.activity_id
    )
    result = outcome.reason or outcome.status
    await session.execute(
        update(_attempts)
        .where(own, _attempts.c.attempt == activity.attempts, _attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome=result)
    )
    await record_outcome(session, activity, outcome, now=now)


async def inherit_conversation(session: Session, activity: Activity) -> Activity:
    """Return the activity with the record in Clio and the marker of its conversation's day, if there are any [WB-3].

    An activity that has a marker already keeps it: its own earlier attempt may be in Clio.
    """
    if activity.conversation_id is None or activity.marker is not None:
        return activity
    row = (
        await session.execute(
            select(_table.c.marker, _table.c.clio_id, _table.c.unsure, _table.c.connection_id)
            .where(_table.c.account_id == activity.account_id)
            .where(_table.c.clio_contact_id == activity.clio_contact_id)
            .where(_table.c.conversation_id == activity.conversation_id)
            .where(_table.c.local_date == activity.local_date, _table.c.marker.is_not(None))
            .order_by(_table.c.place.desc())
            .limit(1)
        )
    ).one_or_none()
    if row is None:
        return activity
    known: dict[str, Any] = {"marker": row.marker, "clio_id": row.clio_id}
    if row.unsure and row.clio_id is None:
        known |= {"unsure": True, "connection_id": row.connection_id}
    own = is_activity(activity.account_id, activity.activity_id)
    changed = await session.execute(update(_table).where(own).values(known).returning(_table))
    return activity_of(changed.one())


def new_marker() -> str:
    """Return 128 random bits in base32: they identify one record in Clio [W3]."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
