"""The shared rate limit: how all processes keep the limit of one access token, by priority (docs/decisions/0007).

Processes get allotments of requests in the open window; together they never exceed the limit. Requests of one window
are not sent in the next. The last seconds of a window are its *tail*: Clio may count a request of these seconds in its
next window already. Only urgent requests start then, and they count in both. Times are seconds of a clock that all
processes share. No I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Protocol

from app.lanes import Lane

WINDOW = 60.0
MARGIN = 1.0  # Clio gives the window's end in whole seconds, and responses take time
TAIL = 4.0  # the last seconds of a window
END_TOLERANCE = 3.0  # how much later a response may put the end: whole seconds, the margin, and the way of the response
UNRESERVED = 1.0  # this long before the tail nothing is reserved any more: reads may use the last request too
ASSUMED_LIMIT = (
    50  # requests a minute where no response says it: Clio's lowest documented limit (clio.md §9)
)
PROBE_INTERVAL = 0.2  # while the limit is unknown, one request goes alone, and the others try again after this time
PROBE_TIMEOUT = 5.0  # seconds without a response after which another probe may go


# The share of a window that a lane must leave for the lanes above it. It shrinks while the window passes, so that a
# sync of hours delays no note, and all requests are used if nobody writes [S10].
RESERVED_SHARE = {
    Lane.PERSON: 0.0,
    Lane.WRITE_BACK: 0.05,
    Lane.INCREMENTAL: 0.2,
    Lane.INITIAL: 0.25,
    Lane.RECONCILE: 0.3,
}
RESERVATION_SECONDS = WINDOW + MARGIN - TAIL - UNRESERVED  # seconds until it is zero


class SharedLimit(Protocol):
    """The limit that all processes with the same token share."""

    async def acquire(self, lane: Lane) -> float:
        """Acquire one request. Return 0.0 if it may be sent, else the seconds after which to try again."""
        ...

    def give_back(self, lane: Lane) -> None:
        """Keep a request that was acquired and not sent for the next one of this process."""
        ...

    async def record_response(self, headers: Mapping[str, str]) -> None:
        """Record the rate limit headers of a response."""
        ...


@dataclass(frozen=True)
class Window:
    """The open window: its limit (None until a response contains it), the requests given, and its end.

    `tail` are the requests given in its tail.
    """

    limit: int | None
    given: int
    ends: float
    tail: int = 0


@dataclass(frozen=True)
class Allotment:
    """A number of requests that may start before `until`; if it is zero, the seconds to wait.

    `report` says that the response is needed at once: it shows the limit, or when Clio's window began.
    """

    calls: int
    until: float
    wait: float = 0.0
    report: bool = False


def allot(window: Window | None, now: float, *, want: int, lane: Lane) -> tuple[Window, Allotment]:
    """Allot requests of the open window, or of a new one if it has ended. Return the changed window and the allotment.

    Clio's window begins with its first request, so ours does too: the first caller always gets one.
    """
    opens = window is None or now >= window.ends
    if window is None or opens:
        window = _next_window(window, now)
    closes = window.ends - TAIL
    if now >= closes:
        return _allot_in_tail(window, now, lane)
    if window.limit is None:
        free, again = _allowed_probes(window, now) - window.given, PROBE_INTERVAL
    else:
        free, again = _available(window, window.limit, lane, now)
    if free <= 0:
        return window, _nothing(now, again)
    calls = min(free, 1 if lane.is_urgent else want)
    given = replace(window, given=window.given + calls)
    return given, Allotment(calls, closes, report=opens or window.limit is None)


def _next_window(last: Window | None, now: float) -> Window:
    """Return the window that opens now. Requests of the last one's tail count in it, too."""
    ends = now + WINDOW + MARGIN
    return Window(last.limit, last.tail, ends) if last else Window(None, 0, ends)


def _allot_in_tail(window: Window, now: float, lane: Lane) -> tuple[Window, Allotment]:
    """Allot one request in the tail, if it is urgent and the window has one left."""
    left = 0 if window.limit is None else window.limit - window.given
    if left <= 0 or not lane.is_urgent:
        return window, _nothing(now, window.ends - now)
    given = replace(window, given=window.given + 1, tail=window.tail + 1)
    return given, Allotment(1, window.ends, report=True)


def _nothing(now: float, wait: float) -> Allotment:
    return Allotment(0, now, wait=max(wait, PROBE_INTERVAL))


def _allowed_probes(window: Window, now: float) -> int:
    """Return how many requests may have been sent to learn an unknown limit: one, and one more per probe timeout."""
    return 1 + int((now - (window.ends - WINDOW - MARGIN)) / PROBE_TIMEOUT)


def _available(window: Window, limit: int, lane: Lane, now: float) -> tuple[int, float]:
    """Return the requests that a lane may take now; if zero, also the seconds until it may."""
    left = limit - window.given
    if left <= 0:
        return 0, window.ends - now
    share = limit * RESERVED_SHARE[lane]
    remaining = max(window.ends - TAIL - UNRESERVED - now, 0.0)
    reserved = share * remaining / RESERVATION_SECONDS
    if lane.is_urgent:  # rounded so that the last request of all is reserved for a note
        free, enough = left - int(reserved), left
    else:
        free, enough = left - ceil(reserved), left - 1
    if window.given == 0:
        free = max(free, 1)
    return (free, 0.0) if free > 0 else (0, remaining - enough / share * RESERVATION_SECONDS)


def assume_limit(window: Window) -> Window:
    """Return the window with the documented limit, if no response has shown one: a proxy may remove the headers."""
    return window if window.limit is not None else replace(window, limit=ASSUMED_LIMIT)


def update_window(window: Window, now: float, *, limit: int, left: int, reset_in: float) -> Window:
    """Return the window after a response. `reset_in` includes the margin; a response from an ended window is ignored.

    One whose window ends much sooner than ours is taken for such a response, unless the limit is unknown: Clio's window
    may have begun with the request that identified the user, and requests would go one by one until it ends.

    If Clio's window ends much later than ours, it began later (an allotted request was not sent, or the token is new),
    or Clio told us to wait. Then ours is extended, because the next window would allot the same requests again. If
    Clio's window began with a request of our tail, the requests of the tail are all that Clio can have counted in it.
    """
    later = now + reset_in - window.ends
    if limit > 0 and window.tail and later >= WINDOW + MARGIN - TAIL:
        return Window(limit, max(window.tail, limit - left), now + reset_in)
    if limit <= 0 or now >= window.ends:
        return window
    if later < -WINDOW / 2 and window.limit is not None:
        return window
    ends = window.ends if 0 <= later <= END_TOLERANCE else now + reset_in
    return Window(limit, max(window.given, limit - left), ends, window.tail)
