"""What a phase costs: CPU time, the work of the database, and samples of the queue and the connections."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

from app.db.embedded import ROLES
from benchmarks.many_firms.stage import Stage
from benchmarks.measuring import peak_memory, process_cpu, server_cpu
from benchmarks.servers import Sql

SAMPLE_SECONDS = 0.5
DUE = """
    select entrypoint, count(*), max(extract(epoch from clock_timestamp() - execute_after))::float8
    from pgqueuer where status = 'queued' and execute_after <= clock_timestamp() group by 1
"""
CONNECTED = """
    select count(*), count(*) filter (where state <> 'idle') from pg_stat_activity
    where datname = current_database() and usename = any($1)
"""
WORK = """
    select xact_commit, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8
    from pg_stat_database where datname = current_database()
"""


@dataclass(frozen=True)
class Sample:
    """The due jobs of each lane with the age of the oldest, and the connections: all, and those at work."""

    due: dict[str, tuple[int, float]]
    connections: int
    active: int


@dataclass(frozen=True)
class Reading:
    """The meters at a time. `cpu` has the processes of the service and `PostgreSQL`."""

    at: float
    cpu: dict[str, float]
    commits: int
    wal: float
    requests: int


@dataclass
class Phase:
    """A part of the measurement from its begin to its end."""

    name: str
    begin: Reading
    end: Reading | None = None
    samples: list[Sample] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)

    @property
    def ended(self) -> Reading:
        """The last reading."""
        assert self.end is not None
        return self.end

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended.at - self.begin.at

    @property
    def cpu(self) -> dict[str, float]:
        """The CPU seconds of each process and of PostgreSQL."""
        return {name: self.ended.cpu[name] - before for name, before in self.begin.cpu.items()}

    @property
    def service_cpu(self) -> float:
        """The CPU seconds of all processes of the service."""
        return sum(seconds for name, seconds in self.cpu.items() if name != "PostgreSQL")

    @property
    def between(self) -> tuple[datetime, datetime]:
        """When it began and ended."""
        return datetime.fromtimestamp(self.begin.at, UTC), datetime.fromtimestamp(
            self.ended.at, UTC
        )

    def oldest(self, lanes: Sequence[str]) -> list[float]:
        """Return the age of the oldest due job of these lanes in each sample; 0 where there is none."""
        return [
            max((sample.due[lane][1] for lane in lanes if lane in sample.due), default=0.0)
            for sample in self.samples
        ]

    def raw(self) -> dict[str, Any]:
        """Return all figures as JSON."""
        return {
            "seconds": round(self.seconds, 1),
            "cpu": {name: round(seconds, 2) for name, seconds in self.cpu.items()},
            "commits": self.ended.commits - self.begin.commits,
            "wal_bytes": self.ended.wal - self.begin.wal,
            "requests": self.ended.requests - self.begin.requests,
            "peak_mib": {name: round(mib) for name, mib in self.memory.items()},
        }


@dataclass
class Watch:
    """Reads the meters of a stage. `phases` has what was watched."""

    stage: Stage
    phases: dict[str, Phase] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Watch what happens until the block ends."""
        phase, over = Phase(name, self._read()), threading.Event()
        thread = threading.Thread(target=self._sample, args=(phase, over))
        thread.start()
        try:
            yield phase
        finally:
            over.set()
            thread.join()
        phase.end = self._read()
        phase.memory = {name: peak_memory(pid) for name, pid in self.stage.pids.items()}
        self.phases[name] = phase
        print(f"  {name}: {phase.raw()}", flush=True)

    def _read(self) -> Reading:
        own = [self.stage.postgres.admin.backend, self.stage.sql.backend]
        cpu = {name: process_cpu(pid) for name, pid in self.stage.pids.items()}
        cpu["PostgreSQL"] = server_cpu(self.stage.postgres.postmaster, without=own)
        ((commits, wal),) = self.stage.sql.rows(WORK)
        requests = sum(fake.requests for fake in self.stage.fakes.values())
        return Reading(time.time(), cpu, commits, wal, requests)  # noqa: TID251

    def _sample(self, phase: Phase, over: threading.Event) -> None:
        sql = Sql(self.stage.dsn)  # of this thread
        while True:  # a short phase has one sample
            due = {name: (jobs, age) for name, jobs, age in sql.rows(DUE)}
            ((connections, active),) = sql.rows(CONNECTED, list(ROLES))
            phase.samples.append(Sample(due, connections, active))
            if over.wait(SAMPLE_SECONDS):
                break
        sql.close()


@dataclass(frozen=True)
class TaskCost:
    """What the turns of a regular task of a process cost: medians, and the longest turn."""

    process: str
    task: str
    turns: int
    seconds: float
    cpu: float
    longest: float


def task_costs(stage: Stage, phase: Phase) -> list[TaskCost]:
    """Return what each regular task of each process has cost in a phase."""
    found = dict[tuple[str, str], list[dict[str, Any]]]()
    for file in sorted(stage.ticks.iterdir()):
        for line in map(json.loads, file.read_text().splitlines()):
            if phase.begin.at <= line["at"] <= phase.ended.at:
                found.setdefault((file.name, line["task"]), []).append(line)
    return [
        TaskCost(
            process,
            task,
            len(turns),
            median(turn["seconds"] for turn in turns),
            median(turn["cpu"] for turn in turns),
            max(turn["seconds"] for turn in turns),
        )
        for (process, task), turns in found.items()
    ]
