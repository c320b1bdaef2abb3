"""What one connection shows of a record, laid over what is known of it [S3, F19].

A view is *full* when its user sees all contacts. An older view changes nothing. Of equal age or newer, a full view is
the truth. Another user's view sets what it shows when it is newer, only fills gaps when it is not, and blanks nothing,
for what it lacks may only be hidden from it. No view blanks what Clio withheld even from it: the names of redacted
records and the content of stripped custom fields (clio.md §4, §16.6).
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

_REFERENCES = {  # an id, and what Clio tells with it of the record it leads to, unless that is redacted
    "company_id": ("company_name",),
    "practice_area_id": ("practice_area", "practice_area_category"),
    "stage_id": ("stage",),
    "group_id": ("group_type",),
}


_ALWAYS = {"clio_id", "is_person", "created_at", "updated_at"}


def merge_contact(
    known: ContactRecord | None, seen: ContactRecord, *, full_view: bool
) -> ContactRecord:
    """A contact as seen, laid over the known one; custom values each for themselves.

    One of which nothing is shown is redacted, whoever looks: Clio's contacts all have a name.
    """
    if known is not None and _is_empty(seen):
        return known
    merged = _merge(known, seen, full_view=full_view)
    return replace(merged, custom_values=_merge_custom_values(known, seen, full_view=full_view))


def merge_matter(
    known: MatterRecord | None, seen: MatterRecord, *, full_view: bool
) -> MatterRecord:
    """A matter as seen, laid over the known one; attorneys keep the names that a view withholds."""
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
    """A relationship as seen, laid over the known one."""
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
    overlaid = now if _is_newer(seen, known) else before
    beneath = before if overlaid is now else now
    shown = {name for name in overlaid if _has_content(name, overlaid[name])}
    whole = {name: overlaid[name] if name in shown else beneath[name] for name in overlaid}
    for reference, names in _REFERENCES.items():
        if reference in shown:  # a name stands and falls with the id that it belongs to
            whole |= {name: overlaid[name] for name in names}
    return replace(known, **whole)


def _is_empty(seen: ContactRecord) -> bool:
    return not any(
        _has_content(name, value)
        for name, value in _field_values(seen).items()
        if name not in _ALWAYS
    )


def _field_values(record: R) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _fill_names(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Where both name the same record, each has the name that the other withholds."""
    for reference, names in _REFERENCES.items():
        if reference in now and before[reference] == now[reference]:
            for name in names:
                now[name] = before[name] if now[name] is None else now[name]
                before[name] = now[name] if before[name] is None else before[name]
    if now.get("is_person", True) is None:
        now["is_person"] = before["is_person"]


def _has_content(name: str, value: object) -> bool:
    """Whether a value tells anything: nothing and the unset flag may only be hidden."""
    return value not in (None, ()) and not (name == "is_client" and value is False)


def _is_older(seen: R, known: R) -> bool:
    """Whether a view is from before what is known; one that bears no time is not."""
    return (
        seen.updated_at is not None
        and known.updated_at is not None
        and seen.updated_at < known.updated_at
    )


def _is_newer(seen: R, known: R) -> bool:
    """Whether a view is from after what is known, or may be, where that bears no time."""
    if known.updated_at is None:
        return True
    return seen.updated_at is not None and seen.updated_at > known.updated_at


def _merge_attorney(known: Attorney | None, seen: Attorney | None) -> Attorney | None:
    same = known is not None and seen is not None and known.clio_user_id == seen.clio_user_id
    return known if same and seen is not None and seen.name is None else seen


def _merge_custom_values(
    known: ContactRecord | None, seen: ContactRecord, *, full_view: bool
) -> tuple[CustomValue, ...]:
    """The custom values by field: what a full view lacks is cleared, what it got stripped stays as it was."""
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
    """One value for each field, a living one before one of a deleted field."""
    return {
        value.field_id: value
        for value in sorted(values, key=lambda value: value.soft_deleted, reverse=True)
    }
