"""The writes of the API. `WRITES` has one function for each method and list.

The service writes notes and communications only. Another vendor's app may write contacts and matters; the tests use
this to change records while the service runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.simulator.store import document_writes
from app.simulator.store.communications import COMMUNICATION
from app.simulator.store.document_writes import WritableSpec
from app.simulator.store.firm import Firm, Record
from app.simulator.store.notes import NOTE
from app.simulator.store.refusals import InvalidArgument

MAX_PARTS = 20
# the lists inside a contact: the allowed names of their items, and the flag that makes an item the default
_PARTS: dict[str, tuple[str, str]] = {
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
_CONTACT_REFERENCES = {"company": "contact"}
_MATTER_REFERENCES = {
    "client": "contact",
    "practice_area": "practice_area",
    "matter_stage": "matter_stage",
    "group": "group",
    "responsible_attorney": "user",
    "originating_attorney": "user",
    "responsible_staff": "user",
}


@dataclass(frozen=True)
class WriteRequest:
    """A write: the user, the record (None: a new one), and the `data` of the body."""

    firm: Firm
    user_id: int
    record_id: int | None
    data: Mapping[str, Any]


Write = Callable[[WriteRequest], Record | None]  # returns the record; None when it was deleted


def _invalid(problem: str) -> InvalidArgument:
    return InvalidArgument(f"An invalid argument was supplied: {problem}")


def _unprocessable(message: str) -> InvalidArgument:
    return InvalidArgument(message, status=422)


def _write_contact(request: WriteRequest) -> Record:
    firm, data = request.firm, request.data
    known = firm.find("contact", request.record_id) or {}
    _check_names(
        data, _CONTACT | _CONTACT_REFERENCES.keys() | _PARTS.keys() | {"custom_field_values"}
    )
    merged = {**known, **{name: data[name] for name in data.keys() & _CONTACT}}
    if merged.get("type") not in ("Person", "Company"):
        raise _invalid("type must be one of Person or Company")
    merged = _with_name(merged, data)
    merged |= _references(firm, data, _CONTACT_REFERENCES)
    for name in data.keys() & _PARTS.keys():
        merged[name] = _parts(known.get(name) or [], data[name], name)
    if "custom_field_values" in data:
        merged["custom_field_values"] = _values(firm, known, data["custom_field_values"])
    merged["id"] = request.record_id or firm.next_id("contact")
    return firm.put("contact", {"is_client": False, "created_by": request.user_id, **merged})


def _with_name(merged: Record, data: Mapping[str, Any]) -> Record:
    """Set the name: a person's is built from its parts, a company's is given."""
    if merged["type"] == "Company":
        if not merged.get("name"):
            raise _unprocessable("Name can't be blank")
        return merged
    if "name" in data:
        raise _unprocessable("Invalid attributes present for a Person: name")
    if not merged.get("first_name") and not merged.get("last_name"):
        raise _unprocessable("At least one of first name or last name must be provided")
    names = (merged.get(name) for name in ("first_name", "middle_name", "last_name"))
    return {**merged, "name": " ".join(name for name in names if name)}


def _write_matter(request: WriteRequest) -> Record:
    firm, data = request.firm, request.data
    known = firm.find("matter", request.record_id) or {}
    _check_names(data, _MATTER | _MATTER_REFERENCES.keys())
    if not known and not {"client", "description"} <= data.keys():
        raise _invalid("client and description are required")
    if data.get("status", "open") not in ("open", "closed", "pending"):
        raise _invalid("status must be one of open, closed, or pending")
    matter_id = request.record_id or firm.next_id("matter")
    fresh = {"status": "open", "number": matter_id, "display_number": f"{matter_id:05}"}
    given = {name: data[name] for name in data.keys() & _MATTER}
    merged = {**(known or fresh), **given, **_references(firm, data, _MATTER_REFERENCES)}
    return firm.put("matter", {**merged, "id": matter_id})


def _check_names(data: Mapping[str, Any], known: set[str] | frozenset[str]) -> None:
    """Refuse unknown attributes, and those of Clio's that the simulator does not write."""
    if unknown := sorted(data.keys() - known):
        raise _invalid(f"{unknown[0]} cannot be written")
    for name in data.keys() & {"date_of_birth", "open_date", "pending_date", "close_date"}:
        try:
            date.fromisoformat(data[name] or "2000-01-01")
        except (TypeError, ValueError) as error:
            raise _invalid(f"{name} must be a date") from error


def _references(firm: Firm, data: Mapping[str, Any], known: Mapping[str, str]) -> Record:
    """Return the given references (`{"id": …}`) as the ids to store."""
    found: Record = {}
    for name in data.keys() & known.keys():
        target = data[name] and data[name].get("id")
        if target is not None and firm.find(known[name], target) is None:
            raise _unprocessable(f"{name} must exist")
        found[f"{name}_id"] = target
    return found


def _parts(stored: list[Record], given: list[Record], kind: str) -> list[Record]:
    """Merge the given parts. Those with an id are changed or deleted, others are added; only one is the default."""
    names, flag = _PARTS[kind]
    parts = {part["id"]: part for part in stored}
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
    if len(parts) > MAX_PARTS:
        raise _unprocessable(f"{kind} cannot be more than {MAX_PARTS}")
    return list(parts.values())


def _values(firm: Firm, known: Record, given: list[Record]) -> list[Record]:
    """Merge custom values: changed by their composite id, added by the id of the field, removed when empty."""
    values = {value["custom_field_id"]: value for value in known.get("custom_field_values") or []}
    by_id = {value["id"]: field_id for field_id, value in values.items() if value["id"]}
    for value in given:
        if "id" in value:
            if value["id"] not in by_id:
                raise _unprocessable(f"custom field value {value['id']} does not exist")
            field_id = by_id[value["id"]]
        else:
            field_id = (value.get("custom_field") or {}).get("id")
            if field_id in by_id.values():
                text = f"custom field value for custom field {field_id} already exists"
                raise _unprocessable(text)
        definition = firm.find("custom_field", field_id)
        if definition is None:
            raise _unprocessable(f"custom field {field_id} does not exist")
        if value.get("_destroy") or value.get("value") in (None, ""):
            values.pop(field_id, None)
            continue
        value_id = f"{definition['field_type']}-{field_id}"
        stored = {"id": value_id, "custom_field_id": field_id, "value": value["value"]}
        values[field_id] = stored
    return list(values.values())


def _write_document(spec: WritableSpec) -> Write:
    """Return the function that creates or changes a document."""

    def write(request: WriteRequest) -> Record:
        firm, user_id, record_id = request.firm, request.user_id, request.record_id
        if record_id is None:
            return document_writes.create(spec, firm, user_id, request.data)
        return document_writes.change(spec, firm, user_id, record_id, request.data)

    return write


def _delete(kind: str) -> Write:
    def delete(request: WriteRequest) -> None:
        request.firm.delete(kind, request.record_id or 0)

    return delete


WRITES: dict[tuple[str, str], Write] = {
    ("POST", "contacts"): _write_contact,
    ("PATCH", "contacts"): _write_contact,
    ("DELETE", "contacts"): _delete("contact"),
    ("POST", "matters"): _write_matter,
    ("PATCH", "matters"): _write_matter,
    ("DELETE", "matters"): _delete("matter"),
    ("POST", "notes"): _write_document(NOTE),
    ("PATCH", "notes"): _write_document(NOTE),
    ("DELETE", "notes"): _delete("note"),
    ("POST", "communications"): _write_document(COMMUNICATION),
    ("PATCH", "communications"): _write_document(COMMUNICATION),
    ("DELETE", "communications"): _delete("communication"),
}
