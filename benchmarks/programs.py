"""The programs that are compared, and one turn of each: an empty database, a first run, and runs after it.

A figure counts only if the row counts are right: every step checks them and fails if they are not.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.measuring import Sampler, Spent, peak_memory, process_cpu, server_cpu
from benchmarks.servers import (
    CLIO_TOKEN,
    PYTHON,
    ROOT,
    Fake,
    Postgres,
    Service,
    Sql,
    for_libpq,
    running_service,
)

FIRST, NOTHING, CHANGED, FULL = "first", "nothing", "changed", "full"
LATER = " later"  # the same after `vacuum analyze`
SETTLE_SECONDS = 3.0  # a service that has just started still fills its pools
IDLE_SECONDS = 3.0
OURS = "this service"


@dataclass(frozen=True)
class Figures:
    """What a step has cost; `memory` is the most MiB of the program so far, `records` what it read."""

    spent: Spent
    memory: float
    requests: int
    records: int


Turn = Mapping[str, Figures]


@dataclass(frozen=True)
class Stage:
    """What a turn plays on. With `only_first` it ends after the first run."""

    postgres: Postgres
    fake: Fake
    latency_ms: float = 0.0
    only_first: bool = False


@dataclass(frozen=True)
class Reference:
    """A program that reads the same lists, and has no rules. `table` is the start of the names of its tables."""

    name: str
    script: str
    table: str
    rewrite: Callable[[str], str] = str

    def play(self, stage: Stage) -> Turn:
        """Run it on an empty database, with nothing changed, and with 1 % changed."""
        stage.fake.renew(latency_ms=stage.latency_ms)
        turn = dict[str, Figures]()
        with (
            stage.postgres.database("bench_reference") as dsn,
            tempfile.TemporaryDirectory() as state,
        ):
            idle = _idle(stage.postgres)
            turn[FIRST] = self._run(stage, dsn, Path(state), idle)
            self._check(dsn, stage.fake, touched=None)
            if stage.only_first:
                return turn
            turn[NOTHING] = self._run(stage, dsn, Path(state), idle)
            touched = stage.fake.touch()
            turn[CHANGED] = self._run(stage, dsn, Path(state), idle)
            self._check(dsn, stage.fake, touched=touched)
        return turn

    def _run(self, stage: Stage, dsn: str, state: Path, idle: Spent) -> Figures:
        """Run it once. Its seconds are its own figure, without imports; its CPU time is that of the process."""
        environment = {
            **os.environ,  # noqa: TID251  # of a child
            "BENCH_URL": stage.fake.url,
            "BENCH_TOKEN": CLIO_TOKEN,
            "BENCH_DSN": self.rewrite(dsn),
            "BENCH_STATE": str(state),
        }
        command = [str(PYTHON), str(ROOT / f"benchmarks/references/{self.script}")]
        before, requests = _postgres_cpu(stage.postgres), stage.fake.requests
        with (state / "out.log").open("w+") as output:
            cpu, memory = _run_to_its_end(command, environment, output)
            output.seek(0)
            answer = json.loads(output.read().splitlines()[-1])
        stage.postgres.wait_until_left(dsn)
        spent = Spent(answer["inner_s"], cpu, _postgres_cpu(stage.postgres) - before)
        records = stage.fake.contacts + stage.fake.matters
        return Figures(spent.less(idle), memory, stage.fake.requests - requests, records)

    def _check(self, dsn: str, fake: Fake, *, touched: Mapping[str, Any] | None) -> None:
        """Fail if a row is missing, or if a changed record is not stored as it was changed last."""
        sql = Sql(dsn)
        wanted: Mapping[str, Any] = {"contacts": fake.contacts, "matters": fake.matters}
        for kind, count in wanted.items():
            assert sql.value(f"select count(*) from {self.table}{kind}") == count, (self.name, kind)  # noqa: S608
        if touched is not None:
            for kind, mark in (
                ("contacts", "title like 'Changed %'"),
                ("matters", "location like 'Moved %'"),
            ):
                found = sql.value(f"select count(*) from {self.table}{kind} where {mark}")  # noqa: S608
                assert found == touched[kind], (self.name, kind, found)
        sql.close()


REFERENCES = (
    Reference("least program", "limit.py", "lim_"),
    Reference("httpx + pydantic + SQLAlchemy", "idiomatic.py", "idi_"),
    Reference("dlt", "dlt_clio.py", "dlt_clio.", for_libpq),
)


def _postgres_cpu(postgres: Postgres) -> float:
    return server_cpu(postgres.postmaster, without=[postgres.admin.backend])


def _idle(postgres: Postgres) -> Spent:
    """Return what the server uses while nobody asks it."""
    before, began = _postgres_cpu(postgres), time.monotonic()
    time.sleep(IDLE_SECONDS / 3)
    return Spent(time.monotonic() - began, 0.0, _postgres_cpu(postgres) - before)


def _run_to_its_end(
    command: list[str], environment: Mapping[str, str], output: Any
) -> tuple[float, float]:
    """Run a program; return the CPU seconds of it and its children, and the most MiB it had in memory."""
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603
    memory = 0.0
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        memory = max(memory, peak_memory(process.pid))
        time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    output.seek(0)
    assert process.returncode == 0, output.read()
    return usage.ru_utime + usage.ru_stime, memory


@dataclass
class Measured:
    """A running service whose runs are measured one after another."""

    stage: Stage
    service: Service
    sampler: Sampler
    idle: Spent
    runs: int = 0

    def next_run(self, begin: Callable[[], None]) -> tuple[Figures, dict[str, Any]]:
        """Begin a run and wait for its end; return what it cost from its start to its end, and the run."""
        begin()
        self.runs += 1
        run = self.service.wait_for_run(self.runs)
        self.sampler.take()
        start, end = (
            datetime.fromisoformat(run[name]).timestamp() for name in ("started_at", "finished_at")
        )
        spent = self.sampler.spent(start, end).less(self.idle)
        records = sum(run["counts"]["pulled"].values())
        memory = peak_memory(self.service.pid)
        return Figures(spent, memory, run["clio"]["requests"], records), run


def measured_service(stage: Stage, dsn: str, folder: Path, closing: ExitStack) -> Measured:
    """Start a service and measure what it uses while it is idle; `closing` stops it."""
    service = closing.enter_context(running_service(folder, dsn, stage.fake.url))
    own = [stage.postgres.admin.backend, service.sql.backend]
    pid, postmaster = service.pid, stage.postgres.postmaster
    sampler = Sampler(
        {
            "program": lambda: process_cpu(pid),
            "postgres": lambda: server_cpu(postmaster, without=own),
        }
    )
    closing.enter_context(sampler.running())
    time.sleep(SETTLE_SECONDS)
    first = sampler.take()
    time.sleep(IDLE_SECONDS)
    return Measured(stage, service, sampler, sampler.spent(first.at, sampler.take().at))


class OurService:
    """The service itself: rules, contacts, history, feed, new clients and events, with its default settings."""

    name = OURS

    def play(self, stage: Stage) -> Turn:
        """Run it on an empty database, then with nothing and with 1 % changed, also after `vacuum analyze`."""
        stage.fake.renew(latency_ms=stage.latency_ms)
        with (
            stage.postgres.database("bench_service") as dsn,
            tempfile.TemporaryDirectory() as folder,
            ExitStack() as closing,
        ):
            measured = measured_service(stage, dsn, Path(folder), closing)
            turn = {FIRST: first_run(measured)}
            if not stage.only_first:
                turn |= _later_runs(measured)
            return turn


Program = Reference | OurService


def first_run(measured: Measured) -> Figures:
    """Connect the firm; return the figures of its first run, which must have stored and published everything."""
    figures, run = measured.next_run(measured.service.connect)
    fake, sql, counts = measured.stage.fake, measured.service.sql, run["counts"]
    assert counts["pulled"] == {
        "contacts": fake.contacts,
        "matters": fake.matters,
        "relationships": fake.relationships,
    }
    for kind, count in counts["pulled"].items():
        assert sql.value(f"select count(*) from mirror_{kind}") == count, kind  # noqa: S608
    assert counts["entered"] > fake.contacts / 2, counts
    assert sql.value("select count(*) from contacts where state = 'in_scope'") == counts["entered"]
    assert sql.value("select count(*) from changes") == counts["changed"] >= counts["entered"]
    assert sql.value("select count(*) from new_clients") == counts["new_clients"]
    events = sql.value("select count(*) from events where kind = 'client.new'")
    assert events == counts["new_clients"] > 0, events
    return figures


def _later_runs(measured: Measured) -> Turn:
    """Run right after the first run, and again after `vacuum analyze`; return the figures.

    A run asks again for the changes of the last minutes. So the records get their old times back before a run that
    should find nothing.
    """
    right_after = {NOTHING: _nothing(measured), FULL: _full(measured), CHANGED: _changed(measured)}
    measured.stage.fake.call("restore")
    measured.service.sql.rows("vacuum analyze")
    later = {NOTHING: _nothing(measured), CHANGED: _changed(measured), FULL: _full(measured)}
    return {**right_after, **{step + LATER: figures for step, figures in later.items()}}


def _nothing(measured: Measured) -> Figures:
    """Ask for changes when there are none."""
    figures, run = measured.next_run(lambda: measured.service.request_run("incremental"))
    assert run["counts"]["changed"] == figures.records == 0, run
    return figures


def _changed(measured: Measured) -> Figures:
    """Ask for changes when 1 % has changed."""
    touched = measured.stage.fake.touch()
    figures, run = measured.next_run(lambda: measured.service.request_run("incremental"))
    pulled = run["counts"]["pulled"]
    assert all(pulled[kind] == touched[kind] for kind in ("contacts", "matters")), run
    assert run["counts"]["changed"] > 0, run
    return figures


def _full(measured: Measured) -> Figures:
    """Read everything again when nothing has changed."""
    fake = measured.stage.fake
    figures, run = measured.next_run(lambda: measured.service.request_run("full"))
    assert run["counts"]["changed"] == 0, run
    assert figures.records == fake.contacts + fake.matters + fake.relationships, run
    return figures
