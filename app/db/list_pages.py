"""Pages of the lists that the API returns: which rows, in which order, and after which one.

A list is sorted by id unless the request asks for an order. Then it is sorted by its main time. Ids that `new_id` makes
are in the order of time, so that such a list is read by its key in both cases.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Row, Select, Table, func, literal, select, tuple_

from app.db.ids import ids_since, ids_until
from app.db.session import Session

T = TypeVar("T")
Key = tuple[Any, ...]


@dataclass(frozen=True)
class SortedBy:
    """The columns that sort a list: its id, and its main time.

    With `prefix` the ids are those that `new_id` made at the main time. A list that is not `chronological` has ids that
    say nothing of time.
    """

    id: ColumnElement[Any]
    time: ColumnElement[datetime]
    prefix: str | None = None
    chronological: bool = True


@dataclass(frozen=True)
class ListPage:
    """A page of a list: at most `limit` rows that come after the row with the key `after`.

    The key of a row is its id; in a list that is not chronological and has an order it is time and id. Only rows are
    listed whose main time is not before `since`, and before `until`. With `count` they are counted, on all pages.
    """

    limit: int
    after: Key = ()
    order: Literal["newest", "oldest"] | None = None
    since: datetime | None = None
    until: datetime | None = None
    count: bool = False

    def is_in_time(self, time: datetime) -> bool:
        """Return whether a row of this main time is listed."""
        not_before = self.since is None or time >= self.since
        return not_before and (self.until is None or time < self.until)


@dataclass(frozen=True)
class Listed(Generic[T]):
    """The rows of a page, and how many the whole list has if that was asked for."""

    rows: Sequence[T]
    total: int | None = None

    def of(self, make: Callable[[T], Any]) -> "Listed[Any]":
        """Return the same page with something made from each row."""
        return replace(self, rows=[make(row) for row in self.rows])


async def read_page(
    session: Session, query: Select[Any], by: SortedBy, page: ListPage
) -> Listed[Row[Any]]:
    """Return a page of the rows of a query that has no order and no limit yet."""
    wanted = query.where(*in_time(by, page))
    rows = (await session.execute(sorted_rows(wanted, by, page).limit(page.limit))).all()
    return Listed(rows, await _count(session, wanted) if page.count else None)


def matching(table: Table, wanted: Any) -> list[ColumnElement[bool]]:
    """Return the conditions that columns have the values of a filter's fields; a field that is None filters nothing."""
    values = {one.name: getattr(wanted, one.name) for one in fields(wanted)}
    return [table.c[name] == value for name, value in values.items() if value is not None]


def in_time(by: SortedBy, page: ListPage) -> list[ColumnElement[bool]]:
    """Return the conditions on the main time, and with a prefix those on the id, because an index has the ids."""
    bounds: list[ColumnElement[bool]] = []
    if page.since is not None:
        bounds.append(by.time >= page.since)
        bounds += [by.id >= ids_since(by.prefix, page.since)] if by.prefix else []
    if page.until is not None:
        bounds.append(by.time < page.until)
        bounds += [by.id < ids_until(by.prefix, page.until)] if by.prefix else []
    return bounds


def sorted_rows(query: Select[Any], by: SortedBy, page: ListPage) -> Select[Any]:
    """Return the query of the rows after the key `page.after`, in the order of the page."""
    columns = [by.id]
    if page.order is not None and not by.chronological:
        columns.insert(0, by.time)
    newest = page.order == "newest"
    if page.after:
        last = tuple_(*map(_literal, page.after))
        query = query.where(tuple_(*columns) < last if newest else tuple_(*columns) > last)
    return query.order_by(*(column.desc() if newest else column for column in columns))


def _literal(key: Any) -> ColumnElement[Any]:
    """Return a key as a parameter: a number of any size, although the column may be smaller."""
    return literal(key, BigInteger) if isinstance(key, int) else literal(key)


async def _count(session: Session, query: Select[Any]) -> int:
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    return int((await session.execute(counted)).scalar_one())
