"""Events for Levitate: stored in the transaction of the change, with one delivery per interested webhook endpoint.

An event's id follows from its content, so a crash, a race or a restored backup produces the same id again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.db.events import tables
from app.db.events.endpoints import is_subscribed
from app.db.ids import derived_id, new_id
from app.db.session import Session

_events = tables.events
_deliveries = tables.deliveries
_endpoints = tables.webhook_endpoints

EVENT_LIFETIME = timedelta(days=30)  # of events and deliveries, also pending ones


class EventKind(StrEnum):
    """The kind of an event."""

    CLIENT_NEW = "client.new"
    CONTACTS_CHANGED = "contacts.changed"
    RUN_FINISHED = "run.finished"
    CONNECTION_CONNECTED = "connection.connected"
    CONNECTION_NEEDS_RECONNECT = "connection.needs_reconnect"
    ACTIVITY_WRITTEN = "activity.written"
    ACTIVITY_FAILED = "activity.failed"
    ISSUE_OPENED = "issue.opened"
    ISSUE_RESOLVED = "issue.resolved"


@dataclass(frozen=True)
class Event:
    """An event: ids and plain words only, no name and no address.

    `subject` is the id of what it is about: events of one subject arrive in order.
    """

    event_id: str
    kind: EventKind
    subject: str
    data: Mapping[str, object] = field(default_factory=dict)


def event_id_of(account_id: str, kind: EventKind, *about: str | int) -> str:
    """Return the id of the event of this kind about this subject; it never changes [NC-8]."""
    return derived_id("evt", account_id, kind, *about)


async def emit(
    session: Session,
    account_id: str,
    kind: EventKind,
    subject: str,
    data: Mapping[str, object],
    *,
    now: datetime,
) -> bool:
    """Store one event; return whether it is new.

    Its id follows from all of its content, so the data must distinguish one occasion from another.
    """
    about = [f"{name}={data[name]}" for name in sorted(data)]
    event = Event(event_id_of(account_id, kind, subject, *about), kind, subject, data)
    return bool(await record_events(session, account_id, [event], now=now))


async def record_events(
    session: Session, account_id: str, found: Sequence[Event], *, now: datetime
) -> int:
    """Store events and their deliveries, except events that are stored already; return how many are new."""
    if not found:
        return 0
    rows = [
        {
            "account_id": account_id,
            "event_id": event.event_id,
            "kind": event.kind,
            "subject": event.subject,
            "data": {"account_id": account_id, **event.data},
            "at": now,
        }
        for event in found
    ]
    statement = upsert(_events).on_conflict_do_nothing().returning(_events.c.event_id)
    new = set((await session.execute(statement, rows)).scalars())
    if new:
        await _queue(session, account_id, [row for row in rows if row["event_id"] in new], now=now)
    return len(new)


async def _queue(
    session: Session, account_id: str, rows: Sequence[Mapping[str, object]], *, now: datetime
) -> None:
    """Store a delivery of each event for each interested endpoint, in the order of the events."""
    kinds = sorted({str(row["kind"]) for row in rows})
    receivers: dict[str, list[str]] = {}
    for kind in kinds:
        query = select(_endpoints.c.endpoint_id).where(
            is_subscribed(literal(account_id), literal(kind))
        )
        receivers[kind] = list((await session.execute(query)).scalars())
    queued = [
        {
            "account_id": account_id,
            "event_id": row["event_id"],
            "endpoint_id": endpoint_id,
            "delivery_id": new_id("dlv", now),
            "subject": row["subject"],
            "status": "pending",
            "due_at": now,
            "created_at": now,
        }
        for row in rows
        for endpoint_id in receivers[str(row["kind"])]
    ]
    if queued:
        await session.execute(insert(_deliveries), queued)


async def delete_expired(session: Session, *, now: datetime) -> int:
    """Delete events older than `EVENT_LIFETIME` and their deliveries; return how many."""
    gone = await session.execute(delete(_events).where(_events.c.at < now - EVENT_LIFETIME))
    return int(gone.rowcount)
