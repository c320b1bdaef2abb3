"""What each filter of a list asks of a record. Values that Clio would not understand are refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import eq, ge, gt, le, lt
from typing import Any

from app.simulator.store.firm import Firm, Record

Test = Callable[[Record], bool]
Values = tuple[str, ...]


class ArgumentRefused(Exception):
    """A parameter that Clio does not accept."""

    kind = "ArgumentError"

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asking:
    """A filter of one request: its name, its values, and the firm that it is asked of."""

    firm: Firm
    kind: str
    name: str
    values: Values

    @property
    def value(self) -> str:
        """The value, where there is one."""
        return self.values[0]

    def refused(self, what: str) -> ArgumentRefused:
        """A refusal in Clio's words."""
        return ArgumentRefused(f"An invalid argument was supplied: {self.name} {what}")


def test_of(asking: Asking) -> Test:
    """What a filter asks of a record; raises ArgumentRefused."""
    make = _OF_ONE_KIND.get((asking.kind, asking.name)) or FILTERS[asking.name]
    return make(asking)


def _ids(asking: Asking) -> frozenset[int]:
    if not all(text.isdecimal() for text in asking.values):
        raise asking.refused("must be ids")
    return frozenset(int(text) for text in asking.values)


def _among(asking: Asking) -> Test:
    ids = _ids(asking)
    return lambda record: record["id"] in ids


def _not_among(asking: Asking) -> Test:
    ids = _ids(asking)
    return lambda record: record["id"] not in ids


def _by_id(asking: Asking) -> Test:
    (wanted,) = _ids(asking)
    return lambda record: str(record.get(asking.name) or "") == str(wanted)


def _by_id_or_null(asking: Asking) -> Test:
    if asking.value == "null":
        return lambda record: record.get(asking.name) is None
    return _by_id(asking)


def _flag(field: str) -> Callable[[Asking], Test]:
    """A filter by true or false."""

    def make(asking: Asking) -> Test:
        if asking.value not in ("true", "false"):
            raise asking.refused("must be true or false")
        wanted = asking.value == "true"
        return lambda record: bool(record.get(field)) is wanted

    return make


def _one_of(*known: str, fold: bool = False) -> Callable[[Asking], Test]:
    """A filter by one of a few words; folded where Clio is known to take either case."""

    def make(asking: Asking) -> Test:
        value = asking.value.lower() if fold else asking.value
        if value not in known:
            raise asking.refused(f"must be one of {', '.join(known)}")
        return lambda record: str(record.get(asking.name)).lower() == value.lower()

    return make


def _status(asking: Asking) -> Test:
    """A comma list, in lower case, although Clio answers with capitals."""
    wanted = set(asking.value.split(","))
    if not wanted <= {"open", "pending", "closed"}:
        raise asking.refused("must be one of open, closed, or pending")
    return lambda record: record["status"] in wanted


def _role(asking: Asking) -> Test:
    if asking.value not in ("admin", "accounts", "billing", "reports"):
        raise asking.refused("must be one of admin, accounts, billing, or reports")
    return lambda record: asking.value in record["roles"]


def _since(asking: Asking) -> Test:
    """After a moment with its zone; a `+` that was not encoded arrives as a space and is refused."""
    field = f"{asking.name.removesuffix('_since')}_at"
    try:
        moment = datetime.fromisoformat(asking.value)
    except ValueError as error:
        raise asking.refused("must be an ISO-8601 timestamp") from error
    if moment.tzinfo is None:
        raise asking.refused("must bear a time zone")
    return lambda record: datetime.fromisoformat(record[field]) > moment


_COMPARE = {">=": ge, "<=": le, ">": gt, "<": lt, "=": eq}


def _dates(asking: Asking) -> Test:
    """A date behind an operator; several must all hold."""
    field = asking.name.removesuffix("[]")
    bounds = []
    for text in asking.values:
        sign = next((sign for sign in _COMPARE if text.startswith(sign)), None)
        try:
            bounds.append((_COMPARE[sign or ""], date.fromisoformat(text[len(sign or "") :])))
        except (KeyError, ValueError) as error:
            raise asking.refused("must be an operator and a date") from error

    def test(record: Record) -> bool:
        value = record.get(field)
        return value is not None and all(
            compare(date.fromisoformat(value), bound) for compare, bound in bounds
        )

    return test


