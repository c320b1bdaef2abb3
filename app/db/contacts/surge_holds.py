"""Holds of new clients: more of them in one run than may be announced at once [NC-7]."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.contacts import tables
from app.db.contacts.holds import Hold, HoldKind, HoldStatus, get_hold
from app.db.ids import derived_id
from app.db.session import Session, any_of

_table = tables.holds
_items = tables.hold_items


async def open_surge_hold(
    session: Session, account_id: str, run_id: str, clio_ids: Collection[int], *, now: datetime
) -> str:
    """Open a hold for more new clients than may be announced at once; return its id."""
    hold_id = derived_id("hld", account_id, run_id, HoldKind.NEW_CLIENTS)
    key = {"account_id": account_id, "hold_id": hold_id}
    values = {"kind": HoldKind.NEW_CLIENTS, "status": HoldStatus.OPEN, "run_id": run_id}
    first = insert(_table).values(**key, **values, opened_at=now)
    again = first.on_conflict_do_update(
        index_elements=[_table.c.account_id, _table.c.hold_id], set_={"carried_out_at": None}
    )
    await session.execute(again)
    rows = [{**key, "clio_id": clio_id} for clio_id in sorted(clio_ids)]
    await session.execute(insert(_items).on_conflict_do_nothing(), rows)
    return hold_id


async def remove_from_surge(
    session: Session, account_id: str, run_id: str, clio_ids: Collection[int]
) -> str | None:
    """Remove new clients from the surge's hold; return the hold's id if it is empty now."""
    hold_id = derived_id("hld", account_id, run_id, HoldKind.NEW_CLIENTS)
    own = (_items.c.account_id == account_id) & (_items.c.hold_id == hold_id)
    await session.execute(delete(_items).where(own, any_of(_items.c.clio_id, clio_ids)))
    left = await session.execute(select(_items.c.clio_id).where(own).limit(1))
    return hold_id if left.one_or_none() is None else None


async def list_unfinished(session: Session, *, limit: int) -> list[tuple[str, Hold]]:
    """Return decided surges that are not carried out, each with its account's id.

    The caller carries out what is left of each and calls `mark_carried_out`.
    """
    rows = await session.execute(
        select(_table.c.account_id, _table.c.hold_id)
        .where(_table.c.kind == HoldKind.NEW_CLIENTS, _table.c.decided_at.is_not(None))
        .where(_table.c.carried_out_at.is_(None))
        .order_by(_table.c.account_id, _table.c.hold_id)
        .limit(limit)
    )
    return [(row.account_id, await get_hold(session, row.account_id, row.hold_id)) for row in rows]


async def mark_carried_out(
    session: Session, account_id: str, hold_id: str, *, now: datetime
) -> None:
    """Store that nothing of a decided surge is left."""
    own = (_table.c.account_id == account_id) & (_table.c.hold_id == hold_id)
    await session.execute(update(_table).where(own).values(carried_out_at=now))
