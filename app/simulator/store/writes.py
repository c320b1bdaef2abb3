"""Writes to contacts and matters, as far as Clio's answers to them matter; `WRITES` is the table of all writes.

The service never writes these. A third party's app may, and that is how a record changes under the service's eyes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.simulator.store.filters import ArgumentRefused
from app.simulator.store.firm import Firm, Record

PARTS_AT_MOST = 20
_PARTS: dict[
    str, tuple[str, str]
] = {  # what a contact keeps inside: its names, its flag on writing
    "email_addresses": ("Work Home Other", "default_email"),
    "phone_numbers": ("Work Home Mobile Fax Pager Skype Other", "default_number"),
    "addresses": ("Work Home Billing Other", ""),
}
_PERSON = frozenset({"first_name", "middle_name", "last_name", "date_of_birth"})
_CONTACT = frozenset({"type", "name", "prefix", "title", *_PERSON})
_MATTER = frozenset(
    (
        *("description", "status", "location", "client_reference", "display_number", "billable"),
        *("open_date", "pending_date", "close_date"),
    )
)
_CONTACT_REFERS = {"company": "contact"}
_MATTER_REFERS = {
    "client": "contact",
    "practice_area": "practice_area",
    "matter_stage": "matter_stage",
    "group": "group",
    "responsible_attorney": "user",
    "originating_attorney": "user",
    "responsible_staff": "user",
}


@dataclass(frozen=True)
class Writing:
    """A write that was asked for: by whom, of which record (None: a new one), and the body's `data`."""

    firm: Firm
    user_id: int
    record_id: int | None
    data: Mapping[str, Any]


Write = Callable[[Writing], Record | None]


def _invalid(what: str) -> ArgumentRefused:
    return ArgumentRefused(f"An invalid argument was supplied: {what}")


def _refused(message: str) -> ArgumentRefused:
    return ArgumentRefused(message, status=422)


def _write_contact(writing: Writing) -> Record:
    firm, data = writing.firm, writing.data
    known = firm.find("contact", writing.record_id) or {}
    _check_names(data, _CONTACT | _CONTACT_REFERS.keys() | _PARTS.keys() | {"custom_field_values"})
    merged = {**known, **{name: data[name] for name in data.keys() & _CONTACT}}
    if merged.get("type") not in ("Person", "Company"):
        raise _invalid("type must be one of Person or Company")
    merged = _named(merged, data)
    merged |= _references(firm, data, _CONTACT_REFERS)
    for name in data.keys() & _PARTS.keys():
        merged[name] = _parts(known.get(name) or [], data[name], name)
    if "custom_field_values" in data:
        merged["custom_field_values"] = _values(firm, known, data["custom_field_values"])
    merged["id"] = writing.record_id or firm.next_id("contact")
    return firm.put("contact", {"is_client": False, "created_by": writing.user_id, **merged})


def _named(merged: Record, data: Mapping[str, Any]) -> Record:
    """A person's name comes of its parts, a company's is its own."""
    if merged["type"] == "Company":
        if not merged.get("name"):
            raise _refused("Name can't be blank")
        return merged
    if "name" in data:
        raise _refused("Invalid attributes present for a Person: name")
    if not merged.get("first_name") and not merged.get("last_name"):
        raise _refused("At least one of first name or last name must be provided")
    names = (merged.get(name) for name in ("first_name", "middle_name", "last_name"))
    return {**merged, "name": " ".join(name for name in names if name)}


def _write_matter(writing: Writing) -> Record:
    firm, data = writing.firm, writing.data
    known = firm.find("matter", writing.record_id) or {}
    _check_names(data, _MATTER | _MATTER_REFERS.keys())
    if not known and not {"client", "description"} <= data.keys():
        raise _invalid("client and description are required")
    if data.get("status", "open") not in ("open", "closed", "pending"):
        raise _invalid("status must be one of open, closed, or pending")
    matter_id = writing.record_id or firm.next_id("matter")
    fresh = {"status": "open", "number": matter_id, "display_number": f"{matter_id:05}"}
    given = {name: data[name] for name in data.keys() & _MATTER}
    merged = {**(known or fresh), **given, **_references(firm, data, _MATTER_REFERS)}
    return firm.put("matter", {**merged, "id": matter_id})


