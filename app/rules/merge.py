"""Merges the view that one connection has of a record into the known record [S3, F19].

A view is *full* if its user sees all contacts. An older view changes nothing. A full view that is not older replaces
the record. A restricted view sets the fields it shows if it is newer, and otherwise only fills gaps. It never clears a
field, because an absent value may only be hidden from that user. No view clears what Clio withheld even from it: the
names of redacted records and the content of stripped custom fields (clio.md §4, §16.6).
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, TypeVar

from app.rules.records import (
    Attorney,
    ContactRecord,
    CustomValue,
    MatterRecord,
    RelationshipRecord,
)

R = TypeVar("R", ContactRecord, MatterRecord, RelationshipRecord)

_REFERENCES = {  # an id, and the fields of that record that Clio sends with it unless it is redacted
    "company_id": ("company_name",),
    "practice_area_id": ("practice_area", "practice_area_category"),
    "stage_id": ("stage",),
    "group_id": ("group_type",),
}


_ALWAYS = {"clio_id", "is_person", "created_at", "updated_at"}


def merge_contact(
    known: ContactRecord | None, seen: ContactRecord, *, full_view: bool
) -> ContactRecord:
    """Return the known contact merged with the one seen; each custom value is merged by itself.

    A contact without any content is redacted, also in a full view, because every contact in Clio has a name.
    """
    if known is not None and _is_empty(seen):
        return known
    merged = _merge(known, seen, full_view=full_view)
    return replace(merged, custom_values=_merge_custom_values(known, seen, full_view=full_view))


def merge_matter(
    known: MatterRecord | None, seen: MatterRecord, *, full_view: bool
) -> MatterRecord:
    """Return the known matter merged with the one seen; attorneys keep a name that the view withholds."""
    if known is not None:
        seen = replace(
            seen,
            responsible=_merge_attorney(known.responsible, seen.responsible),
            originating=_merge_attorney(known.originating, seen.originating),
        )
    return _merge(known, seen, full_view=full_view)


def merge_relationship(
    known: RelationshipRecord | None, seen: RelationshipRecord, *, full_view: bool
) -> RelationshipRecord:
    """Return the known relationship merged with the one seen."""
    return _merge(known, seen, full_view=full_view)


def _merge(known: R | None, seen: R, *, full_view: bool) -> R:
    if known is None:
        return seen
    if _is_older(seen, known):
        return known
    before, now = _field_values(known), _field_values(seen)
    _fill_names(before, now)
    if full_view:
        return replace(seen, **now)
    first = now if _is_newer(seen, known) else before
    second = before if first is now else now
    shown = {name for name in first if _has_content(name, first[name])}
    merged = {name: first[name] if name in shown else second[name] for name in first}
    for reference, names in _REFERENCES.items():
        if reference in shown:  # a name must come from the same view as its id
            merged |= {name: first[name] for name in names}
    return replace(known, **merged)


def _is_empty(seen: ContactRecord) -> bool:
    return not any(
        _has_content(name, value)
        for name, value in _field_values(seen).items()
        if name not in _ALWAYS
    )


def _field_values(record: R) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _fill_names(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Fill in names in both views where both refer to the same record and one withholds the name."""
    for reference, names in _REFERENCES.items():
        if reference in now and before[reference] == now[reference]:
            for name in names:
                now[name] = before[name] if now[name] is None else now[name]
                before[name] = now[name] if before[name] is None else before[name]
    if now.get("is_person", True) is None:
        now["is_person"] = before["is_person"]


def _has_content(name: str, value: object) -> bool:
    """Return whether a value has content. An empty value or an unset flag may only be hidden."""
    return value not in (None, ()) and not (name == "is_client" and value is False)


def _is_older(seen: R, known: R) -> bool:
    """Return whether a view is older than the known record. A view without a time is not."""
    return (
        seen.updated_at is not None
        and known.updated_at is not None
        and seen.updated_at < known.updated_at
    )


def _is_newer(seen: R, known: R) -> bool:
    """Return whether a view is newer than the known record, or may be, because the record has no time."""
    if known.updated_at is None:
        return True
    return seen.updated_at is not None and seen.updated_at > known.updated_at


def _merge_attorney(known: Attorney | None, seen: Attorney | None) -> Attorney | None:
    same = known is not None and seen is not None and known.clio_user_id == seen.clio_user_id
    return known if same and seen is not None and seen.name is None else seen


def _merge_custom_values(
    known: ContactRecord | None, seen: ContactRecord, *, full_view: bool
) -> tuple[CustomValue, ...]:
    """Return the merged custom values. A full view clears values that it lacks, but not those it got stripped."""
    before = _by_field(known.custom_values) if known else {}
    now = _by_field(value for value in seen.custom_values if not value.stripped)
    if known is not None and _is_older(seen, known):
        now = before
    elif full_view or known is None:
        hidden = {value.field_id for value in seen.custom_values if value.stripped}
        now = {id_: value for id_, value in before.items() if id_ in hidden or 0 in hidden} | now
    else:
        now = before | now if _is_newer(seen, known) else now | before
    return tuple(now[field_id] for field_id in sorted(now))


def _by_field(values: Iterable[CustomValue]) -> dict[int, CustomValue]:
    """Return one value for each field; a value of a deleted field counts only if there is no other."""
    return {
        value.field_id: value
        for value in sorted(values, key=lambda value: value.soft_deleted, reverse=True)
    }
