"""Waiting for real processes: these loops ask again until a condition holds, and fail when it takes too long.

Tests with an event loop do not wait here. They await an event or `World.none_left`.
"""

import time
from collections.abc import Callable, Collection
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0  # seconds after which a wait fails
POLL_SECONDS = 0.1


def wait_for(find: Callable[[], T | None], what: str, *, patience: float = PATIENCE) -> T:
    """Call `find` until it returns something, and return that. A failure says `what` was wrong."""
    deadline = time.monotonic() + patience
    while (found := find()) is None:
        assert time.monotonic() < deadline, what
        time.sleep(POLL_SECONDS)
    return found


def wait_until(condition: Callable[[], bool], what: str, *, patience: float = PATIENCE) -> None:
    """Wait until the condition holds. A failure says `what` was wrong."""
    wait_for(lambda: condition() or None, what, patience=patience)


def wait_until_none_left(
    find: Callable[[], Collection[object]], what: str, *, patience: float = PATIENCE
) -> None:
    """Wait until `find` returns nothing. A failure says `what` was wrong, and shows the first that are left."""
    deadline = time.monotonic() + patience
    while left := find():
        assert time.monotonic() < deadline, f"{what}: {list(left)[:3]}"
        time.sleep(POLL_SECONDS)
