"""Events for Levitate: stored in the transaction of the change, with one delivery per interested webhook endpoint.

An event's id follows from its content, so a crash, a race or a restored backup produces the same id again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic_core import to_json
from sqlalchemy import Text, bindparam, select, text

from app.db.bulk import BulkInsert
from app.db.events import tables
from app.db.events.endpoints import is_active, is_subscribed
from app.db.ids import derived_id, new_id
from app.db.session import Session

_events = tables.events
_deliveries = tables.deliveries
_endpoints = tables.webhook_endpoints
_ROWS = BulkInsert(_events, ("event_id", "kind", "subject", "data"), same=("account_id", "at"))
_STORE = _ROWS.insert.on_conflict_do_nothing().returning(_events.c.event_id)
_RECEIVERS = select(_endpoints.c.endpoint_id).where(
    is_subscribed(bindparam("account", type_=Text), bindparam("event", type_=Text))
)
_DELIVERIES = BulkInsert(
    _deliveries,
    ("event_id", "endpoint_id", "delivery_id", "subject"),
    same=("account_id", "status", "due_at", "created_at"),
)


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
            "event_id": event.event_id,
            "kind": event.kind,
            "subject": event.subject,
            "data": to_json({"account_id": account_id, **event.data}).decode(),
        }
        for event in found
    ]
    stored = await session.execute(_STORE, _ROWS.parameters(rows, account_id=account_id, at=now))
    new = set(stored.scalars())
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
        found = await session.execute(_RECEIVERS, {"account": account_id, "event": kind})
        receivers[kind] = list(found.scalars())
    queued = [
        {
            "event_id": row["event_id"],
            "endpoint_id": endpoint_id,
            "delivery_id": new_id("dlv", now),
            "subject": row["subject"],
        }
        for row in rows
        for endpoint_id in receivers[str(row["kind"])]
    ]
    if queued:
        same = {"account_id": account_id, "status": "pending", "due_at": now, "created_at": now}
        await session.execute(_DELIVERIES.insert, _DELIVERIES.parameters(queued, **same))


async def lock_expired(
    session: Session, *, before: datetime, limit: int
) -> Sequence[tuple[str, str]]:
    """Return account and id of the oldest events from before a moment, and lock them.

    An event that is still to be delivered stays, except to an endpoint that is disabled.
    """
    waits = (
        select(_deliveries.c.event_id)
        .join(_endpoints, _endpoints.c.endpoint_id == _deliveries.c.endpoint_id)
        .where(_deliveries.c.account_id == _events.c.account_id)
        .where(_deliveries.c.event_id == _events.c.event_id)
        .where(_deliveries.c.status == "pending", is_active())
    )
    rows = await session.execute(
        select(_events.c.account_id, _events.c.event_id)
        .where(_events.c.at < before, ~waits.exists())
        .order_by(_events.c.at)
        .limit(limit)
        .with_for_update()
    )
    return [(row.account_id, row.event_id) for row in rows]


async def delete_events(session: Session, found: Sequence[tuple[str, str]]) -> None:
    """Delete events, given by account and id, with their deliveries."""
    gone = text(
        "delete from events using unnest(cast(:accounts as text[]), cast(:ids as text[])) as old (account_id, event_id)"
        " where events.account_id = old.account_id and events.event_id = old.event_id"
    )
    accounts, ids = [account_id for account_id, _ in found], [event_id for _, event_id in found]
    await session.execute(gone, {"accounts": accounts, "ids": ids})
