"""Labels that a contact had in Levitate before this service granted them: they are never removed [TG-20]."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from app.db.contacts import tables
from app.db.session import Session, look_up
from app.rules.texts import compared, shown_line

_table = tables.preexisting_tags
_LABELS = look_up(
    select(_table.c.contact_id, _table.c.label).where(_table.c.account_id == bindparam("account")),
    _table.c.contact_id,
    "ids",
)


async def add_labels(
    session: Session, account_id: str, contact_id: str, labels: Collection[str], *, now: datetime
) -> int:
    """Store labels as preexisting; return how many are new."""
    key = {"account_id": account_id, "contact_id": contact_id}
    rows = [
        {**key, "folded": name, "label": shown_line(label), "told_at": now}
        for name, label in sorted({compared(label): label for label in labels}.items())
    ]
    statement = insert(_table).on_conflict_do_nothing().returning(_table.c.folded)
    return len((await session.execute(statement, rows)).all())


async def list_labels(session: Session, account_id: str, contact_id: str) -> list[str]:
    """Return all preexisting labels of the contact."""
    rows = await session.execute(
        select(_table.c.label)
        .where(_table.c.account_id == account_id, _table.c.contact_id == contact_id)
        .order_by(_table.c.folded)
    )
    return list(rows.scalars())


async def load_folded(
    session: Session, account_id: str, contact_ids: Collection[str]
) -> Mapping[str, frozenset[str]]:
    """Return the preexisting labels of each contact in the compared form.

    An older release folded labels in another way, so the stored `folded` does not say how they compare now.
    """
    rows = await session.execute(_LABELS, {"account": account_id, "ids": list(contact_ids)})
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.contact_id].add(compared(row.label))
    return {contact_id: frozenset(labels) for contact_id, labels in found.items()}
