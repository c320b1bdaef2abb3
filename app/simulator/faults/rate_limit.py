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
        self._windows: dict[str, Window] = {}

    def take(self, token: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """Count a request. Return whether it is allowed, and the headers of its response."""
        window = self._windows.get(token)
        if window is None or now >= window.ends:
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
