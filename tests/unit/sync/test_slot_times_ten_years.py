"""Tests of the planner over ten years of clock changes in every zone: each slot occurs exactly once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from app.sync import slot_times
from app.sync.services import Timing

BEGIN, END = date(2026, 1, 1), date(2036, 1, 1)
SLOTS = (
    "00:00",
    "02:30",
    "06:00",
    "18:00",
    "23:59",
)  # the two default slots, and the most difficult ones
MINUTE = timedelta(minutes=1)


def offset_at(zone: ZoneInfo, moment: datetime) -> timedelta:
    return zone.utcoffset(moment.astimezone(zone)) or timedelta(0)


def changes_of(zone: ZoneInfo) -> Iterator[datetime]:
    """Return the times of a zone's clock changes, found by bisection of weeks whose ends have different offsets."""
    moment = datetime(BEGIN.year, 1, 1, tzinfo=UTC)
    end = datetime(END.year, 1, 1, tzinfo=UTC)
    while moment < end:
        low, high = moment, moment + timedelta(days=7)
        if offset_at(zone, low) != offset_at(zone, high):
            while high - low > MINUTE:
                middle = low + (high - low) / 2
                same = offset_at(zone, middle) == offset_at(zone, low)
                low, high = (middle, high) if same else (low, middle)
            yield high
        moment += timedelta(days=7)


@cache
def places() -> dict[ZoneInfo, tuple[date, ...]]:
    """Return one zone for each set of changes (many names are aliases), and the days of its clock changes."""
    found: dict[tuple[object, ...], tuple[ZoneInfo, tuple[date, ...]]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        moments = tuple(changes_of(zone))
        first = offset_at(zone, datetime(BEGIN.year, 1, 1, tzinfo=UTC))
        days = tuple(moment.astimezone(zone).date() for moment in moments)
        found.setdefault((first, *moments), (zone, days))
    return dict(found.values())


def exists(zone: ZoneInfo, day: date, label: str) -> bool:
    wall = datetime.combine(day, datetime.strptime(label, "%H:%M").time(), tzinfo=zone)  # noqa: DTZ007
    back = wall.astimezone(UTC).astimezone(zone)
    return back.replace(tzinfo=None) == wall.replace(tzinfo=None)


def test_every_slot_of_a_day_with_a_clock_change_occurs_once_at_its_minute_or_the_next_existing_one():
    # OV-3, F21, row 31
    checked = 0
    for zone, days in places().items():
        for changing in days:
            for day in (changing - timedelta(days=1), changing, changing + timedelta(days=1)):
                for label in SLOTS:
                    moment = slot_times.slot_time(day, label, zone)
                    wall = moment.astimezone(zone)
                    if exists(zone, day, label):
                        assert (wall.date(), wall.strftime("%H:%M")) == (day, label), (zone, day)
                        assert wall.fold == 0, "in a repeated hour the first time counts"
                    else:
                        before = (moment - MINUTE).astimezone(zone)
                        assert before.replace(tzinfo=None) < wall.replace(tzinfo=None) - MINUTE
                    checked += 1
    assert checked > 5_000


def test_each_slot_of_each_day_is_proposed_once_across_a_clock_change():
    # OV-3: whatever the clock does, each (day, label) becomes the newest due slot, in order
    spaced = ("00:30", "02:30", "06:00", "18:00")
    timing = Timing(spaced, timedelta(0), timedelta(seconds=30), timedelta(seconds=10))
    for zone, days in places().items():
        for changing in days[:4]:
            moment = datetime.combine(changing, datetime.min.time(), tzinfo=UTC) - timedelta(days=1)
            seen: list[tuple[date, str]] = []
            for _ in range(3 * 24 * 4):
                slot = slot_times.newest_due(moment, zone, timing, "hp")
                if slot is not None and (not seen or seen[-1] != (slot.local_date, slot.label)):
                    seen.append((slot.local_date, slot.label))
                moment += timedelta(minutes=15)
            assert len(seen) == len(set(seen)), (zone, changing)
            whole = [label for day, label in seen if day == changing]
            assert whole == list(spaced), (zone, changing)
