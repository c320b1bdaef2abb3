"""The servers of a measurement: PostgreSQL, the fake Clio and the service, each one a process of its own."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import psutil

from app.clio import resources
from app.crypto import new_key
from app.db.embedded import ROLES
from app.demo.processes import environment_without_settings
from benchmarks.fields import FIELDS
from tests.chaos.processes import TOKEN, Program, embedded_postgres, roles_of
from tests.support.browser import approve_login
from tests.support.ports import free_port
from tests.support.waiting import wait_for, wait_until

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-bench/bin/python"  # has what the references and the fake Clio import
CLIO_TOKEN = "bench-token"  # noqa: S105  # the fake Clio's own, which protects nothing
LONG = 1800.0  # seconds after which a run counts as failed
POLL = 0.02


class Sql:
    """A connection to a database for the measurement itself. Its backend is not part of any figure."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(asyncpg.connect(dsn))
        self.backend: int = self.value("select pg_backend_pid()")

    def value(self, query: str, *values: object) -> Any:
        """Return the one value of a query."""
        return self._loop.run_until_complete(self._connection.fetchval(query, *values))

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return the rows of a query."""
        return self._loop.run_until_complete(self._connection.fetch(query, *values))

    def close(self) -> None:
        """Close the connection."""
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server; `admin` is connected to its first database."""

    dsn: str
    admin: Sql
    postmaster: int
    version: str

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Create an empty database, yield its address and drop it when the block ends."""
        self.admin.value(f'drop database if exists "{name}" with (force)')
        self.admin.value(f'create database "{name}"')
        try:
            yield urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}"))
        finally:
            self.admin.value(f'drop database "{name}" with (force)')

    def wait_until_left(self, dsn: str) -> None:
        """Wait until nobody is connected to a database, so that the server has counted what they used."""
        query = "select count(*) from pg_stat_activity where datname = $1 and backend_type = 'client backend'"
        name = urlsplit(dsn).path[1:]
        wait_until(lambda: self.admin.value(query, name) == 0, f"somebody still uses {name}")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start an embedded PostgreSQL, or use the server that `BENCH_DATABASE_URL` names; it must run on this machine."""
    # A variable of the benchmark, not of the service.
    own = os.environ.get("BENCH_DATABASE_URL")  # noqa: TID251
    if own:
        opened = _opened(own)
        for role in ROLES:  # the first migration would make them without a password
            opened.admin.value(_MAKE_ROLE.format(role=role))
        yield opened
        return
    with embedded_postgres("bench") as (_, dsn):
        yield _opened(dsn)


_MAKE_ROLE = """
    do $$ begin
        if not exists (select from pg_roles where rolname = '{role}') then create role {role}; end if;
        alter role {role} login password '{role}';
    end $$
"""


def _opened(dsn: str) -> Postgres:
    admin = Sql(dsn)
    postmaster = psutil.Process(admin.backend).ppid()
    return Postgres(dsn, admin, postmaster, admin.value("show server_version"))


def for_libpq(dsn: str) -> str:
    """Return an address with a host, which dlt demands; libpq prefers the folder of the socket in its query."""
    parts = urlsplit(dsn)
    return dsn if parts.hostname else urlunsplit(parts._replace(netloc="postgres:x@localhost"))


@dataclass(frozen=True)
class Fake:
    """The fake Clio. `stats` counts what it was asked."""

    url: str
    contacts: int
    matters: int
    relationships: int
    control: httpx.Client = field(repr=False)

    def call(self, what: str, **values: object) -> dict[str, Any]:
        """Call one of its own functions; return the answer."""
        params = {name: str(value) for name, value in values.items()}
        answer = self.control.get(f"/__bench__/{what}", params=params)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def renew(self, *, latency_ms: float) -> None:
        """Forget all changes and counts, and answer after so many milliseconds from now on."""
        self.call("restore")
        self.call("reset")
        self.call("config", latency_ms=latency_ms)

    def touch(self, *, percent: float = 1.0, kinds: str = "contacts,matters") -> dict[str, Any]:
        """Change so many of 100 records; return how many of each kind."""
        return self.call("touch", pct=percent, kinds=kinds)

    @property
    def requests(self) -> int:
        """The requests to Clio's API since `renew`."""
        return int(self.call("stats")["requests"])


@contextmanager
def running_fake(folder: Path, contacts: int) -> Iterator[Fake]:
    """Start a fake Clio with so many contacts; stop it when the block ends. All field lists are warm."""
    assert PYTHON.exists(), "`make bench` makes the environment of the references and of the fake"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(PYTHON), str(ROOT / "benchmarks/clio_fake.py"), f"--port={port}"]
    with (folder / "fake.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own program with our own arguments
            [*command, f"--contacts={contacts}", f"--token={CLIO_TOKEN}"], stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=600) as control:
            wait_until(lambda: answers(control, "/__bench__/stats"), "the fake did not start")
            counts = control.get("/__bench__/stats").json()
            fake = Fake(url, contacts, counts["matters"], counts["relationships"], control)
            warm(fake)
            yield fake
    finally:
        process.terminate()
        process.wait()


