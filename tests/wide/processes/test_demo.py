"""`make run` leaves no files and no processes, whenever it ends."""

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.demo import PATIENCE, Demo, demonstrations
from tests.support.ports import free_port
from tests.support.waiting import wait_until_none_left


@pytest.fixture
def demo() -> Iterator[Callable[..., Demo]]:
    with demonstrations() as start:
        yield start


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
    wait_until_none_left(shown.processes, "processes are left", patience=PATIENCE)
    for folder in shown.folder.iterdir():  # files that it could not remove
        shutil.rmtree(folder)


def test_it_serves_on_the_given_port_its_curl_lines_work_and_ctrl_c_frees_the_port(
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
    (clio,) = re.findall(r"Simulated Clio +(\S+)", shown.output())
    assert "levitate-us" in httpx.get(clio, trust_env=False).raise_for_status().text
    shown.interrupt()
    assert shown.ended() == 130
    assert shown.left() == []
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_busy_port_is_reported_in_one_line(demo: Callable[..., Demo]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = demo(f"--port={port}")
        assert shown.ended() == 2
    assert shown.output().splitlines() == [
        f"127.0.0.1:{port} is in use; choose another port with --port, or leave the option out"
    ]
    assert shown.left() == []
