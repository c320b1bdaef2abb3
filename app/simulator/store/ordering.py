"""The orders of lists: by a field of the record, or by a name of what it refers to."""

from typing import Any

from app.simulator.store.firm import Firm, Record

_DIRECTIONS = ("(asc)", "(desc)")
_BY: dict[str, str] = {  # fields by which Clio orders, per kind of record
    "contact": "id name",
    "matter": "id display_number custom_number open_date close_date pending_date updated_at created_at"
    " matter_stage_updated_at client.name practice_area.name matter_stage.name responsible_attorney.name"
    " originating_attorney.name",
    "user": "id enabled name first_name last_name initials subscription_type",
    "custom_field": "id name display_order",
    "practice_area": "id name category code",
    "group": "id name",
}
_UNSERVED: dict[str, str] = {  # what Clio orders by and the simulator does not know
    "contact": "shared_at",
    "matter": "clients statute_of_limitations.due_at grants",
}
_REFERS = {
    "client": "contact",
    "practice_area": "practice_area",
    "matter_stage": "matter_stage",
    "responsible_attorney": "user",
    "originating_attorney": "user",
}


def orders_of(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    """The orders that are simulated, and those of Clio's that are not."""
    return _both(_BY.get(kind, "")), _both(_UNSERVED.get(kind, ""))


def _both(names: str) -> frozenset[str]:
    return frozenset(name + direction for name in names.split() for direction in _DIRECTIONS)


def in_order(firm: Firm, kind: str, ids: list[int], order: str) -> list[int]:
    """The ids, which come rising, in an order; what has no value stands last, and equal ones keep rising ids."""
    if order == "id(asc)":
        return ids
    path, _, direction = order.partition("(")
    values = {record_id: _value(firm, firm.find(kind, record_id) or {}, path) for record_id in ids}
    known = [record_id for record_id in ids if values[record_id] is not None]
    known.sort(key=values.__getitem__, reverse=direction == "desc)")
    return known + [record_id for record_id in ids if values[record_id] is None]


def _value(firm: Firm, record: Record, path: str) -> Any:
    field, _, name = path.partition(".")
    if name:
        record = firm.find(_REFERS[field], record.get(f"{field}_id")) or {}
        field = name
    value = record.get(field)
    return value.casefold() if isinstance(value, str) else value
