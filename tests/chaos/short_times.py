"""Runs one of our commands with short times: `python -m tests.chaos.short_times serve --port=…`.

A login that fails is set aside after 20 seconds instead of ten minutes. An outage is an issue after a minute instead of
two hours. No variable sets them.
"""

from dataclasses import replace
from datetime import timedelta

from app import main
from app.cli.commands import main as run_command
from app.config import Config
from app.sync.services import Timing

_timing = main._timing


def short_timing(config: Config) -> Timing:
    """Return the configured times with the short ones."""
    times = _timing(config)
    return replace(
        times, set_aside_after=timedelta(seconds=20), outage_issue_after=timedelta(minutes=1)
    )


if __name__ == "__main__":
    main._timing = short_timing
    run_command()
