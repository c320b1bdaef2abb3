"""The end of the process: signals that are deferred or sent with the parent's end, and waits that a stop cuts short."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Defer SIGINT, SIGTERM and SIGHUP until the block has ended, then raise the first one that arrived."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda nth, _: received.append(nth))
        for number in TERMINATION_SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def exit_with_parent(pipe: int) -> None:
    """Send SIGTERM to this process when the other end of the pipe is closed, that is when its parent has ended."""

    def wait() -> None:
        os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


async def wait_for_stop(stopping: asyncio.Event, seconds: float) -> None:
    """Return when the process must stop, or after this time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
