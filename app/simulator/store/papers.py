"""What others write into Clio: notes and communications, as strict as Clio is with what is written.

A paper is a record whose author Clio sets: the user of the token. Kinds differ in a `PaperRule`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.simulator.store.firm import Firm, Record

LONGEST_TEXT = 65_535  # bytes of one text; Clio documents no limit, this is a cautious guess
RICH_TAGS = frozenset(["a", "b", "br", "div", "em", "i", "li", "ol", "p", "s", "strong", "u", "ul"])
RICH_ATTRIBUTES = frozenset(["href", "rel", "type", "target"])
_TAG = re.compile(r"<\s*/?\s*([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)\s*=")


class Refused(Exception):
    """An answer in Clio's error form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        kinds = {403: "ForbiddenError", 404: "RecordNotFound", 412: "PreconditionFailed"}
        self.kind = kinds.get(status, "ArgumentError")


Check = Callable[[Firm, int, Any], Any]  # firm, user, value → the value as it is kept


@dataclass(frozen=True)
class PaperRule:
    """One kind of paper: what may be written, what must be, what is shown and by what it is found."""

    name: str
    writable: Mapping[str, Check]
    required: frozenset[str]
    changeable: frozenset[str]
    plain: frozenset[str]
    nested: Mapping[str, frozenset[str]]
    filters: Mapping[str, Callable[[Record, str], bool]]
    finish: Callable[[Firm, Record], Record]
    default_order: str = "id(asc)"
    needed_in_list: str | None = None


def check_new(rule: PaperRule, firm: Firm, user_id: int, data: Any) -> Record:
    """The record that a body describes; raises Refused."""
    record = _checked(rule, firm, user_id, data, frozenset(rule.writable))
    missing = sorted(name for name in rule.required if name not in record)
    if missing:
        raise Refused(422, f"{missing[0]} is required")
    return rule.finish(firm, record)


def check_change(rule: PaperRule, firm: Firm, user_id: int, data: Any) -> Record:
    """The changes that a body describes; raises Refused."""
    return _checked(rule, firm, user_id, data, rule.changeable)


def _checked(rule: PaperRule, firm: Firm, user_id: int, data: Any, names: frozenset[str]) -> Record:
    if not isinstance(data, dict):
        raise Refused(422, "data must be an object")
    unknown = sorted(data.keys() - names)
    if unknown:
        raise Refused(422, f"{unknown[0]} is not a valid attribute")
    return {name: rule.writable[name](firm, user_id, value) for name, value in data.items()}


# --- checks of single values ----------------------------------------------------------------------


def text(_firm: Firm, _user: int, value: Any) -> str:
    """A text of a length that fits."""
    if not isinstance(value, str) or "\0" in value:
        raise Refused(422, "must be a text")
    if len(value.encode()) > LONGEST_TEXT:
        raise Refused(422, "is too long")
    return value


def one_of(*values: str) -> Check:
    """One of a few words."""

    def check(_firm: Firm, _user: int, value: Any) -> str:
        if value not in values:
            raise Refused(422, f"must be one of {', '.join(values)}")
        return str(value)

    return check


def day(_firm: Firm, _user: int, value: Any) -> str:
    """A date without a time."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise Refused(422, "date must be an ISO-8601 date") from error


def moment(_firm: Firm, _user: int, value: Any) -> str:
    """A time with its zone."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Refused(422, "must be an ISO-8601 timestamp") from error
    if found.tzinfo is None:
        raise Refused(422, "must bear a time zone")
    return found.isoformat()


def linked(kind: str) -> Check:
    """Another record, by its id; one that the user may not see is not there."""

    def check(firm: Firm, user_id: int, value: Any) -> int:
        record_id = value.get("id") if isinstance(value, dict) else None
        if not isinstance(record_id, int) or set(value) != {"id"}:
            raise Refused(422, f"{kind} must be named by its id")
        if firm.find(kind, record_id) is None or not firm.sees(user_id, kind, record_id):
            raise Refused(404, f"The {kind} could not be found")
        return record_id

    return check


def check_rich(detail: str) -> None:
    """Rich text knows few tags and few attributes."""
    for tag, attributes in _TAG.findall(detail):
        if tag.lower() not in RICH_TAGS:
            raise Refused(422, f"the tag {tag} is not allowed")
        for attribute in _ATTRIBUTE.findall(attributes):
            if attribute.lower() not in RICH_ATTRIBUTES:
                raise Refused(422, f"the attribute {attribute} is not allowed")


# --- filters that both kinds know -----------------------------------------------------------------


def since(field: str) -> Callable[[Record, str], bool]:
    """Later than a moment; a `+` that was not encoded arrives as a space and is refused."""

    def test(record: Record, value: str) -> bool:
        try:
            asked = datetime.fromisoformat(value)
        except ValueError as error:
            raise Refused(400, f"{field} must be an ISO-8601 timestamp") from error
        if asked.tzinfo is None:
            raise Refused(400, f"{field} must bear a time zone")
        return datetime.fromisoformat(record[field]) > asked

    return test


def containing(*fields: str) -> Callable[[Record, str], bool]:
    """The text occurs in one of these fields."""
    return lambda record, value: any(
        value.lower() in str(record.get(f, "")).lower() for f in fields
    )


def equal(field: str) -> Callable[[Record, str], bool]:
    """The field has this value."""
    return lambda record, value: str(record.get(field)) == value
