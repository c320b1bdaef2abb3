"""The start of a command: what happens to a signal that arrives meanwhile."""

import gc
import signal
import weakref

import pytest

from app.cli.startup import spare_collector


class Circle:
    """What only the garbage collector can free."""

    def __init__(self) -> None:
        self.me = self


def test_a_stop_while_the_collector_calls_back_ends_the_process(monkeypatch: pytest.MonkeyPatch):
    # Python ignores what a handler raises there: the process would run on, and never hear of the stop again
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)

    def end(*_: object) -> None:
        raise SystemExit(0)

    gc.disable()  # nobody but the tested function frees the circle
    before = signal.signal(signal.SIGTERM, end)
    callback = weakref.ref(Circle(), lambda _: signal.raise_signal(signal.SIGTERM))
    try:
        with pytest.raises(SystemExit):
            spare_collector()
    finally:
        signal.signal(signal.SIGTERM, before)
        gc.enable()
    assert callback() is None
