"""Contacts as Levitate holds them: reading one for the API, for write-back and for erasure.

`contact_lists` reads many of them. `contact_store` loads and saves them for the assessment; `documents` turns them into
JSON.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.db.contacts import tables
from app.db.ids import derived_id
from app.db.json_codec import codec
from app.db.mirror import tables as mirror_tables
from app.db.mirror.audience import EVERYBODY, Audience, find_seen
from app.db.session import Session, any_of
from app.errors import AppError
from app.rules.results import Assessment, ContactView, State
from app.rules.texts import shown

_table = tables.contacts
STORED = (  # what a `StoredContact` is made of, except for its view
    _table.c.contact_id,
    _table.c.clio_id,
    _table.c.version,
    _table.c.first_synced_at,
    _table.c.updated_at,
    _table.c.digest,
)
views = codec(ContactView)
explanations = codec(Assessment)


class ContactNotFound(AppError):
    """The account has no such contact."""

    status = 404
    code = "contact_not_found"
    title = "There is no such contact in this account"
    next_step = "GET …/contacts lists them"


@dataclass(frozen=True)
class StoredContact:
    """A contact as it was last published; `digest` is that of its row, None if it has none."""

    contact_id: str
    clio_id: int
    version: int
    view: ContactView
    first_synced_at: datetime
    updated_at: datetime
    digest: bytes | None = None


@dataclass(frozen=True)
class ExplainedContact:
    """A contact with the last result of the rules, and the run that first had this result."""

    contact: StoredContact
    assessment: Assessment
    run_id: str


@dataclass(frozen=True)
class LinkedContact:
    """A contact that is linked to Clio; `name` is None if Clio did not show the contact."""

    contact_id: str
    clio_id: int
    name: str | None


def contact_id_of(account_id: str, clio_id: int) -> str:
    """Return the id that follows from the Clio id: the same after leaving, returning or a restore [CS-8]."""
    return derived_id("con", account_id, clio_id)


async def get_explained(
    session: Session, account_id: str, contact_id: str, audience: Audience = EVERYBODY
) -> ExplainedContact:
    """Return one contact whom the audience sees, with its explanation and all parts; raises ContactNotFound."""
    query = select(_table).where(*_one_seen(account_id, contact_id, audience))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise ContactNotFound
    contact = stored_contact(row, views.load(row.view))
    return ExplainedContact(contact, explanations.load(row.explanation), row.run_id)


async def lock_contact(
    session: Session, account_id: str, contact_id: str, audience: Audience = EVERYBODY
) -> int:
    """Return the Clio id of a contact whom the audience sees, and lock its row until the transaction ends.

    Nobody else changes or erases the contact meanwhile. Raises ContactNotFound.
    """
    query = select(_table.c.clio_id).where(*_one_seen(account_id, contact_id, audience))
    clio_id: int | None = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if clio_id is None:
        raise ContactNotFound
    return clio_id


async def find_clio_id(
    session: Session, account_id: str, contact_id: str, audience: Audience = EVERYBODY
) -> int | None:
    """Return the Clio id of a contact whom the audience sees, or None."""
    query = select(_table.c.clio_id).where(*_one_seen(account_id, contact_id, audience))
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def find_owner_ids(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, str | None]:
    """Return the Levitate users who own these contacts, by Clio id; who was never published is not named."""
    own = (_table.c.account_id == account_id) & any_of(_table.c.clio_id, clio_ids)
    rows = await session.execute(select(_table.c.clio_id, _table.c.owner_user_id).where(own))
    return {row.clio_id: row.owner_user_id for row in rows}


async def find_linked(
    session: Session,
    account_id: str,
    audience: Audience,
    *,
    contact_id: str | None,
    clio_id: int | None,
) -> LinkedContact | None:
    """Return the contact of an activity if it is linked to Clio: published once, or known from Clio [WB-6].

    Returns None if the audience does not see it, or if `contact_id` and `clio_id` name different contacts.
    """
    known = await find_clio_id(session, account_id, contact_id) if contact_id else None
    wanted = known if contact_id else clio_id
    if wanted is None or (clio_id is not None and clio_id != wanted):
        return None
    if wanted not in await find_seen(session, account_id, audience, "contacts", [wanted]):
        return None
    mirror = mirror_tables.mirror_contacts
    one = (mirror.c.account_id == account_id) & (mirror.c.clio_id == wanted)
    record = (await session.execute(select(mirror.c.record).where(one))).scalar_one_or_none()
    if known is None and record is None:
        return None
    return LinkedContact(contact_id_of(account_id, wanted), wanted, _name(record or {}))


async def count_by_state(
    session: Session, account_id: str, audience: Audience = EVERYBODY
) -> Mapping[str, int]:
    """Return how many contacts whom the audience sees are in each state."""
    rows = await session.execute(
        select(_table.c.state, func.count().label("n"))
        .where(_table.c.account_id == account_id)
        .where(*audience.limited_to("contacts", account_id, _table.c.clio_id))
        .group_by(_table.c.state)
    )
    found = {row.state: row.n for row in rows}
    return {state.value: found.get(state.value, 0) for state in State}


async def list_viewers(
    session: Session, account_id: str, clio_id: int, audience: Audience = EVERYBODY
) -> list[str]:
    """Return the ids of the connections that see a Clio contact; of these a login is shown its own."""
    table = mirror_tables.sightings
    own = [table.c.connection_id == audience.login] if audience.login is not None else []
    rows = await session.execute(
        select(table.c.connection_id)
        .where(table.c.account_id == account_id, table.c.resource == "contacts")
        .where(table.c.clio_id == clio_id, *own)
        .order_by(table.c.connection_id)
    )
    return list(rows.scalars())


def stored_contacts(rows: Sequence[Any]) -> list[StoredContact]:
    """Return the contacts of rows with the columns `STORED` and the view as `text`."""
    loaded = views.load_all(row.text for row in rows)
    return [stored_contact(row, view) for row, view in zip(rows, loaded, strict=True)]


def stored_contact(row: Any, view: ContactView) -> StoredContact:
    """Return the contact of a row of `contacts` and its decoded view."""
    return StoredContact(
        contact_id=row.contact_id,
        clio_id=row.clio_id,
        version=row.version,
        view=view,
        first_synced_at=row.first_synced_at,
        updated_at=row.updated_at,
        digest=row.digest,
    )


def _is_contact(account_id: str, contact_id: str) -> ColumnElement[bool]:
    return (_table.c.account_id == account_id) & (_table.c.contact_id == contact_id)


def _one_seen(
    account_id: str, contact_id: str, audience: Audience
) -> Sequence[ColumnElement[bool]]:
    seen = audience.limited_to("contacts", account_id, _table.c.clio_id)
    return [_is_contact(account_id, contact_id), *seen]


def _name(record: Mapping[str, Any]) -> str | None:
    names = [shown(record.get("first_name")), shown(record.get("last_name"))]
    return " ".join(name for name in names if name) or shown(record.get("name"))
