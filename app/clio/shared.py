"""Pure: how the processes that use one access token keep its limit together (docs/decisions/0007).

One of them at a time is given calls of the window that is open, a few at once; what they are given never comes to more
than the limit. Calls given in one window are not made in the next. Times are seconds of a clock that all share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

WINDOW = 60.0
MARGIN = 1.0  # Clio tells the window's end in whole seconds, and answers take their time
TAIL = 4.0  # in the last seconds nothing goes: it might arrive in Clio's next window, of which our next counts all
PROBE = 0.2  # while the limit is not known one call goes alone; how soon the others ask again


class Gate(Protocol):
    """What a call must pass before it may use the budget of its own process."""

    async def enter(self) -> float:
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


UNANSWERED = 5.0  # seconds after which the one who asked is taken for dead


@dataclass(frozen=True)
class Given:
    """Calls that may be made before a moment; with none, how long to wait."""

    calls: int
    until: float
    wait: float = 0.0


def give(window: Window | None, now: float, *, want: int) -> tuple[Window, Given]:
    """Give calls of the open window, or of a new one when that has ended; answers the window as it is then."""
    if window is None or now >= window.ends:
        limit = window.limit if window else None
        window = Window(limit, 0, now + WINDOW + MARGIN)
    left = (window.limit or _probes(window, now)) - window.given
    if left <= 0 or now >= window.ends - TAIL:
        probing = window.limit is None and now < window.ends - TAIL
        wait = PROBE if probing else window.ends - now
        return window, Given(0, now, wait=max(wait, PROBE))
    calls = min(want, left)
    return replace(window, given=window.given + calls), Given(calls, window.ends - TAIL)


def _probes(window: Window, now: float) -> int:
    """Calls that may ask for an unknown limit: one at a time, another when its answer does not come."""
    return 1 + int((now - (window.ends - WINDOW - MARGIN)) / UNANSWERED)


def learn(window: Window, now: float, *, limit: int, left: int, reset_in: float) -> Window:
    """What an answer says of the open window, `reset_in` with a margin; one of a window that is over says nothing."""
    ends = now + reset_in
    if limit <= 0 or now >= window.ends or abs(ends - window.ends) > WINDOW / 2:
        return window
    return Window(limit, max(window.given, limit - left), min(ends, window.ends))
