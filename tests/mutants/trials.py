"""One change, put into a copy of the tree, and the covering tests run on it until one fails."""

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

START = 60.0  # seconds that a run may need before its first test and after its last
SLACK, SLOWER = (
    15.0,
    6.0,
)  # a test may need so many seconds more, and so many times as long, as when recorded
NO_TESTS = 5  # pytest's exit code when nothing was collected


class Verdict(StrEnum):
    """What came of running tests on a change."""

    NOTICED = "noticed"
    UNNOTICED = "not noticed"
    LOST = "its tests are not collected on the changed code"


@dataclass(frozen=True)
class Trial:
    """What one run of tests came to: who failed, and why."""

    verdict: Verdict
    ran: list[str]
    failed: dict[str, str]
    seconds: float


class OutOfTime(Exception):
    """The sample's time is over; the run was ended."""


@dataclass(frozen=True)
class Bench:
    """A copy of the tree and a server, where one run goes on at a time."""

    folder: Path
    server: Server
    work: Path

    @property
    def _temporary(self) -> Path:
        return self.work / "tmp"

    def try_change(
        self, source: Source, change: Change, tests: Mapping[str, float], deadline: float
    ) -> Trial:
        """Run tests, given with the seconds that each took, on the changed code; raises OutOfTime."""
        with copies.written(self.folder / change.path, source.changed(change.edits)):
            return self.run(tests, deadline, "-x")

    def run(self, tests: Mapping[str, float], deadline: float, *options: str) -> Trial:
        """Run tests on the code as it lies in the copy; raises OutOfTime."""
        began = time.monotonic()
        chosen, outcome = self.work / "chosen.json", self.work / "outcome.json"
        limits = {test: SLACK + SLOWER * seconds for test, seconds in tests.items()}
        chosen.write_text(json.dumps(limits))
        outcome.unlink(missing_ok=True)
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        options = (*options, f"--chosen={chosen}", f"--outcome={outcome}", "-ptests.mutants.chosen")
        limit = min(START + sum(limits.values()), deadline - began)
        try:
            code = self._pytest([*options, *files], limit)
        finally:
            _end_servers(self._temporary)
            self.server.clean()
        if code is None and time.monotonic() >= deadline:
            raise OutOfTime
        told = json.loads(outcome.read_text()) if outcome.exists() else {"ran": [], "failed": {}}
        return _judged(code, told["ran"], told["failed"], time.monotonic() - began)

    def _pytest(self, arguments: Sequence[str], limit: float) -> int | None:
        self._temporary.mkdir(parents=True)
        environment = surroundings(self.folder, self.server.dsn) | {
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._temporary),
        }
        with (self.work / "output.txt").open("wb") as output:
            return pytest(self.folder, arguments, environment, output.fileno(), limit)


def _end_servers(temporary: Path) -> None:
    """End the PostgreSQL servers that tests of a run left behind, and remove all temporary files of it."""
    for found in temporary.rglob("postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(found.read_text().split()[0]), signal.SIGKILL)
    shutil.rmtree(temporary, ignore_errors=True)


def _judged(code: int | None, ran: list[str], failed: dict[str, str], seconds: float) -> Trial:
    if code == NO_TESTS:
        return Trial(Verdict.LOST, ran, failed, seconds)
    if code == 0:
        return Trial(Verdict.UNNOTICED, ran, failed, seconds)
    if not failed:
        reason = (
            "the run did not end"
            if code is None
            else f"pytest ended with {code} before any test failed"
        )
        failed = {ran[-1] if ran else "": reason}
    return Trial(Verdict.NOTICED, ran, failed, seconds)


def surroundings(folder: Path, dsn: str) -> dict[str, str]:
    """Return the environment of a run: programs that tests start find the copy's code as well."""
    ours = dict(os.environ)  # noqa: TID251  # passed on
    ours.pop("PYTEST_ADDOPTS", None)
    return ours | {"PYTHONPATH": str(folder), "TEST_DATABASE_URL": dsn}


def pytest(
    folder: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: int,
    limit: float | None,
) -> int | None:
    """Run pytest and return its exit code, or None if it had to be ended; nothing that it started goes on."""
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", *arguments]
    with _group(command, folder, environment, output) as process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None


@contextmanager
def _group(
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
