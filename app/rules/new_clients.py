"""The announcement of a new client: whether it is emitted, held or suppressed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.rules.settings import InitialSync, NewClientSettings


class Status(StrEnum):
    """The status of an announcement."""

    EMITTED = "emitted"
    HELD = "held"
    SUPPRESSED = "suppressed"


class HeldFor(StrEnum):
    """The reason for which an announcement is held."""

    RUN = "run"  # the end of its run, when it is known whether there is a surge
    SETTING = "initial_sync"  # a person's decision, because the settings say so
    SURGE = "surge"  # a person's decision: too many new clients in one run [NC-7]
    DUPLICATE = "possible_duplicate"  # a person's decision, because the settings say so [NC-6]
    MERGE = "merge"  # Clio's answer whether the client exists whom this one may have replaced [S6]


StatusAndReason = tuple[Status, HeldFor | None]

_FIRST_SYNC: dict[InitialSync, StatusAndReason] = {
    InitialSync.HOLD: (Status.HELD, HeldFor.SETTING),
    InitialSync.SUPPRESS: (Status.SUPPRESSED, None),
}


def initial_status(
    *, initial: bool, chosen: NewClientSettings, suspected: bool, duplicate: bool
) -> StatusAndReason:
    """Return the status of a new client's announcement, and what a held one waits for [NC-2, NC-6, row 46].

    `suspected`: the client may be another one under a new Clio id. `duplicate`: another client may be the same person.
    """
    if suspected:
        return Status.HELD, HeldFor.MERGE
    if initial and chosen.initial_sync is not InitialSync.EMIT:
        return _FIRST_SYNC[chosen.initial_sync]
    if duplicate and chosen.hold_possible_duplicates:
        return Status.HELD, HeldFor.DUPLICATE
    return (Status.EMITTED, None) if initial else (Status.HELD, HeldFor.RUN)


def status_after_proof(
    *, initial: bool, chosen: NewClientSettings, replaced: bool, duplicate: bool
) -> StatusAndReason:
    """Return the status of a suspected client, when Clio was asked whether the other one exists [S6, row 46].

    `replaced`: the other one is proven gone. Otherwise both exist, or nothing could be proven, and this one is
    announced like any other; its event names the possible duplicate, unless the settings hold it for that.
    """
    if replaced:
        return Status.SUPPRESSED, None
    return initial_status(initial=initial, chosen=chosen, suspected=False, duplicate=duplicate)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Another client who may be this one under an old Clio id.

    `has_matter`: a matter of this one belonged to the other. `same_person`: names or addresses are equal.
    """

    clio_id: int
    new_client_id: str
    has_matter: bool
    same_person: bool


def suspects_in_order(found: Iterable[Suspect]) -> tuple[Suspect, ...]:
    """Return those who count, the most likely first: who had a matter of the client, or looks the same [S6]."""
    counting = [one for one in found if one.has_matter or one.same_person]
    return tuple(
        sorted(counting, key=lambda one: (not one.same_person, not one.has_matter, one.clio_id))
    )


def duplicate_by_matter(suspects: Iterable[Suspect]) -> str | None:
    """Return the row of a client who looks the same and had a matter of this one, or None [NC-6, row 46]."""
    return next((one.new_client_id for one in suspects if one.has_matter and one.same_person), None)


def is_surge(count: int, threshold: int) -> bool:
    """Return whether one run found more new clients than the firm's threshold allows [NC-7]."""
    return count > threshold
