"""Checks of single attributes in the body of a write. Each returns the value to store, or raises `InvalidArgument`."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from app.simulator.store.firm import Firm
from app.simulator.store.refusals import InvalidArgument, not_found

Check = Callable[[Firm, int, Any], Any]  # (firm, user id, value) -> the value to store

MAX_TEXT_BYTES = 65_535  # Clio documents no limit; this is a cautious guess
RICH_TEXT_TAGS = frozenset(
    ["a", "b", "br", "div", "em", "i", "li", "ol", "p", "s", "strong", "u", "ul"]
)
RICH_TEXT_ATTRIBUTES = frozenset(["href", "rel", "type", "target"])
_TAG = re.compile(r"<\s*/?\s*([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)\s*=")


def invalid(message: str) -> InvalidArgument:
    """Return the refusal (422) of an attribute's value."""
    return InvalidArgument(message, status=422)


def text(_firm: Firm, _user_id: int, value: Any) -> str:
    """Accept a string of at most `MAX_TEXT_BYTES`."""
    if not isinstance(value, str) or "\0" in value:
        raise invalid("must be a text")
    if len(value.encode()) > MAX_TEXT_BYTES:
        raise invalid("is too long")
    return value


def one_of(*allowed: str) -> Check:
    """Return a check that accepts the allowed values only."""

    def check(_firm: Firm, _user_id: int, value: Any) -> str:
        if value not in allowed:
            raise invalid(f"must be one of {', '.join(allowed)}")
        return str(value)

    return check


def day(_firm: Firm, _user_id: int, value: Any) -> str:
    """Accept a date without a time."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise invalid("date must be an ISO-8601 date") from error


def timestamp(_firm: Firm, _user_id: int, value: Any) -> str:
    """Accept a time with its time zone."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise invalid("must be an ISO-8601 timestamp") from error
    if parsed.tzinfo is None:
        raise invalid("must have a time zone")
    return parsed.isoformat()


def reference(kind: str) -> Check:
    """Return a check of `{"id": …}`: the record must exist, and the user must see it."""

    def check(firm: Firm, user_id: int, value: Any) -> int:
        record_id = value.get("id") if isinstance(value, dict) else None
        if not isinstance(record_id, int) or set(value) != {"id"}:
            raise invalid(f"{kind} must be given as its id")
        if firm.find(kind, record_id) is None or not firm.sees(user_id, kind, record_id):
            raise not_found(f"The {kind} could not be found")
        return record_id

    return check


def check_rich_text(html: str) -> None:
    """Refuse tags and attributes that Clio's rich text does not allow."""
    for tag, attributes in _TAG.findall(html):
        if tag.lower() not in RICH_TEXT_TAGS:
            raise invalid(f"the tag {tag} is not allowed")
        for attribute in _ATTRIBUTE.findall(attributes):
            if attribute.lower() not in RICH_TEXT_ATTRIBUTES:
                raise invalid(f"the attribute {attribute} is not allowed")
