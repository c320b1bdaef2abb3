"""Starts and kills our commands as real processes, and calls their API as Levitate's backend does."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.crypto import new_key
from app.db import embedded
from app.demo.processes import environment_without_settings
from app.simulator.http.server import credentials
from tests.support.browser import approve_login
from tests.support.ports import free_port
from tests.support.postgres import address_of
from tests.support.waiting import PATIENCE, wait_for, wait_until

TOKEN = "a-bootstrap-token-for-chaos-tests"
REGIONS = 4  # the simulator listens on consecutive ports, one for each region
DATABASE_URL = "LEVITATE_CLIO_DATABASE_URL"
USER = 601  # the owner of the seeded firm, who sees all records


def retry_until_success(
    call: Callable[[], httpx.Response], *, patience: float = 60.0, also: Container[int] = ()
) -> httpx.Response:
    """Repeat a call until the service or its database has restarted and the response is a success; return it.

    A client error is a failure at once, unless its status is in `also`. `patience` is the longest time in seconds.
    """

    def answered() -> httpx.Response | None:
        with suppress(httpx.TransportError):
            answer = call()
            if answer.status_code < 500:
                assert answer.is_success or answer.status_code in also, answer.text
                return answer
        return None

    return wait_for(answered, "the service does not answer", patience=patience)


@dataclass
class Program:
    """One of our commands, which can be started repeatedly."""

    command: list[str]
    environment: Mapping[str, str]
    url: str
    log: Path
    clock: Path | None = None  # the file with the offset of its clock, if the clock can be set
    process: subprocess.Popen[bytes] | None = None
    module: str = "app.cli"
    tree: Path | None = None  # the folder with the code; None: this repository

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start it without waiting until it is ready."""
        program = ["tests.chaos.clock_offset", str(self.clock)] if self.clock else [self.module]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *program, *self.command],
                env={**environment_without_settings(), **self.environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.tree,
            )
        return self.process

    def start(self, *, path: str) -> None:
        """Start it and wait until it answers a request for the path."""
        self.spawn()
        wait_until(lambda: self._answers(path), f"{self.command} did not start")

    def _answers(self, path: str) -> bool:
        """Return whether it answers, whatever the answer is; fail if it has ended by itself."""
        self.check_running()
        with suppress(httpx.TransportError):
            httpx.get(self.url + path, trust_env=False, timeout=5)
            return True
        return False

    def kill(self) -> None:
        """Kill it with kill -9; fail if it had ended by itself."""
        process = self.check_running()
        process.kill()
        process.wait()
        self.process = None

    def set_clock(self, seconds: float) -> None:
        """Set the offset of its clock in seconds."""
        assert self.clock is not None
        new = self.clock.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.clock)

    def stop(self) -> int:
        """Send SIGTERM, wait until it has ended and return its exit code; fail if it had ended by itself.

        One that is not started counts as ended with 0.
        """
        if self.process is None:
            return 0
        process = self.check_running()
        process.send_signal(signal.SIGTERM)
        self.process = None
        return process.wait(timeout=120)  # requests to a slow Clio are awaited

    def check_running(self) -> "subprocess.Popen[bytes]":
        """Return the process; fail if it is not started or has ended by itself."""
        assert self.process is not None, f"{self.command} is not started"
        code = self.process.poll()
        assert code is None, f"{self.command} ended with {code}: {self.log.read_text()[-3000:]}"
        return self.process


