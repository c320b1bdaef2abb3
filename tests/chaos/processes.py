"""Our own commands as real processes on real sockets, to be killed; and how Levitate's backend speaks to them."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.crypto import new_key
from app.db import embedded
from app.demo.processes import environment_without_settings
from app.simulator.http.server import credentials
from tests.support.ports import free_port

TOKEN = "a-bootstrap-token-for-chaos"
PATIENCE = 120.0
REGIONS = 4  # the simulator listens at a port for each, one after another
USER = 601  # the seeded firm's owner, who sees everything


def patiently(call: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, from a service that may just be killed or whose database may just be restarting."""
    deadline = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            answer = call()
            if answer.status_code < 500:
                assert answer.is_success, answer.text
                return answer
        assert time.monotonic() < deadline, "the service does not answer"
        time.sleep(0.1)


@dataclass
class Program:
    """One of our commands, started again as often as wanted."""

    command: list[str]
    environment: Mapping[str, str]
    url: str
    log: Path
    clock: Path | None = None  # where the seconds stand by which its clock is off, if it can be set
    process: subprocess.Popen[bytes] | None = None
    module: str = "app.cli"

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start it, and wait for nothing: it listens nowhere, or need not be up yet."""
        program = ["tests.chaos.skewed", str(self.clock)] if self.clock else [self.module]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *program, *self.command],
                env={**environment_without_settings(), **self.environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self.process

    def start(self, *, path: str) -> None:
        """Start it and wait until it answers."""
        process = self.spawn()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert process.poll() is None, self.log.read_text()[-3000:]
            with suppress(httpx.TransportError):
                httpx.get(self.url + path, trust_env=False, timeout=5)
                return
            time.sleep(0.02)
        raise AssertionError(f"{self.command} did not come up")

    def kill(self) -> None:
        """kill -9, in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def set_clock(self, seconds: float) -> None:
        """From now on its clock is off by so many seconds."""
        assert self.clock is not None
        written = self.clock.with_suffix(".new")
        written.write_text(str(seconds))
        written.replace(self.clock)

    def stop(self) -> None:
        """SIGTERM, and wait for its clean end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)


@dataclass(frozen=True)
class Stage:
    """A simulated Clio and a service beside it."""

    clio: Program
    service: Program
    api: httpx.Client

    def get(self, path: str, **params: Any) -> Any:
        """An answer of the API, patient with a service that is just being killed."""
        return patiently(lambda: self.api.get(path, params=params)).json()

    def worker(self, name: str) -> Program:
        """A process beside the service that works and listens nowhere; not started yet."""
        log = self.service.log.with_name(f"{name}.log")
        clock = self.service.clock and log.with_suffix(".clock")
        return Program(["worker"], self.service.environment, self.service.url, log, clock)

    def settled(self, account_id: str) -> list[dict[str, Any]]:
        """The account's runs, once every one has ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            runs = list(self.all(f"/v1/accounts/{account_id}/runs"))
            if all(run["finished_at"] for run in runs):
                return runs
            assert time.monotonic() < deadline, f"a run did not end: {runs}"
            time.sleep(0.1)

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=200, **({"cursor": cursor} if cursor else {}))
            yield from page["data"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return

    def ended(self, account_id: str, run_id: str) -> dict[str, Any]:
        """The run, once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            run: dict[str, Any] = self.get(f"/v1/accounts/{account_id}/runs/{run_id}")
            if run["finished_at"]:
                return run
            assert time.monotonic() < deadline, f"the run did not end: {run}"
            time.sleep(0.1)

    def clio_log(self) -> list[dict[str, Any]]:
        """What the simulated Clio was asked for through its API, who-am-i left out."""
        log = httpx.get(f"{self.clio.url}/_simulator/log", trust_env=False, timeout=60).json()
        return [
            entry
            for entry in log
            if entry["path"].startswith("/api/") and "who_am_i" not in entry["path"]
        ]

    def create(self, account_id: str) -> None:
        """An account with one user, who has not connected yet."""
        body = {
            "name": "Chaos LLP",
            "time_zone": "America/New_York",
            "country": "US",
            "primary_user_id": "u_1",
            "enabled": True,
        }
        users = [{"id": "u_1", "name": "One", "email": "one@firm.test", "active": True}]
        self.api.put(f"/v1/accounts/{account_id}", json=body).raise_for_status()
        self.api.put(f"/v1/accounts/{account_id}/users", json={"users": users}).raise_for_status()

    def connect(self, account_id: str, user: int = USER) -> None:
        """An account whose user connects through the real redirects."""
        self.create(account_id)
        self.approve(account_id, "u_1", user=user)

    def approve(self, account_id: str, user_id: str, *, user: int) -> None:
        """One of Levitate's users connects as a user of Clio's, through the real redirects."""
        start = {"user_id": user_id, "region": "us", "return_url": "http://127.0.0.1/"}
        started = self.api.post(f"/v1/accounts/{account_id}/connections", json=start).json()
        authorize = f"{started['authorize_url']}&as_user={user}"
        approved = httpx.get(authorize, trust_env=False, timeout=60)
        back = httpx.get(approved.headers["location"], trust_env=False, timeout=60)
        assert back.headers["location"].endswith("clio=connected"), back.headers


@contextmanager
def on_embedded(name: str) -> Iterator[tuple[Path, str]]:
    """An empty folder with an embedded PostgreSQL in it, and its address; both gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix=f"lc-{name}-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
        server = embedded.start(folder / "pg")
        try:
            yield folder, server.dsn
        finally:
            server.stop()


@contextmanager
def staged(
    folder: Path,
    dsn: str,
    *,
    contacts: int,
    clio_port: int | None = None,
    origin: str | None = None,
    environment: Mapping[str, str] | None = None,
    serve: Sequence[str] = (),
    clock: Path | None = None,
    **options: Any,
) -> Iterator[Stage]:
    """Both programs up, on a database of their own; both gone when the block ends.

    The service reaches Clio at `origin`, which may be a proxy before `clio_port`; its date may be set by `clock`;
    `serve` are more options of its.
    """
    clio_port, port = clio_port or free_port(REGIONS), free_port()
    clio_url, url = f"http://127.0.0.1:{clio_port}", f"http://127.0.0.1:{port}"
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    clio = Program(
        [
            *("simulator", f"--port={clio_port}", f"--contacts={contacts}", *flags),
            f"--redirect-uri={url}/oauth/clio/callback",
        ],
        {},
        clio_url,
        folder / "simulator.log",
    )
    service = Program(
        ["serve", f"--port={port}", *serve],
        {**_environment(dsn, url, origin or clio_url), **(environment or {})},
        url,
        folder / "serve.log",
        clock,
    )
    headers = {"Authorization": f"Bearer {TOKEN}", "Levitate-Role": "success_manager"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as api:
        try:
            clio.start(path="/oauth/authorize")
            service.start(path="/healthz")
            yield Stage(clio, service, api)
        finally:
            service.stop()
            clio.stop()


def _environment(dsn: str, url: str, clio_url: str) -> dict[str, str]:
    client_id, secret = credentials("us")
    return {
        "LEVITATE_CLIO_DATABASE_URL": dsn,
        "LEVITATE_CLIO_ENCRYPTION_KEYS": new_key(),
        "LEVITATE_CLIO_PUBLIC_URL": url,
        "LEVITATE_CLIO_RETURN_ORIGINS": "http://127.0.0.1",
        "LEVITATE_CLIO_REGIONS__US__CLIENT_ID": client_id,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_SECRET": secret,
        "LEVITATE_CLIO_REGIONS__US__ORIGIN": clio_url,
        "LEVITATE_CLIO_SERVICE_TOKEN": TOKEN,
        "LEVITATE_CLIO_HEARTBEAT_SECONDS": "0.5",
        "LEVITATE_CLIO_API_RATE": "0",
        "LEVITATE_CLIO_LOG_LEVEL": "INFO",
    }
