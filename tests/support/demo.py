"""The demonstration as a separate process, with the files and processes that it leaves behind."""

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
from tests.support.postgres import fastest_folder

PATIENCE = 240.0
GRACE = 10.0  # PostgreSQL reports that it has stopped shortly before its process ends


class Demo:
    """The demonstration as a separate process with its own folder for temporary files."""

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
        """Return the output so far."""
        return Path(self._written.name).read_text()

    def wait_for(self, seen: Callable[["Demo"], bool]) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not seen(self):
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)

    def interrupt(self) -> None:
        """Press Ctrl-C: the terminal sends SIGINT to every process of the foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        """Wait for the end of the process and return its exit code as a shell does: 130 after SIGINT.

        CPython ends with SIGINT itself, whatever code was asked for, if that signal met code made from text, as
        dataclasses are while their module is imported.
        """
        code = self.process.wait(timeout=PATIENCE)
        return code if code >= 0 else 128 - code

    def left(self) -> list[object]:
        """Return the files and processes that are still there; processes that are ending get some seconds to end."""
        deadline = time.monotonic() + GRACE
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        return [*self.folder.iterdir(), *self.processes()]

    def processes(self) -> list[object]:
        """Return the processes of the demonstration, including its children."""
        mark = str(self.folder)
        processes: list[object] = []
        for process in psutil.process_iter():
            try:
                if mark in " ".join([*process.cmdline(), *process.environ().values()]):
                    processes.append(process)
            except psutil.Error:
                continue  # it has ended, or it belongs to the kernel
        return processes

    def close(self) -> None:
        """Remove the files that the test itself created."""
        if self.process.poll() is None:
            self.interrupt()
            self.ended()
        self._written.close()
        Path(self._written.name).unlink()
        self.folder.rmdir()


@contextmanager
def demonstrations() -> Iterator[Callable[..., Demo]]:
    """Yield a function that starts a demonstration. The folder's path is short because of the database's socket."""
    started: list[Demo] = []

    def start(*options: str) -> Demo:
        folder = Path(tempfile.mkdtemp(prefix="lcd-", dir=fastest_folder()))
        folder.chmod(0o755)
        started.append(Demo(folder, *options))
        return started[-1]

    yield start
    for each in started:
        each.close()
