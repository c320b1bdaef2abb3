"""Turns: who may write to one contact now, and what the one who does notes on its activities. The fence proves it.

One write is in flight per contact, in the order of acceptance; leases are counted by the database's clock.
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

_turns, _table, _attempts = tables.activity_turns, tables.activities, tables.activity_attempts


@dataclass(frozen=True)
class ContactLease:
    """The right to write to one contact now; worth nothing once another took a higher fence."""

    account_id: str
    clio_contact_id: int
    fence: int
    length: timedelta = field(compare=False)


async def acquire(
    session: Session, account_id: str, clio_contact_id: int, *, length: timedelta
) -> ContactLease | timedelta | None:
    """The turn at a contact; how long another may still hold it; None when nobody ever wrote to it."""
    mine = (_turns.c.account_id == account_id) & (_turns.c.clio_contact_id == clio_contact_id)
    free = _turns.c.leased_until.is_(None) | (_turns.c.leased_until < func.clock_timestamp())
    taken = await session.execute(
        update(_turns)
        .where(mine, free)
        .values(fence=_turns.c.fence + 1, leased_until=func.clock_timestamp() + length)
        .returning(_turns.c.fence)
    )
    row = taken.one_or_none()
    if row is not None:
        return ContactLease(account_id, clio_contact_id, row.fence, length)
    left = select(_turns.c.leased_until - func.clock_timestamp()).where(mine)
    remaining: timedelta | None = (await session.execute(left)).scalar_one_or_none()
    return None if remaining is None else max(remaining, timedelta(milliseconds=50))


async def renew(session: Session, turn: ContactLease) -> None:
    """Prove the turn and prolong it; raises Fenced when another has it. Locks it until the transaction ends."""
    held = await session.execute(
        update(_turns)
        .where(_turns.c.account_id == turn.account_id)
        .where(_turns.c.clio_contact_id == turn.clio_contact_id, _turns.c.fence == turn.fence)
        .where(_turns.c.leased_until.is_not(None))
        .values(leased_until=func.clock_timestamp() + turn.length)
        .returning(_turns.c.fence)
    )
    if held.one_or_none() is None:
        raise RunTakenOver


async def release(session: Session, turn: ContactLease) -> None:
    """Give the turn back; in the transaction that saw that there is nothing to do now."""
    await session.execute(
        update(_turns)
        .where(_turns.c.account_id == turn.account_id)
        .where(_turns.c.clio_contact_id == turn.clio_contact_id, _turns.c.fence == turn.fence)
        .values(leased_until=None)
    )


async def next_activity(session: Session, turn: ContactLease) -> Activity | None:
    """The contact's oldest activity that is not settled; those that are blocked let others pass.

    Locked until the transaction ends: whoever cancels it comes before or after what is decided about it here.
    """
    row = (
        await session.execute(
            select(_table)
            .where(_table.c.account_id == turn.account_id)
            .where(_table.c.clio_contact_id == turn.clio_contact_id)
            .where(_table.c.status.in_(WAITING))
            .order_by(_table.c.place)
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()
    return activity_of(row) if row else None


async def begin_attempt(
    session: Session, turn: ContactLease, activity: Activity, connection_id: str, *, due_at: datetime, now: datetime
) -> Activity | None:  # fmt: skip
    """Note an attempt before its first byte leaves; None when the activity was cancelled meanwhile.

    From here on Clio may have it: whoever finds the row like this, looks there before sending again.
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
            fence=turn.fence,
            connection_id=connection_id,
            began_at=now,
        )
    )
    return activity_of(row)


async def end_attempt(
    session: Session, activity: Activity, outcome: Outcome, *, now: datetime
) -> None:
    """Note how the attempt under way ended, and what becomes of the activity."""
    mine = (_attempts.c.account_id == activity.account_id) & (
        _attempts.c.activity_id == activity.activity_id
    )
    said = outcome.reason or outcome.status
    await session.execute(
        update(_attempts)
        .where(mine, _attempts.c.attempt == activity.attempts, _attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome=said)
    )
    await record_outcome(session, activity, outcome, now=now)


async def inherit_conversation(session: Session, activity: Activity) -> Activity:
    """The activity with what its conversation's day knows already: its record in Clio, its marker [WB-3].

    A post whose own fate is unknown keeps what it has.
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
    mine = is_activity(activity.account_id, activity.activity_id)
    changed = await session.execute(update(_table).where(mine).values(known).returning(_table))
    return activity_of(changed.one())


def new_marker() -> str:
    """128 random bits in base32: one record in Clio, for ever [W3]."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
