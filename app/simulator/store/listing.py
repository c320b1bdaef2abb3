"""Lists: which exist, what each accepts, and its pages.

Stricter than Clio in one thing: a parameter that the simulator does not know is refused, not ignored, so that a
slip of the pen in a client comes to light. Of the filters and orders that Clio's document has for these lists,
`ListRule.refused` names those that are refused because they are not simulated; every other one works.

Two ways to page, as with Clio. With `order=id(asc)` and no `offset` a list has no end; with an `offset`, which any
other order needs, it ends at record 10,000; without any order it ends there too, and nobody documents it.
"""

import base64
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from app.simulator.faults.quirks import Habits
from app.simulator.store.filters import ArgumentRefused, Asking, test_of
from app.simulator.store.firm import Firm
from app.simulator.store.ordering import in_order, orders_of

CAP = 10_000  # records that can be paged without order=id(asc)
MATCHES_KEPT = 64
OUT_OF_BOUNDS = "page_token is now out of bounds and cannot be used."


@dataclass(frozen=True)
class ListRule:
    """What one list accepts, and which of Clio's own parameters it refuses."""

    kind: str
    filters: frozenset[str]
    ordered: bool = True
    most: int = 200
    refused: frozenset[str] = frozenset()


def _rule(
    kind: str, filters: str, *, refused: str = "", ordered: bool = True, most: int = 200
) -> ListRule:
    common = "updated_since created_since ids[]"
    known = frozenset(f"{common} {filters}".split())
    return ListRule(kind, known, ordered, most, frozenset(refused.split()))


_VALUES = "custom_field_ids[] custom_field_values"
LISTS = {
    "contacts": _rule(
        "contact",
        "type client_only clio_connect_only email_only exclude_ids[] initial query",
        refused=f"{_VALUES} shared_resource_id",
    ),
    "matters": _rule(
        "matter",
        "status client_id practice_area_id group_id responsible_attorney_id originating_attorney_id"
        " responsible_staff_id billable open_date[] close_date[] pending_date[] query",
        refused=f"{_VALUES} currency_id grant_id notification_event_subscriber_user_id subscriber_user_id",
    ),
    "relationships": _rule("relationship", "contact_id matter_id", ordered=False),
    "users": _rule(
        "user",
        "enabled name role subscription_type",
        refused="include_co_counsel pending_setup",
        most=2000,
    ),
    "custom_fields": _rule(
        "custom_field", "parent_type deleted field_type query visible_and_required"
    ),
    "practice_areas": _rule("practice_area", "name code matter_id"),
    "matter_stages": _rule("matter_stage", "practice_area_id", ordered=False),
    "groups": _rule("group", "type name query", refused="archived user_id"),
}
_PAGING = frozenset({"limit", "order", "page_token", "offset", "fields"})
Filters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Asked:
    """A list request, understood. `offset` is None in cursor mode."""

    rule: ListRule
    limit: int
    order: str
    filters: Filters
    offset: int | None
    after: int = 0
    passed: int = 0
    ends_at: int | None = None  # records after which no next page is told


@dataclass(frozen=True)
class Listed:
    """The ids of one page, how many match in all, and what leads to the pages beside it."""

    ids: list[int]
    total: int
    next: dict[str, str] | None
    previous: dict[str, str] | None


def understand(rule: ListRule, params: Mapping[str, list[str]], habits: Habits) -> Asked:
    """The request behind the parameters; raises ArgumentRefused."""
    known = rule.filters | (_PAGING if rule.ordered else _PAGING - {"order"})
    for name in params:
        if name.partition("[")[0] in rule.refused or name in rule.refused:
            raise ArgumentRefused(f"{name} is a filter of Clio's that is not simulated")
        if name not in known:
            raise ArgumentRefused(f"{name} is not a valid argument")
    filters = tuple(sorted((name, tuple(params[name])) for name in params if name in rule.filters))
    limit = _limit(rule, params, habits)
    order, offset = params.get("order", [None])[0], _offset(params, limit)
    if order is not None:
        _check_order(rule, order, offset)
    after, passed = _position(params.get("page_token", [None])[0], filters)
    bounded = order is None and (rule.ordered or habits.caps_unordered_lists)
    if passed >= CAP and bounded:
        raise ArgumentRefused(OUT_OF_BOUNDS, status=422)
    ends_at = CAP if bounded and habits.caps_silently else None
    return Asked(rule, limit, order or "id(asc)", filters, offset, after, passed, ends_at)


