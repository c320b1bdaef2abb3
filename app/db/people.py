"""Which contact an activity is about, if it is linked to Clio."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.contacts import tables as contact_tables
from app.db.contacts.contacts import contact_id_of
from app.db.mirror import tables as mirror_tables
from app.db.session import Session


@dataclass(frozen=True)
class Person:
    """A contact that is linked to Clio."""

    contact_id: str
    clio_id: int
    name: str | None


async def find_person(
    session: Session, account_id: str, *, contact_id: str | None, clio_id: int | None
) -> Person | None:
    """The contact that is meant, if it is linked to Clio: one we once published, or one that Clio showed us [WB-6]."""
    known = await _published(session, account_id, contact_id) if contact_id else None
    wanted = known if contact_id else clio_id
    if wanted is None or (clio_id is not None and clio_id != wanted):
        return None
    mirror = mirror_tables.mirror_contacts
    mine = (mirror.c.account_id == account_id) & (mirror.c.clio_id == wanted)
    record = (await session.execute(select(mirror.c.record).where(mine))).scalar_one_or_none()
    if known is None and record is None:
        return None
    return Person(contact_id_of(account_id, wanted), wanted, _name(record or {}))


async def _published(session: Session, account_id: str, contact_id: str) -> int | None:
    table = contact_tables.contacts
    mine = (table.c.account_id == account_id) & (table.c.contact_id == contact_id)
    found: int | None = (
        await session.execute(select(table.c.clio_id).where(mine))
    ).scalar_one_or_none()
    return found


def _name(record: dict[str, Any]) -> str | None:
    names = [record.get("first_name"), record.get("last_name")]
    return " ".join(name for name in names if name) or record.get("name")
