"""Clio's contacts that were pulled, in Levitate or not: who they are there, and what Levitate has of them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.contacts import tables
from app.db.json_codec import as_bytes
from app.db.mirror import tables as mirror_tables
from app.db.mirror.audience import Audience
from app.db.mirror.records import CONTACTS
from app.db.mirror.searches import search_records
from app.db.session import Session, any_of, read_in_key_order
from app.rules.records import ContactRecord

_mirror = mirror_tables.mirror_contacts
_contacts = tables.contacts


@dataclass(frozen=True)
class ClioContact:
    """A contact of Clio; `contact_id` and `state` are those of the contact in Levitate, None if there never was one."""

    record: ContactRecord
    contact_id: str | None
    state: str | None


async def list_contacts(
    session: Session, account_id: str, q: str | None, audience: Audience, *, after: int, limit: int
) -> list[ClioContact]:
    """Return the contacts that the audience sees, by Clio id, those after `after`; with `q` those that match it."""
    if q is not None:
        found = await search_records(session, account_id, q, audience, after=after, limit=limit)
        return await load(session, account_id, audience, found)
    await read_in_key_order(session)
    query = _select(account_id, audience).where(_mirror.c.clio_id > after)
    return _found(await session.execute(query.order_by(_mirror.c.clio_id).limit(limit)))


async def load(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> list[ClioContact]:
    """Return those of these contacts that the audience sees, by Clio id."""
    query = _select(account_id, audience).where(any_of(_mirror.c.clio_id, clio_ids))
    return _found(await session.execute(query.order_by(_mirror.c.clio_id)))


def _select(account_id: str, audience: Audience) -> Any:
    published = (_contacts.c.account_id == _mirror.c.account_id) & (
        _contacts.c.clio_id == _mirror.c.clio_id
    )
    return (
        select(as_bytes(_mirror.c.record).label("text"), _contacts.c.contact_id, _contacts.c.state)
        .join(_contacts, published, isouter=True)
        .where(_mirror.c.account_id == account_id)
        .where(*audience.limited_to("contacts", account_id, _mirror.c.clio_id))
    )


def _found(rows: Any) -> list[ClioContact]:
    found = rows.all()
    records = CONTACTS.codec.load_all(row.text for row in found)
    return [
        ClioContact(record, row.contact_id, row.state)
        for record, row in zip(records, found, strict=True)
    ]
