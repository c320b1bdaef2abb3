"""The times of slots: when the runs of an account are due [OV-3, row 31]. They follow from the clock alone.

What happens to a slot that is due is in `app/db/runs/slots.py`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.db.runs.slots import Slot
from app.sync.services import Timing

CATCH_UP = timedelta(hours=6)  # a slot that came while no process ran is run if it is not older
_DAYS = range(-1, 3)  # the days around today; with one slot a day the second next is in two days


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of this name. One that this machine does not know counts as UTC: the account keeps its slots."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def newest_due(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> Slot | None:
    """Return the newest slot whose time has come; None if it is longer ago than `CATCH_UP`."""
    due = [slot for slot in _around(now, zone, timing, account_id) if slot.due_at <= now]
    newest = max(due, key=lambda slot: slot.due_at, default=None)
    return newest if newest is not None and now - newest.due_at < CATCH_UP else None


def next_due(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> datetime:
    """Return the time of the account's next slot."""
    return _after(now, zone, timing, account_id)[0]


def overdue_at(since: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> datetime:
    """Return when an account that was synced at `since`, and never later, is overdue: at its second slot after that."""
    return _after(since, zone, timing, account_id)[1]


def _after(moment: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> list[datetime]:
    times = {slot.due_at for slot in _around(moment, zone, timing, account_id)}
    return sorted(due_at for due_at in times if due_at > moment)


def _around(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> Iterator[Slot]:
    """Yield the slots of the days around a moment, each with the account's delay."""
    today = now.astimezone(zone).date()
    delay = _place_in_spread(account_id) * timing.slot_spread
    for days in _DAYS:
        local_date = today + timedelta(days=days)
        for label in timing.slots:
            yield Slot(local_date, label, slot_time(local_date, label, zone) + delay)


def _place_in_spread(account_id: str) -> float:
    """Return the account's part of the spread, from 0 to 1; always the same for an account."""
    return int.from_bytes(blake2b(account_id.encode(), digest_size=4).digest()) / 2**32


@lru_cache(maxsize=10_000)  # the accounts of a zone share their times
def slot_time(local_date: date, label: str, zone: ZoneInfo) -> datetime:
    """Return the time of a slot [row 31].

    Where the clock is set back the local time exists twice: the first is taken. Where the clock is set forward it may
    not exist: the next minute that exists is taken.
    """
    wall = datetime.combine(local_date, time.fromisoformat(label))
    first = wall.replace(tzinfo=zone, fold=0)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        return first.astimezone(UTC)
    minute = min(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    while minute.astimezone(zone).replace(tzinfo=None) < wall:
        minute += timedelta(minutes=1)
    return minute
