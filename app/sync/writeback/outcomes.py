"""Pure functions: the status of an activity after it is accepted, after a failed write and after a search.

They implement the tables of docs/writeback.md. The failure of a write either proves that nothing was created, or it
proves nothing: then Clio is searched, at growing pauses, before the activity is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.clio.errors import (
    ClioError,
    ClioRateLimited,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    WriteOutcomeUnknown,
)
from app.db.outbox.activities import Activity, Kind, Outcome, Reason, Status
from app.rules.settings import WritebackSettings

OPERATOR_RETRY_AFTER = timedelta(minutes=15)  # for faults that an operator must repair
# Before each search, in settle times, which are minutes by default. The last one repeats.
PAUSES = (1, 2, 5, 15, 60)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)  # after the first attempt a person must look [W7]

USER_UNKNOWN = (
    "Its user is not in the directory of users of this account. Levitate's backend must send the user"
    " with PUT …/users within 14 days; then the activity is written by itself"
)
_CONNECT = "The author has no working Clio login. The activity is written when the user connects, within 14 days"
_REFUSED = {
    403: (
        Reason.NO_ACCESS,
        "The author may not write to this contact in Clio. Give the user the right there, then retry",
    ),
    404: (
        Reason.CONTACT_GONE,
        "Clio no longer has this contact. Post the activity for another contact if it was merged",
    ),
}


@dataclass(frozen=True)
class InitialStatus:
    """The status of an activity that was just accepted, and its reason."""

    status: Status
    reason: Reason | None = None
    problem: str | None = None


def initial_status(
    kind: Kind, settings: WritebackSettings, *, linked: bool, is_known: bool, has_author: bool
) -> InitialStatus:
    """Return the status of an accepted activity [WB-4, WB-5, WB-6]."""
    if not getattr(settings, kind):
        return InitialStatus(Status.SKIPPED, Reason.DISABLED)
    if not linked:
        return InitialStatus(Status.SKIPPED, Reason.NOT_LINKED)
    if not is_known:
        return InitialStatus(Status.BLOCKED, Reason.USER_UNKNOWN, USER_UNKNOWN)
    if not has_author:
        return InitialStatus(Status.BLOCKED, Reason.NEEDS_CONNECTION, _CONNECT)
    return InitialStatus(Status.QUEUED)


def blocked(*, unsure: bool) -> Outcome:
    """Return the outcome while the author has no working login."""
    return Outcome(Status.BLOCKED, Reason.NEEDS_CONNECTION, _CONNECT, unsure=unsure)


def stopped(*, searching: bool) -> Outcome:
    """Return the outcome when the process must end before anything was sent: another one continues at once.

    A write that was not sent needs no search. A search counts as a lost response when it finds nothing.
    """
    if searching:
        text = "Clio's response was lost. We search in Clio before we write again"
        return Outcome(Status.SENDING, Reason.CHECKING, text, after=timedelta(0), unsure=True)
    return Outcome(Status.QUEUED)


def pause_before_search(rounds: int, settle: timedelta) -> timedelta:
    """Return how long to wait after an attempt or a search that decided nothing, after so many searches [W7]."""
    return min(settle * PAUSES[min(rounds, len(PAUSES) - 1)], LONGEST_PAUSE)


def after_failed_write(error: ClioError, *, pause: timedelta, updating: bool) -> Outcome:
    """Return the outcome of a write that failed. `updating`: it updated a conversation's record."""
    match error:
        case WriteOutcomeUnknown():
            text = "Clio's response was lost. We search in Clio before we write again"
            after = max(pause, error.after)
            return Outcome(Status.SENDING, Reason.CHECKING, text, after=after, unsure=True)
        case ClioReauthRequired():
            return blocked(unsure=False)
        case ClioRetryLater():
            return Outcome(Status.QUEUED, Reason.WAITING, str(error), after=error.after)
        case ClioRefused(status=404) if updating:
            text = (
                "The conversation's record was removed in Clio. It is not created again: restore it"
                " there and retry, or leave it"
            )
            return Outcome(Status.FAILED, Reason.REMOVED, text)
        case ClioRefused():
            refused = (
                Reason.REFUSED,
                f"Clio does not accept this text (status {error.status}). Report it",
            )
            return Outcome(Status.FAILED, *_REFUSED.get(error.status, refused))
        case _:
            return Outcome(Status.QUEUED, Reason.WAITING, str(error), after=OPERATOR_RETRY_AFTER)


def after_failed_search(error: ClioError, *, rounds: int, settle: timedelta) -> Outcome:
    """Return the outcome of a search that could not be made: it says nothing about the write, so nothing is given up.

    `rounds` counts the earlier searches. One that the rate limit put off is not counted.
    """
    counted = rounds + 1
    pause = pause_before_search(counted, settle)
    match error:
        case ClioReauthRequired():
            return blocked(unsure=True)
        case ClioRefused():
            return unverified()
        case ClioRateLimited():
            after, counted = error.after, rounds
        case ClioRetryLater():
            after = max(error.asked, pause)
        case _:
            after = max(OPERATOR_RETRY_AFTER, pause)
    return Outcome(
        Status.SENDING, Reason.CHECKING, str(error), after=after, unsure=True, rounds=counted
    )


def after_search(found: Sequence[int], activity: Activity, *, now: datetime) -> Outcome:
    """Return the outcome of a search that found these records, oldest first."""
    if not found:
        if is_given_up(activity, now=now):
            return unconfirmed()
        return Outcome(Status.QUEUED, rounds=activity.rounds + 1)
    oldest, *younger = found
    updatable = activity.conversation_id is not None  # later posts replace the record's text
    if updatable:  # the record may have the text of an older post, so it is updated
        return Outcome(Status.QUEUED, clio_id=oldest)
    if younger:
        return Outcome(Status.WRITTEN, Reason.DOUBLED, duplicates_text(younger), clio_id=oldest)
    return Outcome(Status.WRITTEN, clio_id=oldest)


def is_given_up(activity: Activity, *, now: datetime) -> bool:
    """Return whether a person must look: it was sent again in vain, for so long since its first attempt [W7]."""
    first = activity.first_attempt_at
    return activity.attempts > 1 and first is not None and now - first >= GIVE_UP_AFTER


def after_verification(found: Sequence[int]) -> tuple[Reason | None, str | None]:
    """Return reason and problem if the search a day later did not find exactly one record."""
    if not found:
        return (
            Reason.MISSING,
            "A day later Clio no longer has it. Somebody may have removed it: ask there, and post it"
            " again if it is wanted",
        )
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
    """Return the outcome after days of lost responses and searches that found nothing: a person must look."""
    text = (
        f"For {GIVE_UP_AFTER.days} days Clio's responses were lost, and nothing was found there."
        " Look in Clio; a retry searches again before it sends"
    )
    return Outcome(Status.FAILED, Reason.UNCONFIRMED, text, unsure=True)
