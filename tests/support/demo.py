"""The demonstration as a process of its own, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.commands import process_environment

PATIENCE = 240.0
MOMENT = 10.0  # PostgreSQL tells that it has stopped just before its process ends


class Demo:
    """The demonstration as a process of its own, in a folder for temporary files that is its own too."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._written = folder.with_suffix(".txt").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--contacts=200", *options],
            env=process_environment() | {"TMPDIR": str(folder), "COLUMNS": "120"},
            stdout=self._written,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, as in a terminal
        )

    def output(self) -> str:
        """What it has shown so far."""
        return Path(self._written.name).read_text()

    def wait_for(self, seen: Callable[["Demo"], bool]) -> None:
        """Wait until something is to be seen."""
        deadline = time.monotonic() + PATIENCE
        while not seen(self):
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends SIGINT to every process of the foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        """How it ended, once it has."""
        return self.process.wait(timeout=PATIENCE)

    def left(self) -> list[object]:
        """Files and processes of its that are still there; who is just ending has a moment to do so."""
        deadline = time.monotonic() + MOMENT
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        return [*self.folder.iterdir(), *self.processes()]

    def processes(self) -> list[object]:
        """Its processes, its children's too."""
        mark = str(self.folder)
        processes: list[object] = []
        for process in psutil.process_iter():
            try:
                if mark in " ".join([*process.cmdline(), *process.environ().values()]):
                    processes.append(process)
            except psutil.Error:
                continue  # gone meanwhile, or the kernel's
        return processes

    def close(self) -> None:
        """Remove what the test itself made."""
        if self.process.poll() is None:
            self.interrupt()
            self.ended()
        self._written.close()
        Path(self._written.name).unlink()
        self.folder.rmdir()


@contextmanager
def demonstrations() -> Iterator[Callable[..., Demo]]:
    """A function that starts a demonstration; a short folder, for the database's socket lies in it."""
    started: list[Demo] = []

    def start(*options: str) -> Demo:
        folder = Path(tempfile.mkdtemp(prefix="lcd-"))
        folder.chmod(0o755)
        started.append(Demo(folder, *options))
        return started[-1]

    yield start
    for each in started:
        each.close()
