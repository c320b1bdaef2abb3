"""Pagination: the `cursor` and `limit` of a list endpoint, and the page that it returns.

A list endpoint reads its page in three steps:

    query = page.by_id("audit", account_id)
    found = await audit.list_entries(session, account_id, after=query.after, limit=query.fetch)
    rows = query.rows(found, key=lambda entry: entry.entry_id)

`rows.items` are the rows of the page, and `rows.page(bodies)` is the response. The arguments of `by_id` name the list
and its filters; a cursor is valid only for these.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Response

from app.api import cursors, schemas
from app.db.json_codec import json_text

Key = TypeVar("Key", str, int)
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


@dataclass(frozen=True)
class PageRows(Generic[Row]):
    """The rows of a page; `next_cursor` is None on the last page."""

    items: list[Row]
    next_cursor: str | None

    def page(self, bodies: Iterable[Body]) -> schemas.Page[Body]:
        """Return the response with these bodies, one for each row."""
        return schemas.Page(
            data=list(bodies), next_cursor=self.next_cursor, has_more=self.next_cursor is not None
        )

    def response(self, parts: Iterable[Any]) -> Response:
        """Return the response with these parts for msgspec to encode, one for each row.

        Nothing checks that they are as the API describes them; a test does.
        """
        page = {"data": list(parts), "next_cursor": self.next_cursor}
        text = json_text({**page, "has_more": self.next_cursor is not None})
        return Response(text, media_type="application/json")


@dataclass(frozen=True)
class PageQuery(Generic[Key]):
    """The part of a list that a request asks for: at most `limit` rows whose key comes after `after`."""

    name: tuple[Any, ...]
    after: Key
    limit: int

    @property
    def fetch(self) -> int:
        """The number of rows to read: one more than the page holds, to know whether there is another page."""
        return self.limit + 1

    def cursor(self, key: Key) -> str:
        """Return the cursor that continues the list after a key."""
        return cursors.encode(key, *self.name)

    def rows(self, found: list[Row], *, key: Callable[[Row], Key]) -> PageRows[Row]:
        """Return the rows of the page from `fetch` rows that were read in the order of their key."""
        items = found[: self.limit]
        has_more = len(found) > self.limit
        return PageRows(items, self.cursor(key(items[-1])) if has_more else None)


@dataclass(frozen=True)
class PageRequest:
    """The query parameters `cursor` and `limit` of a list endpoint."""

    cursor: Cursor = None
    limit: Limit = 50

    def by_id(self, *name: Any) -> PageQuery[str]:
        """Return the query of a list that is sorted by id; raises InvalidCursor or CursorMismatch."""
        return PageQuery(name, cursors.after_id(self.cursor, *name), self.limit)

    def by_number(self, *name: Any) -> PageQuery[int]:
        """Return the query of a list that is sorted by a number; raises InvalidCursor or CursorMismatch."""
        return PageQuery(name, cursors.after_number(self.cursor, *name), self.limit)


PageDep = Annotated[PageRequest, Depends()]
