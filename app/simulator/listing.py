"""Lists: filters, order and pages, refused where Clio refuses them.

Stricter than Clio in one thing: a parameter that the simulator does not know is refused, not ignored, so that a
slip of the pen in a client comes to light.
"""

import base64
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from app.simulator.firm import Firm, Record

CAP = 10_000  # records that can be paged without order=id(asc)
MATCHES_KEPT = 64


class ArgumentRefused(Exception):
    """A parameter that Clio does not accept."""

    kind = "ArgumentError"

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class ListRule:
    """What one list accepts."""

    kind: str
    filters: frozenset[str]
    ordered: bool = True
    most: int = 200


def _rule(kind: str, filters: str, *, ordered: bool = True, most: int = 200) -> ListRule:
    common = "updated_since created_since ids[]"
    return ListRule(kind, frozenset(f"{common} {filters}".split()), ordered, most)


LISTS = {
    "contacts": _rule("contact", "type client_only"),
    "matters": _rule("matter", "status client_id"),
    "relationships": _rule("relationship", "contact_id matter_id", ordered=False),
    "users": _rule("user", "enabled", most=2000),
    "custom_fields": _rule("custom_field", "parent_type deleted"),
    "practice_areas": _rule("practice_area", "name"),
    "matter_stages": _rule("matter_stage", "practice_area_id", ordered=False),
    "groups": _rule("group", "type"),
}
_PAGING = {"limit", "order", "page_token", "fields"}
Test = Callable[[Record], bool]


@dataclass(frozen=True)
class Asked:
    """A list request, understood."""

    rule: ListRule
    limit: int
    ordered: bool
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    after: int
    passed: int


@dataclass(frozen=True)
class Listed:
    """The ids of one page, how many match in all, and the token of the next page."""

    ids: list[int]
    total: int
    token: str | None


def understand(rule: ListRule, params: Mapping[str, list[str]]) -> Asked:
    """The request behind the parameters; raises ArgumentRefused."""
    known = rule.filters | (_PAGING if rule.ordered else _PAGING - {"order"})
    for name in params:
        if name not in known:
            raise ArgumentRefused(f"{name} is not a valid argument")
    filters = tuple(sorted((name, tuple(params[name])) for name in params if name in rule.filters))
    order = params.get("order", [None])[0]
    if order not in (None, "id(asc)"):
        raise ArgumentRefused(f"order {order} is not simulated; use id(asc)")
    after, passed = _position(params.get("page_token", [None])[0], filters)
    ordered = order is not None or not rule.ordered
    if passed >= CAP and not ordered:
        raise ArgumentRefused("page_token is now out of bounds and cannot be used.", status=422)
    return Asked(rule, _limit(rule, params), ordered, filters, after, passed)


def _limit(rule: ListRule, params: Mapping[str, list[str]]) -> int:
    text = params.get("limit", [str(rule.most)])[0]
    if not text.isdecimal() or not 1 <= int(text) <= rule.most:
        raise ArgumentRefused(f"limit must be between 1 and {rule.most}")
    return int(text)


def _digest(filters: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return blake2b(repr(filters).encode(), digest_size=6).hexdigest()


def _position(
    token: str | None, filters: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[int, int]:
    """Where a page begins: behind which id, and how many records have passed."""
    if token is None:
        return 0, 0
    try:
        after, passed, digest = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise ArgumentRefused("page_token is invalid", status=422) from error
    if digest != _digest(filters):
        raise ArgumentRefused("page_token belongs to another query", status=422)
    return after, passed


class Matches:
    """The ids that match a request, remembered while the firm does not change: lists are long, pages many."""

    def __init__(self) -> None:
        self._kept: dict[Any, list[int]] = {}

    def page(self, firm: Firm, user_id: int, asked: Asked) -> Listed:
        """One page as a user sees it; what came or went since the last page does not shift it."""
        ids = self._ids(firm, user_id, asked)
        first = bisect_right(ids, asked.after)
        page = ids[first : first + asked.limit]
        more = first + asked.limit < len(ids)
        passed = asked.passed + len(page)
        token = _token(page[-1], passed, asked.filters) if more else None
        return Listed(page, len(ids), token)

    def _ids(self, firm: Firm, user_id: int, asked: Asked) -> list[int]:
        kind = asked.rule.kind
        key = (id(firm), firm.version, kind, user_id, asked.filters)
        found = self._kept.get(key)
        if found is None:
            tests = [_test(name, values) for name, values in asked.filters]
            found = [
                record_id
                for record_id in firm.ids(kind)
                if firm.sees(user_id, kind, record_id)
                and all(test(firm.find(kind, record_id) or {}) for test in tests)
            ]
            if len(self._kept) >= MATCHES_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found


def _token(after: int, passed: int, filters: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    document = json.dumps([after, passed, _digest(filters)])
    return base64.urlsafe_b64encode(document.encode()).decode()


def _test(name: str, values: tuple[str, ...]) -> Test:
    """What a filter asks of a record."""
    value = values[0]
    if name in ("updated_since", "created_since"):
        return _since(name, value)
    if name == "status":
        return _status(value)
    if name == "ids[]":
        ids = {int(text) for text in values}
        return lambda record: record["id"] in ids
    if name in ("client_only", "enabled", "deleted"):
        field = "is_client" if name == "client_only" else name
        return lambda record: bool(record.get(field)) is (value == "true")
    return lambda record: str(record.get(name)).lower() == value.lower()


def _since(name: str, value: str) -> Test:
    field, moment = f"{name.removesuffix('_since')}_at", _moment(name, value)
    return lambda record: datetime.fromisoformat(record[field]) > moment


def _status(value: str) -> Test:
    wanted = set(value.split(","))
    if not wanted <= {"open", "pending", "closed"}:
        raise ArgumentRefused("status must be open, closed or pending")
    return lambda record: record["status"] in wanted


def _moment(name: str, value: str) -> datetime:
    """A time with its zone; a `+` that was not encoded arrives as a space and is refused."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ArgumentRefused(f"{name} must be an ISO-8601 timestamp") from error
    if moment.tzinfo is None:
        raise ArgumentRefused(f"{name} must bear a time zone")
    return moment
