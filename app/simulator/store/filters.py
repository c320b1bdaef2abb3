"""The filters of the lists: each turns the values of a parameter into a predicate, or refuses them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import eq, ge, gt, le, lt
from typing import Any

from app.simulator.store.firm import Firm, Record
from app.simulator.store.refusals import InvalidArgument

Predicate = Callable[[Record], bool]
Values = tuple[str, ...]


@dataclass(frozen=True)
class Filter:
    """A filter of one request: its name, its values, and the firm and kind of record that it applies to."""

    firm: Firm
    kind: str
    name: str
    values: Values

    @property
    def value(self) -> str:
        """The first value."""
        return self.values[0]

    def invalid(self, problem: str) -> InvalidArgument:
        """Return the refusal of the value, in Clio's words."""
        return InvalidArgument(f"An invalid argument was supplied: {self.name} {problem}")


def predicate_for(asked: Filter) -> Predicate:
    """Return the predicate of a filter; raises InvalidArgument."""
    make = _BY_KIND.get((asked.kind, asked.name)) or FILTERS[asked.name]
    return make(asked)


def _ids(asked: Filter) -> frozenset[int]:
    if not all(text.isdecimal() for text in asked.values):
        raise asked.invalid("must be ids")
    return frozenset(int(text) for text in asked.values)


def _any_of(asked: Filter) -> Predicate:
    ids = _ids(asked)
    return lambda record: record["id"] in ids


def _none_of(asked: Filter) -> Predicate:
    ids = _ids(asked)
    return lambda record: record["id"] not in ids


def _by_id(asked: Filter) -> Predicate:
    (wanted,) = _ids(asked)
    return lambda record: str(record.get(asked.name) or "") == str(wanted)


def _by_id_or_null(asked: Filter) -> Predicate:
    if asked.value == "null":
        return lambda record: record.get(asked.name) is None
    return _by_id(asked)


def _flag(field: str) -> Callable[[Filter], Predicate]:
    """Return a filter by true or false."""

    def make(asked: Filter) -> Predicate:
        if asked.value not in ("true", "false"):
            raise asked.invalid("must be true or false")
        wanted = asked.value == "true"
        return lambda record: bool(record.get(field)) is wanted

    return make


def _one_of(*known: str, fold: bool = False) -> Callable[[Filter], Predicate]:
    """Return a filter by an enumerated value; `fold` where Clio is known to accept either case."""

    def make(asked: Filter) -> Predicate:
        value = asked.value.lower() if fold else asked.value
        if value not in known:
            raise asked.invalid(f"must be one of {', '.join(known)}")
        return lambda record: str(record.get(asked.name)).lower() == value.lower()

    return make


def _status(asked: Filter) -> Predicate:
    """Accept a comma-separated list in lower case, although Clio returns capitalised values."""
    wanted = set(asked.value.split(","))
    if not wanted <= {"open", "pending", "closed"}:
        raise asked.invalid("must be one of open, closed, or pending")
    return lambda record: record["status"] in wanted


def _role(asked: Filter) -> Predicate:
    if asked.value not in ("admin", "accounts", "billing", "reports"):
        raise asked.invalid("must be one of admin, accounts, billing, or reports")
    return lambda record: asked.value in record["roles"]


def _since(asked: Filter) -> Predicate:
    """Keep records after a time with a time zone; a `+` that was not encoded arrives as a space and is refused."""
    field = f"{asked.name.removesuffix('_since')}_at"
    try:
        limit = datetime.fromisoformat(asked.value)
    except ValueError as error:
        raise asked.invalid("must be an ISO-8601 timestamp") from error
    if limit.tzinfo is None:
        raise asked.invalid("must have a time zone")
    return lambda record: datetime.fromisoformat(record[field]) > limit


_COMPARE = {">=": ge, "<=": le, ">": gt, "<": lt, "=": eq}


