"""Checks of a settings document: the custom fields it refers to, and whether two documents give the same results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from app.rules.facts import CustomField
from app.rules.settings import Settings


class Use(StrEnum):
    """The purpose for which a setting uses a custom field."""

    TAGS = "tags"
    DATES = "dates"
    OPT_OUT = "opt_out"


_TYPES = {
    Use.TAGS: frozenset({"checkbox", "currency", "numeric", "picklist", "text_area", "text_line"}),
    Use.DATES: frozenset({"date"}),
    Use.OPT_OUT: frozenset({"checkbox"}),
}
_MESSAGES = {
    Use.TAGS: "must be a custom field of contacts whose type can become a tag",
    Use.DATES: "must be a custom field of contacts of type date",
    Use.OPT_OUT: "must be a custom field of contacts of type checkbox",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A setting, as a JSON pointer, that names a custom field."""

    pointer: str
    field_id: int
    use: Use


def references(settings: Settings) -> Iterator[Reference]:
    """Yield every custom field that the settings name, in the document's order."""
    opt_out = settings.scope.opt_out_field_id
    if opt_out is not None:
        yield Reference("/scope/opt_out_field_id", opt_out, Use.OPT_OUT)
    for nth, chosen in enumerate(settings.tags.custom_fields):
        yield Reference(f"/tags/custom_fields/{nth}/field_id", chosen.field_id, Use.TAGS)
    for nth, field_id in enumerate(settings.key_facts.custom_date_field_ids):
        yield Reference(f"/key_facts/custom_date_field_ids/{nth}", field_id, Use.DATES)


def is_usable(field: CustomField | None, use: Use) -> bool:
    """Return whether a field exists, belongs to contacts and has a type for this use [CF-1, CF-2, KF-4]."""
    if field is None or field.deleted or (field.parent_type or "").lower() != "contact":
        return False
    return field.field_type in _TYPES[use]


def invalid_references(
    settings: Settings, before: Settings, fields: Mapping[int, CustomField]
) -> list[tuple[str, str]]:
    """Return the references that cannot be chosen, each with its pointer and a message.

    A reference that was chosen before may stay. The runs report a field that was deleted since then; it must not block
    other changes of the settings [EN-3].
    """
    old = {(reference.field_id, reference.use) for reference in references(before)}
    found: list[tuple[str, str]] = []
    seen: set[tuple[int, Use]] = set()
    for reference in references(settings):
        key = (reference.field_id, reference.use)
        if key in seen:
            found.append((reference.pointer, "names a field that was already named"))
        elif key not in old and not is_usable(fields.get(reference.field_id), reference.use):
            found.append((reference.pointer, _MESSAGES[reference.use]))
        seen.add(key)
    return found


def unusable_references(settings: Settings, fields: Mapping[int, CustomField]) -> list[Reference]:
    """Return the references whose fields no longer exist, or can no longer be used as chosen [EN-3]."""
    return [
        reference
        for reference in references(settings)
        if not is_usable(fields.get(reference.field_id), reference.use)
    ]


def have_same_results(before: Settings, after: Settings) -> bool:
    """Return whether both documents assess every contact in the same way.

    Write-back, the announcement of new clients and what users are shown do not change an assessment, except
    `require_open_matter`.
    """
    same_wait = (
        before.new_client.require_open_matter == after.new_client.require_open_matter
    )  # NC-3
    return same_wait and before == replace(
        after, writeback=before.writeback, new_client=before.new_client, privacy=before.privacy
    )
