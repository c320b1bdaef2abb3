"""Announcements of new clients: the event of each row, and the row's status. An event has one id for ever [NC-8]."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, text

from app.db.contacts import new_clients, tables
from app.db.contacts.new_clients import NewClient
from app.db.events import events
from app.db.events.events import Event, EventKind
from app.db.ids import new_id
from app.db.session import Session, any_of
from app.rules.new_clients import Status

_MARK_EMITTED = text("""
    update new_clients set status = 'emitted', held_for = null, emitted_at = :now,
        event_ids = case when named.event_id = any(event_ids) then event_ids else event_ids || named.event_id end
    from unnest(cast(:clio_ids as bigint[]), cast(:events as text[])) as named (clio_id, event_id)
    where account_id = :account and new_clients.clio_id = any(cast(:clio_ids as bigint[]))
        and new_clients.clio_id = named.clio_id
""")


def event_id_of(account_id: str, contact_id: str) -> str:
    """Return the id of the event that announces a contact; it never changes [NC-8]."""
    return events.event_id_of(account_id, EventKind.CLIENT_NEW, contact_id)


async def announce(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """Emit the events of these rows and mark them as emitted; each event has one id for ever [NC-8]."""
    await emit_events(session, account_id, rows, await _owners(session, account_id, rows), now=now)
    marked = {
        "clio_ids": [row.clio_id for row in rows],
        "events": [event_id_of(account_id, row.contact_id) for row in rows],
    }
    await session.execute(_MARK_EMITTED, {"account": account_id, **marked, "now": now})


async def emit_events(
    session: Session,
    account_id: str,
    rows: Sequence[NewClient],
    owners: Mapping[int, str | None],
    *,
    now: datetime,
) -> None:
    """Emit the event of each of these rows, which say already that they are emitted; `owners` are their contacts'."""
    found = [_event(row, event_id_of(account_id, row.contact_id), owners) for row in rows]
    await events.record_events(session, account_id, found, now=now)


async def replay(session: Session, account_id: str, row: NewClient, *, now: datetime) -> None:
    """Emit the event once more under a new id, so that a receiver does not drop it as a repetition [NC-4]."""
    event_id = new_id("evt", now)
    owners = await _owners(session, account_id, [row])
    await events.record_events(session, account_id, [_event(row, event_id, owners)], now=now)
    values = {"status": Status.EMITTED, "held_for": None, "emitted_at": now}
    ids = [*row.event_ids, event_id]
    await new_clients.store_decision(session, account_id, row.clio_id, {**values, "event_ids": ids})


async def _owners(
    session: Session, account_id: str, rows: Sequence[NewClient]
) -> Mapping[int, str | None]:
    """Return the current owner of each contact: an automation is sent in the owner's name [C-18]."""
    found = tables.contacts.c
    query = select(found.clio_id, found.owner_user_id).where(
        found.account_id == account_id, any_of(found.clio_id, [row.clio_id for row in rows])
    )
    return {row.clio_id: row.owner_user_id for row in await session.execute(query)}


def _event(row: NewClient, event_id: str, owners: Mapping[int, str | None]) -> Event:
    """Return the event of a row: ids and plain words, no name and no address; the owner's id or null [NC-2, C-18]."""
    data = {
        "contact_id": row.contact_id,
        "clio_id": str(row.clio_id),
        "new_client_id": row.new_client_id,
        "origin": row.origin,
        "basis": row.basis,
        "client_since": row.client_since.isoformat() if row.client_since else None,
        "has_open_matter": row.has_open_matter,
        "owner_user_id": owners.get(row.clio_id),
        "possible_duplicate_of": row.possible_duplicate_of,
    }
    return Event(event_id, EventKind.CLIENT_NEW, row.contact_id, data)
