"""Pagination: the query parameters of a list endpoint, and the page that it returns.

A list endpoint reads its page in three steps:

    query = asked.by_id("audit", account_id)
    found = await audit.list_entries(session, account_id, query.page)
    rows = query.rows(found, key=lambda entry: entry.entry_id)

`rows.items` are the rows of the page, and `rows.page(bodies)` is the response. The arguments of `by_id` name the list
and its filters; a cursor is valid only for these and for the order and times of the request.

`ListRequest` is for lists with a main time, `PageRequest` for what is sorted by a number alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Query, Response

from app.api import cursors, schemas
from app.api.schemas.base import Moment
from app.db.json_codec import json_text
from app.db.list_pages import Listed, ListPage

Row = TypeVar("Row")
Body = TypeVar("Body")

Limit = Annotated[int, Query(ge=1, le=200, description="The maximum number of items, 1 to 200.")]
Cursor = Annotated[
    str | None,
    Query(
        description="`next_cursor` of the previous page. Leave it out for the first page.",
        max_length=512,
    ),
]


Order = Annotated[
    Literal["newest", "oldest"] | None,
    Query(
        description="`newest` or `oldest` first, by the time of the items. Without it the list is sorted by id."
    ),
]
Since = Annotated[
    Moment | None,
    Query(description="Only items of this time or later (RFC 3339 with an offset)."),
]
Until = Annotated[
    Moment | None,
    Query(description="Only items before this time (RFC 3339 with an offset)."),
]
Count = Annotated[
    bool, Query(description="Add `total`: how many items all pages of this list have together.")
]


@dataclass(frozen=True)
class PageRows(Generic[Row]):
    """The rows of a page; `next_cursor` is None on the last page, and `total` unless it was asked for."""

    items: list[Row]
    next_cursor: str | None
    total: int | None = None

    def page(self, bodies: Iterable[Body]) -> schemas.Page[Body]:
        """Return the response with these bodies, one for each row."""
        return schemas.Page(
            data=list(bodies),
            next_cursor=self.next_cursor,
            has_more=self.next_cursor is not None,
            total=self.total,
        )

    def response(self, parts: Iterable[Any]) -> Response:
        """Return the response with these parts for msgspec to encode, one for each row.

        Nothing checks that they are as the API describes them; a test does.
        """
        page: dict[str, Any] = {"data": list(parts), "next_cursor": self.next_cursor}
        page["has_more"] = self.next_cursor is not None
        if self.total is not None:
            page["total"] = self.total
        return Response(json_text(page), media_type="application/json")


@dataclass(frozen=True)
class PageQuery:
    """The part of a list that a request asks for: at most `limit` rows whose number comes after `after`."""

    name: tuple[Any, ...]
    after: int
    limit: int

    @property
    def fetch(self) -> int:
        """The number of rows to read: one more than the page holds, to know whether there is another page."""
        return self.limit + 1

    def cursor(self, number: int) -> str:
        """Return the cursor that continues the list after a number."""
        return cursors.encode(number, *self.name)

    def rows(self, found: Sequence[Row], *, key: Callable[[Row], int]) -> PageRows[Row]:
        """Return the rows of the page from `fetch` rows that were read in the order of their number."""
        items = list(found[: self.limit])
        has_more = len(found) > self.limit
        return PageRows(items, self.cursor(key(items[-1])) if has_more else None)


@dataclass(frozen=True)
class PageRequest:
    """The query parameters of a list that is sorted by a number."""

    cursor: Cursor = None
    limit: Limit = 50

    def by_number(self, *name: Any) -> PageQuery:
        """Return the query of the list; raises InvalidCursor or CursorMismatch."""
        return PageQuery(name, cursors.after_number(self.cursor, *name), self.limit)


@dataclass(frozen=True)
class ListQuery:
    """The part of a list that a request asks for. `page` has room for one row more, to know whether more follow."""

    name: tuple[Any, ...]
    page: ListPage

    def rows(
        self, found: Listed[Row], *, key: Callable[[Row], str | int | tuple[datetime, str]]
    ) -> PageRows[Row]:
        """Return the rows of the page; `key` returns what sorts a row: its id or number, or its time and id."""
        items = list(found.rows[: self.page.limit - 1])
        if len(found.rows) < self.page.limit:
            return PageRows(items, None, found.total)
        last = key(items[-1])
        if isinstance(last, tuple) and self.page.order is None:
            last = last[1]  # the list is sorted by id
        return PageRows(items, cursors.encode_key(last, *self.name), found.total)


@dataclass(frozen=True)
class ListRequest:
    """The query parameters of a list with a main time."""

    cursor: Cursor = None
    limit: Limit = 50
    order: Order = None
    since: Since = None
    until: Until = None
    count: Count = False

    def by_id(self, *name: Any, chosen: Any = None) -> ListQuery:
        """Return the query of a list whose ids are in the order of time; raises InvalidCursor or CursorMismatch.

        `chosen` is a filter of which every field can be None. Without one, cursors of earlier releases are valid.
        """
        return self._query(cursors.after_id, name, chosen)

    def by_number(self, *name: Any) -> ListQuery:
        """Return the query of a list that is numbered in the order of time; raises as `by_id`."""
        return self._query(cursors.after_number, name, None)

    def by_time(self, *name: Any, chosen: Any = None) -> ListQuery:
        """Return the query of a list whose ids say nothing of time; raises as `by_id`."""
        decode = cursors.after_time if self.order else cursors.after_id
        return self._query(decode, name, chosen)

    def _query(self, decode: Callable[..., Any], name: tuple[Any, ...], chosen: Any) -> ListQuery:
        parts = (astuple(chosen) if chosen else (), (self.order, self.since, self.until))
        name = (*name, *(part for part in parts if any(value is not None for value in part)))
        after = decode(self.cursor, *name) if self.cursor else ()
        page = ListPage(
            self.limit + 1,
            after if isinstance(after, tuple) else (after,),
            order=self.order,
            since=self.since,
            until=self.until,
            count=self.count,
        )
        return ListQuery(name, page)


PageDep = Annotated[PageRequest, Depends()]
ListDep = Annotated[ListRequest, Depends()]
