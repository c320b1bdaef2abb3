"""Published contacts as the assessment loads and saves them, many at a time."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from app.db.bulk import BulkInsert, array_text
from app.db.contacts import tables
from app.db.contacts.contacts import (
    STORED,
    StoredContact,
    explanations,
    stored_contacts,
    views,
)
from app.db.json_codec import as_bytes, digest
from app.db.session import Session, any_of, look_up
from app.rules.results import Assessment, Profile
from app.rules.texts import compared

_table = tables.contacts
_LOAD = look_up(
    select(*STORED, as_bytes(_table.c.view).label("text")).where(
        _table.c.account_id == bindparam("account")
    ),
    _table.c.clio_id,
    "ids",
)
_CHANGING = (
    *("version", "state", "owner_user_id", "labels", "search", "view", "explanation", "digest"),
    "updated_at",
)
_ROWS = BulkInsert(
    _table,
    ("contact_id", "clio_id", "first_synced_at", *_CHANGING),
    same=("account_id", "run_id"),
)
_STORE = _ROWS.updating(*_CHANGING, "run_id")


async def load_by_clio_id(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, StoredContact]:
    """Return the published contacts with these Clio ids, by Clio id."""
    rows = (await session.execute(_LOAD, {"account": account_id, "ids": list(clio_ids)})).all()
    return {contact.clio_id: contact for contact in stored_contacts(rows)}


async def load_assessments(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, Assessment]:
    """Return what is published of these contacts as the result of the rules, by Clio id."""
    if not clio_ids:
        return {}
    rows = await session.execute(
        select(_table.c.clio_id, _table.c.explanation).where(
            _table.c.account_id == account_id, any_of(_table.c.clio_id, clio_ids)
        )
    )
    return {row.clio_id: explanations.load(row.explanation) for row in rows}


async def save(
    session: Session,
    account_id: str,
    items: Sequence[tuple[StoredContact, Assessment]],
    *,
    run_id: str,
) -> None:
    """Store contacts with their explanations; a contact of which nothing changed since it was loaded is not written."""
    rows = [_row(contact, assessment) for contact, assessment in items]
    changed = [
        row
        for row, (contact, _) in zip(rows, items, strict=True)
        if row["digest"] != contact.digest
    ]
    if not changed:
        return
    await session.execute(_STORE, _ROWS.parameters(changed, account_id=account_id, run_id=run_id))


def _row(contact: StoredContact, assessment: Assessment) -> dict[str, Any]:
    view = contact.view
    view_text, reasons = views.dump(view), explanations.dump(assessment)
    labels = [compared(tag.label) for tag in view.tags]
    search = _search_text(view.profile)
    return {
        "contact_id": contact.contact_id,
        "clio_id": contact.clio_id,
        "version": contact.version,
        "state": view.state,
        "owner_user_id": view.owner.user_id if view.owner else None,
        "labels": array_text(labels),
        "search": search,
        "view": view_text,
        "explanation": reasons,
        "digest": digest("\n".join([view_text, reasons, *labels, search]).encode()),
        "first_synced_at": contact.first_synced_at,
        "updated_at": contact.updated_at,
    }


def _search_text(profile: Profile) -> str:
    """Return the text in which the release before searches. The column can go when that release is no longer run."""
    words = [profile.first_name, profile.last_name, *(email.address for email in profile.emails)]
    return " ".join(compared(word) for word in words if word)
