"""Signals that come at a bad moment: what was begun is finished first, then they act. And one that must come."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def defer_signals() -> Iterator[None]:
    """What would end the process waits until the block has ended, and ends it then."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda nth, _: came.append(nth))
        for number in TERMINATION_SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def exit_with_parent(pipe: int) -> None:
    """End this process, as if asked to, when nobody holds the other end of the pipe: its parent is gone, however."""

    def wait() -> None:
        os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