def _initial(asking: Asking) -> Test:
    """The first letter of the last name, or of the company's."""
    if len(asking.value) != 1 or not "A" <= asking.value <= "Z":
        raise asking.refused("must be a letter from A to Z")

    def test(record: Record) -> bool:
        name = record["name"] if record["type"] == "Company" else record.get("last_name")
        return str(name or "").strip().upper().startswith(asking.value)

    return test


def _text(name: str) -> Callable[[Asking], Test]:
    """A filter by a name, whatever its case."""

    def make(asking: Asking) -> Test:
        return lambda record: str(record.get(name) or "").lower() == asking.value.lower()

    return make


def _query(asking: Asking) -> Test:
    """A wildcard search, phone numbers as plain text: another way to write a number is missed."""
    wanted = asking.value.lower()
    texts = _SEARCHED[asking.kind]
    return lambda record: any(wanted in text.lower() for text in texts(asking.firm, record) if text)


def _contact_texts(firm: Firm, record: Record) -> list[str | None]:
    company = firm.find("contact", record.get("company_id")) or {}
    found = [record.get("name"), record.get("title"), company.get("name")]
    for parts, names in _SEARCHED_PARTS.items():
        found += [part.get(name) for part in record.get(parts) or [] for name in names]
    return found


def _matter_texts(firm: Firm, record: Record) -> list[str | None]:
    client = firm.find("contact", record["client_id"]) or {}
    number = str(record.get("number") or "")
    return [record["display_number"], number, record.get("description"), client.get("name")]


def _email_only(asking: Asking) -> Test:
    _flag("")(asking)
    wanted = asking.value == "true"
    return lambda record: (
        not wanted or any(part.get("address") for part in record.get("email_addresses") or [])
    )


def _area_of_matter(asking: Asking) -> Test:
    matters = [asking.firm.find("matter", matter_id) or {} for matter_id in _ids(asking)]
    areas = {matter.get("practice_area_id") for matter in matters}
    return lambda record: record["id"] in areas


def _visible_and_required(asking: Asking) -> Test:
    _flag("")(asking)
    wanted = asking.value == "true"
    return lambda record: bool(record["displayed"] and record["required"]) is wanted


_SEARCHED_PARTS = {
    "email_addresses": ("address",),
    "phone_numbers": ("number",),
    "addresses": ("street", "city", "province", "postal_code", "country"),
}
_SEARCHED: Mapping[str, Callable[[Firm, Record], list[Any]]] = {
    "contact": _contact_texts,
    "matter": _matter_texts,
    "custom_field": lambda _, record: [record["name"]],
    "group": lambda _, record: [record["name"]],
}
_FIELD_TYPES = (
    "checkbox", "contact", "currency", "date", "time", "email", "matter", "numeric", "picklist", "text_area",
    "text_line", "url",
)  # fmt: skip
FILTERS: dict[str, Callable[[Asking], Test]] = {
    "ids[]": _among,
    "exclude_ids[]": _not_among,
    "updated_since": _since,
    "created_since": _since,
    "query": _query,
    "name": _text("name"),
    "code": _text("code"),
    "client_only": _flag("is_client"),
    "clio_connect_only": _flag("client_connect_user_id"),
    "email_only": _email_only,
    "initial": _initial,
    "status": _status,
    "billable": _flag("billable"),
    "enabled": _flag("enabled"),
    "deleted": _flag("deleted"),
    "visible_and_required": _visible_and_required,
    "role": _role,
    "subscription_type": _one_of("attorney", "nonattorney"),
    "parent_type": _one_of("matter", "contact", fold=True),
    "field_type": _one_of(*_FIELD_TYPES),
    "open_date[]": _dates,
    "close_date[]": _dates,
    "pending_date[]": _dates,
    "client_id": _by_id,
    "contact_id": _by_id,
    "matter_id": _by_id,
    "group_id": _by_id,
    "practice_area_id": _by_id,
    "responsible_attorney_id": _by_id_or_null,
    "originating_attorney_id": _by_id_or_null,
    "responsible_staff_id": _by_id_or_null,
}
_OF_ONE_KIND: dict[tuple[str, str], Callable[[Asking], Test]] = {
    ("contact", "type"): _one_of("Company", "Person"),
    ("group", "type"): _one_of("AccountGroup", "AdhocGroup", "UserGroup"),
    ("practice_area", "matter_id"): _area_of_matter,
}
