"""The rule of health, without a database: which facts give which health, and when an account is overdue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.accounts.health import HealthFacts, OpenIssues
from app.sync.health import current_health, deadline_of
from app.sync.services import Timing

TIMING = Timing(("06:00", "18:00"), timedelta(0), timedelta(seconds=30), timedelta(seconds=10))
SYNCED = datetime(2026, 3, 3, 6, 5, tzinfo=UTC)  # five minutes after a slot
SECOND_SLOT = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
WORKS = HealthFacts(
    enabled=True,
    enabled_at=SYNCED - timedelta(days=9),
    time_zone="UTC",
    first_connected_at=SYNCED - timedelta(days=9),
    working_logins=1,
    synced_at=SYNCED,
    progressed_at=None,
    issues=(),
)
WARNING = OpenIssues("record_quarantined", "warning", 3, "A record cannot be read.")
ERROR = OpenIssues("run_failed", "error", 1, "A run failed.")


@pytest.mark.parametrize(
    ("facts", "after", "health", "reasons"),
    [
        (WORKS, 0, "ok", []),
        (replace(WORKS, issues=[WARNING]), 0, "degraded", ["record_quarantined"]),
        (
            replace(WORKS, issues=[WARNING, ERROR]),
            0,
            "needs_attention",
            ["run_failed", "record_quarantined"],
        ),
        (replace(WORKS, working_logins=0), 0, "needs_attention", ["no_working_login"]),
        (replace(WORKS, enabled=False, issues=[ERROR]), 99, "disabled", ["disabled"]),
        (WORKS, 2, "degraded", ["sync_overdue"]),
        (replace(WORKS, issues=[WARNING]), 2, "degraded", ["record_quarantined", "sync_overdue"]),
        (WORKS, 2 + 2 * 3, "needs_attention", ["sync_overdue"]),
        (
            replace(WORKS, first_connected_at=None, synced_at=None, working_logins=0),
            99,
            "needs_attention",
            ["no_working_login"],
        ),
    ],
)
def test_the_health_follows_from_the_facts(
    facts: HealthFacts, after: int, health: str, reasons: list[str]
):
    now = SECOND_SLOT + timedelta(hours=12) * (after - 2)
    found = current_health(facts, TIMING, "a", now=now)
    assert (found.value, [reason.code for reason in found.reasons]) == (health, reasons)


def test_a_reason_says_how_many_issues_of_its_code_are_open():
    found = current_health(replace(WORKS, issues=[WARNING]), TIMING, "a", now=SYNCED)
    assert found.reasons[0].detail == "A record cannot be read. (and 2 more)"


@pytest.mark.parametrize(
    ("changed", "overdue_at"),
    [
        ({}, SECOND_SLOT),
        ({"time_zone": "Mars/Base"}, SECOND_SLOT),
        ({"synced_at": None}, datetime(2026, 2, 23, 6, 0, tzinfo=UTC)),
        ({"enabled_at": SYNCED + timedelta(hours=12)}, SECOND_SLOT + timedelta(hours=12)),
        ({"synced_at": None, "progressed_at": SYNCED}, SECOND_SLOT),
        ({"enabled": False}, None),
        ({"synced_at": None, "first_connected_at": None}, None),
    ],
    ids=[
        "two slots after the success",
        "also in an unknown zone",
        "after the first connection",
        "after it was switched on",
        "after a first run's progress",
        "never while it is off",
        "never before it is connected",
    ],
)
def test_an_account_is_overdue_two_slots_after(
    changed: dict[str, Any], overdue_at: datetime | None
):
    deadline = deadline_of(replace(WORKS, **changed), TIMING, "a")
    assert (deadline and deadline.at) == overdue_at


def test_with_one_slot_a_day_an_account_is_overdue_after_two_days():
    daily = replace(TIMING, slots=("06:00",))
    deadline = deadline_of(WORKS, daily, "a")
    assert deadline is not None
    assert deadline.at == SECOND_SLOT + timedelta(days=1)
