"""Holds of new clients: those of the first sync, possible duplicates, and more than may be announced at once."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.contacts import holds, tables
from app.db.contacts.holds import HoldKind, HoldStatus, hold_id_of
from app.db.contacts.seen_rows import duplicate_seen, new_client_seen, reasons_seen
from app.db.ids import new_id
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.session import Session, any_of
from app.rules.new_clients import HeldFor, Status

_table = tables.holds
_items = tables.hold_items
_rows = tables.new_clients


@dataclass
class Summary:
    """The counts of the new clients who wait in a hold."""

    count: int = 0
    by_held_for: Counter[str] = field(default_factory=Counter)
    by_basis: Counter[str] = field(default_factory=Counter)
    with_open_matter: int = 0
    possible_duplicates: int = 0


async def add_new_clients(
    session: Session, account_id: str, run_id: str, clio_ids: Collection[int], *, now: datetime
) -> str:
    """Add new clients that one run found to its open hold, or open one; return its id. Lock their rows before.

    A hold that a person has decided gets nothing more: the person has not seen these.
    """
    hold_id = await _lock_open(session, account_id, run_id)
    if hold_id is None:
        hold_id = await _open(session, account_id, run_id, now=now)
    await holds.add_items(session, account_id, hold_id, clio_ids)
    return hold_id


async def list_open(session: Session, account_id: str) -> list[str]:
    """Return the ids of the account's open holds of new clients."""
    rows = await session.execute(
        select(_table.c.hold_id)
        .where(_table.c.account_id == account_id, _table.c.kind == HoldKind.NEW_CLIENTS)
        .where(_table.c.status == HoldStatus.OPEN)
    )
    return list(rows.scalars())


async def _lock_open(session: Session, account_id: str, run_id: str) -> str | None:
    """Return and lock the run's open hold of new clients, None if there is none."""
    query = (
        select(_table.c.hold_id)
        .where(_table.c.account_id == account_id, _table.c.run_id == run_id)
        .where(_table.c.kind == HoldKind.NEW_CLIENTS, _table.c.status == HoldStatus.OPEN)
        .with_for_update()
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def _open(session: Session, account_id: str, run_id: str, *, now: datetime) -> str:
    """Open a hold. The release before finds the first one of a run by its id."""
    values = {"account_id": account_id, "run_id": run_id, "opened_at": now}
    values |= {"kind": HoldKind.NEW_CLIENTS, "status": HoldStatus.OPEN}
    first = insert(_table).values(
        **values, hold_id=hold_id_of(account_id, run_id, HoldKind.NEW_CLIENTS)
    )
    opened = await session.execute(first.on_conflict_do_nothing().returning(_table.c.hold_id))
    hold_id: str | None = opened.scalar_one_or_none()
    if hold_id is None:
        hold_id = new_id("hld", now)
        await session.execute(insert(_table).values(**values, hold_id=hold_id))
    return hold_id


@dataclass(frozen=True)
class Unheld:
    """Some of the rows of a page that no hold has; `last` is the last Clio id of a full page."""

    clio_ids: list[int]
    last: int | None


async def list_unheld(
    session: Session, account_id: str, held_for: HeldFor, *, after: int, limit: int
) -> Unheld:
    """Return which of the next rows that are held for this reason are in no hold, by Clio id."""
    page = (
        select(_rows.c.clio_id)
        .where(_rows.c.account_id == account_id, _rows.c.status == Status.HELD)
        .where(_rows.c.held_for == held_for, _rows.c.clio_id > after)
        .order_by(_rows.c.clio_id)
        .limit(limit)
        .subquery()
    )
    of_hold = (_table.c.account_id == _items.c.account_id) & (_table.c.hold_id == _items.c.hold_id)
    in_hold = exists().where(
        _items.c.account_id == account_id,
        _items.c.clio_id == page.c.clio_id,
        of_hold,
        _table.c.kind == HoldKind.NEW_CLIENTS,
    )
    found = await session.execute(
        select(page.c.clio_id, in_hold.label("in_hold")).order_by(page.c.clio_id)
    )
    rows = found.all()
    last = rows[-1].clio_id if len(rows) == limit else None
    return Unheld([row.clio_id for row in rows if not row.in_hold], last)


async def summarize(
    session: Session, account_id: str, hold_ids: Collection[str], audience: Audience = EVERYBODY
) -> dict[str, Summary]:
    """Return what the new clients are who wait in each of these open holds, of those whom the audience may be shown.

    All their rows are held. There is no condition on the status: without statistics PostgreSQL would read all held rows
    again for each item.
    """
    own = (_rows.c.account_id == _items.c.account_id) & (_rows.c.clio_id == _items.c.clio_id)
    waiting = (
        select(
            *(_items.c.hold_id, _rows.c.held_for, _rows.c.basis),
            and_(_rows.c.has_open_matter, *reasons_seen(account_id, audience)).label("is_open"),
            duplicate_seen(account_id, audience).label("doubled"),
        )
        .join(_rows, own)
        .where(_items.c.account_id == account_id, any_of(_items.c.hold_id, hold_ids))
        .where(*new_client_seen(account_id, audience))
        .subquery()
    )
    query = select(*waiting.c, func.count().label("n")).group_by(*waiting.c)
    found = {hold_id: Summary() for hold_id in hold_ids}
    for row in await session.execute(query):
        summary = found[row.hold_id]
        summary.count += row.n
        summary.by_held_for[row.held_for] += row.n
        summary.by_basis[row.basis] += row.n
        summary.with_open_matter += row.n if row.is_open else 0
        summary.possible_duplicates += row.n if row.doubled else 0
    return found
