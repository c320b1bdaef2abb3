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
from app.simulator.http.server import credentials

REGION = "us"
LATENCY = 0.12  # seconds until the simulated Clio responds, like the real one
START_SECONDS = 60
# The command line in a child process that also exits when this process was killed.
COMMANDS = "from app import shutdown; shutdown.exit_with_parent(0); from app.cli import commands; commands.main()"
show = Console(highlight=False)


class DemoFailed(Exception):
    """The demonstration cannot continue. The text says why and what to do."""


@dataclass(frozen=True)
class Stage:
    """The addresses of the two processes, and the token for the service."""

    service: str
    clio: str
    token: str
    folder: Path


@contextlib.contextmanager
def staged(
    folder: Path, *, port: int | None, contacts: int
) -> Iterator[tuple[Stage, list[subprocess.Popen[bytes]]]]:
    """Start both processes and wait until they respond; stop both when the block ends."""
    stage = _new_stage(folder, port)
    with (
        _running("simulator", _simulator_args(stage, contacts), {}, stage) as clio,
        _running("serve", _serve_args(stage), _environment(stage), stage) as service,
    ):
        children = [clio, service]
        _wait_until_up(stage, children)
        yield stage, children


def _new_stage(folder: Path, port: int | None) -> Stage:
    if port is not None and not _is_free(port):
        raise DemoFailed(
            f"127.0.0.1:{port} is in use; choose another port with --port, or leave the option out"
        )
    service_port = port or _free_ports(1)
    base = _free_ports(4, but=service_port)
    return Stage(
        service=f"http://127.0.0.1:{service_port}",
        clio=f"http://127.0.0.1:{base}",
        token=secrets.token_urlsafe(24),
        folder=folder,
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


def _simulator_args(stage: Stage, contacts: int) -> list[str]:
    return [
        f"--port={stage.clio.rsplit(':', 1)[1]}",
        f"--contacts={contacts}",
        f"--latency={LATENCY}",
        f"--redirect-uri={stage.service}/oauth/clio/callback",
    ]


def _serve_args(stage: Stage) -> list[str]:
    return [f"--port={stage.service.rsplit(':', 1)[1]}"]


def _environment(stage: Stage) -> Mapping[str, str]:
    client_id, client_secret = credentials(REGION)
    return {
        "TMPDIR": str(
            stage.folder
        ),  # so that temporary files of PostgreSQL are deleted with the folder
        "LEVITATE_CLIO_DATA_DIR": str(stage.folder / "data"),
        "LEVITATE_CLIO_PUBLIC_URL": stage.service,
        "LEVITATE_CLIO_RETURN_ORIGINS": stage.service,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_ID": client_id,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_SECRET": client_secret,
        "LEVITATE_CLIO_REGIONS__US__ORIGIN": stage.clio,
        "LEVITATE_CLIO_SERVICE_TOKEN": stage.token,
        "LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1,localhost",  # a receiver on this machine may be tried
    }


@contextlib.contextmanager
def _running(
    command: str, args: list[str], environment: Mapping[str, str], stage: Stage
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a child process; stop it when the block ends. Its own session keeps Ctrl-C away from it."""
    log = stage.folder / f"{command}.log"
    # A child's environment, not configuration of this process.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEVITATE_CLIO_")}  # noqa: TID251
    with log.open("wb") as output, contextlib.ExitStack() as ending:
        with shutdown.defer_signals():
            child = ending.enter_context(
                subprocess.Popen(  # noqa: S603  # our own program with our own arguments
                    [sys.executable, "-c", COMMANDS, command, *args],
                    env={**kept, **environment},
                    stdin=subprocess.PIPE,  # never written to: when it closes, this process has ended
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
            ending.callback(_end, child)
        yield child


def _end(child: subprocess.Popen[bytes]) -> None:
    """Stop a child and wait until it has ended; signals to this process wait meanwhile."""
    with shutdown.defer_signals():
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_up(stage: Stage, children: list[subprocess.Popen[bytes]]) -> None:
    show.print("Starting PostgreSQL, the service and a simulated Clio…")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for child in children:
            if child.poll() is not None:
                raise DemoFailed(last_words(stage, "could not start"))
        with contextlib.suppress(httpx.TransportError):
            httpx.get(stage.clio, trust_env=False)
            if httpx.get(f"{stage.service}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise DemoFailed(last_words(stage, f"did not respond after {START_SECONDS} s"))


def last_words(stage: Stage, what: str) -> str:
    """Return what happened and the last lines of the logs, before their folder is deleted."""
    logs = sorted(stage.folder.glob("*.log"))
    said = "\n".join(
        f"{log.stem}: {log.read_text(errors='replace')[-1500:].strip()}" for log in logs
    )
    return f"The demonstration {what}.\n{said}"
