"""Contacts as Levitate holds them: what the rules last said, why, and how a contact is written out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.contacts import tables
from app.db.ids import derived_id
from app.db.json_codec import as_text, codec, digest
from app.db.mirror import tables as mirror_tables
from app.db.session import Session, among
from app.errors import AppError
from app.rules.labels import fold_label
from app.rules.results import Assessment, ContactView, State

_table = tables.contacts
_views = codec(ContactView)
_explanations = codec(Assessment)
_PLAIN = (
    _table.c.contact_id,
    _table.c.clio_id,
    _table.c.version,
    _table.c.first_synced_at,
    _table.c.updated_at,
)


class ContactNotFound(AppError):
    """No such contact in this account."""

    status = 404
    code = "contact_not_found"
    title = "There is no such contact in this account"


@dataclass(frozen=True)
class StoredContact:
    """A contact as it was last published."""

    contact_id: str
    clio_id: int
    version: int
    view: ContactView
    first_synced_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Explained:
    """Why a contact is what it is: the rules' last word, and the run that they first said it to."""

    contact: StoredContact
    assessment: Assessment
    run_id: str


@dataclass(frozen=True)
class Wanted:
    """Which contacts a reader asks for; None asks for all."""

    state: str | None = None
    owner: str | None = None
    tag: str | None = None
    clio_id: int | None = None
    q: str | None = None


def contact_id_of(account_id: str, clio_id: int) -> str:
    """A contact's id follows from its Clio id: it is the same after leaving, returning or restoring [CS-8]."""
    return derived_id("con", account_id, clio_id)


async def by_clio_id(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, StoredContact]:
    """What is published of these Clio contacts."""
    rows = (
        await session.execute(
            select(*_PLAIN, as_text(_table.c.view).label("text")).where(
                _table.c.account_id == account_id, among(_table.c.clio_id, clio_ids)
            )
        )
    ).all()
    views = _views.load_all(row.text for row in rows)
    return {row.clio_id: _stored(row, view) for row, view in zip(rows, views, strict=True)}


async def save(
    session: Session,
    account_id: str,
    items: Sequence[tuple[StoredContact, Assessment]],
    *,
    run_id: str,
) -> None:
    """Store contacts with the reasons for what they are; what is as it was, reasons and all, is left alone."""
    rows = [_row(account_id, contact, assessment, run_id) for contact, assessment in items]
    known = await session.execute(
        select(_table.c.clio_id, _table.c.digest).where(
            _table.c.account_id == account_id,
            among(_table.c.clio_id, [row["clio_id"] for row in rows]),
        )
    )
    same = {(row.clio_id, row.digest) for row in known}
    rows = [row for row in rows if (row["clio_id"], row["digest"]) not in same]
    if not rows:
        return
    statement = insert(_table)
    kept = ("account_id", "contact_id", "clio_id", "first_synced_at")
    new = {name: statement.excluded[name] for name in rows[0] if name not in kept}
    key = [_table.c.account_id, _table.c.contact_id]
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=new), rows)


async def get_explained(session: Session, account_id: str, contact_id: str) -> Explained:
    """One contact with its reasons; raises ContactNotFound."""
    row = (
        await session.execute(
            select(_table).where(
                _table.c.account_id == account_id, _table.c.contact_id == contact_id
            )
        )
    ).one_or_none()
    if row is None:
        raise ContactNotFound
    contact = _stored(row, _views.load(row.view))
    return Explained(contact, _explanations.load(row.explanation), row.run_id)


async def lock_contact(session: Session, account_id: str, contact_id: str) -> int:
    """The contact's Clio id, nobody else changing or erasing the contact until the end; raises ContactNotFound."""
    query = select(_table.c.clio_id).where(
        _table.c.account_id == account_id, _table.c.contact_id == contact_id
    )
    clio_id: int | None = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if clio_id is None:
        raise ContactNotFound
    return clio_id


