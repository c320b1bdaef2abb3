"""The outbox: activities that wait to be written to Clio. Accept, read, retry and cancel them.

An activity and its job are stored in one transaction. `contact_leases` says which worker may write it. Whoever changes
what waits at a contact locks the contact's row first, because triggers keep there which activity is next.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import job_queue
from app.db.accounts import looks
from app.db.accounts.accounts import find_user
from app.db.connections import tables as connection_tables
from app.db.events import events
from app.db.events.events import EventKind
from app.db.ids import new_id
from app.db.list_pages import Listed, ListPage, SortedBy, matching, read_page
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.outbox import tables
from app.db.outbox.activities import (
    Activity,
    ActivityFilter,
    ActivityNotFound,
    Kind,
    NewActivity,
    NotCancellable,
    NotRetryable,
    Outcome,
    Reason,
    Status,
)
from app.db.session import Session, any_of
from app.lanes import Lane

_table = tables.activities
_BY = SortedBy(_table.c.activity_id, _table.c.created_at, "act")
_EVENT_KINDS = {
    Status.WRITTEN: EventKind.ACTIVITY_WRITTEN,
    Status.FAILED: EventKind.ACTIVITY_FAILED,
}

BLOCKED_FOR_AT_MOST = timedelta(days=14)  # how long an activity waits for its author [WB-5]
USER_STILL_UNKNOWN = (
    "Its user is not in the directory; send the user with PUT …/users, then it is written by itself"
)
UNBLOCKED_AT_ONCE = 500  # activities of one user, in one transaction


async def accept(
    session: Session, new: NewActivity, *, after: timedelta = timedelta(0), now: datetime
) -> Activity:
    """Store an activity behind the others of its contact, and have it sent after a time, in this transaction."""
    activity_id = new_id("act", now)
    place = 0 if new.clio_contact_id is None else await _next_place(session, new)
    values = {name: getattr(new, name) for name in NewActivity.__dataclass_fields__}
    blocked_at = now if new.status is Status.BLOCKED else None
    await session.execute(
        insert(_table).values(
            activity_id=activity_id, place=place, blocked_at=blocked_at, created_at=now, **values
        )
    )
    if new.status is Status.QUEUED and after:
        await job_queue.want_later(
            session, Lane.WRITE_BACK, new.account_id, after=after, is_new=True
        )
    elif new.status is Status.QUEUED:
        await job_queue.want(session, Lane.WRITE_BACK, new.account_id)
    if new.status is Status.BLOCKED:
        await _look_for_login(session, new.account_id, now=now)
    return await get_activity(session, new.account_id, activity_id)


async def _next_place(session: Session, new: NewActivity) -> int:
    """Return the next place at a contact. Locks the contact's lease: a worker that releases it sees this activity."""
    leases = tables.activity_turns
    statement = insert(leases).values(
        account_id=new.account_id, clio_contact_id=new.clio_contact_id, accepted=1
    )
    counted = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[leases.c.account_id, leases.c.clio_contact_id],
            set_={"accepted": leases.c.accepted + 1},
        ).returning(leases.c.accepted)
    )
    return int(counted.scalar_one())


async def _look_for_login(session: Session, account_id: str, *, now: datetime) -> None:
    """Look soon whether a login may write what is blocked: one may have been connected at the same moment."""
    await looks.look_now(session, looks.Task.OUTBOX, account_id, now=now)


async def get_activity(
    session: Session, account_id: str, activity_id: str, audience: Audience = EVERYBODY
) -> Activity:
    """Return the activity if the audience may be shown it; raises ActivityNotFound."""
    found = await session.execute(
        select(_table)
        .where(is_activity(account_id, activity_id))
        .where(*_seen(account_id, audience))
    )
    row = found.one_or_none()
    if row is None:
        raise ActivityNotFound
    return activity_of(row)


