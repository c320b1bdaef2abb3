"""Pure: how many calls one access token may still make in this window, learnt from what Clio answers.

Clio counts per token in windows of 60 seconds and may change the limit unannounced, so no limit is written here. Who
goes first is not decided here but in `shared`: this guards each process against programs that know nothing of us.
Times are seconds of a monotonic clock of the caller's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.clio.shared_limit import MARGIN, WINDOW, SharedLimit

PROBE_INTERVAL = 0.05  # while nothing is known one call goes alone; how soon the others ask again
MIN_WAIT, MAX_WAIT = 1.0, 900.0


class LocalLimit:
    """The calls left to one token. All who use the token in this process share one.

    What is left of a window is known or not. While it is not (at first, in a new window, after a refusal) one call
    goes alone to ask: with no other under way its answer is exact, and an answer that tells nothing locks nobody out.
    """

    def __init__(self, gate: SharedLimit | None = None) -> None:
        self.gate = gate  # what other processes that use the token must pass too
        self.limit: int | None = None
        self._left: int | None = None  # of this window, those under way already taken off
        self._ends: float | None = None  # when this window ends; known exactly when `_left` is
        self._window = 0.0  # the newest window that was told of: when it ends by Clio's clock
        self._under_way = 0
        self._closed_until = 0.0

    def reserve(self, now: float) -> float:
        """Take a call: 0.0 means go, else ask again after so many seconds."""
        if now < self._closed_until:
            return self._closed_until - now
        if self._ends is not None and now >= self._ends:
            self._forget()
        if self._left is None and self._under_way:
            return PROBE_INTERVAL
        if self._left is not None:
            if self._left <= 0:
                return max((self._ends or now) - now, PROBE_INTERVAL)
            self._left -= 1
        self._under_way += 1
        return 0.0

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """An answer came to a call that was taken: believe its headers where they say less than we thought."""
        self._under_way -= 1
        limit, left = (
            _int_header(headers, "x-ratelimit-limit"),
            _int_header(headers, "x-ratelimit-remaining"),
        )
        if limit is None or limit <= 0 or left is None:
            return
        window = _window_end(headers, self._window)
        asked_alone = self._left is None and not self._under_way
        if window < self._window - WINDOW / 2 and not asked_alone:
            return  # a late answer, of a window that is over
        newer = abs(window - self._window) > WINDOW / 2
        if self._left is None or newer or left < self._left:
            # less than we thought: somebody else uses the token, and Clio may not have seen our calls under way
            self._left = max(left - self._under_way, 0)
        if self._ends is None or newer:
            self._ends = now + _seconds_to_reset(headers)
        self.limit, self._window = limit, window

    def refused(self, headers: Mapping[str, str], now: float) -> float:
        """Clio answered 429 to a call that was taken; answers how long nothing may go."""
        self._under_way -= 1
        told = _int_header(headers, "retry-after")
        wait = _seconds_to_reset(headers) if told is None or told <= 0 else float(told)
        wait = min(max(wait, MIN_WAIT), MAX_WAIT) + MARGIN
        self._closed_until = max(self._closed_until, now + wait)
        self._forget()
        return wait

    def abandoned(self) -> None:
        """No answer came to a call that was taken: it may have been counted all the same, so nothing is given back."""
        self._under_way -= 1

    def returned(self) -> None:
        """A call that was taken is not made after all."""
        self._under_way -= 1
        if self._left is not None:
            self._left += 1

    def expected_seconds(self, calls: int, now: float, *, seconds_per_call: float) -> float:
        """How long so many more calls will take under this budget [IS-2]."""
        own_pace = calls * seconds_per_call
        if not self.limit:
            return own_pace
        left = self.limit if self._left is None else self._left
        if calls <= left:
            return own_pace
        ends = now + WINDOW if self._ends is None else self._ends
        to_reset = max(ends - now, self._closed_until - now, 0.0)
        full_windows, rest = divmod(calls - left - 1, self.limit)
        return max(own_pace, to_reset + full_windows * WINDOW + (rest + 1) * seconds_per_call)

    def _forget(self) -> None:
        self._left = self._ends = None


def response_date(headers: Mapping[str, str]) -> datetime | None:
    """When Clio sent an answer, by its own clock."""
    try:
        sent = parsedate_to_datetime(headers.get("date", ""))
        return sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_limit_headers(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """The limit, what is left of it and the seconds to the window's end, where an answer tells them."""
    limit, again = _int_header(headers, "x-ratelimit-limit"), _int_header(headers, "retry-after")
    if (
        limit is not None and again is not None
    ):  # a refusal: nothing is left, for as long as it says
        return limit, 0, min(max(float(again), MIN_WAIT), MAX_WAIT) + MARGIN
    left = _int_header(headers, "x-ratelimit-remaining")
    return None if limit is None or left is None else (limit, left, _seconds_to_reset(headers))


def _int_header(headers: Mapping[str, str], name: str) -> int | None:
    try:
        return int(headers.get(name, ""))
    except ValueError:
        return None


def _window_end(headers: Mapping[str, str], known: float) -> float:
    """The window that an answer speaks of: its end by Clio's clock; the known one where it names none."""
    reset, sent = _int_header(headers, "x-ratelimit-reset"), response_date(headers)
    if reset is None or sent is None or abs(reset - sent.timestamp()) > 2 * WINDOW:
        return known
    return float(reset)


def _seconds_to_reset(headers: Mapping[str, str]) -> float:
    """Until the window ends, by Clio's own clock: ours may be off."""
    reset, sent = _int_header(headers, "x-ratelimit-reset"), response_date(headers)
    if reset is None or sent is None:
        return WINDOW
    return min(max(reset - sent.timestamp(), 0.0), WINDOW) + MARGIN
