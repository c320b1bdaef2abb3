"""Merges the view that one connection has of a record into the known record [S3, F19].

A view is *full* if its user sees all contacts. An older view changes nothing. A full view that is not older sets the
fields that it shows. A restricted view sets them if it is newer, and otherwise only fills gaps. What a view does not
show is cleared only if it is in `clears`, because an absent value may only be hidden from that user (row 38,
`app/rules/shown.py`); without `clears` a full view clears all and a restricted one nothing. No view clears what Clio
withheld even from it: the names of redacted records and the content of stripped custom fields (clio.md §4, §16.6).
"""

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from msgspec.structs import asdict, replace

from app.rules.records import (
    Attorney,
    ContactRecord,
    CustomValue,
    MatterRecord,
    RelationshipRecord,
)
from app.rules.shown import CUSTOM_VALUE, has_content

R = TypeVar("R", ContactRecord, MatterRecord, RelationshipRecord)

_REFERENCES = {  # an id, and the fields of that record that Clio sends with it unless it is redacted
    "company_id": ("company_name",),
    "practice_area_id": ("practice_area", "practice_area_category"),
    "stage_id": ("stage",),
    "group_id": ("group_type",),
}


_ALWAYS = {"clio_id", "is_person", "created_at", "updated_at"}


def merge_contact(
    known: ContactRecord | None,
    seen: ContactRecord,
    *,
    full_view: bool,
    clears: Collection[str] | None = None,
) -> ContactRecord:
    """Return the known contact merged with the one seen; each custom value is merged by itself.

    A contact without any content is redacted, also in a full view, because every contact in Clio has a name.
    """
    if known is not None and _is_empty(seen):
        return known
    merged = _merge(known, seen, full_view, clears)
    return replace(merged, custom_values=_merge_custom_values(known, seen, full_view, clears))


def merge_matter(
    known: MatterRecord | None,
    seen: MatterRecord,
    *,
    full_view: bool,
    clears: Collection[str] | None = None,
) -> MatterRecord:
    """Return the known matter merged with the one seen; attorneys keep a name that the view withholds."""
    if known is not None:
        seen = replace(
            seen,
            responsible=_merge_attorney(known.responsible, seen.responsible),
            originating=_merge_attorney(known.originating, seen.originating),
        )
    return _merge(known, seen, full_view, clears)


def merge_relationship(
    known: RelationshipRecord | None,
    seen: RelationshipRecord,
    *,
    full_view: bool,
    clears: Collection[str] | None = None,
) -> RelationshipRecord:
    """Return the known relationship merged with the one seen."""
    return _merge(known, seen, full_view, clears)


def _merge(known: R | None, seen: R, full_view: bool, clears: Collection[str] | None) -> R:
    if known is None:
        return seen
    if is_older(seen, known):
        return known
    before, now = _field_values(known), _field_values(seen)
    _fill_names(before, now)
    wins = full_view or is_newer(seen, known)
    taken = {
        name for name in now if _is_taken(name, before, now, wins, _clears(full_view, clears, name))
    }
    for reference, names in _REFERENCES.items():
        if reference in now:  # a name must come from the same view as its id
            taken = taken | set(names) if reference in taken else taken - set(names)
    return replace(known, **{name: (now if name in taken else before)[name] for name in now})


def _is_taken(
    name: str,
    before: dict[str, Any],
    now: dict[str, Any],
    wins: bool,
    clears: bool,
) -> bool:
    """Return whether the value of the view counts."""
    if has_content(name, now[name]):
        return wins or not has_content(name, before[name])
    return clears


def _clears(full_view: bool, clears: Collection[str] | None, name: str) -> bool:
    return full_view if clears is None else name in clears


def _is_empty(seen: ContactRecord) -> bool:
    return not any(
        has_content(name, value)
        for name, value in _field_values(seen).items()
        if name not in _ALWAYS
    )


def _field_values(record: R) -> dict[str, Any]:
    return asdict(record)


def _fill_names(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Fill in names in both views where both refer to the same record and one withholds the name."""
    for reference, names in _REFERENCES.items():
        if reference in now and before[reference] == now[reference]:
            for name in names:
                now[name] = before[name] if now[name] is None else now[name]
                before[name] = now[name] if before[name] is None else before[name]
    if now.get("is_person", True) is None:
        now["is_person"] = before["is_person"]


def is_older(seen: R, known: R) -> bool:
    """Return whether a view is older than the known record. A view without a time is not."""
    return (
        seen.updated_at is not None
        and known.updated_at is not None
        and seen.updated_at < known.updated_at
    )


def is_newer(seen: R, known: R) -> bool:
    """Return whether a view is newer than the known record, or may be, because the record has no time."""
    if known.updated_at is None:
        return True
    return seen.updated_at is not None and seen.updated_at > known.updated_at


def _merge_attorney(known: Attorney | None, seen: Attorney | None) -> Attorney | None:
    same = known is not None and seen is not None and known.clio_user_id == seen.clio_user_id
    return known if same and seen is not None and seen.name is None else seen


def _merge_custom_values(
    known: ContactRecord | None,
    seen: ContactRecord,
    full_view: bool,
    clears: Collection[str] | None,
) -> tuple[CustomValue, ...]:
    """Return the merged custom values; a value that the view got stripped is not cleared."""
    before = _by_field(known.custom_values) if known else {}
    now = _by_field(value for value in seen.custom_values if not value.stripped)
    if known is not None and is_older(seen, known):
        now = before
    elif known is not None:
        hidden = {value.field_id for value in seen.custom_values if value.stripped}
        kept = {
            id_: value
            for id_, value in before.items()
            if hidden & {0, id_} or not _clears(full_view, clears, f"{CUSTOM_VALUE}{id_}")
        }
        now = kept | now if full_view or is_newer(seen, known) else now | kept
    return tuple(now[field_id] for field_id in sorted(now))


def _by_field(values: Iterable[CustomValue]) -> dict[int, CustomValue]:
    """Return one value for each field; a value of a deleted field counts only if there is no other."""
    return {
        value.field_id: value
        for value in sorted(values, key=lambda value: value.soft_deleted, reverse=True)
    }
