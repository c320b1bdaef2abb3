"""Everyone who was pulled from Clio: who is in Levitate, who is left out, and whose record could not be read.

Companies are no people. Each page and each count reads a bounded number of rows at a time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from app.db.contacts import contact_store, tables, visible_contacts
from app.db.contacts.contacts import StoredContact
from app.db.json_codec import as_bytes
from app.db.mirror import tables as mirror_tables
from app.db.mirror.audience import Audience
from app.db.mirror.records import CONTACTS
from app.db.session import Session, read_in_key_order
from app.rules.records import ContactRecord
from app.rules.results import State

_mirror, _contacts = mirror_tables.mirror_contacts, tables.contacts
_aside = mirror_tables.quarantine
READ_AT_ONCE = 5000  # records of one statement


@dataclass(frozen=True)
class PulledPerson:
    """A person of Clio; `contact_id` and `state` are those of the contact in Levitate, None if there never was one."""

    record: ContactRecord
    contact_id: str | None
    state: str | None


@dataclass(frozen=True)
class PeopleCounts:
    """The numbers of people who were pulled, are in Levitate, and could not be read."""

    pulled: int
    in_levitate: int
    unreadable: int

    @property
    def left_out(self) -> int:
        """The number of those who are not in Levitate."""
        return max(0, self.pulled - self.in_levitate)


async def count_people(session: Session, account_id: str, audience: Audience) -> PeopleCounts:
    """Return the counts of the people whom an audience sees."""
    seen = audience.limited_to("contacts", account_id, _mirror.c.clio_id)
    in_scope = func.count().filter(_contacts.c.state == State.IN_SCOPE)
    people = (
        select(func.count(), in_scope)
        .select_from(_mirror.outerjoin(_contacts, _is_published()))
        .where(_mirror.c.account_id == account_id, *seen)
        .where(_is_person(), _mirror.c.gone.is_(None))
    )
    pulled, in_levitate = (await session.execute(people)).one()
    unreadable = select(func.count(_aside.c.clio_id.distinct()))
    unreadable = unreadable.where(*_unread(account_id, audience))
    return PeopleCounts(pulled, in_levitate, (await session.execute(unreadable)).scalar_one())


async def list_people(
    session: Session,
    account_id: str,
    audience: Audience,
    *,
    left_out: bool,
    after: int,
    limit: int,
) -> list[PulledPerson]:
    """Return people by Clio id, those after `after`; with `left_out` only those who are not in Levitate."""
    await read_in_key_order(session)
    found: list[PulledPerson] = []
    while len(found) < limit:
        wanted = _is_person() & _mirror.c.gone.is_(None)
        if left_out:
            wanted &= _contacts.c.state.is_distinct_from(State.IN_SCOPE)
        rows = (await session.execute(_step(account_id, audience, wanted, after))).all()
        shown = [row for row in rows if row.text is not None][: limit - len(found)]
        records = CONTACTS.codec.load_all(row.text for row in shown)
        found += [
            PulledPerson(record, row.contact_id, row.state)
            for record, row in zip(records, shown, strict=True)
        ]
        if len(rows) < READ_AT_ONCE:
            break
        after = rows[-1].clio_id
    return found


async def list_unreadable(
    session: Session, account_id: str, audience: Audience, *, after: int, limit: int
) -> Mapping[int, str]:
    """Return why records of contacts could not be read, by Clio id, those after `after`."""
    rows = await session.execute(
        select(_aside.c.clio_id, func.max(_aside.c.reason).label("reason"))
        .where(*_unread(account_id, audience), _aside.c.clio_id > after)
        .group_by(_aside.c.clio_id)
        .order_by(_aside.c.clio_id)
        .limit(limit)
    )
    return {row.clio_id: row.reason for row in rows}


async def load_published(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> list[StoredContact]:
    """Return the contacts with these Clio ids as an audience may be shown them, by Clio id."""
    if audience.login is None:
        loaded = await contact_store.load_by_clio_id(session, account_id, clio_ids)
        return [loaded[key] for key in sorted(loaded)]
    shown = await visible_contacts.load_visible(session, account_id, audience, clio_ids)
    return sorted((one.contact for one in shown), key=lambda contact: contact.clio_id)


def _step(
    account_id: str, audience: Audience, wanted: ColumnElement[bool], after: int
) -> Select[Any]:
    """Return the next records; only those that are wanted come with their text."""
    text = case((wanted, as_bytes(_mirror.c.record)))
    return (
        select(_mirror.c.clio_id, text.label("text"), _contacts.c.contact_id, _contacts.c.state)
        .select_from(_mirror.outerjoin(_contacts, _is_published()))
        .where(_mirror.c.account_id == account_id, _mirror.c.clio_id > after)
        .where(*audience.limited_to("contacts", account_id, _mirror.c.clio_id))
        .order_by(_mirror.c.clio_id)
        .limit(READ_AT_ONCE)
    )


def _is_person() -> ColumnElement[bool]:
    is_person: ColumnElement[bool] = _mirror.c.record["is_person"].as_boolean()
    return is_person


def _is_published() -> ColumnElement[bool]:
    return (_contacts.c.account_id == _mirror.c.account_id) & (
        _contacts.c.clio_id == _mirror.c.clio_id
    )


def _unread(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    return [
        _aside.c.account_id == account_id,
        _aside.c.resource == "contacts",
        _aside.c.resolved_at.is_(None),
        _aside.c.clio_id > 0,
        *audience.limited_to("contacts", account_id, _aside.c.clio_id),
    ]
