"""The report of a run: its lines in the change feed, the contacts in its hold, and its counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.contacts import tables as contact_tables
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.mirror.audience import Audience
from app.db.session import Session

_changes = contact_tables.changes
_holds = contact_tables.holds
_items = contact_tables.hold_items

MAX_SKIPPED = 1000  # persons that a report lists


@dataclass(frozen=True)
class Tally:
    """The counts of a run's report.

    `skipped` are the Clio ids of the first persons who have no name and no address and were never in scope.
    """

    owner_changes: int = 0  # OW-11
    too_long: int = 0  # CF-2, row 12
    unparsable: int = 0  # row 13
    no_name_or_email: int = 0  # DM-10
    skipped: Sequence[int] = ()

    def plus(self, other: "Tally") -> "Tally":
        """Return the sum of both."""
        return Tally(
            self.owner_changes + other.owner_changes,
            self.too_long + other.too_long,
            self.unparsable + other.unparsable,
            self.no_name_or_email + other.no_name_or_email,
            [*self.skipped, *other.skipped][:MAX_SKIPPED],
        )


@dataclass(frozen=True)
class ReportedChange:
    """One line of the change feed that a run wrote."""

    seq: int
    body: dict[str, Any]


async def list_changes(
    session: Session, account_id: str, run_id: str, *, after: int, limit: int
) -> list[ReportedChange]:
    """Return the feed lines that a run wrote, in order, those after `after`."""
    rows = await session.execute(
        select(_changes.c.seq, _changes.c.body)
        .where(_changes.c.account_id == account_id, _changes.c.run_id == run_id)
        .where(_changes.c.seq > after)
        .order_by(_changes.c.seq)
        .limit(limit)
    )
    return [ReportedChange(row.seq, row.body) for row in rows]


async def list_held_contacts(
    session: Session, account_id: str, run_id: str, audience: Audience, *, after: int, limit: int
) -> list[int]:
    """Return the Clio ids of the contacts whose removal is in an open hold of this run, those after `after`.

    Only of those whom the audience sees.
    """
    holds = (
        select(_holds.c.hold_id)
        .where(_holds.c.account_id == account_id, _holds.c.run_id == run_id)
        .where(_holds.c.kind == HoldKind.REMOVALS, _holds.c.status == HoldStatus.OPEN)
    )
    rows = await session.execute(
        select(_items.c.clio_id)
        .where(_items.c.account_id == account_id, _items.c.hold_id.in_(holds))
        .where(_items.c.clio_id > after)
        .where(*audience.limited_to("contacts", account_id, _items.c.clio_id))
        .order_by(_items.c.clio_id)
        .limit(limit)
    )
    return list(rows.scalars())
