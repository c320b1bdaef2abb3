"""Field selection as Clio does it: id and etag unless more is asked for, one level of braces, no deeper.

The table agrees with Clio's own OpenAPI document; a test holds it against that.
"""

import re
from dataclasses import dataclass
from typing import Any

from app.simulator.firm import Firm, Record, etag


class InvalidFields(Exception):
    """A field that does not exist, or one of the second level; one of them fails the whole request."""

    status = 400
    kind = "InvalidFields"

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is not a valid field")


@dataclass(frozen=True)
class Nested:
    """A field that holds another record, found by the id in `by`, or a list of parts kept inside."""

    kind: str
    by: str | None = None


@dataclass(frozen=True)
class Shape:
    """What can be asked of one kind of record."""

    plain: frozenset[str]
    nested: dict[str, Nested]

    def knows(self, name: str) -> bool:
        """Whether the field exists."""
        return name in self.plain or name in self.nested


def _shape(plain: str, **nested: Nested) -> Shape:
    return Shape(frozenset(f"id etag created_at updated_at {plain}".split()), nested)


_USER = "name first_name last_name initials email phone_number enabled account_owner roles subscription_type time_zone"
SHAPES: dict[str, Shape] = {
    "contact": _shape(
        "name first_name middle_name last_name date_of_birth type prefix title initials clio_connect_email"
        " client_connect_user_id primary_email_address primary_phone_number is_client is_co_counsel",
        company=Nested("contact", "company_id"),
        email_addresses=Nested("email_address"),
        phone_numbers=Nested("phone_number"),
        addresses=Nested("address"),
        custom_field_values=Nested("custom_field_value"),
    ),
    "matter": _shape(
        "number display_number custom_number description status location client_reference client_id billable"
        " billing_method open_date pending_date close_date last_activity_date matter_stage_updated_at",
        client=Nested("contact", "client_id"),
        practice_area=Nested("practice_area", "practice_area_id"),
        matter_stage=Nested("matter_stage", "matter_stage_id"),
        group=Nested("group", "group_id"),
        responsible_attorney=Nested("user", "responsible_attorney_id"),
        originating_attorney=Nested("user", "originating_attorney_id"),
        responsible_staff=Nested("user", "responsible_staff_id"),
        custom_field_values=Nested("custom_field_value"),
    ),
    "relationship": _shape(
        "description", matter=Nested("matter", "matter_id"), contact=Nested("contact", "contact_id")
    ),
    "user": _shape(
        _USER,
        account=Nested("account", "account_id"),
        groups=Nested("group"),
        job_title=Nested("job_title"),
    ),
    "custom_field": _shape(
        "name parent_type field_type displayed deleted required display_order",
        picklist_options=Nested("picklist_option"),
    ),
    "practice_area": _shape("name code category"),
    "matter_stage": _shape("name order practice_area_id"),
    "group": Shape(
        frozenset({"id", "etag", "name", "type", "client_connect_user", "updated_at"}), {}
    ),
    "account": _shape("name state"),
    "email_address": _shape("address name primary"),
    "phone_number": _shape("number name primary"),
    "address": _shape("name street city province postal_code country primary"),
    "job_title": Shape(frozenset({"id", "etag", "name"}), {}),
    "picklist_option": _shape("option deleted_at"),
    "custom_field_value": _shape(
        "field_name field_type field_required field_displayed field_display_order value soft_deleted",
        custom_field=Nested("custom_field"),
        picklist_option=Nested("picklist_option"),
        contact=Nested("contact"),
        matter=Nested("matter"),
    ),
}
DEFAULTS = ("id", "etag")
_BRACES = re.compile(r"\{([^{}]*)\}")
_STRAY = re.compile(r"[^,<>;]*[{}]|[^,<>;]*<[^<>]*<|>[^,]")

Selection = dict[str, tuple[str, ...]]  # a field, and what is asked of it


