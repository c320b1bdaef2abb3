"""`make run` as a newcomer meets it: the whole is shown, and whenever it is ended nothing stays behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_port

PATIENCE = 240.0
MOMENT = 10.0  # PostgreSQL tells that it has stopped just before its process ends


class Demo:
    """The demonstration as a process of its own, in a folder for temporary files that is its own too."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._written = folder.with_suffix(".txt").open("w+b")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LEVITATE_CLIO_")}  # noqa: TID251
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--contacts=200", *options],
            env={**kept, "TMPDIR": str(folder), "COLUMNS": "120"},
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


@pytest.fixture
def demo() -> Iterator[Callable[..., Demo]]:
    """Starts a demonstration; a short folder, for the database's socket lies in it."""
    started: list[Demo] = []

    def start(*options: str) -> Demo:
        folder = Path(tempfile.mkdtemp(prefix="lcd-"))
        folder.chmod(0o755)
        started.append(Demo(folder, *options))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_the_demonstration_shows_the_whole_and_leaves_nothing(demo: Callable[..., Demo]):
    shown = demo("--once")
    assert shown.ended() == 0, shown.output()
    output = shown.output()
    for user in ("Margaret Ashdown: initial run, done", "Rosa Marín: coverage run, done"):
        assert re.search(rf"{user} .* 100%", output), output
    assert "200 contacts, 300 matters, 150 relationships" in output
    for part in ("Active Client", "owners", "Front Office", "requests", "Why is ", "Owner "):
        assert part in output
    assert re.search(r"From start to here: \d+\.\d s, \d+ requests to Clio\.", output)
    assert shown.left() == []


MOMENTS: dict[str, Callable[[Demo], bool]] = {
    "its processes begin": lambda demo: any(demo.folder.glob("*/serve.log")),
    "its database is being made": lambda demo: any(demo.folder.glob("*/data/pg/*")),
    "a firm is being pulled": lambda demo: "Connecting" in demo.output(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_leaves_nothing_behind_at_any_moment(demo: Callable[..., Demo], moment: str):
    shown = demo("--once")
    shown.wait_for(MOMENTS[moment])
    shown.interrupt()
    assert shown.ended() == 130, shown.output()
    assert "Traceback" not in shown.output()
    assert shown.output().rstrip().endswith("Stopped. Nothing is left behind.")
    assert shown.left() == []


def test_a_demonstration_that_is_killed_leaves_no_process_behind(demo: Callable[..., Demo]):
    shown = demo()
    shown.wait_for(MOMENTS["a firm is being pulled"])
    assert len(shown.processes()) > 3, (
        "the demonstration, its service, its simulator and a database"
    )
    shown.process.kill()
    shown.process.wait()
    deadline = time.monotonic() + PATIENCE
    while left := shown.processes():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    for folder in shown.folder.iterdir():  # files it could not remove
        shutil.rmtree(folder)


def test_it_serves_on_the_port_it_was_told_its_curl_lines_work_and_ctrl_c_frees_the_port(
    demo: Callable[..., Demo],
):
    port = free_port()
    shown = demo(f"--port={port}")
    shown.wait_for(lambda demo: "Press Ctrl-C to stop everything." in demo.output())
    lines = [line.strip() for line in shown.output().splitlines() if "curl " in line]
    assert len(lines) == 3
    for line in lines:
        answer = subprocess.run(
            ["bash", "-c", f"{line} --silent --fail --noproxy '*'"], capture_output=True, text=True
        )
        assert answer.returncode == 0, line
        assert answer.stdout.startswith("{")
    assert f"http://127.0.0.1:{port}/docs" in shown.output()
    shown.interrupt()
    assert shown.ended() == 130
    assert shown.left() == []
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_busy_port_is_told_in_a_line(demo: Callable[..., Demo]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = demo(f"--port={port}")
        assert shown.ended() == 2
    assert shown.output().splitlines() == [
        f"127.0.0.1:{port} is in use; choose another with --port, or leave it out"
    ]
    assert shown.left() == []