def _seen(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    """Return the conditions that an activity may be shown: the audience sees its contact.

    One of nobody whom Clio knows is shown to the user who did it.
    """
    contact = audience.limited_to("contacts", account_id, _table.c.clio_contact_id)
    own = _table.c.clio_contact_id.is_(None) & (_table.c.user_id == audience.user_id)
    return [or_(*contact, own)] if contact else []


async def list_activities(
    session: Session,
    account_id: str,
    wanted: ActivityFilter,
    audience: Audience,
    page: ListPage,
) -> Listed[Activity]:
    """Return a page of the activities that the audience may be shown."""
    query = select(_table).where(_table.c.account_id == account_id, *matching(_table, wanted))
    query = query.where(*_seen(account_id, audience))
    return (await read_page(session, query, _BY, page)).of(activity_of)


async def retry(
    session: Session, account_id: str, activity_id: str, audience: Audience = EVERYBODY
) -> Activity:
    """Queue a failed or blocked activity again, as if it were new; if Clio may have it, that is checked first.

    Raises ActivityNotFound, NotRetryable.
    """
    found = await get_activity(session, account_id, activity_id, audience)
    own = is_activity(account_id, activity_id)
    retryable = own & _table.c.status.in_((Status.FAILED, Status.BLOCKED))
    if found.reason is Reason.USER_UNKNOWN and not await find_user(
        session, account_id, found.user_id
    ):
        raise NotRetryable(USER_STILL_UNKNOWN)
    again = await _requeue(session, account_id, retryable)
    if not again:
        raise NotRetryable
    return await get_activity(session, account_id, activity_id)


async def unblock(session: Session, account_id: str, user_id: str) -> int:
    """Queue the oldest activities that wait for a login of this user, or one that may write for them [WB-5].

    Return how many; UNBLOCKED_AT_ONCE at most. The scheduler finds the others.
    """
    waiting = _table.c.status == Status.BLOCKED
    author = tables.activities.c.user_id == user_id
    attempted = _table.c.connection_id.in_(
        select(connection_tables.connections.c.connection_id).where(
            connection_tables.connections.c.account_id == account_id,
            connection_tables.connections.c.user_id == user_id,
        )
    )
    oldest = await session.execute(
        select(_table.c.activity_id)
        .where(_table.c.account_id == account_id, waiting & (author | attempted))
        .order_by(_table.c.activity_id)
        .limit(UNBLOCKED_AT_ONCE)
    )
    return await _requeue(
        session, account_id, waiting & any_of(_table.c.activity_id, oldest.scalars())
    )


async def _requeue(session: Session, account_id: str, which: ColumnElement[bool]) -> int:
    await _lock_contacts(session, account_id, which)
    requeued = await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id, which)
        .values(
            status=Status.QUEUED,
            reason=None,
            problem=None,
            due_at=None,
            blocked_at=None,
            rounds=0,
            first_attempt_at=None,
        )
    )
    if requeued.rowcount:
        await job_queue.want(session, Lane.WRITE_BACK, account_id)
    return requeued.rowcount


async def _lock_contacts(session: Session, account_id: str, which: ColumnElement[bool]) -> None:
    """Lock the contacts of some activities of the account, before these are changed."""
    turns = tables.activity_turns
    concerned = select(_table.c.clio_contact_id).where(_table.c.account_id == account_id, which)
    await session.execute(
        select(turns.c.clio_contact_id)
        .where(turns.c.account_id == account_id, turns.c.clio_contact_id.in_(concerned))
        .order_by(turns.c.clio_contact_id)
        .with_for_update()
    )


async def cancel(
    session: Session, account_id: str, activity_id: str, audience: Audience = EVERYBODY
) -> Activity:
    """Cancel an activity that certainly is not in Clio and delete its text; raises ActivityNotFound, NotCancellable.

    Cancelling twice does nothing more.
    """
    found = await get_activity(session, account_id, activity_id, audience)
    if found.status is Status.CANCELLED:
        return found
    await _lock_contacts(session, account_id, is_activity(account_id, activity_id))
    certain = _table.c.status.in_((Status.QUEUED, Status.BLOCKED)) & ~_table.c.unsure
    cancelled = await session.execute(
        update(_table)
        .where(is_activity(account_id, activity_id), certain)
        .values(status=Status.CANCELLED, reason=None, problem=None, due_at=None, body="")
        .returning(_table.c.activity_id)
    )
    if cancelled.one_or_none() is None:
        raise NotCancellable
    return await get_activity(session, account_id, activity_id)


async def record_outcome(
    session: Session, activity: Activity, outcome: Outcome, *, now: datetime
) -> None:
    """Store the outcome of an activity in a transaction that has its lease; emit an event if it has ended."""
    blocked = outcome.status is Status.BLOCKED
    values: dict[str, Any] = {
        "status": outcome.status,
        "reason": outcome.reason,
        "problem": outcome.problem,
        "due_at": now + outcome.after if outcome.after is not None else None,
        "unsure": outcome.unsure,
        "blocked_at": func.coalesce(_table.c.blocked_at, now) if blocked else None,
        "rounds": activity.rounds if outcome.rounds is None else outcome.rounds,
    }
    if outcome.clio_id is not None:
        values["clio_id"] = outcome.clio_id
    if outcome.status is Status.WRITTEN:
        values["written_at"] = now
    own = is_activity(activity.account_id, activity.activity_id)
    await session.execute(update(_table).where(own).values(values))
    if blocked:
        await _look_for_login(session, activity.account_id, now=now)
    if kind := _EVENT_KINDS.get(outcome.status):
        await _emit(session, activity, kind, now=now)


async def _emit(session: Session, activity: Activity, kind: EventKind, *, now: datetime) -> None:
    """Emit the event of an end. If a retry ends the same way without an attempt, its time makes the event a new one."""
    data: dict[str, object] = {
        "activity_id": activity.activity_id,
        "attempts": activity.attempts,
    }
    about = activity.contact_id or activity.activity_id
    if not await events.emit(session, activity.account_id, kind, about, data, now=now):
        again = {**data, "again_at": now.isoformat()}
        await events.emit(session, activity.account_id, kind, about, again, now=now)


def is_activity(account_id: str, activity_id: str) -> ColumnElement[bool]:
    """Return the SQL condition that selects one activity."""
    return (_table.c.account_id == account_id) & (_table.c.activity_id == activity_id)


def activity_of(row: Any) -> Activity:
    """Return the activity of a row."""
    data = {name: row._mapping[name] for name in Activity.__dataclass_fields__}
    data |= {"kind": Kind(row.kind), "status": Status(row.status)}
    data["reason"] = Reason(row.reason) if row.reason else None
    return Activity(**data)