def parse(kind: str, asked: str | None, *, gone: frozenset[str] = frozenset()) -> Selection:
    """What a `fields` parameter asks for; `gone` are names that this Clio no longer knows."""
    if not asked:
        return dict.fromkeys(DEFAULTS, ())
    selection: Selection = {}
    for name, inner in _entries(asked):
        shape = SHAPES[kind]
        if not shape.knows(name) or name in gone:
            raise InvalidFields(name)
        if inner and name not in shape.nested:
            raise InvalidFields(f"{name}{{")
        for sub in inner:
            if not SHAPES[shape.nested[name].kind].knows(sub) or sub in gone:
                raise InvalidFields(sub)
        selection[name] = tuple(inner)
    return selection


def _entries(asked: str) -> list[tuple[str, list[str]]]:
    """Names with the names in their braces; a second level of braces is refused as Clio refuses it."""
    flat = _BRACES.sub(lambda found: f"<{found[1].replace(',', ';')}>", asked.replace(" ", ""))
    if stray := _STRAY.search(flat):
        raise InvalidFields(stray[0])
    pairs = (entry.rstrip(">").partition("<") for entry in flat.split(",") if entry)
    return [(name, [sub for sub in inner.split(";") if sub]) for name, _, inner in pairs]


def render(firm: Firm, user_id: int, kind: str, record: Record, selection: Selection) -> Record:
    """A record as a user gets it, with what was asked for."""
    answer: Record = {}
    for name, inner in selection.items():
        nested = SHAPES[kind].nested.get(name)
        if nested is None:
            answer[name] = _plain(kind, name, record)
        elif nested.by is None:
            answer[name] = _parts(firm, user_id, kind, name, record, inner)
        else:
            answer[name] = _other(firm, user_id, nested, record.get(nested.by), inner)
    return answer


def _plain(kind: str, name: str, record: Record) -> Any:
    value = record.get(name)
    return value.capitalize() if (kind, name) == ("matter", "status") and value else value


def _other(
    firm: Firm, user_id: int, nested: Nested, record_id: int | None, inner: tuple[str, ...]
) -> Any:
    """Another record: one that the user may not see comes as its id and nothing else."""
    if nested.kind == "account":
        return _chosen({**firm.account, "etag": etag("account", firm.account["id"], "")}, inner)
    if record_id is None:
        return None
    found = firm.find(nested.kind, record_id)
    if found is None:
        return None
    if not firm.sees(user_id, nested.kind, record_id):
        return {"id": record_id, "redacted": True}
    return {name: _plain(nested.kind, name, found) for name in (inner or DEFAULTS)}


def _parts(
    firm: Firm, user_id: int, kind: str, name: str, record: Record, inner: tuple[str, ...]
) -> list[Record]:
    """The parts kept inside a record."""
    kept = record.get(name) or []
    if name == "custom_field_values":
        return [_custom_value(firm, user_id, value, inner or DEFAULTS) for value in kept]
    return [
        _chosen({"etag": etag(name, part["id"], record["etag"]), **part}, inner or DEFAULTS)
        for part in kept
    ]


def _chosen(part: Record, names: tuple[str, ...]) -> Record:
    return {name: part.get(name) for name in (names or DEFAULTS)}


def _custom_value(firm: Firm, user_id: int, value: Record, names: tuple[str, ...]) -> Record:
    """A custom field's value. One whose field the user may not read keeps its id and loses all else."""
    field_id = value["custom_field_id"]
    definition = firm.find("custom_field", field_id) or {}
    option = value["value"] if definition.get("field_type") == "picklist" else None
    whole = {
        "id": value.get("id"),
        "etag": etag("custom_field_value", f"{field_id}", str(value["value"])),
        "field_name": definition.get("name"),
        "field_type": definition.get("field_type"),
        "value": value["value"],
        "soft_deleted": bool(definition.get("deleted")),
        "custom_field": {"id": field_id, "etag": definition.get("etag")},
        "picklist_option": {"id": int(option), "etag": etag("picklist_option", option, "")}
        if option
        else None,
    }
    if user_id in firm.fields_unreadable:
        whole |= {"field_name": None, "field_type": None, "value": None, "picklist_option": None}
    return _chosen(whole, names)
