"""Runs the covering tests on one change in a copy of the tree, until one test fails."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutants import copies
from tests.mutants.server import Server
from tests.mutants.source import Change, Source

OVERHEAD = 60.0  # seconds allowed before the first test and after the last one
# the time limit of a test is its recorded duration times FACTOR, plus EXTRA seconds
EXTRA, FACTOR = 15.0, 6.0
NO_TESTS = 5  # pytest's exit code if no test was collected


class Verdict(StrEnum):
    """The result of the tests for a change."""

    NOTICED = "noticed"
    UNNOTICED = "not noticed"
    LOST = "its tests are not collected on the changed code"


@dataclass(frozen=True)
class RunResult:
    """The result of one run: the tests that ran, and the failed ones with the reason."""

    verdict: Verdict
    ran: list[str]
    failed: dict[str, str]
    seconds: float


class OutOfTime(Exception):
    """The time limit of the sample was reached; the run was ended."""


@dataclass(frozen=True)
class Workspace:
    """A copy of the tree, a server and a folder for files, used by one run at a time."""

    folder: Path
    server: Server
    work: Path

    @property
    def _temporary(self) -> Path:
        return self.work / "tmp"

    def try_change(
        self, source: Source, change: Change, tests: Mapping[str, float], deadline: float
    ) -> RunResult:
        """Run tests, given with their recorded durations, on the changed code; raise OutOfTime at the deadline."""
        with copies.temporary_content(self.folder / change.path, source.changed(change.edits)):
            return self.run(tests, deadline, "-x")

    def run(self, tests: Mapping[str, float], deadline: float, *options: str) -> RunResult:
        """Run tests on the current code of the copy; raise OutOfTime at the deadline."""
        began = time.monotonic()
        chosen, outcome = self.work / "chosen.json", self.work / "outcome.json"
        limits = {test: EXTRA + FACTOR * seconds for test, seconds in tests.items()}
        chosen.write_text(json.dumps(limits))
        outcome.unlink(missing_ok=True)
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        options = (*options, f"--chosen={chosen}", f"--outcome={outcome}", "-ptests.mutants.chosen")
        limit = min(OVERHEAD + sum(limits.values()), deadline - began)
        try:
            code = self._pytest([*options, *files], limit)
        finally:
            _end_servers(self._temporary)
            self.server.clean()
        if code is None and time.monotonic() >= deadline:
            raise OutOfTime
        results = json.loads(outcome.read_text()) if outcome.exists() else {"ran": [], "failed": {}}
        return _result(code, results["ran"], results["failed"], time.monotonic() - began)

    def _pytest(self, arguments: Sequence[str], limit: float) -> int | None:
        self._temporary.mkdir(parents=True)
        environment = run_environment(self.folder, self.server.dsn) | {
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._temporary),
        }
        with (self.work / "output.txt").open("wb") as output:
            return pytest(self.folder, arguments, environment, output.fileno(), limit)


def _end_servers(temporary: Path) -> None:
    """End the PostgreSQL servers that the tests of a run have left, and remove its temporary files."""
    for pid_file in temporary.rglob("postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    shutil.rmtree(temporary, ignore_errors=True)


def _result(code: int | None, ran: list[str], failed: dict[str, str], seconds: float) -> RunResult:
    if code == NO_TESTS:
        return RunResult(Verdict.LOST, ran, failed, seconds)
    if code == 0:
        return RunResult(Verdict.UNNOTICED, ran, failed, seconds)
    if not failed:
        reason = (
            "the run did not end"
            if code is None
            else f"pytest ended with {code} before any test failed"
        )
        failed = {ran[-1] if ran else "": reason}
    return RunResult(Verdict.NOTICED, ran, failed, seconds)


def run_environment(folder: Path, dsn: str) -> dict[str, str]:
    """Return the environment of a run, in which processes that tests start also import the copy's code."""
    environment = dict(os.environ)  # noqa: TID251  # for the child process
    environment.pop("PYTEST_ADDOPTS", None)
    return environment | {"PYTHONPATH": str(folder), "TEST_DATABASE_URL": dsn}


def pytest(
    folder: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: int,
    limit: float | None,
) -> int | None:
    """Run pytest; return its exit code, or None if the limit was reached. Kill all processes that it started."""
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", *arguments]
    with _process_group(command, folder, environment, output) as process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None


@contextmanager
def _process_group(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
