"""Records which test runs which line, once for each state of the code."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage

from tests.mutants import copies
from tests.mutants.recorder import LINES, TESTS
from tests.mutants.trials import pytest, run_environment

PLUGIN = "-ptests.mutants.recorder"
OUTPUT = "output.txt"
COMPLETE = (0, 1)  # pytest's exit codes if all tests ran; failed tests are not used


class RecordingFailed(Exception):
    """The coverage of the tests could not be recorded; the message has the reason."""


@dataclass(frozen=True)
class Recording:
    """The settings of a recording: the copy, the server, the number of processes and the options of pytest."""

    copy: Path
    dsn: str
    processes: int
    options: Sequence[str]

    def record(self, results: Path, roots: Sequence[str], deadline: float) -> Path:
        """Return the folder with the record of the copy's code; make the record if there is none.

        Raise RecordingFailed if the tests could not be run.
        """
        folder = results / f"record-{copies.digest(self.copy)}"
        if (folder / TESTS).exists():
            self._compile()
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = (PLUGIN, f"--record-to={folder}", f"--record-roots={','.join(roots)}")
        workers = (f"-n{self.processes}", "--dist=worksteal") if self.processes > 1 else ()
        code = self._pytest([*options, *workers, *self.options], folder / OUTPUT, deadline)
        if code not in COMPLETE:
            (folder / TESTS).unlink(missing_ok=True)
            reason = "the time limit was reached" if code is None else f"pytest ended with {code}"
            raise RecordingFailed(f"Coverage was not recorded, {reason}: see {folder / OUTPUT}")
        lines = coverage.Coverage(data_file=str(folder / LINES), config_file=False)
        lines.combine([str(folder)])
        lines.save()
        return folder

    def _compile(self) -> None:
        """Compile the tests of the copy as a recording does; the runs on changed code write no compiled files."""
        code = self._pytest(["--collect-only", "-q"], self.copy / f".{OUTPUT}", None)
        if code != 0:
            raise RecordingFailed(f"The tests could not be collected: see {self.copy}")

    def _pytest(self, arguments: Sequence[str], output: Path, deadline: float | None) -> int | None:
        limit = None if deadline is None else max(deadline - time.monotonic(), 0)
        with output.open("wb") as file:
            return pytest(
                self.copy, arguments, run_environment(self.copy, self.dsn), file.fileno(), limit
            )
