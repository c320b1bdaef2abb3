"""Writes notes and communications as one user, and finds them again if the response to a write was lost."""

from dataclasses import replace
from datetime import datetime

from app.clio import allowed_writes
from app.clio.client import ClioClient, format_utc
from app.clio.errors import RecordUnreadable
from app.clio.models import Communication, Note
from app.clio.resources import COMMUNICATIONS, NOTES, Page, Resource, T


async def create_note(clio: ClioClient, note: allowed_writes.NewNote) -> int:
    """Write a note and return its id."""
    written = await clio.write("POST", allowed_writes.NOTES_PATH, note.document())
    return allowed_writes.written_id(written)


async def create_communication(
    clio: ClioClient, communication: allowed_writes.NewCommunication
) -> int:
    """Write a communication and return its id."""
    written = await clio.write("POST", allowed_writes.COMMUNICATIONS_PATH, communication.document())
    return allowed_writes.written_id(written)


async def update_communication(clio: ClioClient, communication_id: int, *, body: str) -> int:
    """Replace the body of a communication that this service wrote, and return its id. Safe to repeat."""
    path = f"/api/v4/communications/{communication_id}.json"
    return allowed_writes.written_id(await clio.write("PATCH", path, {"body": body}))


async def find_notes(clio: ClioClient, contact_id: int, text: str, *, since: datetime) -> list[int]:
    """Return the ids of the contact's notes created since `since` that contain the text, the oldest first.

    All these notes are read and compared here, because Clio's own search may not know new notes yet.
    """
    filters = {"type": "Contact", "contact_id": str(contact_id), "created_since": format_utc(since)}
    notes: Resource[Note] = replace(NOTES, params={**NOTES.params, **filters})
    found = []
    async for page in clio.pages(notes):
        found += [note.id for note in _all_items(page) if text in (note.detail or "")]
    return found


async def find_communications(clio: ClioClient, name: str, value: str) -> list[int]:
    """Return the ids of the communications with this external property, the oldest first."""
    filters = {"external_property_name": name, "external_property_value": value}
    listed: Resource[Communication] = replace(
        COMMUNICATIONS, params={**COMMUNICATIONS.params, **filters}
    )
    found = []
    async for page in clio.pages(listed):
        found += [item.id for item in _all_items(page) if _has_property(item, name, value)]
    return found


def _has_property(item: Communication, name: str, value: str) -> bool:
    return any((p.name, p.value) == (name, value) for p in item.external_properties)


def _all_items(page: Page[T]) -> tuple[T, ...]:
    """Return the records of a page. Raise RecordUnreadable if one cannot be read: it may be the one searched for."""
    if page.unreadable or page.unread:
        raise RecordUnreadable("Clio lists a record that cannot be read")
    return page.items
