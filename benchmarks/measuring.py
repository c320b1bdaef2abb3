"""CPU time and memory of processes, read from the kernel: on Linux, and of processes of this machine only."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.02  # seconds between two samples
TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def process_cpu(pid: int) -> float:
    """Return the CPU seconds of a process, of all its threads that live or have ended; 0 if it has ended.

    The kernel's clock of a process is exact to the nanosecond; the times in `/proc` are rounded to 10 ms.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and not lost yet."""
    try:
        return [int(child) for child in (PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def ended_children_cpu(pid: int) -> float:
    """Return the CPU seconds of the processes that a process has started and that have ended."""
    fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / TICKS


def server_cpu(postmaster: int, *, without: Collection[int] = ()) -> float:
    """Return the CPU seconds of a PostgreSQL server: all that its processes used, those that have ended too.

    `without` are backends that serve the measurement itself.
    """
    living = sum(process_cpu(child) for child in children_of(postmaster) if child not in without)
    return process_cpu(postmaster) + ended_children_cpu(postmaster) + living


def peak_memory(pid: int) -> float:
    """Return the most MiB that a process has had in memory at a time; 0 if it has ended."""
    try:
        status = (PROC / f"{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0.0


@dataclass(frozen=True)
class Spent:
    """What some work has cost: seconds, CPU seconds of the program and of PostgreSQL."""

    seconds: float
    program: float
    postgres: float

    @property
    def cpu(self) -> float:
        """The CPU seconds in all."""
        return self.program + self.postgres

    def less(self, idle: "Spent") -> "Spent":
        """Return the cost without what the same processes use while nothing is to be done."""
        share = self.seconds / idle.seconds
        return Spent(
            self.seconds,
            max(0.0, self.program - idle.program * share),
            max(0.0, self.postgres - idle.postgres * share),
        )


@dataclass(frozen=True)
class Reading:
    """What the meters show at a time of the clock."""

    at: float
    values: Mapping[str, float]


class Sampler:
    """Reads meters again and again in a thread, so that it is known afterwards what they showed at any time."""

    def __init__(self, meters: Mapping[str, Callable[[], float]]) -> None:
        self._meters = meters
        self._readings: list[Reading] = []
        self._stopped = threading.Event()

    def take(self) -> Reading:
        """Read the meters now."""
        # The times of runs are compared with it, and they are those of the wall clock.
        reading = Reading(time.time(), {name: read() for name, read in self._meters.items()})  # noqa: TID251
        self._readings.append(reading)
        return reading

    @contextmanager
    def running(self) -> Iterator["Sampler"]:
        """Read until the block ends."""
        thread = threading.Thread(target=self._read_on)
        self.take()
        thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            thread.join()
            self.take()

    def _read_on(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self.take()

    def spent(self, start: float, end: float) -> Spent:
        """Return what the meters `program` and `postgres` counted between two times."""
        return Spent(
            end - start,
            *(self._at(end, name) - self._at(start, name) for name in ("program", "postgres")),
        )

    def _at(self, moment: float, name: str) -> float:
        """Return what a meter showed at a time, on the line between the readings before and after it."""
        return interpolate([(one.at, one.values[name]) for one in self._readings], moment)


def interpolate(points: Sequence[tuple[float, float]], at: float) -> float:
    """Return the value at a place between points that are in order; outside of them that of the nearest one."""
    before = points[0]
    for after in points:
        if after[0] >= at:
            break
        before = after
    else:
        return points[-1][1]
    if after[0] <= before[0]:
        return after[1]
    share = max(0.0, (at - before[0]) / (after[0] - before[0]))
    return before[1] + (after[1] - before[1]) * share
