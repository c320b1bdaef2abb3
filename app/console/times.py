"""Times, durations and counts as a person reads them: in the firm's zone, short in the text and in full on hover."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import (
    format_date,
    format_datetime,
    format_time,
    format_timedelta,
    get_timezone_name,
)

LOCALE = "en_US"
_NEAR = {0: "today", 1: "yesterday", -1: "tomorrow"}  # by the days since


@dataclass(frozen=True)
class Moment:
    """A moment in three forms: for machines, in full, and short."""

    iso: str
    full: str
    text: str


@dataclass(frozen=True)
class Times:
    """Formats times as they are now in a firm's zone."""

    zone: ZoneInfo
    now: datetime

    @property
    def zone_name(self) -> str:
        """The zone's name in words, such as Eastern Time."""
        return get_timezone_name(self.zone, locale=LOCALE)

    def moment(self, at: datetime, joined: str = " at ") -> Moment:
        """Return a moment; the text has the time of day if it is today or yesterday, `today at 6:04 AM`."""
        local = at.astimezone(self.zone)
        return Moment(at.astimezone(UTC).isoformat(), self.full(at), self._text(local, joined))

    def day(self, at: datetime) -> Moment:
        """Return a moment whose text is the date alone: `January 12`, with the year if it is another one."""
        local = at.astimezone(self.zone)
        return Moment(at.astimezone(UTC).isoformat(), self.full(at), self._day(local.date()))

    def stamp(self, at: datetime) -> Moment:
        """Return a moment whose text has date and time, for lists: `Mar 2, 6:09 PM`."""
        local = at.astimezone(self.zone)
        year = "" if local.year == self.today.year else " y,"
        text = format_datetime(local, f"MMM d,{year} h:mm a", locale=LOCALE)
        return Moment(at.astimezone(UTC).isoformat(), self.full(at), text)

    def ago(self, at: datetime) -> Moment:
        """Return a moment whose text is the time since then, `6 days ago`, for readers in other zones."""
        text = format_timedelta(at - self.now, add_direction=True, locale=LOCALE)
        return Moment(at.astimezone(UTC).isoformat(), self.full(at), text)

    def full(self, at: datetime) -> str:
        """Return the whole time with its zone: `Tuesday, March 3, 2026, 6:04:11 AM Eastern Time`."""
        local = at.astimezone(self.zone)
        return f"{format_datetime(local, 'EEEE, MMMM d, y, h:mm:ss a', locale=LOCALE)} {self.zone_name}"

    def short_date(self, day: date) -> str:
        """Return a date, with its year if it is another one: `January 12`."""
        return self._day(day)

    def whole_date(self, day: date) -> str:
        """Return a date with its year: `March 9, 1984`."""
        return format_date(day, "MMMM d, y", locale=LOCALE)

    @property
    def today(self) -> date:
        """The date in the firm's zone."""
        return self.now.astimezone(self.zone).date()

    def _text(self, local: datetime, joined: str) -> str:
        clock = format_time(local, "h:mm a", locale=LOCALE)
        word = _NEAR.get((self.today - local.date()).days)
        return f"{word}{joined}{clock}" if word else self._day(local.date())

    def _day(self, day: date) -> str:
        pattern = "MMMM d" if day.year == self.today.year else "MMMM d, y"
        return format_date(day, pattern, locale=LOCALE)


def duration(length: timedelta | float) -> str:
    """Return a length of time in words that are as exact as it matters: `3 min 40 s`, `about 1 hour 10 minutes`."""
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def time_left(seconds: int) -> str:
    """Return an estimate in words: `less than a minute`, `about 4 minutes`, `about 1 hour 10 minutes`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{n} {word}{'' if n == 1 else 's'}"
        for n, word in ((hours, "hour"), (minutes, "minute"))
        if n
    ]
    return "about " + " ".join(parts)
