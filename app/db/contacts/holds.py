"""Holds: what waits for a person's decision, and who it is about [S5, NC-2, NC-6, NC-7, row 45].

The removals of one run are first collected in a hold of status `gathering`. At the end of the run a few removals are
released at once; many open the hold. Then a person releases the hold, or discards it and the contacts stay. Decisions
are stored in `hold_decisions.py`. New clients are added in `new_client_holds.py`, and people who were never published
in `first_publications.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.contacts import tables
from app.db.ids import derived_id
from app.db.list_pages import Listed, ListPage, SortedBy, matching, read_page
from app.db.session import Session, any_of, look_up
from app.errors import AppError

_table = tables.holds
_BY = SortedBy(_table.c.hold_id, _table.c.opened_at, chronological=False)
_items = tables.hold_items


class HoldKind(StrEnum):
    """The kind of changes that wait."""

    REMOVALS = "removals"
    NEW_CLIENTS = "new_clients"
    FIRST_PUBLICATION = "first_publication"


class HoldStatus(StrEnum):
    """The state of a hold: being filled, waiting for a person, carried out, or not carried out."""

    GATHERING = "gathering"
    OPEN = "open"
    RELEASED = "released"
    DISCARDED = "discarded"


_RANK = (HoldStatus.DISCARDED, HoldStatus.GATHERING, HoldStatus.OPEN, HoldStatus.RELEASED)


class HoldNotFound(AppError):
    """The account has no such hold."""

    status = 404
    code = "hold_not_found"
    title = "There is no such hold in this account"
    next_step = "GET …/holds lists them"


class HoldDecided(AppError):
    """The hold was decided already."""

    status = 409
    code = "hold_already_decided"
    title = "This hold was already released or discarded"
    next_step = "nothing is left to decide"


@dataclass(frozen=True)
class HoldFilter:
    """The holds that a list shows; None does not filter."""

    status: HoldStatus | None = None


@dataclass(frozen=True)
class Hold:
    """Changes found by one run that wait for a person."""

    hold_id: str
    kind: HoldKind
    status: HoldStatus
    run_id: str
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    part_of: str | None
    count: int


_REMOVALS = look_up(
    select(_items.c.clio_id, _table.c.status)
    .join(
        _table,
        (_table.c.account_id == _items.c.account_id) & (_table.c.hold_id == _items.c.hold_id),
    )
    .where(_items.c.account_id == bindparam("account"), _table.c.kind == HoldKind.REMOVALS),
    _items.c.clio_id,
    "ids",
)


async def find_removal_statuses(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> Mapping[int, HoldStatus]:
    """Return the hold status of each contact whose removal is in a hold: the most advanced if several."""
    rows = await session.execute(_REMOVALS, {"account": account_id, "ids": list(clio_ids)})
    found = sorted((_RANK.index(row.status), row.clio_id) for row in rows)
    return {clio_id: _RANK[rank] for rank, clio_id in found}


async def add_removals(
    session: Session, account_id: str, run_id: str, clio_ids: Collection[int], *, now: datetime
) -> None:
    """Add removals that the run proposes to its hold; they wait until all of them are known.

    If the run has released its hold already, the hold gathers again.
    """
    if not clio_ids:
        return
    hold_id = hold_id_of(account_id, run_id, HoldKind.REMOVALS)
    await session.execute(
        insert(_table)
        .values(
            account_id=account_id,
            hold_id=hold_id,
            kind=HoldKind.REMOVALS,
            status=HoldStatus.GATHERING,
            run_id=run_id,
            opened_at=now,
        )
        .on_conflict_do_update(
            index_elements=list(_table.primary_key.columns),
            set_={"status": HoldStatus.GATHERING},
            where=(_table.c.status == HoldStatus.RELEASED) & _table.c.decided_by.is_(None),
        )
    )
    await add_items(session, account_id, hold_id, clio_ids)


async def add_items(
    session: Session, account_id: str, hold_id: str, clio_ids: Collection[int]
) -> None:
    """Add contacts to a hold; those who are in it already stay."""
    rows = [
        {"account_id": account_id, "hold_id": hold_id, "clio_id": clio_id}
        for clio_id in sorted(clio_ids)
    ]
    if rows:
        await session.execute(insert(_items).on_conflict_do_nothing(), rows)


async def find_of_run(session: Session, account_id: str, run_id: str) -> Hold | None:
    """Return the run's hold of removals, or None."""
    hold_id = hold_id_of(account_id, run_id, HoldKind.REMOVALS)
    found = await _list(session, _table.c.account_id == account_id, _table.c.hold_id == hold_id)
    return found[0] if found else None


