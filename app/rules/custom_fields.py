"""Tags from the contact's custom fields, in the form that the firm chose for each field [CF-1..5]."""

from collections.abc import Iterator

from app.rules.custom_values import Unusable, read_value, value_of
from app.rules.facts import CustomField
from app.rules.labels import Outcome
from app.rules.results import Category, Grant, NotGranted
from app.rules.settings import CustomFieldTag, LabelFormat
from app.rules.subject import Subject
from app.rules.texts import shown

DEFAULT_FORMATS = {
    "checkbox": LabelFormat.NAME,
    "picklist": LabelFormat.VALUE,
    "currency": LabelFormat.NAME_VALUE,
    "numeric": LabelFormat.NAME_VALUE,
    "text_line": LabelFormat.NAME_VALUE,
    "text_area": LabelFormat.NAME_VALUE,
}


def custom_fields(subject: Subject) -> Iterator[Outcome]:
    """Grant a label for each chosen field that has a value [CF-1, CF-3]; a missing field gives none [CF-5]."""
    for place, chosen in enumerate(subject.settings.tags.custom_fields):
        field = subject.firm.fields.get(chosen.field_id)
        if field is not None:
            yield from _custom_field(subject, field, chosen, place)


def _custom_field(
    subject: Subject, field: CustomField, chosen: CustomFieldTag, place: int
) -> Iterator[Outcome]:
    value = value_of(subject.contact, field.field_id)
    text = None if value is None else read_value(field, value)
    if text is None:
        return
    name = shown(field.name) or ""
    if isinstance(text, Unusable):
        label = name or f"field {field.field_id}"
        yield NotGranted(label, "custom_fields", text.why, text.refusal)
        return
    yield Grant(
        _label(field, name, text, chosen.label_format),
        Category.CUSTOM_FIELD,
        "custom_fields",
        f"{name or 'The custom field'} is {text} in Clio",
        setting=f"/tags/custom_fields/{place}",
        field_id=field.field_id,
        source_id=field.field_id,
    )


def _label(field: CustomField, name: str, text: str, form: LabelFormat) -> str:
    """Return the label in the chosen format; `default` depends on the type of the field [CF-2, CF-3, row 13]."""
    if form is LabelFormat.DEFAULT:
        form = DEFAULT_FORMATS[field.field_type or ""]
    if form is LabelFormat.NAME:
        return name
    return text if form is LabelFormat.VALUE or not name else f"{name}: {text}"