def _limit(rule: ListRule, params: Mapping[str, list[str]], habits: Habits) -> int:
    """What is over the limit is refused or cut down to it: nobody outside knows which Clio does."""
    text = params.get("limit", [str(rule.most)])[0]
    if not text.isdecimal() or int(text) < 1 or (int(text) > rule.most and not habits.clamps_limit):
        raise ArgumentRefused(f"limit must be between 1 and {rule.most}")
    return min(int(text), rule.most)


def _offset(params: Mapping[str, list[str]], limit: int) -> int | None:
    if "offset" not in params:
        return None
    text = params["offset"][0]
    if not text.isdecimal() or "page_token" in params:
        raise ArgumentRefused("offset must be a number, and go without a page_token")
    if int(text) + limit > CAP:
        raise ArgumentRefused(f"offset cannot go past {CAP} records", status=422)
    return int(text)


def _check_order(rule: ListRule, order: str, offset: int | None) -> None:
    known, unserved = orders_of(rule.kind)
    if order in unserved:
        raise ArgumentRefused(f"{order} is an order of Clio's that is not simulated")
    if order not in known:
        raise ArgumentRefused(f"{order} is not a valid order")
    if order != "id(asc)" and offset is None:
        raise ArgumentRefused(f"order {order} needs an offset")


def _digest(filters: Filters) -> str:
    return blake2b(repr(filters).encode(), digest_size=6).hexdigest()


def _position(token: str | None, filters: Filters) -> tuple[int, int]:
    """Where a page begins: behind which id, and how many records have passed."""
    if token is None:
        return 0, 0
    try:
        after, passed, digest = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError) as error:
        raise ArgumentRefused("page_token is invalid", status=422) from error
    if digest != _digest(filters):
        raise ArgumentRefused("page_token belongs to another query", status=422)
    return after, passed


class Matches:
    """The ids that match a request, remembered while the firm does not change: lists are long, pages many."""

    def __init__(self) -> None:
        self._kept: dict[Any, list[int]] = {}

    def page(self, firm: Firm, user_id: int, asked: Asked) -> Listed:
        """One page as a user sees it."""
        ids = self._ids(firm, user_id, asked)
        return _by_offset(ids, asked) if asked.offset is not None else _by_cursor(ids, asked)

    def _ids(self, firm: Firm, user_id: int, asked: Asked) -> list[int]:
        kind = asked.rule.kind
        key = (id(firm), firm.version, kind, user_id, asked.filters, asked.order)
        found = self._kept.get(key)
        if found is None:
            tests = [test_of(Asking(firm, kind, name, values)) for name, values in asked.filters]
            matching = [
                record_id
                for record_id in firm.ids(kind)
                if firm.sees(user_id, kind, record_id)
                and all(test(firm.find(kind, record_id) or {}) for test in tests)
            ]
            found = in_order(firm, kind, matching, asked.order)
            if len(self._kept) >= MATCHES_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found


def _by_cursor(ids: list[int], asked: Asked) -> Listed:
    """What came or went since the last page does not shift this one."""
    first = bisect_right(ids, asked.after)
    page = ids[first : first + asked.limit]
    following = previous = None
    is_cut = asked.ends_at is not None and asked.passed + len(page) >= asked.ends_at
    if first + asked.limit < len(ids) and not is_cut:
        following = {"page_token": _token(page[-1], asked.passed + len(page), asked.filters)}
    if first:
        before = ids[first - asked.limit - 1] if first > asked.limit else 0
        passed = max(asked.passed - asked.limit, 0)
        previous = {"page_token": _token(before, passed, asked.filters)}
    return Listed(page, len(ids), following, previous)


def _by_offset(ids: list[int], asked: Asked) -> Listed:
    """The next page is told even where asking for it will be refused."""
    first = asked.offset or 0
    following = previous = None
    if first + asked.limit < len(ids):
        following = {"offset": str(first + asked.limit)}
    if first:
        previous = {"offset": str(max(first - asked.limit, 0))}
    return Listed(ids[first : first + asked.limit], len(ids), following, previous)


def _token(after: int, passed: int, filters: Filters) -> str:
    document = json.dumps([after, passed, _digest(filters)])
    return base64.urlsafe_b64encode(document.encode()).decode()
