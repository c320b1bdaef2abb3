"""Pure: what becomes of an activity: when it is accepted, when a write failed, when a search did.

The tables of docs/writeback.md. A write's failure either proves that nothing was created, or says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    WriteOutcomeUnknown,
)
from app.db.outbox.activities import Kind, Outcome, Reason, Status
from app.rules.settings import WritebackSettings

OPERATORS_PAUSE = timedelta(minutes=15)  # until somebody may have mended what is not the user's
ROUNDS = 5  # so often may an answer be lost, and nothing be found, before a person must look

_RECONNECT = (
    "The author's Clio login does not work; it is written when the user has connected again"
)
_REFUSED = {
    403: (Reason.NO_ACCESS, "The author may not write to this contact in Clio"),
    404: (Reason.CONTACT_GONE, "Clio no longer knows this contact"),
}


@dataclass(frozen=True)
class Fate:
    """Where an accepted activity begins."""

    status: Status
    reason: Reason | None = None


def fate(kind: Kind, settings: WritebackSettings, *, linked: bool, has_author: bool) -> Fate:
    """What becomes of an activity when it is accepted [WB-4, WB-5, WB-6]."""
    if not getattr(settings, kind):
        return Fate(Status.SKIPPED, Reason.DISABLED)
    if not linked:
        return Fate(Status.SKIPPED, Reason.NOT_LINKED)
    if not has_author:
        return Fate(Status.BLOCKED, Reason.NEEDS_CONNECTION)
    return Fate(Status.QUEUED)


def blocked(*, unsure: bool) -> Outcome:
    """The author is not there."""
    return Outcome(Status.BLOCKED, Reason.NEEDS_CONNECTION, _RECONNECT, unsure=unsure)


def of_write(error: ClioError, *, settle: timedelta, updating: bool) -> Outcome:
    """What a failed write means."""
    match error:
        case WriteOutcomeUnknown():
            text = "Clio's answer was lost; we look there before writing again"
            return Outcome(Status.SENDING, Reason.CHECKING, text, after=settle, unsure=True)
        case ClioReauthRequired():
            return blocked(unsure=False)
        case ClioRetryLater():
            return Outcome(Status.QUEUED, Reason.WAITING, str(error), after=error.after)
        case ClioRefused(status=404) if updating:
            text = "The conversation's record was removed in Clio; it is not made again"
            return Outcome(Status.FAILED, Reason.REMOVED, text)
        case ClioRefused():
            refused = (Reason.REFUSED, f"Clio does not accept this text (status {error.status})")
            return Outcome(Status.FAILED, *_REFUSED.get(error.status, refused))
        case _:
            return Outcome(Status.QUEUED, Reason.WAITING, str(error), after=OPERATORS_PAUSE)


def of_search(error: ClioError, *, settle: timedelta) -> Outcome:
    """What a failed search means: never that the write did not happen."""
    match error:
        case ClioReauthRequired():
            return blocked(unsure=True)
        case ClioRefused():
            return unverified()
        case ClioRetryLater():
            after = error.after if error.code == "clio_rate_limited" else min(error.after, settle)
        case ClioMisconfigured():
            after = OPERATORS_PAUSE
        case _:
            after = settle
    return Outcome(Status.SENDING, Reason.CHECKING, str(error), after=after, unsure=True)


def of_finding(found: Sequence[int], *, rounds: int, grows: bool) -> Outcome:
    """What a search means that could be made: records by age; `grows`: the record's text is replaced by later posts."""
    if not found:
        lost = rounds + 1
        return unconfirmed() if lost >= ROUNDS else Outcome(Status.QUEUED, rounds=lost)
    oldest, *younger = found
    if grows:  # it is there, perhaps with an older post's text: written over
        return Outcome(Status.QUEUED, clio_id=oldest)
    if younger:
        return Outcome(Status.WRITTEN, Reason.DOUBLED, doubled(younger), clio_id=oldest)
    return Outcome(Status.WRITTEN, clio_id=oldest)


def of_count(found: Sequence[int]) -> tuple[Reason | None, str | None]:
    """What the count a day later says is wrong, if anything."""
    if not found:
        return Reason.MISSING, "A day later Clio no longer has it; somebody may have removed it"
    return (Reason.DOUBLED, doubled(found[1:])) if found[1:] else (None, None)


def doubled(younger: Sequence[int]) -> str:
    """Which records a person may remove in Clio; we never delete there [FQ-1]."""
    ids = ", ".join(map(str, younger))
    return f"Clio has it more than once; the oldest is kept, these can be removed there: {ids}"


def unverified() -> Outcome:
    """The author can no longer read what may have been written: never sent again by itself."""
    text = "Clio may have it, but the author cannot read it there; look, then retry or leave it"
    return Outcome(Status.FAILED, Reason.UNVERIFIED, text, unsure=True)


def unconfirmed() -> Outcome:
    """Answers were lost again and again, and nothing was found: a person must look."""
    text = f"Clio's answer was lost {ROUNDS} times and nothing was found there; retry looks again"
    return Outcome(Status.FAILED, Reason.UNCONFIRMED, text, unsure=True)
