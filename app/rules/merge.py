"""What one connection shows of a record, laid over what is known of it [S3, F19].

A view is *full* when its user sees all contacts. An older view changes nothing. Of equal age or newer: a full view
is the truth; another sets what it shows and blanks nothing, for what it lacks may only be hidden from it.
"""

from dataclasses import fields, replace
from datetime import datetime
from typing import TypeVar

from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord

R = TypeVar("R", ContactRecord, MatterRecord, RelationshipRecord)

_SAYS_NOTHING = (None, (), False)


def merge_contact(
    known: ContactRecord | None, seen: ContactRecord, *, full_view: bool
) -> ContactRecord:
    """A contact as seen, laid over the known one."""
    return _merge(known, seen, full_view=full_view)


def merge_matter(
    known: MatterRecord | None, seen: MatterRecord, *, full_view: bool
) -> MatterRecord:
    """A matter as seen, laid over the known one."""
    return _merge(known, seen, full_view=full_view)


def merge_relationship(
    known: RelationshipRecord | None, seen: RelationshipRecord, *, full_view: bool
) -> RelationshipRecord:
    """A relationship as seen, laid over the known one."""
    return _merge(known, seen, full_view=full_view)


def _merge(known: R | None, seen: R, *, full_view: bool) -> R:
    if known is None:
        return seen
    if _older(seen.updated_at, known.updated_at):
        return known
    if full_view:
        return seen
    shown = {
        field.name: value
        for field in fields(seen)
        if (value := getattr(seen, field.name)) not in _SAYS_NOTHING
    }
    return replace(known, **shown)


def _older(seen: datetime | None, known: datetime | None) -> bool:
    """Whether a view is from before what is known; one that bears no time is not."""
    return seen is not None and known is not None and seen < known
