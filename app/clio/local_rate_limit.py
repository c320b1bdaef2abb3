"""The local rate limit: how many requests one process may still send with an access token. No I/O.

Clio counts requests per token in windows of 60 seconds and may change the limit at any time, so the limit is learnt
from the headers of responses. `shared_rate_limit` decides on priorities. This module protects each process also against
other programs that use the same token. Times are seconds of the caller's monotonic clock.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.clio.shared_rate_limit import MARGIN, WINDOW, SharedLimit

# seconds; while the limit is unknown, one request goes alone, and the others try again after this time
PROBE_INTERVAL = 0.05
MIN_WAIT, MAX_WAIT = 1.0, 900.0


class LocalLimit:
    """The requests left to one token in this process. All users of the token in the process share one object.

    How many requests are left in a window may be unknown: at the start, in a new window, after a 429. Then one request
    goes alone. With no other request in flight its response is exact, and a response without headers blocks nobody.
    """

    def __init__(self, shared: SharedLimit | None = None) -> None:
        self.shared = shared  # the limit that other processes with the same token use too
        self.limit: int | None = None
        self._left: int | None = None  # in this window, without the requests in flight
        self._ends: float | None = None  # when this window ends; known exactly when `_left` is
        self._window = 0.0  # the end of the newest window in a response, by Clio's clock
        self._in_flight = 0
        self._closed_until = 0.0

    def reserve(self, now: float) -> float:
        """Reserve one request. Return 0.0 if it may be sent, else the seconds after which to try again."""
        if now < self._closed_until:
            return self._closed_until - now
        if self._ends is not None and now >= self._ends:
            self._forget()
        if self._left is None and self._in_flight:
            return PROBE_INTERVAL
        if self._left is not None:
            if self._left <= 0:
                return max((self._ends or now) - now, PROBE_INTERVAL)
            self._left -= 1
        self._in_flight += 1
        return 0.0

    def record_response(self, headers: Mapping[str, str], now: float) -> None:
        """Record the response to a reserved request. Its headers count if they say that fewer requests are left."""
        self._in_flight -= 1
        limit, left = (
            _int_header(headers, "x-ratelimit-limit"),
            _int_header(headers, "x-ratelimit-remaining"),
        )
        if limit is None or limit <= 0 or left is None:
            return
        window = _window_end(headers, self._window)
        asked_alone = self._left is None and not self._in_flight
        if window < self._window - WINDOW / 2 and not asked_alone:
            return  # a late response, from a window that has ended
        newer = abs(window - self._window) > WINDOW / 2
        if self._left is None or newer or left < self._left:
            # fewer than expected: another program uses the token, and Clio may not have counted our requests in flight
            self._left = max(left - self._in_flight, 0)
        if self._ends is None or newer:
            self._ends = now + _seconds_to_reset(headers)
        self.limit, self._window = limit, window

    def record_rate_limited(self, headers: Mapping[str, str], now: float) -> float:
        """Record a 429 for a reserved request. Return the seconds in which no request may be sent."""
        self._in_flight -= 1
        after = _int_header(headers, "retry-after")
        wait = _seconds_to_reset(headers) if after is None or after <= 0 else float(after)
        wait = min(max(wait, MIN_WAIT), MAX_WAIT) + MARGIN
        self._closed_until = max(self._closed_until, now + wait)
        self._forget()
        return wait

    def record_no_response(self) -> None:
        """Record that a reserved request got no response. Clio may have counted it, so it is not given back."""
        self._in_flight -= 1

    def release(self) -> None:
        """Give back a reserved request that was not sent."""
        self._in_flight -= 1
        if self._left is not None:
            self._left += 1

    def expected_seconds(self, calls: int, now: float, *, seconds_per_call: float) -> float:
        """Return how many seconds `calls` more requests will take under this limit [IS-2]."""
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
    """Return when Clio sent a response, by Clio's clock, or None if the header is missing."""
    try:
        sent = parsedate_to_datetime(headers.get("date", ""))
        return sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_limit_headers(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """Return the limit, the requests left and the seconds to the window's end, or None if the headers lack them."""
    limit, after = _int_header(headers, "x-ratelimit-limit"), _int_header(headers, "retry-after")
    if limit is not None and after is not None:  # a 429: nothing is left until then
        return limit, 0, min(max(float(after), MIN_WAIT), MAX_WAIT) + MARGIN
    left = _int_header(headers, "x-ratelimit-remaining")
    return None if limit is None or left is None else (limit, left, _seconds_to_reset(headers))


def _int_header(headers: Mapping[str, str], name: str) -> int | None:
    try:
        return int(headers.get(name, ""))
    except ValueError:
        return None


def _window_end(headers: Mapping[str, str], known: float) -> float:
    """Return the end of the response's window by Clio's clock, or the known one if the headers lack it."""
    reset, sent = _int_header(headers, "x-ratelimit-reset"), response_date(headers)
    if reset is None or sent is None or abs(reset - sent.timestamp()) > 2 * WINDOW:
        return known
    return float(reset)


def _seconds_to_reset(headers: Mapping[str, str]) -> float:
    """Return the seconds until the window ends, computed with Clio's clock because ours may be wrong."""
    reset, sent = _int_header(headers, "x-ratelimit-reset"), response_date(headers)
    if reset is None or sent is None:
        return WINDOW
    return min(max(reset - sent.timestamp(), 0.0), WINDOW) + MARGIN
