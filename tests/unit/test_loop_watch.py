"""The process ends when its event loop no longer turns, and measures how late its turns are."""

import asyncio
import os
import threading

from app.loop_watch import LOOKS_BEFORE_END, LoopWatch


def watched(beats_until: int) -> tuple[int, list[int]]:
    """Run the watch on a loop that beats until a number of looks; return all looks and the exit codes."""
    watch, looks, codes, done = LoopWatch(), [0], [], threading.Event()

    def look(_: float) -> None:
        looks[0] += 1
        if looks[0] <= beats_until:
            watch._beats += 1

    def end(code: int) -> None:
        codes.append(code)
        done.set()

    watch.end_when_stuck(end=end, wait=look)
    assert done.wait(60)
    return looks[0], codes


def test_a_loop_that_has_not_turned_for_a_minute_ends_the_process():
    assert watched(beats_until=0) == (LOOKS_BEFORE_END + 1, [os.EX_SOFTWARE])


def test_a_loop_that_turns_does_not_end_the_process():
    looks, _ = watched(beats_until=100)
    assert looks == 100 + LOOKS_BEFORE_END


async def test_the_lag_is_by_how_much_a_beat_was_late(monkeypatch):
    monkeypatch.setattr("app.loop_watch.BEAT_SECONDS", 0.0)
    watch = LoopWatch()
    await watch.beat(asyncio.Event())
    assert 0 <= watch.lag < 60