def _dates(asked: Filter) -> Predicate:
    """Compare with dates that follow an operator; all must hold."""
    field = asked.name.removesuffix("[]")
    bounds = []
    for text in asked.values:
        sign = next((sign for sign in _COMPARE if text.startswith(sign)), None)
        try:
            bounds.append((_COMPARE[sign or ""], date.fromisoformat(text[len(sign or "") :])))
        except (KeyError, ValueError) as error:
            raise asked.invalid("must be an operator and a date") from error

    def test(record: Record) -> bool:
        value = record.get(field)
        return value is not None and all(
            compare(date.fromisoformat(value), bound) for compare, bound in bounds
        )

    return test


def _initial(asked: Filter) -> Predicate:
    """Compare the first letter of the last name, or of a company's name."""
    if len(asked.value) != 1 or not "A" <= asked.value <= "Z":
        raise asked.invalid("must be a letter from A to Z")

    def test(record: Record) -> bool:
        name = record["name"] if record["type"] == "Company" else record.get("last_name")
        return str(name or "").strip().upper().startswith(asked.value)

    return test


def _text(name: str) -> Callable[[Filter], Predicate]:
    """Return a filter by a text, ignoring case."""

    def make(asked: Filter) -> Predicate:
        return lambda record: str(record.get(name) or "").lower() == asked.value.lower()

    return make


def _query(asked: Filter) -> Predicate:
    """Search for a part of a text. Phone numbers are plain text: a number written in another way is not found."""
    wanted = asked.value.lower()
    texts = _SEARCHED[asked.kind]
    return lambda record: any(wanted in text.lower() for text in texts(asked.firm, record) if text)


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


def _exact(name: str) -> Callable[[Filter], Predicate]:
    """Return a filter by the exact text of a field."""

    def make(asked: Filter) -> Predicate:
        return lambda record: str(record.get(name)) == asked.value

    return make


def _participant(asked: Filter) -> Predicate:
    """Keep communications that a contact sent or received."""
    ids = _ids(asked)
    return lambda record: any(
        person["id"] in ids and person["type"] != "User"
        for person in [*record["senders"], *record["receivers"]]
    )


def _external_property(part: str) -> Callable[[Filter], Predicate]:
    """Return a filter by the name or the value of an external property."""

    def make(asked: Filter) -> Predicate:
        return lambda record: any(
            item[part] == asked.value for item in record["external_properties"]
        )

    return make


def _email_only(asked: Filter) -> Predicate:
    _flag("")(asked)
    wanted = asked.value == "true"
    return lambda record: (
        not wanted or any(part.get("address") for part in record.get("email_addresses") or [])
    )


def _area_of_matter(asked: Filter) -> Predicate:
    matters = [asked.firm.find("matter", matter_id) or {} for matter_id in _ids(asked)]
    areas = {matter.get("practice_area_id") for matter in matters}
    return lambda record: record["id"] in areas


def _visible_and_required(asked: Filter) -> Predicate:
    _flag("")(asked)
    wanted = asked.value == "true"
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
    "note": lambda _, record: [record.get("subject"), record.get("detail")],
    "communication": lambda _, record: [record["subject"], record["body"]],
}
_FIELD_TYPES = (
    "checkbox", "contact", "currency", "date", "time", "email", "matter", "numeric", "picklist", "text_area",
    "text_line", "url",
)  # fmt: skip
FILTERS: dict[str, Callable[[Filter], Predicate]] = {
    "ids[]": _any_of,
    "exclude_ids[]": _none_of,
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
    "user_id": _by_id,
    "date": _exact("date"),
    "received_since": _since,
    "external_property_name": _external_property("name"),
    "external_property_value": _external_property("value"),
}
_BY_KIND: dict[tuple[str, str], Callable[[Filter], Predicate]] = {
    ("contact", "type"): _one_of("Company", "Person"),
    ("group", "type"): _one_of("AccountGroup", "AdhocGroup", "UserGroup"),
    ("practice_area", "matter_id"): _area_of_matter,
    ("note", "type"): _one_of("Contact", "Matter"),
    ("communication", "type"): _one_of("PhoneCommunication", "EmailCommunication"),
    ("communication", "contact_id"): _participant,
}
