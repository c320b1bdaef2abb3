"""Tests of the planner without a database: the time of each slot, in every zone and at every clock change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from app.sync import slot_times
from app.sync.services import Timing

TIMING = Timing(("06:00", "18:00"), timedelta(0), timedelta(seconds=30), timedelta(seconds=10))
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("label", "day", "expected"),
    [
        ("06:00", date(2026, 1, 15), "2026-01-15T11:00"),
        ("06:00", date(2026, 7, 15), "2026-07-15T10:00"),
        (
            "02:30",
            date(2026, 3, 8),
            "2026-03-08T07:00",
        ),  # skipped: the next existing minute is 03:00
        ("01:30", date(2026, 11, 1), "2026-11-01T05:30"),  # twice: the first
    ],
    ids=["winter", "summer", "skipped", "repeated"],
)
def test_a_slot_occurs_once_at_its_local_time(label, day, expected):
    # row 31
    moment = slot_times.slot_time(day, label, NEW_YORK)
    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", sorted(available_timezones())[::7])
def test_every_zone_has_two_slots_a_day_half_a_day_apart_for_ten_years(zone: str):
    # OV-3, F21: in steps of a week, and every day of the months with clock changes
    place = ZoneInfo(zone)
    day = date(2026, 1, 1)
    while day < date(2036, 1, 1):
        morning, evening = (slot_times.slot_time(day, label, place) for label in TIMING.slots)
        assert timedelta(hours=11) <= evening - morning <= timedelta(hours=13)
        assert morning.astimezone(place).date() == day
        day += timedelta(days=1 if day.month in (3, 4, 9, 10, 11) else 7)


def test_the_newest_due_slot_is_caught_up():
    now = datetime(2026, 1, 15, 23, 30, tzinfo=UTC)  # 18:30 in New York
    slot = slot_times.newest_due(now, NEW_YORK, TIMING, "hp")
    assert slot is not None
    assert (slot.local_date, slot.label) == (date(2026, 1, 15), "18:00")


def test_a_slot_older_than_six_hours_is_not_caught_up():
    # OV-3
    now = datetime(2026, 1, 15, 17, 1, tzinfo=UTC)  # 12:01 in New York
    assert slot_times.newest_due(now, NEW_YORK, TIMING, "hp") is None


def test_accounts_are_spread_over_the_hour_each_at_its_own_minute():
    # OV-3, F28
    spread = Timing(("06:00",), timedelta(hours=1), timedelta(seconds=30), timedelta(seconds=10))
    now = datetime(2026, 1, 15, 0, 0, tzinfo=UTC)
    due = [slot_times.next_due(now, NEW_YORK, spread, f"account-{nth}") for nth in range(200)]
    six = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
    assert all(six <= moment < six + timedelta(hours=1) for moment in due)
    assert len(set(due)) > 190
    assert due[0] == slot_times.next_due(now, NEW_YORK, spread, "account-0")
