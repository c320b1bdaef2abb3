"""The custom fields of a seeded firm, and what is filled into them: the forms and the dirt that live accounts show."""

from typing import Any

from app.simulator.firms.seeding import Seeding
from app.simulator.store.firm import Record

_CONTACT_FIELDS = (
    "checkbox", "currency", "numeric", "picklist", "text_line", "text_area", "date", "url", "email", "picklist",
    "contact", "matter", "time",
)  # fmt: skip
HIDDEN, DELETED, PLACEHOLDER, EMPTY = 9, 10, 5, 8  # fields that are special in one way each
_MATTER_FIELDS = {  # by id; the first has the name of a contact's field, as happens
    21: ("text_line", "Text Line 5"),
    22: ("picklist", "Case Type"),
    23: ("date", "Hearing"),
    24: ("contact", "Expert"),
}
_NOTES = ("Prefers mornings", "Überweisung nötig", "first line\nsecond line", "n" * 900)


def definitions(seeding: Seeding) -> list[Record]:
    """The fields of contacts and of matters: one hidden, one deleted but still filled."""
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
    gone = seeding.today.isoformat(timespec="seconds")
    options = [
        {
            "id": field_id * 100 + nth,
            "option": f"Choice {nth}",
            "deleted_at": gone if nth == 4 else None,
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
    """Some filled, one displayed but never filled, one filled and emptied; the others are absent."""
    values: list[Record] = [{"id": None, "custom_field_id": PLACEHOLDER, "value": None}]
    if seeding.dice.random() < 0.1:
        values.append({"id": f"url-{EMPTY}", "custom_field_id": EMPTY, "value": None})
    for field_id, field_type in enumerate(_CONTACT_FIELDS, start=1):
        if field_id not in (PLACEHOLDER, EMPTY) and seeding.dice.random() < 0.15:
            value = _sample(seeding, field_id, field_type, contacts)
            values.append(_value(field_id, field_type, value))
    return values


def matter_values(seeding: Seeding, contacts: int) -> list[Record]:
    """What is filled in on a matter."""
    return [
        _value(field_id, field_type, _sample(seeding, field_id, field_type, contacts))
        for field_id, (field_type, _) in _MATTER_FIELDS.items()
        if seeding.dice.random() < 0.1
    ]


def _value(field_id: int, field_type: str, value: Any) -> Record:
    return {"id": f"{field_type}-{field_id}", "custom_field_id": field_id, "value": value}


def _sample(seeding: Seeding, field_id: int, field_type: str, contacts: int) -> Any:
    """A value as it comes over the wire: an option as its id, deleted ones included, as text or as a number."""
    dice = seeding.dice
    amount, option = dice.randrange(1000) * 250, field_id * 100 + dice.randrange(1, 5)
    link = str(dice.randrange(1, contacts + 1))
    forms: dict[str, tuple[Any, ...]] = {
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
    return dice.choice(forms.get(field_type, _NOTES))
