"""Field selection as in Clio: id and etag by default, one level of braces."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from app.simulator.store.firm import Firm, Record, etag
from app.simulator.store.refusals import InvalidFields
from app.simulator.store.schema import SCHEMAS, Nested

TIMES = frozenset({"created_at", "updated_at", "matter_stage_updated_at", "deleted_at"})
Selection = dict[str, tuple[str, ...]]  # a field -> the requested fields of the record in it


def parse(kind: str, asked: str | None, *, removed: frozenset[str] = frozenset()) -> Selection:
    """Parse a `fields` parameter; raises InvalidFields. `removed` are fields that this Clio no longer has."""
    schema = SCHEMAS[kind]
    if not asked:
        return dict.fromkeys(schema.defaults, ())
    entries = _entries(asked)
    for name, _ in entries:
        if not schema.knows(name) or name in removed:
            raise InvalidFields(name)
    for name, inner in entries:
        nested = schema.nested.get(name)
        for sub in inner:
            if nested is None or not SCHEMAS[nested.kind].knows(sub) or sub in removed:
                raise InvalidFields(sub)
    return {name: tuple(inner) for name, inner in entries}


def _entries(asked: str) -> list[tuple[str, list[str]]]:
    """Return names with the names in their braces.

    A brace ends at the first closing one, as in Clio. The rest of a second level becomes part of a name: `a{b{c},d{e}}`
    is refused for `d}`.
    """
    inner: list[str] = []

    def replace(found: re.Match[str]) -> str:
        inner.append(found[1])
        return f"\0{len(inner) - 1}\0"

    flat = re.sub(r"\{([^}]*)\}", replace, re.sub(r"[\s\0]", "", asked))
    pairs = []
    for entry in flat.split(","):
        before, _, rest = entry.partition("\0")
        place, _, after = rest.partition("\0")
        names = inner[int(place)].split(",") if place else []
        pairs.append((before + after, [name for name in names if name]))
    return [(name, names) for name, names in pairs if name or names]


def render(firm: Firm, user_id: int, kind: str, record: Record, selection: Selection) -> Record:
    """Return a record with the selected fields, as a user may see it."""
    if kind == "custom_field_value":
        record = _custom_value(firm, user_id, record)
    if kind == "contact" and user_id in firm.emails_hidden:
        record = {**record, "email_addresses": []}
    answer: Record = {}
    for name, inner in selection.items():
        nested = SCHEMAS[kind].nested.get(name)
        if nested is None:
            answer[name] = _plain(firm, user_id, kind, name, record)
        else:
            held = firm.account["id"] if nested.kind == "account" else record.get(nested.by or name)
            answer[name] = _nested(firm, user_id, nested, held, inner)
    return answer


def _plain(firm: Firm, user_id: int, kind: str, name: str, record: Record) -> Any:
    derive = _DERIVED.get((kind, name))
    value = derive(record) if derive else record.get(name)
    if value is not None and name in TIMES:
        return _local_time(value, firm.time_zone_of(user_id))
    return value


def _nested(
    firm: Firm, user_id: int, nested: Nested, held: Any, inner: tuple[str, ...]
) -> Record | list[Record] | None:
    """Return the record or the records in a field, referred to by id or stored inside."""
    selection: Selection = dict.fromkeys(inner or SCHEMAS[nested.kind].defaults, ())
    if nested.many:
        found = [_one(firm, user_id, nested, item, selection) for item in held or []]
        return [item for item in found if item is not None]
    return _one(firm, user_id, nested, held, selection)


def _one(
    firm: Firm, user_id: int, nested: Nested, held: Any, selection: Selection
) -> Record | None:
    """Return one record; a record that the user may not see shows its id only."""
    if held is None:
        return None
    if nested.by is None:
        if "etag" in selection:
            held = {"etag": etag(nested.kind, held.get("id") or "", repr(held)), **held}
        return render(firm, user_id, nested.kind, held, selection)
    kind = "matter" if nested.kind == "matter_selection" else nested.kind
    found = _account(firm) if kind == "account" else firm.find(kind, held)
    if found is None:
        return None
    if not firm.sees(user_id, kind, held):
        return {"id": held, "redacted": True}
    return render(firm, user_id, nested.kind, found, selection)


def _account(firm: Firm) -> Record:
    return {**firm.account, "etag": etag("account", firm.account["id"], "")}


def _custom_value(firm: Firm, user_id: int, value: Record) -> Record:
    """Return a custom field's value. If the user may not read the field, only its id remains."""
    definition = firm.find("custom_field", value["custom_field_id"]) or {}
    field_type, content = definition.get("field_type"), value["value"]
    if user_id in firm.fields_unreadable:
        return {**value, "value": None}
    linked = int(content) if content is not None and field_type in _LINKS else None
    whole = {
        **value,
        "field_name": definition.get("name"),
        "field_type": field_type,
        "field_required": definition.get("required"),
        "field_displayed": definition.get("displayed"),
        "field_display_order": definition.get("display_order"),
        "soft_deleted": bool(definition.get("deleted")),
    }
    if field_type == "picklist":
        whole["picklist_option"] = {"id": linked} if linked is not None else None
    elif field_type in _LINKS:
        whole[f"{field_type}_id"] = linked
    return whole


def _local_time(timestamp: str, zone: tzinfo) -> str:
    """Return a timestamp in the user's time zone, as Clio returns it."""
    return datetime.fromisoformat(timestamp).astimezone(zone).isoformat(timespec="seconds")


def _flat(parts: str, content: str, *, primary: bool) -> Callable[[Record], str | None]:
    """Return a function that copies the primary part of a list, or the first other part."""

    def find(record: Record) -> str | None:
        kept = [part for part in record.get(parts) or [] if bool(part.get("primary")) is primary]
        return kept[0][content] if kept else None

    return find


def _initials(record: Record) -> str | None:
    names = (record.get("first_name"), record.get("last_name"))
    return "".join(name.strip()[:1].upper() for name in names if name) or None


def _status(record: Record) -> str | None:
    """Capitalise the status: Clio filters by `open` and returns `Open`."""
    status: str | None = record.get("status")
    return status.capitalize() if status else status


_LINKS = ("picklist", "contact", "matter")
_DERIVED: dict[tuple[str, str], Callable[[Record], Any]] = {
    ("matter", "status"): _status,
    ("contact", "initials"): _initials,
    ("user", "initials"): _initials,
    ("contact", "primary_email_address"): _flat("email_addresses", "address", primary=True),
    ("contact", "secondary_email_address"): _flat("email_addresses", "address", primary=False),
    ("contact", "primary_phone_number"): _flat("phone_numbers", "number", primary=True),
    ("contact", "secondary_phone_number"): _flat("phone_numbers", "number", primary=False),
}
