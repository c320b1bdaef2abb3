"""The lists of the API: which exist, what each accepts, and its pages.

The simulator is stricter than Clio in one point: it refuses a parameter that it does not know, so that a typing error
in a client is found. `ListSpec.not_simulated` names Clio's own filters that are refused; all others work.

There are two ways to page, as in Clio. With `order=id(asc)` and no `offset`, a list has no end. With an `offset`, which
other orders need, it ends at record 10,000. Without an order it ends there too; Clio does not document this.
"""

import base64
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from app.simulator.faults.quirks import Quirks
from app.simulator.store.filters import Filter, predicate_for
from app.simulator.store.firm import DOCUMENT_KINDS, Firm
from app.simulator.store.ordering import orders_of, sort_ids
from app.simulator.store.refusals import InvalidArgument

MAX_UNORDERED = 10_000  # records that can be read without order=id(asc)
CACHED_QUERIES = 64
OUT_OF_BOUNDS = "page_token is now out of bounds and cannot be used."
ID_ORDER = "id(asc)"


@dataclass(frozen=True)
class ListSpec:
    """The parameters of one list, and Clio's own filters that it refuses.

    `required` must be given; `needs` names for a filter the one that must be given with it. `has_single` says whether a
    record of the list can be asked for by its id.
    """

    kind: str
    filters: frozenset[str]
    ordered: bool = True
    max_limit: int = 200
    not_simulated: frozenset[str] = frozenset()
    default_order: str = ID_ORDER
    required: str | None = None
    needs: Mapping[str, str] = field(default_factory=dict)
    has_single: bool = True


def _spec(kind: str, filters: str, *, not_simulated: str = "", **options: Any) -> ListSpec:
    common = "updated_since created_since ids[]"
    names = frozenset(f"{common} {filters}".split())
    return ListSpec(kind, names, not_simulated=frozenset(not_simulated.split()), **options)


_VALUES = "custom_field_ids[] custom_field_values"
LISTS = {
    "contacts": _spec(
        "contact",
        "type client_only clio_connect_only email_only exclude_ids[] initial query",
        not_simulated=f"{_VALUES} shared_resource_id",
    ),
    "matters": _spec(
        "matter",
        "status client_id practice_area_id group_id responsible_attorney_id originating_attorney_id"
        " responsible_staff_id billable open_date[] close_date[] pending_date[] query",
        not_simulated=f"{_VALUES} currency_id grant_id notification_event_subscriber_user_id"
        " subscriber_user_id",
    ),
    "relationships": _spec("relationship", "contact_id matter_id", ordered=False),
    "users": _spec(
        "user",
        "enabled name role subscription_type",
        not_simulated="include_co_counsel pending_setup",
        max_limit=2000,
    ),
    "custom_fields": _spec(
        "custom_field", "parent_type deleted field_type query visible_and_required"
    ),
    "practice_areas": _spec("practice_area", "name code matter_id"),
    "matter_stages": _spec("matter_stage", "practice_area_id", ordered=False, has_single=False),
    "groups": _spec("group", "type name query", not_simulated="archived user_id"),
    "notes": _spec(
        "note", "type contact_id matter_id query", not_simulated="has_time_entries", required="type"
    ),
    "communications": _spec(
        "communication",
        "type contact_id matter_id user_id date received_since external_property_name"
        " external_property_value query",
        not_simulated="having_time_entries received_at received_before",
        default_order="date(asc)",
        needs={"external_property_value": "external_property_name"},
    ),
}
_PAGING = frozenset({"limit", "order", "page_token", "offset", "fields"})
Filters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class ListRequest:
    """A parsed list request. `offset` is None when pages are read by cursor."""

    spec: ListSpec
    limit: int
    order: str
    filters: Filters
    offset: int | None
    after: int = 0
    passed: int = 0
    ends_at: int | None = None  # the number of records after which no next page is named


@dataclass(frozen=True)
class Page:
    """The ids of one page, the number of all matches, and the parameters of the neighbouring pages."""

    ids: list[int]
    total: int
    next: dict[str, str] | None
    previous: dict[str, str] | None


def parse_request(spec: ListSpec, params: Mapping[str, list[str]], quirks: Quirks) -> ListRequest:
    """Parse the parameters of a list request; raises InvalidArgument."""
    _check_names(spec, params)
    filters = tuple(sorted((name, tuple(params[name])) for name in params if name in spec.filters))
    limit = _limit(spec, params, quirks)
    order, offset = params.get("order", [None])[0], _offset(params, limit)
    if order is not None:
        _check_order(spec, order, offset)
    after, passed = _position(params.get("page_token", [None])[0], filters)
    bounded = order is None and (spec.ordered or quirks.caps_unordered_lists)
    if passed >= MAX_UNORDERED and bounded:
        raise InvalidArgument(OUT_OF_BOUNDS, status=422)
    ends_at = MAX_UNORDERED if bounded and quirks.caps_silently else None
    order = order or spec.default_order
    return ListRequest(spec, limit, order, filters, offset, after, passed, ends_at)


def _check_names(spec: ListSpec, params: Mapping[str, list[str]]) -> None:
    known = spec.filters | (_PAGING if spec.ordered else _PAGING - {"order"})
    for name in params:
        if name.partition("[")[0] in spec.not_simulated or name in spec.not_simulated:
            raise InvalidArgument(f"{name} is a filter of Clio's that is not simulated")
        if name not in known:
            raise InvalidArgument(f"{name} is not a valid argument")
    if spec.required and spec.required not in params:
        raise InvalidArgument(f"{spec.required} is required", status=422)
    for name, needed in spec.needs.items():
        if name in params and needed not in params:
            raise InvalidArgument(f"{name} needs {needed}")


