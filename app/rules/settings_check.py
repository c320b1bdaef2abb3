"""What a settings document refers to, whether that serves, and whether another document can judge otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from app.rules.facts import CustomField
from app.rules.settings import Settings


class Use(StrEnum):
    """What a setting wants of a custom field."""

    TAGS = "tags"
    DATES = "dates"
    OPT_OUT = "opt_out"


_TYPES = {
    Use.TAGS: frozenset({"checkbox", "currency", "numeric", "picklist", "text_area", "text_line"}),
    Use.DATES: frozenset({"date"}),
    Use.OPT_OUT: frozenset({"checkbox"}),
}
_MESSAGES = {
    Use.TAGS: "must be a custom field of contacts that can make tags",
    Use.DATES: "must be a custom field of contacts that holds a date",
    Use.OPT_OUT: "must be a checkbox among the custom fields of contacts",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """That a setting, by its JSON pointer, names a custom field."""

    pointer: str
    field_id: int
    use: Use


def references(settings: Settings) -> Iterator[Reference]:
    """Every custom field that the settings name, in the document's order."""
    opt_out = settings.scope.opt_out_field_id
    if opt_out is not None:
        yield Reference("/scope/opt_out_field_id", opt_out, Use.OPT_OUT)
    for nth, chosen in enumerate(settings.tags.custom_fields):
        yield Reference(f"/tags/custom_fields/{nth}/field_id", chosen.field_id, Use.TAGS)
    for nth, field_id in enumerate(settings.key_facts.custom_date_field_ids):
        yield Reference(f"/key_facts/custom_date_field_ids/{nth}", field_id, Use.DATES)


def is_usable(field: CustomField | None, use: Use) -> bool:
    """Whether a field is there, a contact's, and of a type that can be so used [CF-1, CF-2, KF-4]."""
    if field is None or field.deleted or (field.parent_type or "").lower() != "contact":
        return False
    return field.field_type in _TYPES[use]


def invalid_references(
    settings: Settings, before: Settings, fields: Mapping[int, CustomField]
) -> list[tuple[str, str]]:
    """Which references cannot be chosen, each with its pointer and what is wanted instead.

    What was chosen before may stay: a field that has gone since is reported by the runs, it must not stand in
    the way of other changes [EN-3].
    """
    old = {(reference.field_id, reference.use) for reference in references(before)}
    found: list[tuple[str, str]] = []
    seen: set[tuple[int, Use]] = set()
    for reference in references(settings):
        key = (reference.field_id, reference.use)
        if key in seen:
            found.append((reference.pointer, "names a field a second time"))
        elif key not in old and not is_usable(fields.get(reference.field_id), reference.use):
            found.append((reference.pointer, _MESSAGES[reference.use]))
        seen.add(key)
    return found


def unusable_references(settings: Settings, fields: Mapping[int, CustomField]) -> list[Reference]:
    """The references whose fields are no longer there, or no longer what they were chosen for [EN-3]."""
    return [
        reference
        for reference in references(settings)
        if not is_usable(fields.get(reference.field_id), reference.use)
    ]


def have_same_results(before: Settings, after: Settings) -> bool:
    """Whether no contact can come out differently: write-back and when to announce judge nobody."""
    waits = before.new_client.require_open_matter == after.new_client.require_open_matter  # NC-3
    return waits and before == replace(
        after, writeback=before.writeback, new_client=before.new_client
    )
