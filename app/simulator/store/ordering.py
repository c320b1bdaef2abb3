"""The orders of lists: by a field of the record, or by the name of a record that it refers to."""

from typing import Any

from app.simulator.store.firm import Firm, Record

_DIRECTIONS = ("(asc)", "(desc)")
_FIELDS: dict[str, str] = {  # the fields by which each kind can be sorted
    "contact": "id name",
    "matter": "id display_number custom_number open_date close_date pending_date updated_at created_at"
    " matter_stage_updated_at client.name practice_area.name matter_stage.name responsible_attorney.name"
    " originating_attorney.name",
    "user": "id enabled name first_name last_name initials subscription_type",
    "custom_field": "id name display_order",
    "practice_area": "id name category code",
    "group": "id name",
    "note": "id date updated_at",
    "communication": "id date",
}
_NOT_SIMULATED: dict[str, str] = {  # fields by which Clio sorts and the simulator does not
    "contact": "shared_at",
    "matter": "clients statute_of_limitations.due_at grants",
    "note": "author",
    "communication": "received_at matter",
}
_REFERENCES = {  # the kind of record that a field refers to
    "client": "contact",
    "practice_area": "practice_area",
    "matter_stage": "matter_stage",
    "responsible_attorney": "user",
    "originating_attorney": "user",
}


def orders_of(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the orders that are simulated, and Clio's orders that are not."""
    return _in_both_directions(_FIELDS.get(kind, "")), _in_both_directions(
        _NOT_SIMULATED.get(kind, "")
    )


def _in_both_directions(names: str) -> frozenset[str]:
    return frozenset(name + direction for name in names.split() for direction in _DIRECTIONS)


def sort_ids(firm: Firm, kind: str, ids: list[int], order: str) -> list[int]:
    """Sort ascending ids in an order. Records without a value come last; equal values keep ascending ids."""
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
        record = firm.find(_REFERENCES[field], record.get(f"{field}_id")) or {}
        field = name
    value = record.get(field)
    return value.casefold() if isinstance(value, str) else value
