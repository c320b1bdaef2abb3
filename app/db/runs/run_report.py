"""What a run came to: its lines in the feed, whom its hold keeps back, and what it counts beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.contacts import tables as contact_tables
from app.db.session import Session

_changes = contact_tables.changes
_holds = contact_tables.holds
_items = contact_tables.hold_items

MAX_SKIPPED = 1000  # persons that a report names


@dataclass(frozen=True)
class Tally:
    """What the report of a run counts: whom and what it could not use, and the owners that it changed.

    `skipped` are the Clio ids of the first persons who are out for want of a name and an address, and always were.
    """

    owner_changes: int = 0  # OW-11
    too_long: int = 0  # CF-2, row 12
    unparsable: int = 0  # row 13
    no_name_or_email: int = 0  # DM-10
    skipped: Sequence[int] = ()

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.owner_changes + other.owner_changes,
            self.too_long + other.too_long,
            self.unparsable + other.unparsable,
            self.no_name_or_email + other.no_name_or_email,
            [*self.skipped, *other.skipped][:MAX_SKIPPED],
        )


@dataclass(frozen=True)
class ReportedChange:
    """One line of the feed that a run wrote."""

    seq: int
    body: dict[str, Any]


async def list_changes(
    session: Session, account_id: str, run_id: str, *, after: int, limit: int
) -> list[ReportedChange]:
    """The lines that a run wrote, in order, those after `after`."""
    rows = await session.execute(
        select(_changes.c.seq, _changes.c.body)
        .where(_changes.c.account_id == account_id, _changes.c.run_id == run_id)
        .where(_changes.c.seq > after)
        .order_by(_changes.c.seq)
        .limit(limit)
    )
    return [ReportedChange(row.seq, row.body) for row in rows]


async def list_held_contacts(
    session: Session, account_id: str, run_id: str, *, after: int, limit: int
) -> list[int]:
    """The contacts that a hold of this run keeps back, by Clio id, those after `after`."""
    holds = select(_holds.c.hold_id).where(
        _holds.c.account_id == account_id, _holds.c.run_id == run_id, _holds.c.status == "open"
    )
    rows = await session.execute(
        select(_items.c.clio_id)
        .where(_items.c.account_id == account_id, _items.c.hold_id.in_(holds))
        .where(_items.c.clio_id > after)
        .order_by(_items.c.clio_id)
        .limit(limit)
    )
    return list(rows.scalars())
