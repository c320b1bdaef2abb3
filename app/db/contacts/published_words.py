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
from app.rules.results import ContactView
from app.rules.search_words import MARK, words_of_profile, words_of_record
from app.rules.texts import compared

_mirror = tables.mirror_contacts
NO_EMAIL = f"{MARK}no_email"  # a person in Levitate without an address
_TAG = f"{MARK}tag:"
_MOST_CHARACTERS = 200  # of a tag


@dataclass(frozen=True)
class PublishedPerson:
    """A person as published before, None if never, and now, with the record of the mirror."""

    record: ContactRecord
    known: ContactView | None
    view: ContactView


def tag_word(label: str) -> str:
    """Return the word of those who have a tag, and perhaps of others with one that begins so; `label` is compared."""
    return _TAG + label[:_MOST_CHARACTERS]


async def update(
    session: Session, account_id: str, people: Collection[PublishedPerson], country: str
) -> None:
    """Store the words of these people, where what is published of them has changed or differs from the record."""
    words = {}
    for one in people:
        published = words_of_profile(one.view.profile, country)
        of_record = words_of_record(one.record, country)
        before = words_of_profile(one.known.profile, country) if one.known else of_record
        marks = _marks_of(one.view)
        same = marks == (_marks_of(one.known) if one.known else frozenset())
        if not (same and published <= of_record and before <= of_record | published):
            words[one.record.clio_id] = of_record | published | marks
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
        words[clio_id] |= words_of_profile(contact.view.profile, country) | _marks_of(contact.view)
    await search_words.store(session, account_id, words)
    return ids[-1] if len(ids) == limit else None


def _marks_of(view: ContactView) -> frozenset[str]:
    """Return the words of the conditions of lists that a person meets."""
    tags = {tag_word(compared(tag.label)) for tag in view.tags}
    return frozenset(tags if view.profile.emails else {*tags, NO_EMAIL})
