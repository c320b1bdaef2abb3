"""Clio's own command "Merge contacts": one contact gets all that another one had, and the other one is deleted.

Clio does it in its pages; its API has no such request, and the deleted contact leaves no trace.
"""

from collections.abc import Iterator

from app.simulator.store.firm import Firm, Record
from app.simulator.store.writes import MAX_PARTS

_PARTS = ("email_addresses", "phone_numbers", "addresses")
# What refers to a contact by one id: the kind of record and its field.
_REFERENCES = (
    ("matter", "client_id"),
    ("relationship", "contact_id"),
    ("contact", "company_id"),
    ("note", "contact_id"),
)


def merge_contacts(firm: Firm, old_id: int, new_id: int) -> None:
    """Give the contact `new_id` all that `old_id` has, then delete `old_id`. Both must exist."""
    old, new = firm.find("contact", old_id) or {}, firm.find("contact", new_id) or {}
    merged = {name: _joined(new.get(name) or [], old.get(name) or []) for name in _PARTS}
    merged["custom_field_values"] = _values(new, old)
    is_client = bool(old.get("is_client") or new.get("is_client"))
    firm.put("contact", {"id": new_id, "is_client": is_client, **merged})
    for kind, field in _REFERENCES:
        for record in list(_referring(firm, kind, field, old_id)):
            firm.put(kind, {"id": record["id"], field: new_id})
    _move_communications(firm, old_id, new_id)
    firm.delete("contact", old_id)


def _joined(kept: list[Record], added: list[Record]) -> list[Record]:
    """Return the parts of both. What is primary stays so; the added parts get new ids."""
    first = max((part["id"] for part in kept), default=0) + 1
    moved = [
        {**part, "id": first + nth, "primary": bool(part.get("primary")) and not kept}
        for nth, part in enumerate(added)
    ]
    return [*kept, *moved][:MAX_PARTS]


def _values(new: Record, old: Record) -> list[Record]:
    """Return the custom values of the first, and of the second those that the first lacks."""
    kept = list(new.get("custom_field_values") or [])
    known = {value["custom_field_id"] for value in kept}
    added = old.get("custom_field_values") or []
    return [*kept, *(value for value in added if value["custom_field_id"] not in known)]


def _referring(firm: Firm, kind: str, field: str, contact_id: int) -> Iterator[Record]:
    for record_id in firm.ids(kind):
        record = firm.find(kind, record_id)
        if record is not None and record.get(field) == contact_id:
            yield record


def _move_communications(firm: Firm, old_id: int, new_id: int) -> None:
    name = (firm.find("contact", new_id) or {}).get("name")
    for record_id in firm.ids("communication"):
        record = firm.find("communication", record_id) or {}
        moved = {
            side: [
                {**one, "id": new_id, "name": name}
                if one["type"] != "User" and one["id"] == old_id
                else one
                for one in record.get(side) or []
            ]
            for side in ("senders", "receivers")
        }
        if any(moved[side] != (record.get(side) or []) for side in moved):
            firm.put("communication", {"id": record_id, **moved})
