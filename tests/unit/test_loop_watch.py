"""The process ends when its event loop no longer turns, and measures how late its turns are."""

import asyncio
import os
import threading

from app.loop_watch import LOOKS_BEFORE_END, LoopWatch


def looks_until_the_end(watch: LoopWatch, *, beats: int) -> int:
    """Run the watch beside a loop that beats at the first looks only; return the looks until the process ends."""
    looks, codes, done = [0], list[int](), threading.Event()

    def look(_: threading.Event) -> bool:
        looks[0] += 1
        watch._beats += looks[0] <= beats
        return False

    def end(code: int) -> None:
        codes.append(code)
        done.set()

    with watch.end_when_stuck(end=end, wait=look):
        assert done.wait(60)
    assert codes == [os.EX_SOFTWARE]
    return looks[0]


def test_a_loop_that_has_not_turned_for_a_minute_ends_the_process():
    assert looks_until_the_end(LoopWatch(), beats=0) == LOOKS_BEFORE_END + 1


def test_a_loop_that_turns_does_not_end_the_process():
    assert looks_until_the_end(LoopWatch(), beats=100) == 100 + LOOKS_BEFORE_END


def test_the_watch_ends_with_the_loop():
    with LoopWatch().end_when_stuck():
        (thread,) = [one for one in threading.enumerate() if one.name == "loop-watch"]
    thread.join(60)
    assert not thread.is_alive()


async def test_the_loop_beats_until_the_last_work_has_ended(monkeypatch):
    # A process that must stop awaits requests that are under way; that is not a loop that is stuck.
    monkeypatch.setattr("app.loop_watch.BEAT_SECONDS", 0.0)
    watch = LoopWatch()
    async with asyncio.timeout(60):
        with watch.beating():
            while watch._beats < 3:
                await asyncio.sleep(0)
    counted = watch._beats
    await asyncio.sleep(0)
    assert watch._beats == counted


async def test_the_lag_is_by_how_much_a_beat_was_late(monkeypatch):
    monkeypatch.setattr("app.loop_watch.BEAT_SECONDS", 0.0)
    watch = LoopWatch()
    await watch.measure(asyncio.Event())
    assert 0 <= watch.lag < 60