def _limit(spec: ListSpec, params: Mapping[str, list[str]], quirks: Quirks) -> int:
    """Return the page size. It is unknown whether Clio refuses or reduces a larger one: `quirks` decides."""
    text = params.get("limit", [str(spec.max_limit)])[0]
    if (
        not text.isdecimal()
        or int(text) < 1
        or (int(text) > spec.max_limit and not quirks.clamps_limit)
    ):
        raise InvalidArgument(f"limit must be between 1 and {spec.max_limit}")
    return min(int(text), spec.max_limit)


def _offset(params: Mapping[str, list[str]], limit: int) -> int | None:
    if "offset" not in params:
        return None
    text = params["offset"][0]
    if not text.isdecimal() or "page_token" in params:
        raise InvalidArgument("offset must be a number, and cannot be combined with page_token")
    if int(text) + limit > MAX_UNORDERED:
        raise InvalidArgument(f"offset cannot go past {MAX_UNORDERED} records", status=422)
    return int(text)


def _check_order(spec: ListSpec, order: str, offset: int | None) -> None:
    known, not_simulated = orders_of(spec.kind)
    if order in not_simulated:
        raise InvalidArgument(f"{order} is an order of Clio's that is not simulated")
    if order not in known:
        raise InvalidArgument(f"{order} is not a valid order")
    if order not in (ID_ORDER, spec.default_order) and offset is None:
        raise InvalidArgument(f"order {order} needs an offset")


def _digest(filters: Filters) -> str:
    return blake2b(repr(filters).encode(), digest_size=6).hexdigest()


def _position(token: str | None, filters: Filters) -> tuple[int, int]:
    """Return the id after which a page begins, and the number of records before it."""
    if token is None:
        return 0, 0
    try:
        after, passed, digest = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError) as error:
        raise InvalidArgument("page_token is invalid", status=422) from error
    if digest != _digest(filters):
        raise InvalidArgument("page_token belongs to another query", status=422)
    return after, passed


class Lists:
    """Reads pages. The ids of recent queries are cached while the firm does not change: lists are long, pages many."""

    def __init__(self) -> None:
        self._cache: dict[Any, list[int]] = {}

    def page(self, firm: Firm, user_id: int, request: ListRequest) -> Page:
        """Return one page as a user sees it."""
        ids = self._ids(firm, user_id, request)
        return _by_cursor(ids, request) if request.offset is None else _by_offset(ids, request)

    def _ids(self, firm: Firm, user_id: int, request: ListRequest) -> list[int]:
        kind = request.spec.kind
        if kind in DOCUMENT_KINDS:  # searched before each write, each time with another filter
            return _matching_ids(firm, user_id, request)
        key = (id(firm), firm.version, kind, user_id, request.filters, request.order)
        found = self._cache.get(key)
        if found is None:
            found = _matching_ids(firm, user_id, request)
            if len(self._cache) >= CACHED_QUERIES:
                self._cache.clear()
            self._cache[key] = found
        return found


def _matching_ids(firm: Firm, user_id: int, request: ListRequest) -> list[int]:
    kind = request.spec.kind
    predicates = [
        predicate_for(Filter(firm, kind, name, values)) for name, values in request.filters
    ]
    matching = [
        record_id
        for record_id in firm.ids(kind)
        if firm.sees(user_id, kind, record_id)
        and all(predicate(firm.find(kind, record_id) or {}) for predicate in predicates)
    ]
    return sort_ids(firm, kind, matching, request.order)


def _by_cursor(ids: list[int], request: ListRequest) -> Page:
    """Return a page by cursor. In id order, records that were added or deleted since do not move it."""
    first = _start(ids, request)
    page = ids[first : first + request.limit]
    following = previous = None
    is_cut = request.ends_at is not None and request.passed + len(page) >= request.ends_at
    if first + request.limit < len(ids) and not is_cut:
        following = {"page_token": _token(page[-1], request.passed + len(page), request.filters)}
    if first:
        before = ids[first - request.limit - 1] if first > request.limit else 0
        passed = max(request.passed - request.limit, 0)
        previous = {"page_token": _token(before, passed, request.filters)}
    return Page(page, len(ids), following, previous)


def _start(ids: list[int], request: ListRequest) -> int:
    """Return the position of the first record of a page."""
    if request.order == ID_ORDER:
        return bisect_right(ids, request.after)
    if not request.after:
        return 0
    if request.after not in ids:
        raise InvalidArgument(OUT_OF_BOUNDS, status=422)
    return ids.index(request.after) + 1


def _by_offset(ids: list[int], request: ListRequest) -> Page:
    """Return a page by offset. It names the next page even where a request for it will be refused."""
    first = request.offset or 0
    following = previous = None
    if first + request.limit < len(ids):
        following = {"offset": str(first + request.limit)}
    if first:
        previous = {"offset": str(max(first - request.limit, 0))}
    return Page(ids[first : first + request.limit], len(ids), following, previous)


def _token(after: int, passed: int, filters: Filters) -> str:
    document = json.dumps([after, passed, _digest(filters)])
    return base64.urlsafe_b64encode(document.encode()).decode()
