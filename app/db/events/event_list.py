"""The events as a list that a reader follows with a cursor.

An event is stored with the id of its transaction. It is shown when every transaction that began before its own has
ended; until then one of them could still store an event that belongs before it. So the order of transaction and
position is final for all that is shown, and nothing appears behind a cursor.

PostgreSQL knows only the oldest transaction of the whole server. While one that writes stays open, in any database and
also if it is prepared, later events are not shown (docs/operations.md).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.accounts import receipts
from app.db.events import tables
from app.db.session import Session

EXAMINED = (
    2000  # events that one read looks at: a filter that finds few reads on with the next cursor
)
MOST_LOOKED_UP = 100  # accounts of a token whose events are read one by one; with more, all are read and filtered

_events = tables.events
_OLDEST_RUNNING = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
_NEXT = cast(cast(func.pg_snapshot_xmax(func.pg_current_snapshot()), Text), BigInteger)


@dataclass(frozen=True)
class Place:
    """A place in the list: behind an event, which has the id; at its beginning without one. `at` is its time."""

    transaction_id: int
    position: int
    event_id: str
    at: datetime


@dataclass(frozen=True)
class EventFilter:
    """A filter of events: those of a kind, and those of these accounts; None for all."""

    kind: str | None
    account_ids: Collection[str] | None


@dataclass(frozen=True)
class ListedEvent:
    """An event and its place."""

    place: Place
    account_id: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class EventPage:
    """The events after a place, and the place after the last event that was looked at; None if there was none.

    `has_more` says that there may be more events now.
    """

    events: Sequence[ListedEvent]
    end: Place | None
    has_more: bool


async def read_events(
    session: Session, wanted: EventFilter, *, after: Place, limit: int
) -> EventPage:
    """Return the events after a place in their order, at most `limit`. It looks at a bounded number of events."""
    most = _most_examined(wanted, limit)
    examined = _examined(wanted, after, most).cte("examined")
    rows = (await session.execute(_matching(examined, wanted, limit))).all()
    if not rows:
        return EventPage((), None, has_more=False)
    found = [_event(row) for row in rows if row.event_id is not None]
    if len(found) > limit:
        return EventPage(found[:limit], found[limit - 1].place, has_more=True)
    last = rows[0]
    end = Place(last.last_transaction, last.last_position, last.last_event, last.last_at)
    return EventPage(found, end, has_more=last.examined == most)


async def is_known(session: Session, place: Place) -> bool:
    """Return whether the event of a place is stored there."""
    at = (_events.c.transaction_id == place.transaction_id) & (_events.c.position == place.position)
    found = await session.execute(select(_events.c.event_id).where(at))
    return place.event_id in set(found.scalars())


async def is_of_another_server(session: Session, place: Place) -> bool:
    """Return whether another event has the place, or a transaction that this server has not had yet would have it."""
    at = (_events.c.transaction_id == place.transaction_id) & (_events.c.position == place.position)
    other = select(_events.c.event_id).where(at).exists()
    query = select(other | (literal(place.transaction_id, BigInteger) >= _NEXT))
    return bool((await session.execute(query)).scalar_one())


async def forget_transactions_of_another_server(session: Session) -> None:
    """Order all events by position if some have transactions that this server has not had yet.

    A restored dump has them. New events would sort before them. Cursors of readers are not valid any more after this.
    """
    foreign = select(_events.c.event_id).where(_events.c.transaction_id >= _NEXT).limit(1)
    if (await session.execute(foreign)).first() is not None:
        await session.execute(text("update events set transaction_id = 0"))


def _most_examined(wanted: EventFilter, limit: int) -> int:
    return limit + 1 if _is_looked_up(wanted) else EXAMINED


def _is_looked_up(wanted: EventFilter) -> bool:
    """Return whether the events of several accounts are read one account after the other."""
    return wanted.account_ids is not None and 1 < len(wanted.account_ids) <= MOST_LOOKED_UP


def _examined(wanted: EventFilter, after: Place, most: int) -> Select[Any]:
    """Return the query of the next events, by an index that has their order."""
    if _is_looked_up(wanted):
        return _of_each_account(wanted, after, most)
    conditions: list[ColumnElement[bool]] = []
    if wanted.account_ids is None and wanted.kind is not None:
        conditions.append(_events.c.kind == wanted.kind)
    if wanted.account_ids is not None and len(wanted.account_ids) <= 1:
        (account_id,) = wanted.account_ids or ("",)
        conditions.append(_events.c.account_id == account_id)
    return _next(after, *conditions).limit(most)


def _of_each_account(wanted: EventFilter, after: Place, most: int) -> Select[Any]:
    accounts = func.unnest(literal(list(wanted.account_ids or ()), ARRAY(Text)))
    each = accounts.table_valued("key", name="wanted").render_derived()
    own = _next(after, _events.c.account_id == each.c.key).limit(most)
    found = own.correlate(each).lateral("found")
    of_all = select(found).select_from(each).join(found, true())
    return of_all.order_by(found.c.transaction_id, found.c.position).limit(most)


def _next(after: Place, *conditions: ColumnElement[bool]) -> Select[Any]:
    place = tuple_(_events.c.transaction_id, _events.c.position)
    behind = tuple_(literal(after.transaction_id, BigInteger), literal(after.position, BigInteger))
    return (
        select(_events)
        .where(place > behind, _events.c.transaction_id < _OLDEST_RUNNING, *conditions)
        .order_by(_events.c.transaction_id, _events.c.position)
    )


def _matching(examined: CTE, wanted: EventFilter, limit: int) -> Select[Any]:
    """Return the query of the wanted ones of these events, each with the last event and the number of all of these."""
    last = (
        select(
            examined.c.transaction_id.label("last_transaction"),
            examined.c.position.label("last_position"),
            examined.c.event_id.label("last_event"),
            examined.c.at.label("last_at"),
            select(func.count()).select_from(examined).scalar_subquery().label("examined"),
        )
        .order_by(examined.c.transaction_id.desc(), examined.c.position.desc())
        .limit(1)
        .subquery("last")
    )
    shown = select(examined).where(~receipts.is_being_erased(examined.c.account_id))
    if wanted.kind is not None:
        shown = shown.where(examined.c.kind == wanted.kind)
    if wanted.account_ids is not None:
        # A subquery is hashed; `any` would compare each event with each account.
        wanted_ids = func.unnest(literal(list(wanted.account_ids), ARRAY(Text))).column_valued()
        shown = shown.where(examined.c.account_id.in_(select(wanted_ids)))
    order = (examined.c.transaction_id, examined.c.position)
    page = shown.order_by(*order).limit(limit + 1).subquery("page")
    return (
        select(last, page)
        .select_from(last)
        .outerjoin(page, true())
        .order_by(page.c.transaction_id, page.c.position)
    )


def _event(row: Any) -> ListedEvent:
    place = Place(row.transaction_id, row.position, row.event_id, row.at)
    return ListedEvent(place, row.account_id, row.kind, row.data)
