"""Decides what an answer of Clio shows of a record, and which stored fields its empty values clear [row 38].

A field that a login does not show may be hidden from it. It is empty only if this login can read it: if it has shown
the field itself, or if it sees all contacts and the answer is newer than what is stored. Another login that shows the
field in a version that is not older proves that it is not empty, until it no longer shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import asdict

from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord

Record = ContactRecord | MatterRecord | RelationshipRecord

CUSTOM_VALUE = "custom_values."  # and the id of the field
_NEVER_EMPTY = frozenset(
    {*("clio_id", "is_person", "created_at", "updated_at", "custom_values"),
     *("status", "matter_id", "contact_id")}
)  # fmt: skip
_HIDDEN = {
    "client_id"
}  # a matter always has a client: a restricted user who sees none is not shown it


@dataclass(frozen=True)
class Sight:
    """The version of a record that a login was shown last: Clio's time of it, and the fields with content.

    `full_view` says whether the login saw all contacts then. Of a login whose view was full and is restricted now
    nothing is known of what it can read.
    """

    updated_at: datetime | None = None
    shown: frozenset[str] = field(default=frozenset())
    full_view: bool = False


def content_of(record: Record) -> frozenset[str]:
    """Return the names of the fields that have content, one name for each custom field."""
    names = {
        name
        for name, value in asdict(record).items()
        if name not in _NEVER_EMPTY and has_content(name, value)
    }
    if isinstance(record, ContactRecord):
        names |= {
            f"{CUSTOM_VALUE}{value.field_id}"
            for value in record.custom_values
            if not value.stripped
        }
    return frozenset(names)


def has_content(name: str, value: object) -> bool:
    """Return whether a value has content. An empty value or an unset flag may only be hidden."""
    return value not in (None, ()) and not (name == "is_client" and value is False)


def sight_of(seen: Record, before: Sight | None, *, full_view: bool) -> Sight:
    """Return what a login knows of a record after it saw this version.

    A redacted record and a withheld custom value say nothing: what was shown before still counts.
    """
    shown, known = content_of(seen), before.shown if before else frozenset()
    if not shown:
        shown = known
    elif isinstance(seen, ContactRecord):
        withheld = {value.field_id for value in seen.custom_values if value.stripped}
        shown |= {name for name in known if _is_withheld(name, withheld)}
    return Sight(seen.updated_at, shown, full_view)


def _is_withheld(name: str, withheld: Iterable[int]) -> bool:
    return name.startswith(CUSTOM_VALUE) and any(
        field_id in (0, int(name.removeprefix(CUSTOM_VALUE))) for field_id in withheld
    )


def emptied(
    known: Record, seen: Record, before: Sight | None, *, full_view: bool, newer: bool
) -> frozenset[str]:
    """Return the stored fields that a login shows as empty and can read; `newer` says that its version is newer."""
    gone = content_of(known) - content_of(seen)
    shown = before.shown if before else frozenset()
    if full_view:
        return gone if newer else gone & shown
    if not newer or before is None or before.full_view:
        return frozenset()
    return gone & shown - _HIDDEN


def cleared(
    gone: frozenset[str], updated_at: datetime | None, others: Iterable[Sight]
) -> frozenset[str]:
    """Return those of the emptied fields that no other login shows in a version that is not older."""
    for other in others:
        if _is_not_older(other, updated_at):
            gone -= other.shown
    return gone


def _is_not_older(other: Sight, updated_at: datetime | None) -> bool:
    return updated_at is None or other.updated_at is None or other.updated_at >= updated_at


def withdrawn(known: Record, before: Sight | None, now: Sight) -> frozenset[str]:
    """Return the stored fields that a login showed before and no longer shows."""
    lost = before.shown - now.shown - _HIDDEN if before else frozenset[str]()
    return lost & content_of(known) if lost else lost


def left_empty(
    gone: frozenset[str], updated_at: datetime | None, others: Iterable[Sight]
) -> frozenset[str]:
    """Return those of the withdrawn fields that nobody shows, and that a login with a full view shows as empty.

    The version of that login is not older than the stored one. It could not clear the field as long as the other
    login, which reads later, had shown it.
    """
    newest = [other for other in others if _is_not_older(other, updated_at)]
    if not any(other.full_view for other in newest):
        return frozenset()
    return cleared(gone, updated_at, newest)


def counts_as_newest(
    known: Record, seen: Record, before: Sight | None, latest: datetime | None
) -> bool:
    """Return whether a version is the newest although its time is lower than the stored one.

    For one login the later answer counts, whatever Clio's times say: so it does unless another login has shown a newer
    version. A stored time after `latest` is no time of a version.
    """
    if known.updated_at is None or seen.updated_at is None or seen.updated_at >= known.updated_at:
        return False
    was_last = (
        before is not None
        and before.updated_at is not None
        and before.updated_at >= known.updated_at
    )
    return was_last or (latest is not None and known.updated_at > latest)
