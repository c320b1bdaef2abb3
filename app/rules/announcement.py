"""What becomes of a client that Levitate sees for the first time: announced, held for somebody, or never told."""

from enum import StrEnum

from app.rules.settings import InitialSync


class Status(StrEnum):
    """Where an announcement stands."""

    EMITTED = "emitted"
    HELD = "held"
    SUPPRESSED = "suppressed"


class HeldFor(StrEnum):
    """What a held announcement waits for."""

    RUN = "run"  # the end of its run: only then is it known whether this is a surge
    SETTING = "initial_sync"  # a person, as the settings wish
    SURGE = "surge"  # a person: these were more at once than a firm gets [NC-7]
    MERGE = "merge"  # a full run, which knows whether another client became this one [S6]


StatusAndReason = tuple[Status, HeldFor | None]

_FIRST_SYNC: dict[InitialSync, StatusAndReason] = {
    InitialSync.EMIT: (Status.EMITTED, None),
    InitialSync.HOLD: (Status.HELD, HeldFor.SETTING),
    InitialSync.SUPPRESS: (Status.SUPPRESSED, None),
}


def initial_status(
    *, initial: bool, wish: InitialSync, joined: bool, in_doubt: bool
) -> StatusAndReason:
    """What becomes of a new row: `joined`: another client became this one; `in_doubt`: it may have [NC-2, S6]."""
    if joined:
        return Status.SUPPRESSED, None
    if in_doubt:
        return Status.HELD, HeldFor.MERGE
    return _FIRST_SYNC[wish] if initial else (Status.HELD, HeldFor.RUN)


def is_surge(count: int, threshold: int) -> bool:
    """Whether one run found more new clients than a firm gets between two runs [NC-7]."""
    return count > threshold
