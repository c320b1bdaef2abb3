"""The stage: a database, one process for the API, two workers, and a fake Clio for each size of firm.

Every firm of a size reads the same records with a login of its own, so each has a rate limit of its own. For the
service the sizes are regions.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from app.clio import resources
from app.crypto import new_key
from benchmarks.many_firms.short_minutes import WINDOW
from benchmarks.servers import ACCOUNT_BODY, PYTHON, ROOT, USERS, Fake, Postgres, Sql, answers
from tests.chaos.processes import TOKEN, Program, roles_of
from tests.support.browser import approve_login
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PROGRAM = "benchmarks.many_firms.short_minutes"
WORKERS = 2
CALLERS = 6  # firms that are connected at the same time
PATIENCE = 3600.0  # seconds until a phase counts as failed


@dataclass(frozen=True)
class Size:
    """Firms of one size: how many, with how many contacts, and the region that stands for them."""

    name: str
    firms: int
    contacts: int
    region: str

    @property
    def accounts(self) -> list[str]:
        """The accounts of these firms."""
        return [f"{self.name}-{nth}" for nth in range(self.firms)]


@dataclass
class Stage:
    """What runs. `sql` is the measurement's own connection, which no figure contains."""

    postgres: Postgres
    dsn: str
    sql: Sql
    sizes: Sequence[Size]
    fakes: dict[str, Fake]
    api: httpx.Client
    serve: Program
    workers: list[Program]
    ticks: Path
    _keys: Iterator[int] = field(default_factory=count)

    @property
    def firms(self) -> int:
        """How many firms there are."""
        return sum(size.firms for size in self.sizes)

    @property
    def contacts(self) -> int:
        """How many contacts all firms have."""
        return sum(size.firms * size.contacts for size in self.sizes)

    @property
    def pids(self) -> dict[str, int]:
        """The processes of the service."""
        programs = {
            "serve": self.serve,
            **{f"worker {n}": w for n, w in enumerate(self.workers, 1)},
        }
        return {name: program.check_running().pid for name, program in programs.items()}

    def connect_all(self) -> None:
        """Create all accounts, the large ones first, and connect each through the real redirects."""
        for size in self.sizes:
            with ThreadPoolExecutor(CALLERS) as pool:
                list(
                    pool.map(
                        lambda account, size=size: self._connect(account, size.region),
                        size.accounts,
                    )
                )

    def _connect(self, account_id: str, region: str) -> None:
        path = f"/v1/accounts/{account_id}"
        account = {**ACCOUNT_BODY, "time_zone": "UTC"}
        self.api.put(path, json=account).raise_for_status()
        self.api.put(f"{path}/users", json={"users": USERS}).raise_for_status()
        body = {"user_id": "u_1", "region": region, "return_url": "http://127.0.0.1/"}
        started = self.api.post(f"{path}/connections", json=body).json()
        back = approve_login(started["authorize_url"])
        assert back.headers["location"].endswith("clio=connected"), back.headers

    def request_runs(self, kind: str) -> None:
        """Request a run of every firm."""
        accounts = [account for size in self.sizes for account in size.accounts]
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(lambda account: self._request_run(account, kind), accounts))

    def _request_run(self, account_id: str, kind: str) -> None:
        headers = {"Idempotency-Key": f"run-{next(self._keys)}"}
        asked = self.api.post(
            f"/v1/accounts/{account_id}/runs", json={"kind": kind}, headers=headers
        )
        asked.raise_for_status()

    def read_feeds(self) -> int:
        """Read the whole feed of every firm, as Levitate does once; return how many lines there are."""
        accounts = [account for size in self.sizes for account in size.accounts]
        with ThreadPoolExecutor(CALLERS) as pool:
            return sum(pool.map(self._read_feed, accounts))

    def _read_feed(self, account_id: str) -> int:
        lines, query = 0, {"limit": "1000"}
        while True:
            answer = self.api.get(f"/v1/accounts/{account_id}/changes", params=query)
            answer.raise_for_status()
            page = answer.json()
            lines += len(page["data"])
            if not page["has_more"]:
                return lines
            query["cursor"] = page["next_cursor"]

    def wait_for(self, query: str, wanted: int, what: str) -> None:
        """Wait until a counting query returns `wanted`; every process must run meanwhile."""

        def reached() -> bool:
            _ = self.pids
            return bool(self.sql.value(query) == wanted)

        wait_until(reached, f"not reached: {wanted} {what}", patience=PATIENCE)

    def wait_for_runs(self, kind: str) -> None:
        """Wait until every firm has finished a run of a kind, and no run is left."""
        finished = "select count(*) from runs where finished_at is not null"
        self.wait_for(f"{finished} and kind = '{kind}'", self.firms, f"{kind} runs")
        self.wait_until_quiet()

    def wait_until_quiet(self) -> None:
        """Wait until no run is left; all must have succeeded."""
        self.wait_for(
            "select count(*) from runs where finished_at is null", 0, "runs that are left"
        )
        failed = "select account_id, status, problems from runs where status <> 'succeeded' limit 3"
        assert not (found := self.sql.rows(failed)), found

    def begin_slot(self) -> datetime:
        """Let the next minute be a slot of all firms, and wait until it begins; return its time.

        The workers restart with it, because a process reads its slots once. The look at the accounts is brought
        forward: otherwise a change of the slots would be found within an hour.
        """
        now = datetime.now(UTC)  # noqa: TID251  # the clock of the processes is that of the machine
        slot = (now + timedelta(seconds=20)).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.environment = {**worker.environment, "LEVITATE_CLIO_SLOTS": f"{slot:%H:%M}"}
            worker.start(path="/healthz")
        self.sql.value("update accounts set slot_due_at = clock_timestamp()")
        time.sleep(max(0.0, slot.timestamp() - time.time()))  # noqa: TID251
        return slot

    def wait_for_slot(self, slot: datetime) -> None:
        """Wait until the runs of a slot have ended."""
        closed = "select count(*) from slots where closed_at is not null"
        closed += f" and due_at >= '{slot.isoformat()}'"
        self.wait_for(closed, self.firms, "slots that were served")
        self.wait_until_quiet()


