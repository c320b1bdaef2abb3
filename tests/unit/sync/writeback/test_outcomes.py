"""The tables of docs/writeback.md: the initial status of an activity, and its status after each failure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioRateLimited,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    ClioUnreadable,
    WriteOutcomeUnknown,
)
from app.db.outbox.activities import Activity, Kind, Outcome, Reason, Status
from app.rules.settings import WritebackSettings
from app.sync.writeback import outcomes

SETTLE = timedelta(seconds=60)
NOW = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)
ON = WritebackSettings()


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_own_switch(kind: Kind):
    # WB-4
    switch: Any = {kind.value: False}
    off = replace(ON, **switch)
    for other in Kind:
        initial = outcomes.initial_status(other, off, is_known=True, linked=True, has_author=True)
        skipped = outcomes.InitialStatus(Status.SKIPPED, Reason.DISABLED)
        assert initial == (skipped if other is kind else outcomes.InitialStatus(Status.QUEUED))


@pytest.mark.parametrize(
    ("linked", "has_author", "status", "reason"),
    [
        (True, True, Status.QUEUED, None),
        (True, False, Status.BLOCKED, Reason.NEEDS_CONNECTION),
        (False, True, Status.SKIPPED, Reason.NOT_LINKED),
        (False, False, Status.SKIPPED, Reason.NOT_LINKED),
    ],
)
def test_an_activity_needs_a_linked_contact_before_an_author(linked, has_author, status, reason):
    # WB-5, WB-6
    initial = outcomes.initial_status(
        Kind.NOTE, ON, is_known=True, linked=linked, has_author=has_author
    )
    assert (initial.status, initial.reason) == (status, reason)
    assert (initial.problem is not None) == (status is Status.BLOCKED), "it says what to do"


def test_a_user_who_is_not_in_the_directory_blocks_before_the_login_is_asked_for():
    for linked, reason in ((True, Reason.USER_UNKNOWN), (False, Reason.NOT_LINKED)):
        initial = outcomes.initial_status(
            Kind.NOTE, ON, linked=linked, is_known=False, has_author=True
        )
        assert initial.reason is reason


LATER = ClioRateLimited("429", after=timedelta(seconds=20))
OUTAGE = ClioRetryLater("no answer")
LONG_OUTAGE = ClioRetryLater("503", asked=timedelta(hours=3))
# failure → status, reason, time of the next attempt, whether Clio may have it
WRITES: list[tuple[ClioError, bool, tuple[Status, Reason, timedelta | None, bool]]] = [
    (WriteOutcomeUnknown(""), False, (Status.SENDING, Reason.CHECKING, SETTLE, True)),
    (WriteOutcomeUnknown(""), True, (Status.SENDING, Reason.CHECKING, SETTLE, True)),
    (LATER, False, (Status.QUEUED, Reason.WAITING, timedelta(seconds=20), False)),
    (ClioReauthRequired(""), False, (Status.BLOCKED, Reason.NEEDS_CONNECTION, None, False)),
    (ClioRefused("", status=403), False, (Status.FAILED, Reason.NO_ACCESS, None, False)),
    (ClioRefused("", status=404), False, (Status.FAILED, Reason.CONTACT_GONE, None, False)),
    (ClioRefused("", status=404), True, (Status.FAILED, Reason.REMOVED, None, False)),
    (ClioRefused("", status=422), False, (Status.FAILED, Reason.REFUSED, None, False)),
    (
        ClioMisconfigured(""),
        False,
        (Status.QUEUED, Reason.WAITING, outcomes.OPERATOR_RETRY_AFTER, False),
    ),
]
SEARCHES: list[tuple[ClioError, tuple[Status, Reason, timedelta | None]]] = [
    (LATER, (Status.SENDING, Reason.CHECKING, timedelta(seconds=20))),
    (OUTAGE, (Status.SENDING, Reason.CHECKING, 2 * SETTLE)),
    (LONG_OUTAGE, (Status.SENDING, Reason.CHECKING, timedelta(hours=3))),
    (ClioUnreadable(""), (Status.SENDING, Reason.CHECKING, 2 * SETTLE)),
    (ClioMisconfigured(""), (Status.SENDING, Reason.CHECKING, outcomes.OPERATOR_RETRY_AFTER)),
    (ClioReauthRequired(""), (Status.BLOCKED, Reason.NEEDS_CONNECTION, None)),
    (ClioRefused("", status=403), (Status.FAILED, Reason.UNVERIFIED, None)),
]


@pytest.mark.parametrize(("error", "updating", "expected"), WRITES)
def test_a_failed_write_is_uncertain_only_when_its_answer_was_lost(error, updating, expected):
    # W4, W5
    found = outcomes.after_failed_write(error, pause=SETTLE, updating=updating)
    assert (found.status, found.reason, found.after, found.unsure) == expected


@pytest.mark.parametrize(("error", "expected"), SEARCHES)
def test_a_failed_search_never_says_that_the_write_did_not_happen(error, expected):
    # W9
    found = outcomes.after_failed_search(error, rounds=0, settle=SETTLE)
    assert (found.status, found.reason, found.after) == expected
    assert found.unsure


def activity(**known: Any) -> Activity:
    """Return an activity that was sent twice; the first time two days ago."""
    values = dict.fromkeys(Activity.__dataclass_fields__) | {"attempts": 2, "rounds": 7}
    return Activity(**{**values, "first_attempt_at": NOW - timedelta(days=2), **known})


@pytest.mark.parametrize(
    ("found", "sent", "expected"),
    [
        ([7], activity(), Outcome(Status.WRITTEN, clio_id=7)),
        ([7], activity(conversation_id="c9"), Outcome(Status.QUEUED, clio_id=7)),
        ([7], activity(first_attempt_at=LONG_AGO), Outcome(Status.WRITTEN, clio_id=7)),
        ([], activity(), Outcome(Status.QUEUED, rounds=8)),
        ([], activity(first_attempt_at=LONG_AGO), outcomes.unconfirmed()),
        # sent once, and nobody could search since: sent again
        ([], activity(first_attempt_at=LONG_AGO, attempts=1), Outcome(Status.QUEUED, rounds=8)),
        # a person has asked for it again
        ([], activity(first_attempt_at=None, rounds=0), Outcome(Status.QUEUED, rounds=1)),
        (
            [7, 9],
            activity(),
            Outcome(Status.WRITTEN, Reason.DOUBLED, outcomes.duplicates_text([9]), clio_id=7),
        ),
    ],
)
def test_the_records_found_by_a_search_decide_whether_to_send_again(found, sent, expected):
    # W6, W7: it is given up three days after the first attempt, and not after a number of attempts
    assert outcomes.after_search(found, sent, now=NOW) == expected


def test_clio_is_searched_after_1_2_5_and_15_minutes_and_then_every_hour():
    # W7
    pauses = [outcomes.pause_before_search(rounds, SETTLE) for rounds in range(7)]
    assert [pause / timedelta(minutes=1) for pause in pauses] == [1, 2, 5, 15, 60, 60, 60]


@pytest.mark.parametrize(("told", "after"), [(0, 300), (120, 300), (301, 301), (7200, 7200)])
def test_clio_is_not_searched_before_it_says(told, after):
    """W7: Retry-After."""
    lost = WriteOutcomeUnknown("503", after=timedelta(seconds=told))
    pause = outcomes.pause_before_search(2, SETTLE)
    found = outcomes.after_failed_write(lost, pause=pause, updating=False)
    assert found.after == timedelta(seconds=after)


def test_a_search_that_could_not_be_made_gives_nothing_up_and_the_next_one_comes_later():
    # W7
    for rounds in (0, 3, 4, 5000):
        found = outcomes.after_failed_search(OUTAGE, rounds=rounds, settle=SETTLE)
        assert (found.status, found.rounds) == (Status.SENDING, rounds + 1)
        assert found.after == outcomes.pause_before_search(rounds + 1, SETTLE)
    assert outcomes.after_failed_search(LATER, rounds=3, settle=SETTLE).rounds == 3


def test_the_verification_a_day_later_expects_exactly_one_record():
    # W8
    assert outcomes.after_verification([7]) == (None, None)
    assert outcomes.after_verification([])[0] is Reason.MISSING
    assert outcomes.after_verification([7, 9])[0] is Reason.DOUBLED
