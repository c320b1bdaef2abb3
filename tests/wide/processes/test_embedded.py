"""The embedded PostgreSQL used by several commands: the last command to end stops it."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.commands import process_environment, run_process
from tests.support.ports import free_port
from tests.support.postgres import fastest_folder
from tests.support.waiting import wait_until

PATIENCE = 180.0
GRACE = 10.0  # a server reports that it has stopped shortly before its process ends


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a short path, because it holds the server's socket."""
    with tempfile.TemporaryDirectory(prefix="lce-", dir=fastest_folder()) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def servers(folder: Path) -> list[psutil.Process]:
    """Return the PostgreSQL processes that use this folder."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres"
        and str(folder) in " ".join(process.info["cmdline"] or ())
    ]


def stopped(folder: Path) -> bool:
    """Wait for processes that are ending; return whether none is left."""
    deadline = time.monotonic() + GRACE
    while servers(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not servers(folder)


def served(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start `serve` with the embedded default; return it and its address once it is ready."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", f"--port={port}"],
        env=process_environment(data_dir=str(folder)),
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        assert process.poll() is None
        with suppress(httpx.TransportError):
            return httpx.get(f"{url}/readyz", trust_env=False).is_success
        return False

    wait_until(is_ready, "the service did not come up", patience=PATIENCE)
    return process, url


def wait_until_valid(address: str, token: dict[str, str]) -> None:
    """Wait until the service has heard of a new token."""
    wait_until(
        lambda: httpx.get(address, headers=token, trust_env=False, timeout=PATIENCE).is_success,
        "the token is not accepted",
        patience=PATIENCE,
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_command_beside_the_service_leaves_its_database_running(
    folder: Path, ending: signal.Signals
):
    service, url = served(folder)
    try:
        made = run_process("token", "create", "--name=backend", data_dir=str(folder))
        assert made.returncode == 0, made.stderr
        assert servers(folder) != []
        ready = httpx.get(f"{url}/readyz", trust_env=False, timeout=PATIENCE).json()
        assert {part["state"] for part in ready.pop("parts")} == {"running"}
        assert ready == {"status": "ok", "database": "ok", "schema": "current", "clock": "ok"}
        token = {"Authorization": f"Bearer {made.stdout.strip()}"}
        wait_until_valid(f"{url}/v1/accounts", token)
    finally:
        service.send_signal(ending)
        service.wait(timeout=PATIENCE)
    assert stopped(folder)


def test_a_server_whose_owner_was_killed_is_reused_and_stopped(folder: Path):
    service, _ = served(folder)
    service.kill()
    service.wait()
    assert servers(folder) != []
    assert run_process("migrate", data_dir=str(folder)).returncode == 0
    assert stopped(folder)
