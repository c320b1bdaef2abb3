"""Reads custom field values as Clio sends them and returns the text for a label.

Clio's documentation says that every value is a string, but live accounts also send booleans and numbers
(clio.md §16.6). So every kind of field accepts every JSON type.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from app.rules.facts import CustomField
from app.rules.records import ContactRecord, CustomValue, Record
from app.rules.results import Refusal
from app.rules.texts import compared, shown, shown_line

RawValue = str | bool | int | float | None
MAX_LABEL_LENGTH = 60

_TICKED = {"true", "1", "yes"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|[+-]?\.[0-9]+")


class Unusable(Record, frozen=True):
    """A value that cannot become a label, and why."""

    refusal: Refusal
    why: str


ReadResult = str | Unusable | None


def value_of(contact: ContactRecord, field_id: int) -> CustomValue | None:
    """Return the contact's value of a field, or None. A value that is not deleted comes first."""
    found = [value for value in contact.custom_values if value.field_id == field_id]
    return min(found, key=lambda value: value.soft_deleted, default=None)


def read_value(field: CustomField, value: CustomValue) -> ReadResult:
    """Return the text of a value, None if the field is empty, or Unusable if the value cannot become a label."""
    if value.value is None:
        return None
    reader = READERS.get(field.field_type or "")
    if reader is None or not is_contact_field(field):
        return Unusable(Refusal.NOT_USABLE, "This type of custom field cannot become a tag")
    if field.deleted or value.soft_deleted:
        return Unusable(Refusal.DELETED, "The field was deleted in Clio")
    return reader(field, value.value)


def is_contact_field(field: CustomField) -> bool:
    """Return whether the field belongs to contacts, not to matters [CF-1]."""
    return (field.parent_type or "").casefold() == "contact"


def is_ticked(value: RawValue) -> bool:
    """Return whether a checkbox's value means yes, in any of the spellings that Clio may use."""
    if isinstance(value, str):
        return compared(value) in _TICKED
    return value in (True, 1)


def read_date(value: RawValue) -> date | None:
    """Return the date of a date field, or None if the value is not a date. A time of day after it is ignored."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat((shown(value) or "")[:10])
    except ValueError:
        return None


def _read_checkbox(field: CustomField, value: RawValue) -> ReadResult:
    return "Yes" if is_ticked(value) else None


def _read_text(field: CustomField, value: RawValue) -> ReadResult:
    """Return text of at most 60 characters [row 12]."""
    text = shown_line(value) if isinstance(value, str) else _json_text(value)
    if len(text) > MAX_LABEL_LENGTH:
        why = f"The value has {len(text)} characters; a tag can have at most {MAX_LABEL_LENGTH}"
        return Unusable(Refusal.TOO_LONG, why)
    return text or None


def _read_number(field: CustomField, value: RawValue) -> ReadResult:
    """Return a number without separators and trailing zeros [CF-2, row 13]."""
    text = (shown(value) or "") if isinstance(value, str) else _json_text(value)
    if not text:
        return None
    if isinstance(value, bool) or len(text) > MAX_LABEL_LENGTH or not _NUMBER.fullmatch(text):
        return Unusable(Refusal.UNPARSABLE, "The value is not a number")
    plain = format(Decimal(text.replace(",", "")), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain == "-0" else plain


def _read_option(field: CustomField, value: RawValue) -> ReadResult:
    """Return the text of the chosen option; Clio sends only its id [CF-2, CF-5]."""
    text = (shown(value) or "") if isinstance(value, str) else _json_text(value).removesuffix(".0")
    if not text:
        return None
    short = len(text) <= 20 and text.isascii() and text.isdigit()
    option = field.options.get(int(text)) if short else None
    if option is None:
        return Unusable(
            Refusal.NOT_USABLE, "The chosen option is not in the field's list of options"
        )
    if option.deleted:
        return Unusable(Refusal.DELETED, "The chosen option was deleted in Clio")
    return shown(option.label)


def _json_text(value: RawValue) -> str:
    """Return a JSON number or boolean as text. Python refuses to format very long integers, so these are cut."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**MAX_LABEL_LENGTH else "9" * (MAX_LABEL_LENGTH + 1)
    return format(Decimal(repr(value)), "f")


READERS: dict[str, Callable[[CustomField, RawValue], ReadResult]] = {
    "checkbox": _read_checkbox,
    "currency": _read_number,
    "numeric": _read_number,
    "picklist": _read_option,
    "text_line": _read_text,
    "text_area": _read_text,
}
