"""Sets of new clients that a person decides about together: found by ids or by a filter, and moved to a hold.

The hold is a part of no other one, so lists do not show it. Its items are carried out like those of any decided hold.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, exists, insert, select

from app.db.contacts import holds, tables
from app.db.contacts.holds import Hold, HoldKind, HoldStatus
from app.db.contacts.seen_rows import new_client_seen
from app.db.ids import new_id
from app.db.mirror.audience import Audience
from app.db.session import Session, any_of
from app.rules.new_clients import Status

T = TypeVar("T")

ROWS_AT_ONCE = 500  # that one statement reads or changes

_table = tables.new_clients
_holds = tables.holds
_items = tables.hold_items


@dataclass(frozen=True)
class NewClientFilter:
    """The held new clients that are meant; None does not filter. `since` is included, `until` is not."""

    origin: str | None = None
    run_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def find_by_ids(
    session: Session, account_id: str, audience: Audience, ids: Sequence[str]
) -> dict[str, int]:
    """Return the Clio ids of these new clients by their ids, without those that the audience may not be shown."""
    found: dict[str, int] = {}
    for chunk in _chunks(ids):
        rows = await session.execute(
            select(_table.c.new_client_id, _table.c.clio_id)
            .where(_table.c.account_id == account_id, any_of(_table.c.new_client_id, chunk))
            .where(*new_client_seen(account_id, audience))
        )
        found |= {row.new_client_id: row.clio_id for row in rows}
    return found


async def find_held(
    session: Session, account_id: str, audience: Audience, wanted: NewClientFilter, *, limit: int
) -> dict[str, int]:
    """Return the Clio ids of the held new clients that a filter means, by their ids: the first `limit` by Clio id."""
    rows = await session.execute(
        select(_table.c.new_client_id, _table.c.clio_id)
        .where(_table.c.account_id == account_id, _table.c.status == Status.HELD)
        .where(*_conditions(wanted), *new_client_seen(account_id, audience))
        .order_by(_table.c.clio_id)
        .limit(limit)
    )
    return {row.new_client_id: row.clio_id for row in rows}


def _conditions(wanted: NewClientFilter) -> list[ColumnElement[bool]]:
    found = []
    if wanted.origin is not None:
        found.append(_table.c.origin == wanted.origin)
    if wanted.run_id is not None:
        found.append(_table.c.run_id == wanted.run_id)
    if wanted.since is not None:
        found.append(_table.c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(_table.c.created_at < wanted.until)
    return found


async def lock_holds_of(
    session: Session, account_id: str, clio_ids: Sequence[int]
) -> dict[int, HoldStatus]:
    """Lock the holds in which these new clients wait; return the status of the hold of each that is in one.

    Lock the rows of the new clients before.
    """
    waiting: dict[int, str] = {}
    for chunk in _chunks(clio_ids):
        rows = await session.execute(
            select(_items.c.clio_id, _items.c.hold_id)
            .where(_items.c.account_id == account_id, any_of(_items.c.clio_id, chunk))
            .where(_in_new_clients(account_id))
        )
        waiting |= {row.clio_id: row.hold_id for row in rows}
    locked = await session.execute(
        select(_holds.c.hold_id, _holds.c.status)
        .where(_holds.c.account_id == account_id, any_of(_holds.c.hold_id, set(waiting.values())))
        .order_by(_holds.c.hold_id)
        .with_for_update()
    )
    statuses = {row.hold_id: HoldStatus(row.status) for row in locked}
    return {clio_id: statuses[hold_id] for clio_id, hold_id in waiting.items()}


def _in_new_clients(account_id: str) -> ColumnElement[bool]:
    """Return the condition that an item is in a hold of new clients."""
    own = (_holds.c.account_id == account_id) & (_holds.c.hold_id == _items.c.hold_id)
    return exists().where(own, _holds.c.kind == HoldKind.NEW_CLIENTS)


async def add_decided(
    session: Session,
    account_id: str,
    clio_ids: Collection[int],
    status: HoldStatus,
    *,
    by: str,
    now: datetime,
) -> Hold:
    """Store a hold of these new clients that is decided and not carried out; return it."""
    hold_id = new_id("hld", now)
    values = {"kind": HoldKind.NEW_CLIENTS, "status": status, "run_id": "", "opened_at": now}
    decided = {"decided_at": now, "decided_by": by, "carried_out_at": now, "unfinished": True}
    await session.execute(
        insert(_holds).values(
            account_id=account_id, hold_id=hold_id, part_of=hold_id, **values, **decided
        )
    )
    for chunk in _chunks(sorted(clio_ids)):
        await holds.add_items(session, account_id, hold_id, chunk)
    return await holds.get_hold(session, account_id, hold_id)


def _chunks(ids: Sequence[T]) -> list[Sequence[T]]:
    return [ids[at : at + ROWS_AT_ONCE] for at in range(0, len(ids), ROWS_AT_ONCE)]