@contextmanager
def running_stage(
    postgres: Postgres, folder: Path, sizes: Sequence[Size], *, spread: int, latency_ms: float
) -> Iterator[Stage]:
    """Start everything on an empty database; stop it when the block ends."""
    with ExitStack() as opened:
        dsn = opened.enter_context(postgres.database("bench_many_firms"))
        fakes = {
            size.name: opened.enter_context(_running_fake(folder, size, latency_ms))
            for size in sizes
        }
        url = f"http://127.0.0.1:{free_port()}"
        settings = _settings(dsn, url, sizes, fakes, spread)
        serve, *workers = _programs(folder, url, settings)
        for program in (serve, *workers):  # the first one migrates
            opened.callback(program.stop)
            program.start(path="/healthz")
        headers = {"Authorization": f"Bearer {TOKEN}", "Levitate-Role": "success_manager"}
        api = opened.enter_context(
            httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)
        )
        wait_until(lambda: answers(api, "/readyz"), "the service is not ready")
        sql = Sql(dsn)
        opened.callback(sql.close)
        yield Stage(postgres, dsn, sql, sizes, fakes, api, serve, workers, folder / "ticks")


def _programs(folder: Path, url: str, settings: dict[str, str]) -> Iterator[Program]:
    ticks, port = folder / "ticks", url.rpartition(":")[2]
    ticks.mkdir()
    command = [str(ticks / "serve"), "serve", f"--port={port}", "--no-workers"]
    yield Program(command, settings, url, folder / "serve.log", module=PROGRAM)
    for nth in range(1, WORKERS + 1):
        port = str(free_port())
        environment = {**settings, "LEVITATE_CLIO_WORKER_PORT": port}
        log = folder / f"worker-{nth}.log"
        command = [str(ticks / f"worker {nth}"), "worker"]
        yield Program(command, environment, f"http://127.0.0.1:{port}", log, module=PROGRAM)


def _settings(
    dsn: str, url: str, sizes: Sequence[Size], fakes: dict[str, Fake], spread: int
) -> dict[str, str]:
    """Return the settings. No slot comes before `begin_slot`."""
    half_a_day_ago = datetime.now(UTC) - timedelta(hours=12)  # noqa: TID251
    settings = {
        **roles_of(dsn),
        "LEVITATE_CLIO_ENCRYPTION_KEYS": new_key(),
        "LEVITATE_CLIO_PUBLIC_URL": url,
        "LEVITATE_CLIO_RETURN_ORIGINS": "http://127.0.0.1",
        "LEVITATE_CLIO_SERVICE_TOKEN": TOKEN,
        "LEVITATE_CLIO_API_RATE": "0",
        "LEVITATE_CLIO_SLOTS": f"{half_a_day_ago:%H:%M}",
        "LEVITATE_CLIO_SLOT_SPREAD_SECONDS": str(spread),
    }
    for size in sizes:
        region = f"LEVITATE_CLIO_REGIONS__{size.region.upper()}__"
        settings |= {f"{region}CLIENT_ID": "bench", f"{region}CLIENT_SECRET": "bench"}
        settings[f"{region}ORIGIN"] = fakes[size.name].url
    return settings


@contextmanager
def _running_fake(folder: Path, size: Size, latency_ms: float) -> Iterator[Fake]:
    """Start the fake Clio of a size, with the rate limit of a short minute; its pages are warm."""
    assert PYTHON.exists(), "`make bench` makes the environment of the fake"
    port = free_port()
    command = [str(PYTHON), "-m", "benchmarks.many_firms.clio", f"--port={port}"]
    command += [f"--contacts={size.contacts}", f"--window={WINDOW}", f"--latency-ms={latency_ms}"]
    with (folder / f"clio-{size.name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=600) as control:
            wait_until(lambda: answers(control, "/__bench__/stats"), "the fake did not start")
            stats: dict[str, Any] = control.get("/__bench__/stats").json()
            fake = Fake(url, size.contacts, stats["matters"], stats["relationships"], control)
            for resource in (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS):
                fake.call("warm", kind=resource.name, fields=",".join(resource.fields))
            yield fake
    finally:
        process.terminate()
        process.wait()