def _check_names(data: Mapping[str, Any], known: set[str] | frozenset[str]) -> None:
    """Attributes that Clio has and the simulator does not write are refused like those that nobody has."""
    if unknown := sorted(data.keys() - known):
        raise _invalid(f"{unknown[0]} cannot be written")
    for name in data.keys() & {"date_of_birth", "open_date", "pending_date", "close_date"}:
        try:
            date.fromisoformat(data[name] or "2000-01-01")
        except (TypeError, ValueError) as error:
            raise _invalid(f"{name} must be a date") from error


def _references(firm: Firm, data: Mapping[str, Any], known: Mapping[str, str]) -> Record:
    """What names another record by `{"id": …}`, kept as its id."""
    found: Record = {}
    for name in data.keys() & known.keys():
        target = data[name] and data[name].get("id")
        if target is not None and firm.find(known[name], target) is None:
            raise _refused(f"{name} must exist")
        found[f"{name}_id"] = target
    return found


def _parts(kept: list[Record], given: list[Record], kind: str) -> list[Record]:
    """Parts with an id are changed or destroyed, those without are new; one default takes the flag of the others."""
    names, flag = _PARTS[kind]
    parts = {part["id"]: part for part in kept}
    for part in given:
        part_id = part.get("id") or max(parts, default=0) + 1
        if part.get("_destroy"):
            parts.pop(part_id, None)
            continue
        if part.get("name", "Work") not in names.split():
            allowed = f"{', '.join(names.split()[:-1])}, or {names.split()[-1]}"
            raise _invalid(f"name must be one of {allowed}")
        if flag and part.get(flag):
            parts = {known: {**other, "primary": False} for known, other in parts.items()}
        own = {"id": part_id, "primary": bool(part.get(flag)), **parts.get(part_id, {})}
        parts[part_id] = {**own, **{name: part[name] for name in part.keys() - {flag, "_destroy"}}}
        if flag and part.get(flag):
            parts[part_id]["primary"] = True
    if len(parts) > PARTS_AT_MOST:
        raise _refused(f"{kind} cannot be more than {PARTS_AT_MOST}")
    return list(parts.values())


def _values(firm: Firm, known: Record, given: list[Record]) -> list[Record]:
    """Custom values: changed by their own composite id, made by the field's; a cleared one is gone."""
    values = {value["custom_field_id"]: value for value in known.get("custom_field_values") or []}
    by_id = {value["id"]: field_id for field_id, value in values.items() if value["id"]}
    for value in given:
        if "id" in value:
            if value["id"] not in by_id:
                raise _refused(f"custom field value {value['id']} does not exist")
            field_id = by_id[value["id"]]
        else:
            field_id = (value.get("custom_field") or {}).get("id")
            if field_id in by_id.values():
                text = f"custom field value for custom field {field_id} already exists"
                raise _refused(text)
        definition = firm.find("custom_field", field_id)
        if definition is None:
            raise _refused(f"custom field {field_id} does not exist")
        if value.get("_destroy") or value.get("value") in (None, ""):
            values.pop(field_id, None)
            continue
        value_id = f"{definition['field_type']}-{field_id}"
        kept = {"id": value_id, "custom_field_id": field_id, "value": value["value"]}
        values[field_id] = kept
    return list(values.values())


def _delete(kind: str) -> Write:
    def delete(writing: Writing) -> None:
        writing.firm.delete(kind, writing.record_id or 0)

    return delete


WRITES: dict[tuple[str, str], Write] = {
    ("POST", "contacts"): _write_contact,
    ("PATCH", "contacts"): _write_contact,
    ("DELETE", "contacts"): _delete("contact"),
    ("POST", "matters"): _write_matter,
    ("PATCH", "matters"): _write_matter,
    ("DELETE", "matters"): _delete("matter"),
}
