"""The words of people as published, which may differ from those of their records in the mirror.

Who has left the scope keeps the name of that time, and a person's company may have a new name. So a person is found by
both. Whoever writes here has locked the person's row of the mirror.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from app.db.contacts import contact_store, erasures
from app.db.json_codec import as_bytes
from app.db.mirror import search_words, tables
from app.db.mirror.records import CONTACTS
from app.db.session import Session, reading_in_key_order
from app.rules.records import ContactRecord
from app.rules.results import Profile
from app.rules.search_words import words_of_profile, words_of_record

_mirror = tables.mirror_contacts
NO_EMAIL = "=no_email"  # a person in Levitate without an address; no word of a record begins with this sign


@dataclass(frozen=True)
class PublishedPerson:
    """A person as published before, None if never, and now, with the record of the mirror."""

    record: ContactRecord
    known: Profile | None
    profile: Profile


async def update(
    session: Session, account_id: str, people: Collection[PublishedPerson], country: str
) -> None:
    """Store the words of these people, where what is published of them has changed or differs from the record."""
    words = {}
    for one in people:
        published = _words_of(one.profile, country)
        of_record = words_of_record(one.record, country)
        before = _words_of(one.known, country) if one.known is not None else of_record
        if not published <= of_record or not before <= of_record | published:
            words[one.record.clio_id] = of_record | published
    await search_words.store(session, account_id, words)


async def fill(
    session: Session, account_id: str, country: str, *, after: int, limit: int
) -> int | None:
    """Store the words of the next `limit` contacts after a Clio id, published or not.

    Returns after which Clio id to go on; None when there are no more.
    """
    await erasures.lock_shared(session, account_id)
    page = (
        select(_mirror.c.clio_id, as_bytes(_mirror.c.record).label("record"))
        .where(_mirror.c.account_id == account_id, _mirror.c.clio_id > after)
        .order_by(_mirror.c.clio_id)
        .limit(limit)
        .with_for_update()
    )
    async with reading_in_key_order(session):
        rows = (await session.execute(page)).all()
    records = CONTACTS.codec.load_all(row.record for row in rows)
    ids = [record.clio_id for record in records]
    published = await contact_store.load_by_clio_id(session, account_id, ids)
    words = {record.clio_id: words_of_record(record, country) for record in records}
    for clio_id, contact in published.items():
        words[clio_id] |= _words_of(contact.view.profile, country)
    await search_words.store(session, account_id, words)
    return ids[-1] if len(ids) == limit else None


def _words_of(profile: Profile, country: str) -> frozenset[str]:
    found = words_of_profile(profile, country)
    return found if profile.emails else found | {NO_EMAIL}
