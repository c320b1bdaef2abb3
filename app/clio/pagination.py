"""Parses the body of a successful response into a page or a record, and checks that a list of pages ends. No I/O.

A page is accepted completely or not at all. A value or a record that cannot be read is reported, and the rest is kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from pydantic_core import from_json

from app.clio import broken_json, quick_pages, reading
from app.clio.errors import ClioUnreadable, RecordUnreadable
from app.clio.reading import M, PutAside, Unread, without_nul
from app.clio.resources import Page, Resource, T, UnreadableRecord

MAX_PAGES = 10_000
MAX_RECORDS = 2**31 - 1
MAX_TOKEN_LENGTH = 2_000
SCHEMES = (
    "https",
    "http",
    "",
)  # of Clio's links; requests always have that of the configured origin
# What a page holds: items, records that cannot be read, and by the ids of the items what of them could not be read.
Items = tuple[tuple[T, ...], tuple[UnreadableRecord, ...], Mapping[int, tuple[Unread, ...]]]


def parse_object(body: bytes, of: str = "answer") -> dict[str, Any]:
    """Return the JSON object of a body. Raise ClioUnreadable, also if the nesting is too deep.

    `of` names in the error what was asked for.
    """
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ClioUnreadable(f"{of}: Clio's response is not JSON") from error
    return _object(document, of)


def _object(document: Any, of: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ClioUnreadable(f"{of}: Clio's response is not a JSON object")
    return document


def _parse_list(body: bytes, of: str) -> dict[str, Any]:
    """Return the document of a list. If the body is not JSON, the records are parsed one by one."""
    try:
        return _object(from_json(body, allow_inf_nan=False), of)
    except ValueError:
        pass
    try:
        return _object(broken_json.parse_document(body), of)
    except ValueError as error:
        raise ClioUnreadable(f"{of}: Clio's response is not JSON") from error


def parse_page(
    resource: Resource[T], body: bytes, *, address: httpx.URL, asked_at: datetime
) -> Page[T]:
    """Return the page that was requested from `address`. Raise ClioUnreadable if the body is not a page."""
    read, meta = _read_quickly(resource, body) or _read_with_care(resource, body)
    items, unreadable, unread = read
    meta = meta if isinstance(meta, dict) else {}
    paging = meta.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    total = meta.get("records")
    return Page(
        items=items,
        unreadable=unreadable,
        unread=unread,
        cursor=None if following is None else next_cursor(resource, following, address=address),
        total=total if type(total) is int and 0 <= total <= MAX_RECORDS else None,
        asked_at=asked_at,
    )


def _read_quickly(resource: Resource[T], body: bytes) -> tuple[Items[T], Any] | None:
    """Return what a page holds, and its `meta`; None if anything in it has not the documented form."""
    if quick_pages.kind_for(resource.name, body) is None:
        return None
    page = quick_pages.read_page(resource.name, body)
    if page is None:
        return None
    items, meta = page
    try:
        return (items, (), {}), from_json(bytes(meta), allow_inf_nan=False)
    except ValueError:
        return None


def _read_with_care(resource: Resource[T], body: bytes) -> tuple[Items[T], Any]:
    """Return what can be read of a page, and its `meta`. Raise ClioUnreadable if the body is not a page."""
    document = _parse_list(body, resource.name)
    data = document.get("data")
    if not isinstance(data, list):
        raise ClioUnreadable(f"{resource.name}: Clio's response contains no list")
    if quick_pages.NUL in body:
        data = without_nul(data)
    return _items(resource, data, quick_pages.kind_for(resource.name, body)), document.get("meta")


def next_cursor(resource: Resource[Any], following: Any, *, address: httpx.URL) -> str:
    """Return the page token in Clio's `next` URL. The URL itself is never requested: it could lead elsewhere [T1].

    So it may be relative and spelled in another way. It must be of this list, as it is named or was redirected to.
    """
    try:
        url = httpx.URL(following)
        url = url if url.scheme or url.host else address.join(url)
    except (TypeError, ValueError, httpx.InvalidURL) as error:
        raise ClioUnreadable("Clio's link to the next page is not a URL") from error
    if not is_same_site(url, address) or _name(url) not in (_name(address), _name(resource.path)):
        raise ClioUnreadable("Clio's link to the next page leads elsewhere; it was not followed")
    token = url.params.get_list("page_token")[-1:]  # Clio uses the last of a doubled parameter
    if not token or not token[0]:
        raise ClioUnreadable("Clio's link to the next page has no page_token")
    if len(token[0]) > MAX_TOKEN_LENGTH or not token[0].isprintable():
        raise ClioUnreadable("Clio's link to the next page has an invalid page_token")
    return token[0]


def is_same_site(url: httpx.URL, address: httpx.URL) -> bool:
    """Return whether two URLs name the same host and port, whatever the scheme.

    The raw hosts are compared, because a decoded host may look alike or fail to decode.
    """
    same = (url.raw_host, url.port) == (address.raw_host, address.port)
    return same and url.scheme in SCHEMES and not url.userinfo


def _name(url: httpx.URL | str) -> bytes:
    """Return the path of a list, without the ending that Clio's documents sometimes leave out."""
    return httpx.URL(url).raw_path.partition(b"?")[0].removesuffix(b".json")


