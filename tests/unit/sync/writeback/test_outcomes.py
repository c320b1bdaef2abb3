"""The tables of docs/writeback.md: the initial status of an activity, and its status after each failure."""

from dataclasses import replace
from datetime import timedelta
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
from app.db.outbox.activities import Kind, Outcome, Reason, Status
from app.rules.settings import WritebackSettings
from app.sync.writeback import outcomes

SETTLE = timedelta(seconds=60)
ON = WritebackSettings()


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_own_switch(kind: Kind):
    # WB-4
    switch: Any = {kind.value: False}
    off = replace(ON, **switch)
    for other in Kind:
        initial = outcomes.initial_status(other, off, linked=True, has_author=True)
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
    initial = outcomes.initial_status(Kind.NOTE, ON, linked=linked, has_author=has_author)
    assert initial == outcomes.InitialStatus(status, reason)


LATER = ClioRateLimited("429", after=timedelta(seconds=20))
OUTAGE = ClioRetryLater("no answer", after=timedelta(seconds=90))
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
    (OUTAGE, (Status.SENDING, Reason.CHECKING, SETTLE)),
    (ClioUnreadable(""), (Status.SENDING, Reason.CHECKING, SETTLE)),
    (ClioMisconfigured(""), (Status.SENDING, Reason.CHECKING, outcomes.OPERATOR_RETRY_AFTER)),
    (ClioReauthRequired(""), (Status.BLOCKED, Reason.NEEDS_CONNECTION, None)),
    (ClioRefused("", status=403), (Status.FAILED, Reason.UNVERIFIED, None)),
]


@pytest.mark.parametrize(("error", "updating", "expected"), WRITES)
def test_a_failed_write_is_uncertain_only_when_its_answer_was_lost(error, updating, expected):
    # W4, W5
    found = outcomes.after_failed_write(error, settle=SETTLE, updating=updating)
    assert (found.status, found.reason, found.after, found.unsure) == expected


@pytest.mark.parametrize(("error", "expected"), SEARCHES)
def test_a_failed_search_never_says_that_the_write_did_not_happen(error, expected):
    # W9
    found = outcomes.after_failed_search(error, settle=SETTLE)
    assert (found.status, found.reason, found.after) == expected
    assert found.unsure


@pytest.mark.parametrize(
    ("found", "rounds", "updatable", "expected"),
    [
        ([7], 0, False, Outcome(Status.WRITTEN, clio_id=7)),
        ([7], 0, True, Outcome(Status.QUEUED, clio_id=7)),
        ([], 0, False, Outcome(Status.QUEUED, rounds=1)),
        ([], 4, False, outcomes.unconfirmed()),
        (
            [7, 9],
            0,
            False,
            Outcome(Status.WRITTEN, Reason.DOUBLED, outcomes.duplicates_text([9]), clio_id=7),
        ),
    ],
)
def test_the_records_found_by_a_search_decide_whether_to_send_again(
    found, rounds, updatable, expected
):
    # W6, W7
    assert outcomes.after_search(found, rounds=rounds, updatable=updatable) == expected


def test_the_verification_a_day_later_expects_exactly_one_record():
    # W8
    assert outcomes.after_verification([7]) == (None, None)
    assert outcomes.after_verification([])[0] is Reason.MISSING
    assert outcomes.after_verification([7, 9])[0] is Reason.DOUBLED
