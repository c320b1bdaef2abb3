"""The record of which test runs which line: made once for a state of the code, and kept."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage

from tests.mutants import copies
from tests.mutants.recorder import LINES, TESTS
from tests.mutants.trials import pytest, surroundings

PLUGIN = "-ptests.mutants.recorder"
OUTPUT = "output.txt"
FINE = (0, 1)  # pytest's exit codes when all tests ran: some may have failed, and are not used then


class NotRecorded(Exception):
    """The tests could not be recorded; the text says why."""


@dataclass(frozen=True)
class Recording:
    """How tests are recorded: in which copy, on which server, by how many processes, with which options of pytest."""

    copy: Path
    dsn: str
    processes: int
    options: Sequence[str]

    def record(self, kept: Path, roots: Sequence[str], deadline: float) -> Path:
        """Return the folder of the record for the copy's code, made now if need be; raises NotRecorded."""
        folder = kept / f"record-{copies.digest(self.copy)}"
        if (folder / TESTS).exists():
            self._compile()
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = (PLUGIN, f"--record-to={folder}", f"--record-roots={','.join(roots)}")
        workers = (f"-n{self.processes}", "--dist=worksteal") if self.processes > 1 else ()
        code = self._pytest([*options, *workers, *self.options], folder / OUTPUT, deadline)
        if code not in FINE:
            (folder / TESTS).unlink(missing_ok=True)
            reason = "the time was over" if code is None else f"pytest ended with {code}"
            raise NotRecorded(f"The tests were not recorded, {reason}: look into {folder / OUTPUT}")
        lines = coverage.Coverage(data_file=str(folder / LINES), config_file=False)
        lines.combine([str(folder)])
        lines.save()
        return folder

    def _compile(self) -> None:
        """Compile the tests of a copy, which recording them does as well; the runs on changed code write nothing."""
        code = self._pytest(["--collect-only", "-q"], self.copy / f".{OUTPUT}", None)
        if code != 0:
            raise NotRecorded(f"The tests are not collected: look into {self.copy}")

    def _pytest(self, arguments: Sequence[str], output: Path, deadline: float | None) -> int | None:
        limit = None if deadline is None else max(deadline - time.monotonic(), 0)
        with output.open("wb") as file:
            return pytest(
                self.copy, arguments, surroundings(self.copy, self.dsn), file.fileno(), limit
            )
