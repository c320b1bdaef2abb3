"""Pure: from the bytes of an answer to a page, or to the reason why it is none. No I/O.

A page counts whole or not at all; a record that cannot be read is named and put aside, the others count.
"""

from datetime import datetime
from math import ceil
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from app.clio.errors import ClioUnreadable
from app.clio.resources import Page, Resource, T
from app.clio.resources import UnreadableRecord

MAX_PAGES = 10_000
MAX_RECORDS = 2**31 - 1
MAX_TOKEN_LENGTH = 2_000
MAX_EXTRA_PAGES = 10  # pages that a list may grow by while it is read


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; raises ClioUnreadable (also for nesting that is too deep)."""
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ClioUnreadable("Clio's answer is not JSON") from error
    if not isinstance(document, dict):
        raise ClioUnreadable("Clio's answer is not a JSON object")
    return document


def parse_page(
    resource: Resource[T], body: bytes, *, address: httpx.URL, asked_at: datetime
) -> Page[T]:
    """The page that was asked for at an address."""
    document = parse_object(body)
    data, meta = document.get("data"), document.get("meta")
    if not isinstance(data, list):
        raise ClioUnreadable(f"{resource.name}: Clio's answer has no list")
    items, unreadable = _items(resource, data)
    meta = meta if isinstance(meta, dict) else {}
    paging = meta.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    total = meta.get("records")
    return Page(
        items=items,
        unreadable=unreadable,
        cursor=None if following is None else next_cursor(following, address=address),
        total=total if type(total) is int and 0 <= total <= MAX_RECORDS else None,
        asked_at=asked_at,
    )


def next_cursor(following: Any, *, address: httpx.URL) -> str:
    """The page token out of Clio's `next`: the address itself is never followed [T1]."""
    try:
        url = httpx.URL(following)
    except (TypeError, ValueError, httpx.InvalidURL) as error:
        raise ClioUnreadable("Clio's next page has no address") from error
    if (origin(url), _path(url)) != (origin(address), _path(address)) or url.userinfo:
        raise ClioUnreadable("Clio's next page is at another place; it was not asked for")
    tokens = url.params.get_list("page_token")
    if len(tokens) != 1 or not tokens[0]:
        raise ClioUnreadable("Clio's next page has no page_token")
    if len(tokens[0]) > MAX_TOKEN_LENGTH or not tokens[0].isprintable():
        raise ClioUnreadable("Clio's next page has a page_token that cannot be kept")
    return tokens[0]


def origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    """Where an address leads, the host as it would be asked for: a decoded name may look alike or not decode."""
    return url.scheme, url.raw_host, url.port


def _path(url: httpx.URL) -> bytes:
    return url.raw_path.partition(b"?")[0]


class PaginationGuard:
    """Watches a walk through a list: it must move, rise and end."""

    def __init__(self, resource: Resource[Any], cursor: str | None) -> None:
        self._resource = resource
        self._cursors = {cursor}
        self._highest = 0
        self._pages = 0

    def check(self, page: Page[Any]) -> None:
        """Raises ClioUnreadable when the walk does not move on."""
        name = self._resource.name
        self._pages += 1
        if page.cursor is not None and page.cursor in self._cursors:
            raise ClioUnreadable(f"{name}: the next page is one that was here before")
        if page.cursor is not None and not page.items and not page.unreadable:
            raise ClioUnreadable(f"{name}: an empty page that says there are more")
        if self._pages > self._most(page.total):
            raise ClioUnreadable(f"{name}: more pages than records")
        self._check_order(page)
        self._cursors.add(page.cursor)

    def _check_order(self, page: Page[Any]) -> None:
        if self._resource.params.get("order") != "id(asc)" or not page.items:
            return
        highest = max(item.id for item in page.items)
        if highest <= self._highest:  # a record on two pages is no harm, a page that adds none is
            raise ClioUnreadable(f"{self._resource.name}: a page that comes again")
        self._highest = highest

    def _most(self, total: int | None) -> int:
        size = int(self._resource.params["limit"])
        return MAX_PAGES if total is None else min(ceil(total / size) + MAX_EXTRA_PAGES, MAX_PAGES)


def field_list(resource: Resource[Any], dropped: set[str]) -> str:
    """What to ask for, without the names that Clio stopped knowing."""
    return ",".join(
        kept for entry in resource.fields if (kept := _remove_dropped(entry, resource.name, dropped))
    )


def _remove_dropped(entry: str, resource: str, dropped: set[str]) -> str:
    name, _, nested = entry.partition("{")
    if f"{resource}.{name}" in dropped:
        return ""
    if not nested:
        return name
    names = [n for n in nested.rstrip("}").split(",") if f"{resource}.{n}" not in dropped]
    return f"{name}{{{','.join(names)}}}"


def _items(resource: Resource[T], data: list[Any]) -> tuple[tuple[T, ...], tuple[UnreadableRecord, ...]]:
    items, unreadable = [], []
    for record in data:
        try:
            items.append(resource.model.model_validate(record))
        except ValidationError as error:
            unreadable.append(UnreadableRecord(_id(record), _reason(error)))
    return tuple(items), tuple(unreadable)


def _id(record: Any) -> int | None:
    found = record.get("id") if isinstance(record, dict) else None
    return found if type(found) is int and 0 < found < 2**63 else None


def _reason(error: ValidationError) -> str:
    """Which fields have which fault; never what they hold."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return ", ".join(f"{'.'.join(map(str, f['loc'])) or 'record'}: {f['type']}" for f in faults[:3])


def parse_one(model: type[BaseModel], body: bytes) -> Any:
    """The single record of an answer."""
    try:
        return model.model_validate(parse_object(body).get("data"))
    except ValidationError as error:
        raise ClioUnreadable(f"Clio's answer cannot be read: {_reason(error)}") from error