def warm(fake: Fake) -> None:
    """Let the fake make all pages, of the references' field lists and of the service's own."""
    for kind, fields in FIELDS.items():
        fake.call("warm", kind=kind, fields=fields)
    for resource in (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS):
        fake.call("warm", kind=resource.name, fields=",".join(resource.fields))


def answers(client: httpx.Client, path: str) -> bool:
    """Return whether a program answers with a success."""
    with suppress(httpx.TransportError):
        return client.get(path).is_success
    return False


ACCOUNT = "bench"
PATH = f"/v1/accounts/{ACCOUNT}"
ACCOUNT_BODY = {
    "name": "Bench LLP",
    "country": "US",
    "primary_user_id": "u_1",
    "enabled": True,
}
USERS = [{"id": "u_1", "name": "One", "email": "user0@firm.example", "active": True}]


# Four hours apart, without summer time.
ZONES = (
    "UTC",
    "Asia/Dubai",
    "Asia/Singapore",
    "Pacific/Tarawa",
    "Pacific/Pitcairn",
    "America/Puerto_Rico",
)


def zone_in_the_morning(now: datetime) -> str:
    """Return a time zone where it is 8 to 12 o'clock: no slot is near, whose run would count as a measured one."""
    return next(zone for zone in ZONES if 8 <= now.astimezone(ZoneInfo(zone)).hour < 12)


@dataclass(frozen=True)
class Service:
    """The service as one process, a client of its API, and the measurement's own connection to its database."""

    program: Program
    api: httpx.Client
    sql: Sql

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self.program.check_running().pid

    def connect(self) -> None:
        """Create the account and connect its user through the real redirects; the first run begins."""
        now = datetime.now(UTC)  # noqa: TID251  # the service's clock is that of the machine, too
        account = {**ACCOUNT_BODY, "time_zone": zone_in_the_morning(now)}
        self.api.put(PATH, json=account).raise_for_status()
        self.api.put(f"{PATH}/users", json={"users": USERS}).raise_for_status()
        body = {"user_id": "u_1", "region": "us", "return_url": "http://127.0.0.1/"}
        started = self.api.post(f"{PATH}/connections", json=body).json()
        back = approve_login(started["authorize_url"])
        assert back.headers["location"].endswith("clio=connected"), back.headers

    def request_run(self, kind: str) -> None:
        """Request a run."""
        key = {"Idempotency-Key": f"run-{time.monotonic_ns()}"}
        self.api.post(f"{PATH}/runs", json={"kind": kind}, headers=key).raise_for_status()

    def wait_for_run(self, count: int) -> dict[str, Any]:
        """Wait until the account's run number `count` has succeeded; return it as the API shows it.

        The wait asks the database, by the connection that is not measured.
        """
        query = "select run_id from runs where finished_at is not null order by queued_at offset $1"
        deadline = time.monotonic() + LONG
        while (run_id := self.sql.value(query, count - 1)) is None:
            assert time.monotonic() < deadline, "the run does not end"
            self.program.check_running()
            time.sleep(POLL)
        run: dict[str, Any] = self.api.get(f"{PATH}/runs/{run_id}").json()
        assert run["status"] == "succeeded", run
        return run


@contextmanager
def running_service(folder: Path, dsn: str, clio_url: str) -> Iterator[Service]:
    """Start the service with its default settings on an empty database; stop it when the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**environment_without_settings(), **_settings(dsn, url, clio_url)}
    program = Program(["serve", f"--port={port}"], environment, url, folder / "serve.log")
    headers = {"Authorization": f"Bearer {TOKEN}", "Levitate-Role": "success_manager"}
    program.start(path="/healthz")
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=LONG, trust_env=False) as api:
            wait_for(lambda: answers(api, "/readyz") or None, "the service is not ready")
            sql = Sql(dsn)
            yield Service(program, api, sql)
            sql.close()
    finally:
        program.stop()


def _settings(dsn: str, url: str, clio_url: str) -> Mapping[str, str]:
    """Return the settings that a service needs, and no limit for those who call it: reads are measured."""
    return {
        **roles_of(dsn),
        "LEVITATE_CLIO_ENCRYPTION_KEYS": new_key(),
        "LEVITATE_CLIO_PUBLIC_URL": url,
        "LEVITATE_CLIO_RETURN_ORIGINS": "http://127.0.0.1",
        "LEVITATE_CLIO_REGIONS__US__CLIENT_ID": "bench",
        "LEVITATE_CLIO_REGIONS__US__CLIENT_SECRET": "bench",
        "LEVITATE_CLIO_REGIONS__US__ORIGIN": clio_url,
        "LEVITATE_CLIO_SERVICE_TOKEN": TOKEN,
        "LEVITATE_CLIO_API_RATE": "0",
    }
