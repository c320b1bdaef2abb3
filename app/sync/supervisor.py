"""The supervisor: keeps the background parts of a process running, and knows the state of each.

A part is the scheduler, one of its tasks, a lane's worker or the listener. A part that fails is started again after a
delay, and no part ends another. A database that is away is never a reason to end the process. A part that keeps
failing for another reason is one, because a new process may repair what this one cannot.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum

import structlog

from app.db.failures import Reaction, causes, reaction_to
from app.shutdown import wait_for_stop

FIRST_DELAY = 1.0  # seconds until the first new start; each further delay is twice as long
LONGEST_DELAY = 60.0
LONGEST_DATABASE_DELAY = 3.0  # so that everything works again soon after the database is back
FAILURES_BEFORE_END = 10  # defects of one part within `FAILURES_WITHIN` seconds end the process
FAILURES_WITHIN = 600.0
LATE_INTERVALS = 3  # a part is late when it has finished no turn for so many of its intervals
STUCK_INTERVALS = 10  # and stuck after so many, but not before `STUCK_SECONDS`
STUCK_SECONDS = 60.0

log = structlog.get_logger(__name__)

Turn = Callable[[], Awaitable[object]]


class State(StrEnum):
    """The state of a part."""

    RUNNING = "running"
    WAITING_FOR_DATABASE = "waiting_for_database"
    RESTARTING = "restarting"
    STUCK = "stuck"


class Part:
    """One part: it reports each turn that it finished, and each failure. All times are seconds of `monotonic`."""

    def __init__(self, name: str, *, interval: float, monotonic: Callable[[], float]) -> None:
        self.name = name
        self.interval = interval
        self.restarts = 0
        self.last_turn = self._last_sign = monotonic()
        self._monotonic = monotonic
        self._failing: Reaction | None = None
        self._delay = FIRST_DELAY
        self._defects: deque[float] = deque(maxlen=FAILURES_BEFORE_END)

    def turned(self) -> None:
        """Report a turn that was finished."""
        self.last_turn = self._last_sign = self._monotonic()
        if self._failing is not None:
            log.info("part_recovered", part=self.name)
        self._failing, self._delay = None, FIRST_DELAY

    def failed(self, failure: BaseException) -> float:
        """Report a failure; return after how many seconds to try again. Of several of one kind only one is logged."""
        now, reaction = self._monotonic(), reaction_to(failure)
        if self._failing is not reaction:
            _log_first(self.name, failure, reaction)
        self._failing, self._last_sign = reaction, now
        self.restarts += 1
        if reaction is Reaction.REPORT:
            self._defects.append(now)
        longest = LONGEST_DELAY if reaction is Reaction.REPORT else LONGEST_DATABASE_DELAY
        delay, self._delay = min(self._delay, longest), min(self._delay * 2, longest)
        return delay

    def keeps_failing(self) -> bool:
        """Return whether this part has failed so often that the process must end."""
        full = len(self._defects) == FAILURES_BEFORE_END
        return full and self._defects[-1] - self._defects[0] <= FAILURES_WITHIN

    def age(self) -> float:
        """Return how many seconds ago the last turn was finished."""
        return self._monotonic() - self.last_turn

    def is_late(self) -> bool:
        """Return whether the part has finished no turn for three of its intervals."""
        return self.age() > LATE_INTERVALS * self.interval

    def state(self, *, answering: float | None) -> State:
        """Return the state. `answering` is for how many seconds the database has answered, None if it does not.

        A part is stuck only if the database answered all the time: otherwise it waits for the database.
        """
        silent = self._monotonic() - self._last_sign
        longest = max(STUCK_INTERVALS * self.interval, STUCK_SECONDS)
        if answering is not None and min(silent, answering) > longest:
            return State.STUCK
        if self._failing is Reaction.REPORT:
            return State.RESTARTING
        if self._failing is not None or (answering is None and self.is_late()):
            return State.WAITING_FOR_DATABASE
        return State.RUNNING


def _log_first(name: str, failure: BaseException, reaction: Reaction) -> None:
    if reaction is Reaction.REPORT:
        log.error("part_failed", part=name, exc_info=failure)
    else:
        cause = type([*causes(failure)][-1]).__name__
        log.warning("database_unavailable", part=name, reason=cause)


class Supervisor:
    """The parts of one process. `exit_code` is the code to end with, 0 unless the process ends by itself."""

    def __init__(self, stopping: asyncio.Event, monotonic: Callable[[], float]) -> None:
        self.parts: dict[str, Part] = {}
        self.exit_code = 0
        self._stopping = stopping
        self._monotonic = monotonic

    def add(self, name: str, *, interval: float) -> Part:
        """Return the part of this name; make it on first use.

        The part finishes a turn at least every `interval` seconds while all is well.
        """
        new = Part(name, interval=interval, monotonic=self._monotonic)
        return self.parts.setdefault(name, new)

    async def run(self, part: Part, work: Turn) -> None:
        """Run a part's work until the process must stop; start it again whenever it fails or ends."""
        while not self._stopping.is_set():
            await self._succeeds(part, work)

    async def repeat(self, part: Part, turn: Turn, *, every: float) -> None:
        """Do one turn after the other, with a pause of `every` seconds, until the process must stop."""

        async def work() -> None:
            await turn()
            part.turned()
            await wait_for_stop(self._stopping, every)

        await self.run(part, work)

    async def complete(self, part: Part, turn: Turn) -> None:
        """Do one turn; try again until it succeeds or the process must stop."""
        while not self._stopping.is_set():
            if await self._succeeds(part, turn):
                part.turned()
                return

    async def _succeeds(self, part: Part, work: Turn) -> bool:
        """Do some work once and return True; after a failure return False when it may be tried again."""
        try:
            await work()
        except Exception as failure:  # noqa: BLE001  # whatever it is, the part must go on
            if not self._stopping.is_set():  # else the work was interrupted
                await wait_for_stop(self._stopping, self.note(part, failure))
            return False
        return True

    def note(self, part: Part, failure: BaseException) -> float:
        """Report a part's failure, and end the process if it keeps failing; return after how many seconds to retry."""
        delay = part.failed(failure)
        if part.keeps_failing() and not self._stopping.is_set():
            self.end(f"{part.name} failed {FAILURES_BEFORE_END} times in ten minutes")
        return delay

    def end(self, reason: str, *, exit_code: int = os.EX_SOFTWARE) -> None:
        """Make the process end with this code, and with the reason as one clear line of the log."""
        self.exit_code = exit_code
        log.critical("process_ends", reason=reason)
        self._stopping.set()
