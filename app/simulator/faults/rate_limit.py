"""Clio's rate limit: a number of requests per access token in a window of 60 seconds, reported in three headers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

WINDOW = timedelta(seconds=60)


@dataclass
class Window:
    """The current window of one token."""

    ends: datetime
    used: int = 0


class RateLimit:
    """Counts the requests of each token."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.refused = 0
        self.exhausted_until: datetime | None = None
        self._windows: dict[str, Window] = {}

    def exhaust(self, until: datetime) -> None:
        """Refuse the requests of every token until then, as if each had used up a window that ends then."""
        self.exhausted_until = until

    def recover(self) -> None:
        """Begin again: every token has a new window."""
        self.exhausted_until = None
        self._windows.clear()

    def take(self, token: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """Count a request. Return whether it is allowed, and the headers of its response."""
        window = self._windows.get(token)
        if self.exhausted_until is not None and now < self.exhausted_until:
            window = self._windows[token] = Window(self.exhausted_until, self.limit)
        elif window is None or now >= window.ends:
            window = self._windows[token] = Window(now + WINDOW)
        allowed = window.used < self.limit
        window.used += allowed
        self.refused += not allowed
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - window.used),
            "X-RateLimit-Reset": str(ceil(window.ends.timestamp())),
        }
        if not allowed:
            headers["Retry-After"] = str(max(1, ceil((window.ends - now).total_seconds())))
        return allowed, headers
