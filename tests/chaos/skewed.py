"""One of our commands in a process whose date is set from outside: `python -m tests.chaos.skewed FILE serve --port=…`.

The file holds the seconds by which the process's clock is off; whoever writes it sets the clock of the running process,
as an operator or a time server would. What measures how long something takes (the monotonic clock) goes on as it was.
"""

import sys
import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import time_machine

from app.cli.commands import main
from app.main import now

LOOK_EVERY = 0.05


def follow(file: Path, clock: time_machine.Traveller, off: float) -> None:
    """Keep the clock as wrong as the file says."""
    while True:
        time.sleep(LOOK_EVERY)
        wanted = seconds_of(file)
        if wanted != off:
            clock.shift(timedelta(seconds=wanted - off))
            off = wanted


def seconds_of(file: Path) -> float:
    """What the file says; a process that was never touched goes right."""
    return float(file.read_text()) if file.exists() else 0.0


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    off = seconds_of(file)
    clock = time_machine.travel(now() + timedelta(seconds=off), tick=True).start()
    Thread(target=follow, args=(file, clock, off), daemon=True).start()
    main()