async def find_clio_id(session: Session, account_id: str, contact_id: str) -> int | None:
    """The contact's Clio id, or None."""
    query = select(_table.c.clio_id).where(
        _table.c.account_id == account_id, _table.c.contact_id == contact_id
    )
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def list_contacts(
    session: Session, account_id: str, wanted: Wanted, *, after: str, limit: int
) -> list[StoredContact]:
    """Contacts by id, those after `after`."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.contact_id > after, *_filters(wanted))
        .order_by(_table.c.contact_id)
        .limit(limit)
    )
    return [_stored(row, _views.load(row.view)) for row in rows]


async def count_by_state(session: Session, account_id: str) -> Mapping[str, int]:
    """How many contacts are in each state."""
    rows = await session.execute(
        select(_table.c.state, func.count().label("n"))
        .where(_table.c.account_id == account_id)
        .group_by(_table.c.state)
    )
    found = {row.state: row.n for row in rows}
    return {state.value: found.get(state.value, 0) for state in State}


async def seen_by(session: Session, account_id: str, clio_id: int) -> list[str]:
    """The connections that see a Clio contact."""
    table = mirror_tables.sightings
    rows = await session.execute(
        select(table.c.connection_id)
        .where(table.c.account_id == account_id, table.c.resource == "contacts")
        .where(table.c.clio_id == clio_id)
        .order_by(table.c.connection_id)
    )
    return list(rows.scalars())


def document(contact: StoredContact, *, clio_origin: str) -> dict[str, Any]:
    """The contact as the REST API returns it."""
    view = _views.adapter.dump_python(contact.view, mode="json")
    profile = view.pop("profile")
    owner = view.pop("owner")
    return {
        "id": contact.contact_id,
        "clio_id": str(contact.clio_id),
        "clio_url": f"{clio_origin}/nc/#/contacts/{contact.clio_id}",
        "version": contact.version,
        "state": view["state"],
        "state_reason": view["state_reason"],
        **{name: profile[name] for name in ("first_name", "middle_name", "last_name")},
        **{name: profile[name] for name in ("prefix", "title")},
        "company": field_document("company", profile["company"]),
        **{name: profile[name] for name in ("emails", "phones", "addresses")},
        "tags": view["tags"],
        "owner": owner and owner_document(owner),
        "key_facts": field_document("key_facts", view["key_facts"]),
        "first_synced_at": zulu(contact.first_synced_at),
        "updated_at": zulu(contact.updated_at),
    }


def field_document(name: str, value: Any) -> Any:
    """One field of a contact in the words of the REST contract: Clio's ids are strings there."""
    if name == "company" and value:
        return {**value, "clio_id": str(value["clio_id"])}
    return [_key_fact(fact) for fact in value] if name == "key_facts" else value


def _key_fact(fact: Mapping[str, Any]) -> dict[str, Any]:
    """A key fact; only a custom date has a field, only a doubtful value a flag."""
    field_id, flag = fact["field_id"], fact["flag"]
    return {
        **{name: fact[name] for name in ("kind", "label", "value")},
        **({"field_id": str(field_id)} if field_id is not None else {}),
        **({"flag": flag} if flag is not None else {}),
    }


def owner_document(owner: Mapping[str, Any]) -> dict[str, Any]:
    """An owner in the words of the REST contract."""
    matter_id = owner["matter_id"]
    return {
        "user_id": owner["user_id"],
        "rule": owner["rule"],
        "matter_clio_id": None if matter_id is None else str(matter_id),
        "detail": owner["detail"],
    }


def zulu(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _stored(row: Any, view: ContactView) -> StoredContact:
    return StoredContact(
        contact_id=row.contact_id,
        clio_id=row.clio_id,
        version=row.version,
        view=view,
        first_synced_at=row.first_synced_at,
        updated_at=row.updated_at,
    )


def _row(
    account_id: str, contact: StoredContact, assessment: Assessment, run_id: str
) -> dict[str, Any]:
    view = contact.view
    names = (view.profile.first_name, view.profile.last_name)
    words = [*names, *(email.address for email in view.profile.emails)]
    view_text, reasons = _views.dump(view), _explanations.dump(assessment)
    return {
        "account_id": account_id,
        "contact_id": contact.contact_id,
        "clio_id": contact.clio_id,
        "version": contact.version,
        "state": view.state,
        "owner_user_id": view.owner.user_id if view.owner else None,
        "labels": [fold_label(tag.label) for tag in view.tags],
        "search": " ".join(word.lower() for word in words if word),
        "view": view_text,
        "explanation": reasons,
        "digest": digest(f"{view_text}\n{reasons}".encode()),
        "run_id": run_id,
        "first_synced_at": contact.first_synced_at,
        "updated_at": contact.updated_at,
    }


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.state, _table.c.state == wanted.state),
        (wanted.owner, _table.c.owner_user_id == wanted.owner),
        (wanted.tag, _table.c.labels.contains([fold_label(wanted.tag or "")])),
        (wanted.clio_id, _table.c.clio_id == wanted.clio_id),
        (wanted.q, _table.c.search.contains((wanted.q or "").lower(), autoescape=True)),
    ]
    return [condition for value, condition in asked if value is not None]
