"""Pure: how all who use one access token keep its limit together, and who goes first (docs/decisions/0007).

They are given calls of the window that is open; what they are given never comes to more than the limit. Calls given in
one window are not made in the next. Times are seconds of a clock that all share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from math import ceil
from typing import Protocol

WINDOW = 60.0
MARGIN = 1.0  # Clio tells the window's end in whole seconds, and answers take their time
TAIL = 4.0  # in the last seconds nothing goes: it might arrive in Clio's next window, of which our next counts all
END_TOLERANCE = (
    3.0  # so much later an answer may tell the end: whole seconds, the margin, and its way
)
UNRESERVED = (
    1.0  # so long before the tail nothing is kept any more: reads may take the last call too
)
PROBE_INTERVAL = (
    0.2  # while the limit is not known one call goes alone; how soon the others ask again
)
PROBE_TIMEOUT = 5.0  # seconds after which the one who asked is taken for dead


class Lane(IntEnum):
    """Who asks for a call, in the order of right of way."""

    PERSON = 0  # somebody waits before a screen
    WRITE_BACK = 1
    INCREMENTAL = 2
    INITIAL = 3
    RECONCILE = 4

    @property
    def is_urgent(self) -> bool:
        """Whether it takes one call when it has something to ask, and no stock."""
        return self <= Lane.WRITE_BACK


# The share of a window that is kept from a lane for those before it. It melts as the window passes, so that a sync of
# hours delays no note and yet, when nobody writes, all calls are used [S10].
RESERVED_SHARE = {
    Lane.PERSON: 0.0,
    Lane.WRITE_BACK: 0.05,
    Lane.INCREMENTAL: 0.2,
    Lane.INITIAL: 0.25,
    Lane.RECONCILE: 0.3,
}
RESERVATION_SECONDS = WINDOW + MARGIN - TAIL - UNRESERVED  # seconds in which it has melted


class SharedLimit(Protocol):
    """What a call must pass before it may use the budget of its own process."""

    async def enter(self, lane: Lane) -> float:
        """0.0 means go, else ask again after so many seconds."""
        ...

    async def told(self, headers: Mapping[str, str]) -> None:
        """An answer came with these headers."""
        ...


@dataclass(frozen=True)
class Window:
    """The window that is open: its limit, None until an answer told it, the calls given, and when it ends."""

    limit: int | None
    given: int
    ends: float


@dataclass(frozen=True)
class Allotment:
    """Calls that may be made before a moment; with none, how long to wait."""

    calls: int
    until: float
    wait: float = 0.0


def allot(window: Window | None, now: float, *, want: int, lane: Lane) -> tuple[Window, Allotment]:
    """Give calls of the open window, or of a new one when that has ended; answers the window as it is then.

    Clio's window begins with its first call, so ours does too: whoever opens it gets one.
    """
    if window is None or now >= window.ends:
        window = Window(window.limit if window else None, 0, now + WINDOW + MARGIN)
    closes = window.ends - TAIL
    if now >= closes:
        free, again = 0, window.ends - now
    elif window.limit is None:
        free, again = _allowed_probes(window, now) - window.given, PROBE_INTERVAL
    else:
        free, again = _available(window, window.limit, lane, now)
    if free <= 0:
        return window, Allotment(0, now, wait=max(again, PROBE_INTERVAL))
    calls = min(free, 1 if lane.is_urgent else want)
    return replace(window, given=window.given + calls), Allotment(calls, closes)


def _allowed_probes(window: Window, now: float) -> int:
    """Calls that may ask for an unknown limit: one at a time, another when its answer does not come."""
    return 1 + int((now - (window.ends - WINDOW - MARGIN)) / PROBE_TIMEOUT)


def _available(window: Window, limit: int, lane: Lane, now: float) -> tuple[int, float]:
    """The calls that a lane may take now; with none, in how many seconds it may."""
    left = limit - window.given
    if left <= 0:
        return 0, window.ends - now
    share = limit * RESERVED_SHARE[lane]
    melting = max(window.ends - TAIL - UNRESERVED - now, 0.0)
    kept = share * melting / RESERVATION_SECONDS
    if lane.is_urgent:  # rounded so that the last call of all is kept for a note
        free, enough = left - int(kept), left
    else:
        free, enough = left - ceil(kept), left - 1
    if window.given == 0:
        free = max(free, 1)
    return (free, 0.0) if free > 0 else (0, melting - enough / share * RESERVATION_SECONDS)


def update_window(window: Window, now: float, *, limit: int, left: int, reset_in: float) -> Window:
    """What an answer says of the open window, `reset_in` with a margin; one of a window that is over says nothing.

    Where Clio's window ends much later than ours, it began later (a call given was not made, the token is a new one)
    or Clio said to wait: then ours lasts as long, for our next would give the same calls again.
    """
    later = now + reset_in - window.ends
    if limit <= 0 or now >= window.ends or later < -WINDOW / 2:
        return window
    ends = window.ends if 0 <= later <= END_TOLERANCE else now + reset_in
    return Window(limit, max(window.given, limit - left), ends)
