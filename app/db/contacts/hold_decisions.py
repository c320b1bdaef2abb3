"""Decisions about holds, and what of them is not carried out yet [S5, NC-7, row 45].

A person who decides about some items of a hold decides about a part of it: these items move to a hold of their own,
which lists do not show. So all items of a hold always have the same decision.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select, update

from app.db.contacts import tables
from app.db.contacts.holds import (
    Hold,
    HoldDecided,
    HoldKind,
    HoldNotFound,
    HoldStatus,
    get_hold,
)
from app.db.contacts.visible_holds import item_seen
from app.db.ids import new_id
from app.db.mirror import staleness
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.session import Session, any_of

ITEMS_AT_ONCE = 500  # that one statement changes

_table = tables.holds
_items = tables.hold_items


async def decide(
    session: Session,
    account_id: str,
    hold_id: str,
    status: HoldStatus,
    *,
    by: str | None,
    now: datetime,
) -> Hold:
    """Change the status of a hold and return it; raises HoldNotFound, HoldDecided.

    What a person decided is unfinished until the caller calls `mark_finished`.
    """
    await lock_undecided(session, account_id, hold_id)
    decided_at = now if status is not HoldStatus.OPEN else None
    values = {"status": status, "decided_at": decided_at, "decided_by": by}
    unfinished = {"unfinished": by is not None, "carried_out_at": decided_at}
    one = _one(account_id, hold_id)
    await session.execute(update(_table).where(one).values(**values, **unfinished))
    return await get_hold(session, account_id, hold_id)


async def lock_undecided(session: Session, account_id: str, hold_id: str) -> Hold:
    """Return the hold and lock it until the transaction ends; lock its contacts or new-client rows before.

    Raises HoldNotFound, HoldDecided.
    """
    one = _one(account_id, hold_id)
    await session.execute(select(_table.c.hold_id).where(one).with_for_update())
    hold = await get_hold(session, account_id, hold_id)
    if hold.status in (HoldStatus.RELEASED, HoldStatus.DISCARDED):
        raise HoldDecided
    return hold


async def lock_contacts(session: Session, account_id: str, clio_ids: Sequence[int]) -> None:
    """Lock contacts as a run locks those that it assesses, in the order of their ids."""
    await session.execute(staleness.locked(account_id, clio_ids))


async def find_unknown(
    session: Session,
    account_id: str,
    hold_id: str,
    clio_ids: Sequence[int],
    audience: Audience = EVERYBODY,
) -> set[int]:
    """Return those of these contacts that are not in the hold, or that the audience does not see in it."""
    unknown = set(clio_ids)
    for chunk in _chunks(clio_ids):
        own = (_items.c.account_id == account_id) & (_items.c.hold_id == hold_id)
        rows = await session.execute(
            select(_items.c.clio_id)
            .where(own, any_of(_items.c.clio_id, chunk))
            .where(*item_seen(account_id, audience))
        )
        unknown -= set(rows.scalars())
    return unknown


async def split(
    session: Session, account_id: str, hold: Hold, clio_ids: Sequence[int], *, now: datetime
) -> str:
    """Move these contacts of an open hold to a part of their own; return the part's id."""
    part_id = new_id("hld", now)
    await session.execute(
        insert(_table).values(
            account_id=account_id,
            hold_id=part_id,
            kind=hold.kind,
            status=hold.status,
            run_id=hold.run_id,
            opened_at=hold.opened_at,
            part_of=hold.hold_id,
        )
    )
    for chunk in _chunks(clio_ids):
        await session.execute(
            update(_items)
            .where(_items.c.account_id == account_id, _items.c.hold_id == hold.hold_id)
            .where(any_of(_items.c.clio_id, chunk))
            .values(hold_id=part_id)
        )
    return part_id


async def remove_items(
    session: Session, account_id: str, hold_id: str, clio_ids: Sequence[int]
) -> list[int]:
    """Remove contacts from a decided hold, because what was decided about them is carried out; return who was in it."""
    own = (_items.c.account_id == account_id) & (_items.c.hold_id == hold_id)
    removed = delete(_items).where(own, any_of(_items.c.clio_id, clio_ids))
    return list((await session.execute(removed.returning(_items.c.clio_id))).scalars())


async def list_unfinished(session: Session, *, limit: int) -> list[tuple[str, Hold]]:
    """Return decided holds that are not carried out, each with its account's id.

    The caller carries out what is left of each and calls `mark_finished`.
    """
    keys = select(_table.c.account_id, _table.c.hold_id)
    by_the_release_before = keys.where(
        _table.c.kind == HoldKind.NEW_CLIENTS,
        _table.c.decided_at.is_not(None),
        _table.c.carried_out_at.is_(None),
    )
    rows = await session.execute(
        keys.where(_table.c.unfinished)
        .limit(limit)
        .union(by_the_release_before.limit(limit))
        .limit(limit)
    )
    found = []
    for row in rows.all():
        try:
            found.append((row.account_id, await get_hold(session, row.account_id, row.hold_id)))
        except HoldNotFound:  # deleted with its account meanwhile
            continue
    return found


async def mark_finished(session: Session, account_id: str, hold_id: str, *, now: datetime) -> None:
    """Store that nothing of a decision is left to be carried out."""
    values = {"unfinished": False, "carried_out_at": now}
    await session.execute(update(_table).where(_one(account_id, hold_id)).values(values))


def _chunks(clio_ids: Sequence[int]) -> list[Sequence[int]]:
    """Return the ids in order, in parts that one statement may take."""
    ordered = sorted(clio_ids)
    return [ordered[at : at + ITEMS_AT_ONCE] for at in range(0, len(ordered), ITEMS_AT_ONCE)]


def _one(account_id: str, hold_id: str) -> ColumnElement[bool]:
    return (_table.c.account_id == account_id) & (_table.c.hold_id == hold_id)