async def find_abandoned(session: Session, account_id: str, *, except_run_id: str) -> str | None:
    """Return the id of a hold of removals that another run began to fill and left, or None."""
    query = (
        select(_table.c.hold_id)
        .where(_table.c.account_id == account_id, _table.c.kind == HoldKind.REMOVALS)
        .where(_table.c.status == HoldStatus.GATHERING, _table.c.run_id != except_run_id)
    )
    return (await session.execute(query.limit(1))).scalar_one_or_none()


@dataclass(frozen=True)
class TouchedHolds:
    """The ids of holds that lost items: those that still have some, and those that are empty now."""

    left: list[str]
    emptied: list[str]


async def remove_contacts(
    session: Session, account_id: str, kind: HoldKind, clio_ids: Collection[int]
) -> TouchedHolds:
    """Remove these contacts from all holds of a kind."""
    if not clio_ids:
        return TouchedHolds([], [])
    own = select(_table.c.hold_id).where(_table.c.account_id == account_id, _table.c.kind == kind)
    left = await session.execute(
        delete(_items)
        .where(_items.c.account_id == account_id, any_of(_items.c.clio_id, clio_ids))
        .where(_items.c.hold_id.in_(own))
        .returning(_items.c.hold_id)
    )
    touched = set(left.scalars())
    has_items = exists().where(
        _items.c.account_id == account_id, _items.c.hold_id == _table.c.hold_id
    )
    filled = await session.execute(
        select(_table.c.hold_id)
        .where(_table.c.account_id == account_id, any_of(_table.c.hold_id, touched))
        .where(has_items)
    )
    still = set(filled.scalars())
    return TouchedHolds(sorted(still), sorted(touched - still))


async def delete_undecided(session: Session, account_id: str, hold_ids: Collection[str]) -> None:
    """Delete holds that no person decided, with their remaining items."""
    if not hold_ids:
        return
    undecided = (
        select(_table.c.hold_id)
        .where(_table.c.account_id == account_id, any_of(_table.c.hold_id, hold_ids))
        .where(_table.c.decided_by.is_(None))
    )
    own = (_items.c.account_id == account_id) & _items.c.hold_id.in_(undecided)
    await session.execute(delete(_items).where(own))
    await session.execute(
        delete(_table)
        .where(_table.c.account_id == account_id, any_of(_table.c.hold_id, hold_ids))
        .where(_table.c.decided_by.is_(None))
    )


async def list_items(
    session: Session, account_id: str, hold_id: str, *, after: int, limit: int
) -> list[int]:
    """Return the Clio ids of the hold's next contacts, in order."""
    rows = await session.execute(
        select(_items.c.clio_id)
        .where(_items.c.account_id == account_id, _items.c.hold_id == hold_id)
        .where(_items.c.clio_id > after)
        .order_by(_items.c.clio_id)
        .limit(limit)
    )
    return list(rows.scalars())


async def get_hold(session: Session, account_id: str, hold_id: str) -> Hold:
    """Return the hold; raises HoldNotFound."""
    one = (_table.c.account_id == account_id) & (_table.c.hold_id == hold_id)
    found = await _list(session, one)
    if not found:
        raise HoldNotFound
    return found[0]


async def is_open(session: Session, account_id: str, hold_id: str) -> bool:
    """Return whether a hold waits for a person."""
    query = select(_table.c.status).where(
        _table.c.account_id == account_id, _table.c.hold_id == hold_id
    )
    return (await session.execute(query)).scalar_one_or_none() == HoldStatus.OPEN


async def list_holds(
    session: Session, account_id: str, wanted: HoldFilter, page: ListPage
) -> Listed[Hold]:
    """Return a page of the open holds and the holds that a person decided; no parts of holds."""
    shown = (_table.c.status == HoldStatus.OPEN) | _table.c.decided_by.is_not(None)
    query = _select().where(_table.c.account_id == account_id, shown, _table.c.part_of.is_(None))
    query = query.where(*matching(_table, wanted))
    return (await read_page(session, query, _BY, page)).of(_hold)


def hold_id_of(account_id: str, run_id: str, kind: HoldKind) -> str:
    """Return the id of a run's first hold of a kind."""
    return derived_id("hld", account_id, run_id, kind)


async def _list(session: Session, *conditions: Any, limit: int = 1000) -> list[Hold]:
    query = _select().where(*conditions).order_by(_table.c.hold_id).limit(limit)
    return [_hold(row) for row in await session.execute(query)]


def _select() -> Select[Any]:
    size = (
        select(func.count())
        .select_from(_items)
        .where(_items.c.account_id == _table.c.account_id, _items.c.hold_id == _table.c.hold_id)
        .scalar_subquery()
    )
    return select(_table, size.label("count"))


def _hold(row: Any) -> Hold:
    return Hold(
        hold_id=row.hold_id,
        kind=HoldKind(row.kind),
        status=HoldStatus(row.status),
        run_id=row.run_id,
        opened_at=row.opened_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        part_of=row.part_of,
        count=row._mapping["count"],
    )
