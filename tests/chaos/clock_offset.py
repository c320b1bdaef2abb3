"""Runs one of our commands with a wrong clock: `python -m tests.chaos.clock_offset FILE serve --port=…`.

The file holds the offset of the clock in seconds. Writing it sets the clock of the running process, as an operator or a
time server would. The monotonic clock does not change.
"""

import sys
import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import time_machine

from app.cli.commands import main
from app.main import now

POLL_INTERVAL = 0.05  # seconds


def follow(file: Path, clock: time_machine.Traveller, offset: float) -> None:
    """Move the clock whenever the offset in the file changes."""
    while True:
        time.sleep(POLL_INTERVAL)
        new = read_offset(file)
        if new != offset:
            clock.shift(timedelta(seconds=new - offset))
            offset = new


def read_offset(file: Path) -> float:
    """Return the offset in the file, or 0 if there is no file."""
    return float(file.read_text()) if file.exists() else 0.0


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    offset = read_offset(file)
    clock = time_machine.travel(now() + timedelta(seconds=offset), tick=True).start()
    Thread(target=follow, args=(file, clock, offset), daemon=True).start()
    main()
