"""Pure: how many calls one access token may still make in this window, learnt from what Clio answers.

Clio counts per token in windows of 60 seconds and may change the limit unannounced, so no limit is written here.
Times are seconds of a monotonic clock of the caller's.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import IntEnum

WINDOW = 60.0
MARGIN = 0.5  # Clio tells the window's end in whole seconds
PROBE = 0.05  # while nothing is known one call goes alone; how soon the others ask again
SHORTEST, LONGEST = 1.0, 900.0
# This share of a window is kept from the lanes below write-back. It melts as the window passes, so that a sync of
# hours delays a note by seconds and yet, when nobody writes, all calls but the last are used [S10].
KEPT = 0.2


class Lane(IntEnum):
    """Who asks for a call, in the order of right of way."""

    PERSON = 0  # somebody waits before a screen
    WRITE_BACK = 1
    INCREMENTAL = 2
    INITIAL = 3
    RECONCILE = 4


class Budget:
    """The calls left to one token. All who use the token in this process share one."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._left: int | None = None  # of this window, those under way already taken off
        self._ends: float | None = (
            None  # when this window ends, None when a new one has not told yet
        )
        self._under_way = 0
        self._closed_until = 0.0

    def reserve(self, now: float, lane: Lane = Lane.PERSON) -> float:
        """Take a call: 0.0 means go, else ask again after so many seconds."""
        if now < self._closed_until:
            return self._closed_until - now
        if self._ends is not None and now >= self._ends:
            self._ends, self._left = None, self.limit
        if self._left is None and self._under_way:
            return PROBE
        if self._left is not None and self._left <= 0:
            return PROBE if self._ends is None else max(self._ends - now, PROBE)
        if self._left is not None and lane > Lane.WRITE_BACK and self._left <= self._kept(now):
            return max(WINDOW / (self.limit or 1), PROBE)
        if self._left is not None:
            self._left -= 1
        self._under_way += 1
        return 0.0

    def _kept(self, now: float) -> int:
        """The calls that are kept for people and write-backs at this point of the window."""
        to_come = 1.0 if self._ends is None else (self._ends - now) / WINDOW
        return int((self.limit or 0) * KEPT * min(to_come, 1.0))

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """An answer came to a call that was taken: believe its headers where they say less than we thought."""
        self._under_way -= 1
        limit, left = (
            _number(headers, "x-ratelimit-limit"),
            _number(headers, "x-ratelimit-remaining"),
        )
        if limit is None or left is None:
            return
        ends = now + _seconds_to_reset(headers)
        next_window = self._ends is not None and ends > self._ends + WINDOW / 2
        if next_window or self._left is None:
            self._left = max(left - self._under_way, 0)
        else:
            self._left = min(self._left, left)
        self.limit, self._ends = limit, ends

    def refused(self, headers: Mapping[str, str], now: float) -> float:
        """Clio answered 429 to a call that was taken; answers how long nothing may go."""
        self._under_way -= 1
        told = _number(headers, "retry-after")
        wait = _seconds_to_reset(headers) if told is None or told <= 0 else float(told)
        wait = min(max(wait, SHORTEST), LONGEST) + MARGIN
        self._closed_until = now + wait
        self._ends, self._left = None, self.limit
        return wait

    def abandoned(self) -> None:
        """No answer came to a call that was taken: it may have been counted all the same."""
        self._under_way -= 1

    def expected_seconds(self, calls: int, now: float, *, seconds_per_call: float) -> float:
        """How long so many more calls will take under this budget [IS-2]."""
        own_pace = calls * seconds_per_call
        left = self._left if self._left is not None else calls
        if calls <= left or not self.limit:
            return own_pace
        to_reset = max((self._ends or now) - now, self._closed_until - now, 0.0)
        full_windows, rest = divmod(calls - left - 1, self.limit)
        return max(own_pace, to_reset + full_windows * WINDOW + (rest + 1) * seconds_per_call)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    try:
        return int(headers.get(name, ""))
    except ValueError:
        return None


def _seconds_to_reset(headers: Mapping[str, str]) -> float:
    """Until the window ends, by Clio's own clock: ours may be off."""
    reset = _number(headers, "x-ratelimit-reset")
    try:
        sent = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return WINDOW
    if reset is None:
        return WINDOW
    return min(max(reset - sent, 0.0), WINDOW) + MARGIN
