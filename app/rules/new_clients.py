"""The announcement of a new client: whether it is emitted, held or suppressed."""

from enum import StrEnum

from app.rules.settings import InitialSync


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
    MERGE = "merge"  # a full run, which knows whether another client was merged into this one [S6]


StatusAndReason = tuple[Status, HeldFor | None]

_FIRST_SYNC: dict[InitialSync, StatusAndReason] = {
    InitialSync.EMIT: (Status.EMITTED, None),
    InitialSync.HOLD: (Status.HELD, HeldFor.SETTING),
    InitialSync.SUPPRESS: (Status.SUPPRESSED, None),
}


def initial_status(
    *, initial: bool, choice: InitialSync, merged: bool, maybe_merged: bool
) -> StatusAndReason:
    """Return the status of a new client's announcement, and what a held one waits for [NC-2, S6].

    `merged`: another client was merged into this one. `maybe_merged`: this is possible, but not certain.
    """
    if merged:
        return Status.SUPPRESSED, None
    if maybe_merged:
        return Status.HELD, HeldFor.MERGE
    return _FIRST_SYNC[choice] if initial else (Status.HELD, HeldFor.RUN)


def is_surge(count: int, threshold: int) -> bool:
    """Return whether one run found more new clients than the firm's threshold allows [NC-7]."""
    return count > threshold
