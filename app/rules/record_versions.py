"""Compares one login's version of a record with the stored one: whether it is newer, and which fields it empties."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from msgspec.structs import replace

from app.rules.merge import is_newer
from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord
from app.rules.shown import (
    Sight,
    cleared,
    counts_as_newest,
    emptied,
    left_empty,
    sight_of,
    withdrawn,
)

R = TypeVar("R", ContactRecord, MatterRecord, RelationshipRecord)


@dataclass(frozen=True)
class Version(Generic[R]):
    """A version that a login was shown, beside the stored record as it counts against it.

    `emptied` are stored fields that it shows as empty, `withdrawn` those that only the login's earlier version may have
    kept, `sight` is what the login was shown.
    """

    known: R | None
    seen: R
    sight: Sight
    emptied: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()

    @property
    def may_clear(self) -> bool:
        """Return whether `merged` needs to know what other logins see."""
        return bool(self.emptied or self.withdrawn)

    def merged(self, merge: Callable[..., R], others: Iterable[Sight]) -> R:
        """Return the record to store; `others` is what other logins see of it."""
        if self.known is None:
            return self.seen
        others = tuple(others)
        clears = cleared(self.emptied, self.seen.updated_at, others)
        clears |= left_empty(self.withdrawn, self.known.updated_at, others)
        return merge(self.known, self.seen, full_view=self.sight.full_view, clears=clears)


def compare(
    known: R | None,
    seen: R,
    before: Sight | None,
    *,
    full_view: bool,
    defers: bool,
    latest: datetime | None,
) -> Version[R]:
    """Compare a version with the stored record and with what the login was shown before.

    A stored time after `latest` does not count. A changed record without a newer `updated_at` still counts as newer,
    unless it `defers` because a fuller view sees it too: Clio does not promise that every change moves the time
    (clio.md §13).
    """
    sight = sight_of(seen, before, full_view=full_view)
    if known is None:
        return Version(None, seen, sight)
    kept_by_it = withdrawn(known, before, sight)
    equal = not defers and known.updated_at == seen.updated_at
    if equal or counts_as_newest(known, seen, before, latest):
        known = replace(known, updated_at=None)
    gone = emptied(known, seen, before, full_view=full_view, newer=is_newer(seen, known))
    return Version(known, seen, sight, gone, kept_by_it - gone)
