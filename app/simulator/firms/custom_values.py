"""The custom fields and their values of a seeded firm, with the formats and the bad data of live accounts."""

from typing import Any

from app.simulator.firms.seeding import Seeding
from app.simulator.store.firm import Record

_CONTACT_FIELDS = (
    "checkbox", "currency", "numeric", "picklist", "text_line", "text_area", "date", "url", "email", "picklist",
    "contact", "matter", "time",
)  # fmt: skip
HIDDEN, DELETED, PLACEHOLDER, EMPTY = 9, 10, 5, 8  # ids of fields with a special role
_MATTER_FIELDS = {  # by id; the first has the same name as a field of contacts
    21: ("text_line", "Text Line 5"),
    22: ("picklist", "Case Type"),
    23: ("date", "Hearing"),
    24: ("contact", "Expert"),
}
_NOTES = ("Prefers mornings", "Überweisung nötig", "first line\nsecond line", "n" * 900)


def definitions(seeding: Seeding) -> list[Record]:
    """Return the fields of contacts and of matters: one is hidden, one is deleted but still has values."""
    contacts = [
        _definition(
            seeding,
            field_id,
            field_type,
            f"{field_type.replace('_', ' ').title()} {field_id}",
            "Contact",
        )
        for field_id, field_type in enumerate(_CONTACT_FIELDS, start=1)
    ]
    matters = [
        _definition(seeding, field_id, field_type, name, "Matter")
        for field_id, (field_type, name) in _MATTER_FIELDS.items()
    ]
    return contacts + matters


def _definition(
    seeding: Seeding, field_id: int, field_type: str, name: str, parent_type: str
) -> Record:
    deleted_at = seeding.today.isoformat(timespec="seconds")
    options = [
        {
            "id": field_id * 100 + nth,
            "option": f"Choice {nth}",
            "deleted_at": deleted_at if nth == 4 else None,
        }
        for nth in range(1, 5)
    ]
    return {
        "id": field_id,
        "name": name,
        "parent_type": parent_type,
        "field_type": field_type,
        "displayed": field_id != HIDDEN,
        "deleted": field_id == DELETED,
        "required": False,
        "display_order": field_id,
        "picklist_options": options if field_type == "picklist" else [],
    }


def contact_values(seeding: Seeding, contacts: int) -> list[Record]:
    """Return the values of a contact: some filled, one never filled, one emptied; others are absent."""
    values: list[Record] = [{"id": None, "custom_field_id": PLACEHOLDER, "value": None}]
    if seeding.rng.random() < 0.1:
        values.append({"id": f"url-{EMPTY}", "custom_field_id": EMPTY, "value": None})
    for field_id, field_type in enumerate(_CONTACT_FIELDS, start=1):
        if field_id not in (PLACEHOLDER, EMPTY) and seeding.rng.random() < 0.15:
            value = _sample(seeding, field_id, field_type, contacts)
            values.append(_value(field_id, field_type, value))
    return values


def matter_values(seeding: Seeding, contacts: int) -> list[Record]:
    """Return the values of a matter."""
    return [
        _value(field_id, field_type, _sample(seeding, field_id, field_type, contacts))
        for field_id, (field_type, _) in _MATTER_FIELDS.items()
        if seeding.rng.random() < 0.1
    ]


def _value(field_id: int, field_type: str, value: Any) -> Record:
    return {"id": f"{field_type}-{field_id}", "custom_field_id": field_id, "value": value}


def _sample(seeding: Seeding, field_id: int, field_type: str, contacts: int) -> Any:
    """Return a value as Clio sends it. An option is its id, as text or as a number, also when it is deleted."""
    rng = seeding.rng
    amount, option = rng.randrange(1000) * 250, field_id * 100 + rng.randrange(1, 5)
    link = str(rng.randrange(1, contacts + 1))
    formats: dict[str, tuple[Any, ...]] = {
        "checkbox": (True, False),
        "currency": (str(amount), f"{amount}.5", amount),
        "numeric": (str(amount), amount),
        "picklist": (str(option), option),
        "contact": (link,),
        "matter": (link,),
        "date": ("2010-06-12", "1999-02-28", "2004-02-29"),
        "time": ("14:30",),
        "url": ("https://example.test/ü",),
        "email": ("other@mail.test",),
    }
    return rng.choice(formats.get(field_type, _NOTES))
