"""`LoopWatch`: measures the delay of the event loop, and ends the process when the loop no longer turns."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from app.shutdown import wait_for_stop

BEAT_SECONDS = 1.0
LOOK_SECONDS = 5.0
LOOKS_BEFORE_END = 12  # in a row without a beat: the loop has not turned for 60 s

log = structlog.get_logger(__name__)


class LoopWatch:
    """The beats of one event loop. `lag` is by how many seconds the last beat was late."""

    def __init__(self) -> None:
        self.lag = 0.0
        self._beats = 0

    async def measure(self, stopping: asyncio.Event) -> None:
        """Measure one beat, or return when the process must stop."""
        asked = time.monotonic()
        await wait_for_stop(stopping, BEAT_SECONDS)
        self.lag = max(0.0, time.monotonic() - asked - BEAT_SECONDS)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat while the block runs, also when the process must stop: requests under way may take over a minute."""
        loop = asyncio.get_running_loop()
        next_: list[asyncio.Handle] = []

        def beat() -> None:
            self._beats += 1
            next_[:] = [loop.call_later(BEAT_SECONDS, beat)]

        beat()
        try:
            yield
        finally:
            next_.pop().cancel()

    @contextmanager
    def end_when_stuck(
        self,
        end: Callable[[int], object] = os._exit,
        wait: Callable[[threading.Event], bool] = lambda ended: ended.wait(LOOK_SECONDS),
    ) -> Iterator[None]:
        """End the process with code 70 when the loop has not turned for a minute while the block runs.

        A thread counts its own looks, not seconds: after a process was paused both of them go on.
        """
        ended = threading.Event()

        def look() -> None:
            looks, last = 0, -1
            while looks < LOOKS_BEFORE_END:
                if wait(ended):
                    return
                looks, last = (looks + 1, last) if last == self._beats else (0, self._beats)
            log.critical("process_ends", reason="the event loop has not turned for 60 seconds")
            end(os.EX_SOFTWARE)

        threading.Thread(target=look, name="loop-watch", daemon=True).start()
        try:
            yield
        finally:
            ended.set()
