"""Pure functions: the status of an activity after it is accepted, after a failed write and after a search.

They implement the tables of docs/writeback.md. The failure of a write either proves that nothing was created, or it
proves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioRateLimited,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    WriteOutcomeUnknown,
)
from app.db.outbox.activities import Kind, Outcome, Reason, Status
from app.rules.settings import WritebackSettings

OPERATOR_RETRY_AFTER = timedelta(minutes=15)  # for faults that an operator must repair
MAX_ROUNDS = 5  # lost responses after which nothing was found, before a person must look

_RECONNECT = (
    "The author's Clio login does not work. The activity is written after the user connects again"
)
_REFUSED = {
    403: (Reason.NO_ACCESS, "The author may not write to this contact in Clio"),
    404: (Reason.CONTACT_GONE, "Clio no longer has this contact"),
}


@dataclass(frozen=True)
class InitialStatus:
    """The status of an activity that was just accepted, and its reason."""

    status: Status
    reason: Reason | None = None


def initial_status(
    kind: Kind, settings: WritebackSettings, *, linked: bool, has_author: bool
) -> InitialStatus:
    """Return the status of an accepted activity [WB-4, WB-5, WB-6]."""
    if not getattr(settings, kind):
        return InitialStatus(Status.SKIPPED, Reason.DISABLED)
    if not linked:
        return InitialStatus(Status.SKIPPED, Reason.NOT_LINKED)
    if not has_author:
        return InitialStatus(Status.BLOCKED, Reason.NEEDS_CONNECTION)
    return InitialStatus(Status.QUEUED)


def blocked(*, unsure: bool) -> Outcome:
    """Return the outcome while the author has no working login."""
    return Outcome(Status.BLOCKED, Reason.NEEDS_CONNECTION, _RECONNECT, unsure=unsure)


def stopped(*, searching: bool) -> Outcome:
    """Return the outcome when the process must end before anything was sent: another one continues at once.

    A write that was not sent needs no search. A search counts as a lost response when it finds nothing.
    """
    if searching:
        text = "Clio's response was lost. We search in Clio before we write again"
        return Outcome(Status.SENDING, Reason.CHECKING, text, after=timedelta(0), unsure=True)
    return Outcome(Status.QUEUED)


def after_failed_write(error: ClioError, *, settle: timedelta, updating: bool) -> Outcome:
    """Return the outcome of a write that failed. `updating`: it updated a conversation's record."""
    match error:
        case WriteOutcomeUnknown():
            text = "Clio's response was lost. We search in Clio before we write again"
            return Outcome(Status.SENDING, Reason.CHECKING, text, after=settle, unsure=True)
        case ClioReauthRequired():
            return blocked(unsure=False)
        case ClioRetryLater():
            return Outcome(Status.QUEUED, Reason.WAITING, str(error), after=error.after)
        case ClioRefused(status=404) if updating:
            text = "The conversation's record was removed in Clio. It is not created again"
            return Outcome(Status.FAILED, Reason.REMOVED, text)
        case ClioRefused():
            refused = (Reason.REFUSED, f"Clio does not accept this text (status {error.status})")
            return Outcome(Status.FAILED, *_REFUSED.get(error.status, refused))
        case _:
            return Outcome(Status.QUEUED, Reason.WAITING, str(error), after=OPERATOR_RETRY_AFTER)


def after_failed_search(error: ClioError, *, settle: timedelta) -> Outcome:
    """Return the outcome of a search that failed. It never proves that the write did not happen."""
    match error:
        case ClioReauthRequired():
            return blocked(unsure=True)
        case ClioRefused():
            return unverified()
        case ClioRateLimited():
            after = error.after
        case ClioRetryLater():
            after = min(error.after, settle)
        case ClioMisconfigured():
            after = OPERATOR_RETRY_AFTER
        case _:
            after = settle
    return Outcome(Status.SENDING, Reason.CHECKING, str(error), after=after, unsure=True)


def after_search(found: Sequence[int], *, rounds: int, updatable: bool) -> Outcome:
    """Return the outcome of a search that found these records, oldest first.

    `rounds` counts the earlier searches that found nothing. `updatable`: later posts replace the record's text.
    """
    if not found:
        lost = rounds + 1
        return unconfirmed() if lost >= MAX_ROUNDS else Outcome(Status.QUEUED, rounds=lost)
    oldest, *younger = found
    if updatable:  # the record may have the text of an older post, so it is updated
        return Outcome(Status.QUEUED, clio_id=oldest)
    if younger:
        return Outcome(Status.WRITTEN, Reason.DOUBLED, duplicates_text(younger), clio_id=oldest)
    return Outcome(Status.WRITTEN, clio_id=oldest)


def after_verification(found: Sequence[int]) -> tuple[Reason | None, str | None]:
    """Return reason and problem if the search a day later did not find exactly one record."""
    if not found:
        return Reason.MISSING, "A day later Clio no longer has it. Somebody may have removed it"
    return (Reason.DOUBLED, duplicates_text(found[1:])) if found[1:] else (None, None)


def duplicates_text(younger: Sequence[int]) -> str:
    """Return the text that names the records a person may remove in Clio; we never delete there [FQ-1]."""
    ids = ", ".join(map(str, younger))
    return f"Clio has it more than once. The oldest is kept; these can be removed there: {ids}"


def unverified() -> Outcome:
    """Return the outcome if the author can no longer read what may have been written: it is never sent again."""
    text = (
        "Clio may have it, but the author cannot read it there."
        " Look in Clio, then retry the activity or leave it"
    )
    return Outcome(Status.FAILED, Reason.UNVERIFIED, text, unsure=True)


def unconfirmed() -> Outcome:
    """Return the outcome after too many lost responses and searches that found nothing: a person must look."""
    text = f"Clio's response was lost {MAX_ROUNDS} times and nothing was found there. A retry searches again"
    return Outcome(Status.FAILED, Reason.UNCONFIRMED, text, unsure=True)
