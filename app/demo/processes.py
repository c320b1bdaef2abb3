"""Start and stop the two processes of the demonstration: the simulator and the service."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from app import shutdown
from app.config import PREFIX
from app.simulator.http.server import credentials

REGION = "us"
LATENCY_SECONDS = 0.12  # the response time of the simulated Clio, like that of the real one
START_TIMEOUT_SECONDS = 60
# The command line in a child process that also exits when this process was killed.
CHILD_PROGRAM = "from app import shutdown; shutdown.exit_with_parent(0); from app.cli import commands; commands.main()"
console = Console(highlight=False)


class DemoFailed(Exception):
    """The demonstration cannot continue. The text says why and what to do."""


@dataclass(frozen=True)
class DemoProcesses:
    """The URLs of service and simulator, the token for the service, the folder of logs and data, and a port.

    The port is for the page of the demonstration itself.
    """

    service: str
    clio: str
    token: str
    folder: Path
    page_port: int


@dataclass(frozen=True)
class Simulated:
    """The size of the simulated Clio: the contacts of its first firm, and the requests per minute for each token."""

    contacts: int
    rate_limit: int


@contextlib.contextmanager
def running_processes(
    folder: Path, clio: Simulated, *, port: int | None
) -> Iterator[tuple[DemoProcesses, list[subprocess.Popen[bytes]]]]:
    """Start both processes and wait until they respond; stop both when the block ends."""
    demo = _choose_addresses(folder, port)
    with (
        _running("simulator", _simulator_args(demo, clio), {}, demo) as simulator,
        _running("serve", _serve_args(demo), _environment(demo), demo) as service,
    ):
        children = [simulator, service]
        _wait_until_up(demo, children)
        yield demo, children


def _choose_addresses(folder: Path, port: int | None) -> DemoProcesses:
    if port is not None and not _is_free(port):
        raise DemoFailed(
            f"127.0.0.1:{port} is in use; choose another port with --port, or leave the option out"
        )
    service_port = port or _free_ports(1)
    base = _free_ports(5, but=service_port)
    return DemoProcesses(
        service=f"http://127.0.0.1:{service_port}",
        clio=f"http://127.0.0.1:{base}",
        token=secrets.token_urlsafe(24),
        folder=folder,
        page_port=base + 4,
    )


def _free_ports(count: int, *, but: int = 0) -> int:
    """Return the first of `count` consecutive free ports that do not include `but`."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        ports = range(first, first + count)
        if ports.stop <= 65536 and but not in ports and all(map(_is_free, ports)):
            return first
    raise DemoFailed("No free ports were found on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _simulator_args(demo: DemoProcesses, clio: Simulated) -> list[str]:
    return [
        f"--port={demo.clio.rsplit(':', 1)[1]}",
        f"--contacts={clio.contacts}",
        f"--rate-limit={clio.rate_limit}",
        f"--latency={LATENCY_SECONDS}",
        f"--redirect-uri={demo.service}/oauth/clio/callback",
    ]


def _serve_args(demo: DemoProcesses) -> list[str]:
    return [f"--port={demo.service.rsplit(':', 1)[1]}"]


def _environment(demo: DemoProcesses) -> Mapping[str, str]:
    client_id, client_secret = credentials(REGION)
    return {
        "TMPDIR": str(demo.folder),  # PostgreSQL's temporary files are deleted with the folder
        "LEVITATE_CLIO_DATA_DIR": str(demo.folder / "data"),
        "LEVITATE_CLIO_PUBLIC_URL": demo.service,
        "LEVITATE_CLIO_RETURN_ORIGINS": demo.service,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_ID": client_id,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_SECRET": client_secret,
        "LEVITATE_CLIO_REGIONS__US__ORIGIN": demo.clio,
        "LEVITATE_CLIO_SERVICE_TOKEN": demo.token,
        "LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1,localhost",  # for a receiver on this machine
    }


def environment_without_settings() -> dict[str, str]:
    """Return this process's environment for a child process, without the variables of the service.

    A demonstration or a test must not use the configuration of a service that runs on the same machine.
    """
    # This is the environment of a child, not configuration of this process.
    return {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}  # noqa: TID251


@contextlib.contextmanager
def _running(
    command: str, args: list[str], environment: Mapping[str, str], demo: DemoProcesses
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a child process; stop it when the block ends. Its own session keeps Ctrl-C away from it."""
    log = demo.folder / f"{command}.log"
    with log.open("wb") as output, contextlib.ExitStack() as stack:
        with shutdown.defer_signals():
            child = stack.enter_context(
                subprocess.Popen(  # noqa: S603  # our own program with our own arguments
                    [sys.executable, "-c", CHILD_PROGRAM, command, *args],
                    env={**environment_without_settings(), **environment},
                    stdin=subprocess.PIPE,  # never written to: when it closes, this process has ended
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
            stack.callback(_stop, child)
        yield child


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Stop a child and wait until it has ended; signals to this process wait meanwhile."""
    with shutdown.defer_signals():
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_up(demo: DemoProcesses, children: list[subprocess.Popen[bytes]]) -> None:
    console.print("Starting PostgreSQL, the service and a simulated Clio…")
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        for child in children:
            if child.poll() is not None:
                raise DemoFailed(describe_failure(demo, "could not start"))
        with contextlib.suppress(httpx.TransportError):
            httpx.get(demo.clio, trust_env=False)
            if httpx.get(f"{demo.service}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise DemoFailed(describe_failure(demo, f"did not respond after {START_TIMEOUT_SECONDS} s"))


def describe_failure(demo: DemoProcesses, what: str) -> str:
    """Return a message with the end of each log. Call it before the folder is deleted."""
    logs = sorted(demo.folder.glob("*.log"))
    endings = "\n".join(
        f"{log.stem}: {log.read_text(errors='replace')[-1500:].strip()}" for log in logs
    )
    return f"The demonstration {what}.\n{endings}"
