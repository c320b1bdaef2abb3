"""Notes and communications: written as one user, and found again by that user when an answer was lost."""

from dataclasses import replace
from datetime import datetime

from app.clio import allowed_writes
from app.clio.client import ClioClient, format_utc
from app.clio.errors import ClioUnreadable
from app.clio.models import Communication, Note
from app.clio.resources import COMMUNICATIONS, NOTES, Page, Resource, T


async def create_note(clio: ClioClient, note: allowed_writes.NewNote) -> int:
    """Write a note; answers its id."""
    answer = await clio.write("POST", allowed_writes.NOTES_PATH, note.document())
    return allowed_writes.written_id(answer)


async def create_communication(
    clio: ClioClient, communication: allowed_writes.NewCommunication
) -> int:
    """Write a communication; answers its id."""
    answer = await clio.write("POST", allowed_writes.COMMUNICATIONS_PATH, communication.document())
    return allowed_writes.written_id(answer)


async def update_communication(clio: ClioClient, communication_id: int, *, body: str) -> int:
    """Replace the body of a communication that we wrote. Doing it twice is harmless."""
    path = f"/api/v4/communications/{communication_id}.json"
    return allowed_writes.written_id(await clio.write("PATCH", path, {"body": body}))


async def find_notes(clio: ClioClient, contact_id: int, text: str, *, since: datetime) -> list[int]:
    """The contact's notes made after a moment that hold the text, oldest first.

    All of them are walked and compared here: Clio's own search may lag behind what was just written.
    """
    only = {"type": "Contact", "contact_id": str(contact_id), "created_since": format_utc(since)}
    notes: Resource[Note] = replace(NOTES, params={**NOTES.params, **only})
    found = []
    async for page in clio.pages(notes):
        found += [note.id for note in _all_items(page) if text in (note.detail or "")]
    return found


async def find_communications(clio: ClioClient, name: str, value: str) -> list[int]:
    """The communications with this external property, oldest first."""
    only = {"external_property_name": name, "external_property_value": value}
    listed: Resource[Communication] = replace(
        COMMUNICATIONS, params={**COMMUNICATIONS.params, **only}
    )
    found = []
    async for page in clio.pages(listed):
        found += [item.id for item in _all_items(page) if _has_property(item, name, value)]
    return found


def _has_property(item: Communication, name: str, value: str) -> bool:
    return any((p.name, p.value) == (name, value) for p in item.external_properties)


def _all_items(page: Page[T]) -> tuple[T, ...]:
    """The records of a page, if all can be read: what is sought may be the one that cannot."""
    if page.unreadable:
        raise ClioUnreadable("A record that Clio lists cannot be read")
    return page.items
