"""The order of an account's runs: which one a lane may work on now. Pure functions; `turns.take_turn` uses them.

One run of an account is at work at a time. A run that reads whole lists waits until the one before it has ended. A run
that reads none goes between two slices of it: a contact run, a run that reads named records, and a rederive run. A
rederive run waits while another run assesses: that one would assess with the settings with which it began [F23]. An
upgrade waits for every other rederive run, and none waits for it, because each slice of it takes the newest settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.lanes import Lane

NOW = timedelta(0)
# The longest time after which a run that must wait is looked at again. The clock of a process that looks may be wrong,
# by a day even; another one then finds that the time has come.
LOOK_AGAIN = timedelta(minutes=2)


@dataclass(frozen=True)
class WaitingRun:
    """An unfinished run. `busy_for` is for how long a worker may still have it; zero if none has it.

    `assesses` says that it has begun to, `rederives` that it assesses all contacts with the newest settings, `upgrades`
    that it is a rederive run because the rules have changed [row 56].
    """

    run_id: str
    lane: Lane
    reads_lists: bool
    begun: bool
    resume_at: datetime | None
    busy_for: timedelta = NOW
    assesses: bool = False
    rederives: bool = False
    upgrades: bool = False


@dataclass(frozen=True)
class Choice:
    """The run to work on, and whether it has begun. Without one nothing is to be done in the lane.

    `after` is the time after which to look again, zero if the run can be worked on now.
    """

    run_id: str
    after: timedelta
    begun: bool = False


def choose(runs: Sequence[WaitingRun], lane: Lane, now: datetime) -> Choice | None:
    """Return the lane's run that can be worked on first. `runs` are all unfinished runs of the account.

    A run that has begun goes before one that has not, even if that one is older: ids are made with the clocks of
    several processes, which may differ.
    """
    reading = min((run for run in runs if run.reads_lists), key=_age, default=None)
    busy_for = max((run.busy_for for run in runs), default=NOW)
    allowed = [
        run
        for run in runs
        if run.lane is lane
        and (run is reading or not run.reads_lists)
        and not _must_wait(run, runs)
    ]
    if not allowed:
        return None
    first = min(allowed, key=lambda run: (_wait(run, now), run.reads_lists, *_age(run)))
    return Choice(first.run_id, max(_wait(first, now), busy_for), first.begun)


def _must_wait(run: WaitingRun, runs: Sequence[WaitingRun]) -> bool:
    others = [other for other in runs if other is not run]
    if run.upgrades:
        return any(other.assesses or other.rederives for other in others if not other.upgrades)
    return run.rederives and any(other.assesses and not other.upgrades for other in others)


def _age(run: WaitingRun) -> tuple[bool, str]:
    return not run.begun, run.run_id


def _wait(run: WaitingRun, now: datetime) -> timedelta:
    return NOW if run.resume_at is None else min(max(run.resume_at - now, NOW), LOOK_AGAIN)