@dataclass(frozen=True)
class Stack:
    """A simulated Clio, a service that uses it, and a client of the service's API."""

    clio: Program
    service: Program
    api: httpx.Client

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a response; the request is repeated while the service restarts."""
        return retry_until_success(lambda: self.api.get(path, params=params)).json()

    def worker(self, name: str) -> Program:
        """Return a worker process for the service's database, not started yet."""
        log = self.service.log.with_name(f"{name}.log")
        clock = self.service.clock and log.with_suffix(".clock")
        port = free_port()
        environment = {**self.service.environment, "LEVITATE_CLIO_WORKER_PORT": str(port)}
        return Program(
            ["worker"],
            environment,
            f"http://127.0.0.1:{port}",
            log,
            clock,
            module=self.service.module,
            tree=self.service.tree,
        )

    def wait_for_runs(self, account_id: str, *, patience: float = PATIENCE) -> list[dict[str, Any]]:
        """Wait until all runs of the account have ended; return them."""

        def ended() -> list[dict[str, Any]] | None:
            runs = list(self.all(f"/v1/accounts/{account_id}/runs"))
            return runs if all(run["finished_at"] for run in runs) else None

        return wait_for(ended, f"a run of {account_id} did not end", patience=patience)

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=200, **({"cursor": cursor} if cursor else {}))
            yield from page["data"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return

    def wait_for_run(self, account_id: str, run_id: str) -> dict[str, Any]:
        """Wait until the run has ended; return it."""

        def ended() -> dict[str, Any] | None:
            run: dict[str, Any] = self.get(f"/v1/accounts/{account_id}/runs/{run_id}")
            return run if run["finished_at"] else None

        return wait_for(ended, f"the run {run_id} did not end")

    def release_holds(self, account_id: str) -> int:
        """Release every open hold of the account, as a person does; return how many there were."""
        path = f"/v1/accounts/{account_id}/holds"
        held = [hold["id"] for hold in self.all(path) if hold["status"] == "open"]
        for hold_id in held:
            retry_until_success(lambda: self.api.post(f"{path}/{hold_id}/release"), also=(409,))  # noqa: B023
        return len(held)

    def clio_log(self) -> list[dict[str, Any]]:
        """Return the requests to the API of the simulated Clio, without who_am_i."""
        log = httpx.get(f"{self.clio.url}/_simulator/log", trust_env=False, timeout=60).json()
        return [
            entry
            for entry in log
            if entry["path"].startswith("/api/") and "who_am_i" not in entry["path"]
        ]

    def create(self, account_id: str) -> None:
        """Create an account with one user, who is not connected yet."""
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

    def connect(self, account_id: str, user: int = USER, region: str = "us") -> None:
        """Create an account and connect its user through the real redirects."""
        self.create(account_id)
        self.approve(account_id, "u_1", user=user, region=region)

    def approve(self, account_id: str, user_id: str, *, user: int, region: str = "us") -> None:
        """Connect a Levitate user as a Clio user through the real redirects."""
        start = {"user_id": user_id, "region": region, "return_url": "http://127.0.0.1/"}
        started = self.api.post(f"/v1/accounts/{account_id}/connections", json=start).json()
        back = approve_login(started["authorize_url"], user)
        assert back.headers["location"].endswith("clio=connected"), back.headers


@contextmanager
def embedded_postgres(name: str, within: Path | None = None) -> Iterator[tuple[Path, str]]:
    """Start an embedded PostgreSQL in a new folder; yield the folder and DSN, and remove both when the block ends.

    The folder is in `within`, or in the folder for temporary files.
    """
    with tempfile.TemporaryDirectory(prefix=f"lc-{name}-", dir=within) as path:
        folder = Path(path)
        folder.chmod(0o755)  # root starts PostgreSQL as another user
        server = embedded.start(folder / "pg")
        try:
            yield folder, server.dsn
        finally:
            server.stop()


@contextmanager
def running_stack(
    folder: Path,
    dsn: str,
    *,
    contacts: int,
    clio_port: int | None = None,
    origin: str | None = None,
    environment: Mapping[str, str] | None = None,
    serve: Sequence[str] = (),
    clock: Path | None = None,
    tree: Path | None = None,
    module: str = "app.cli",
    **options: Any,
) -> Iterator[Stack]:
    """Start the simulator and the service, yield them, and stop both when the block ends.

    The service sends its requests to Clio to `origin`, which may be a proxy before `clio_port`. `clock` is the file
    that sets the service's clock, `tree` the folder with the service's code, `module` the program that runs its
    commands, `serve` has further options of the service, and `options` those of the simulator.
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
        {
            **_environment(url, origin or clio_url),
            **(roles_of(dsn) if tree is None else {DATABASE_URL: dsn}),
            **(environment or {}),
        },
        url,
        folder / "serve.log",
        clock,
        module=module,
        tree=tree,
    )
    headers = {"Authorization": f"Bearer {TOKEN}", "Levitate-Role": "success_manager"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as api:
        try:
            clio.start(path="/oauth/authorize")
            service.start(path="/healthz")
            yield Stack(clio, service, api)
        finally:
            service.stop()
            clio.stop()


def roles_of(dsn: str) -> dict[str, str]:
    """Return the variables with the users of this release, given the address of the owner."""
    address = address_of(dsn)
    return {
        DATABASE_URL: address.url,
        "LEVITATE_CLIO_SYSTEM_DATABASE_URL": address.system or "",
        "LEVITATE_CLIO_MIGRATE_DATABASE_URL": dsn,
    }


def _environment(url: str, clio_url: str) -> dict[str, str]:
    client_id, secret = credentials("us")
    return {
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
