"""Runs one of our commands with short minutes of Clio, and writes what each regular task has cost.

    python -m benchmarks.many_firms.short_minutes FILE worker

A minute of Clio has six seconds here: the window of the rate limit, the end of a window that is kept for notes, and the
minute in which webhooks become one run. No variable sets them. Leases, heartbeats and the regular tasks keep their
times. So do the margins of the rate limit that come from Clio's headers, which tell whole seconds.

Each turn of a regular task becomes a line of the file: its name, when it ended, its seconds and the CPU seconds of the
process meanwhile, which are those of the task while the process has nothing else to do.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from app.cli.commands import main
from app.clio import local_rate_limit, shared_rate_limit
from app.sync import background, scheduler
from app.sync.connections import clio_webhooks

SHORTER = 10  # a minute of Clio is so many times shorter
WINDOW = shared_rate_limit.WINDOW / SHORTER

Turn = Callable[..., Awaitable[Any]]


def shorten_minutes() -> None:
    """Make Clio's minutes short in this process."""
    for module in (shared_rate_limit, local_rate_limit):
        vars(module)["WINDOW"] = WINDOW
    shared_rate_limit.TAIL /= SHORTER
    shared_rate_limit.UNRESERVED /= SHORTER
    shared_rate_limit.RESERVATION_SECONDS = (
        WINDOW + shared_rate_limit.MARGIN - shared_rate_limit.TAIL - shared_rate_limit.UNRESERVED
    )
    clio_webhooks.BURST_WINDOW /= SHORTER
    clio_webhooks.RUN_DELAY /= SHORTER
    clio_webhooks.BURST_RUN_DELAY /= SHORTER
    assert timedelta(seconds=WINDOW) == clio_webhooks.BURST_WINDOW


def time_tasks(file: Path) -> None:
    """Write what each turn of a regular task costs from now on."""
    vars(scheduler)["_TASKS"] = tuple(
        (_timed(step, file), every) for step, every in scheduler._TASKS
    )
    vars(background)["measure"] = _timed(background.measure, file)


def _timed(step: Turn, file: Path) -> Any:
    @wraps(step)
    async def turn(*arguments: Any) -> Any:
        seconds, cpu = time.monotonic(), time.process_time()
        result = await step(*arguments)
        line = {
            "task": turn.__name__,
            "at": time.time(),  # noqa: TID251  # compared with the times of the phases
            "seconds": time.monotonic() - seconds,
            "cpu": time.process_time() - cpu,
        }
        with file.open("a") as opened:
            opened.write(json.dumps(line) + "\n")
        return result

    return turn


if __name__ == "__main__":
    written = Path(sys.argv.pop(1))
    shorten_minutes()
    time_tasks(written)
    main()