class PaginationGuard:
    """Checks the pages of one list: each page must bring new records, ids must rise, and the list must end.

    A page may have fewer records than requested, and Clio's number of all records decides nothing [row 43].
    """

    def __init__(self, resource: Resource[Any], cursor: str | None) -> None:
        self._resource = resource
        self._cursors = {cursor}
        self._highest = 0
        self._pages = 0

    def check(self, page: Page[Any]) -> None:
        """Raise ClioUnreadable if this page does not continue the list."""
        name = self._resource.name
        self._pages += 1
        if page.cursor is not None and page.cursor in self._cursors:
            raise ClioUnreadable(f"{name}: Clio's next page was already read")
        if page.cursor is not None and not page.items and not page.unreadable:
            raise ClioUnreadable(f"{name}: Clio sent an empty page with a link to a next page")
        if self._pages > MAX_PAGES:
            raise ClioUnreadable(f"{name}: Clio sent more than {MAX_PAGES} pages")
        self._check_order(page)
        self._cursors.add(page.cursor)

    def _check_order(self, page: Page[Any]) -> None:
        if self._resource.params.get("order") != "id(asc)" or not page.items:
            return
        highest = max(item.id for item in page.items)
        if (
            highest <= self._highest
        ):  # a record on two pages is harmless, a page without a new one is not
            raise ClioUnreadable(f"{self._resource.name}: Clio sent a page a second time")
        self._highest = highest


def field_list(resource: Resource[Any], dropped: set[str]) -> str:
    """Return the value of the `fields` parameter, without the fields that Clio no longer knows."""
    return ",".join(
        kept
        for entry in resource.fields
        if (kept := _remove_dropped(entry, resource.name, dropped))
    )


def _remove_dropped(entry: str, resource: str, dropped: set[str]) -> str:
    name, _, nested = entry.partition("{")
    if f"{resource}.{name}" in dropped:
        return ""
    if not nested:
        return name
    names = [n for n in nested.rstrip("}").split(",") if f"{resource}.{n}" not in dropped]
    return f"{name}{{{','.join(names)}}}"


def _items(resource: Resource[T], data: list[Any], quick: Any) -> Items[T]:
    """Return the records, those that cannot be read, and what of the others could not be read, by id.

    `quick` is the Struct that a record without anything odd can be read as, if there is one.
    """
    items: list[Any] = []
    unreadable: list[UnreadableRecord] = []
    unread: dict[int, tuple[Unread, ...]] = {}
    for record in data:
        if isinstance(record, UnreadableRecord):
            unreadable.append(record)
            continue
        if quick is not None and (item := quick_pages.read_record(quick, record)) is not None:
            items.append(item)
            continue
        try:
            read = reading.read_values(resource.model, record)
        except PutAside as error:
            unreadable.append(UnreadableRecord(_id(record), str(error)))
            continue
        items.append(read.item)
        if read.unread:
            unread[items[-1].id] = read.unread
    return tuple(items), tuple(unreadable), unread


def _id(record: Any) -> int | None:
    found = record.get("id") if isinstance(record, dict) else None
    return found if type(found) is int and 0 < found < 2**63 else None


def parse_data(body: bytes, of: str = "answer") -> dict[str, Any]:
    """Return the single record of a body, as it is. Raise ClioUnreadable if the body is not of that form."""
    data = parse_object(body, of).get("data")
    if not isinstance(data, dict) or not data:
        raise ClioUnreadable(f"{of}: Clio's response contains no record")
    return without_nul(data) if quick_pages.NUL in body else data


def read_record(model: type[M], data: dict[str, Any]) -> M:
    """Return what can be read of a record as a model. Raise RecordUnreadable if it must be put aside."""
    try:
        return reading.read_values(model, data).item
    except PutAside as error:
        raise RecordUnreadable(f"Clio's response cannot be read: {error}") from error
