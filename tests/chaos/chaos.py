"""Injects faults while a firm is synced, and checks after each round that all data equals Clio's.

    python -m tests.chaos.chaos --rounds 200 --seed 1

The script starts an embedded PostgreSQL, the simulator, a faulty proxy before the simulator, and two processes of the
service. Each round changes records in Clio, requests a full run, and injects faults during the run: kill -9, SIGTERM, a
database crash, a wrong clock, a faulty network. Then the faults end, and one more full run is made. After it the
contacts must equal the result of the pure rules for Clio's own lists, no existing person may be deleted, and the change
feed must rebuild the contact list. The same seed makes the same random choices.
"""

import argparse
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.db import embedded
from app.rules.facts import FirmFacts
from tests.chaos import expected
from tests.chaos.changes import FirmChanges
from tests.chaos.checks import check_account
from tests.chaos.database_faults import stopped_server
from tests.chaos.processes import REGIONS, Program, Stack, retry_until_success, running_stack
from tests.chaos.proxy import FaultRates, Proxy, running
from tests.support.ports import free_port
from tests.support.waiting import wait_until_none_left

ACCOUNT = "chaos"
USERS = {601: "u_1", 602: "u_2"}  # both connect; both see all contacts, but not all matters
FIRM = FirmFacts("US", "u_1", frozenset(USERS.values()), USERS)
FAULT_RATES = FaultRates(drop=0.04, lose=0.06, cut=0.04, delay=0.10)
DAY = 86_400.0
CLOCK_OFFSETS = (0.0, 90.0, 3_600.0, -3_600.0, DAY, -DAY)  # seconds
TIMEOUT = 240.0


@dataclass
class Report:
    """Counts of the rounds so far. `actions` counts the changes in Clio and the injected faults by name."""

    rounds: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    contacts: int = 0
    lines: int = 0
    seconds: float = 0.0


class Chaos:
    """One firm, one database and two processes of the service, with random faults."""

    def __init__(self, stack: Stack, worker: Program, proxy: Proxy, pg: Path, seed: int) -> None:
        self._stack = stack
        self._processes = [stack.service, worker]
        self._proxy = proxy
        self._pg = pg
        self._rng = random.Random(seed)  # noqa: S311
        self._readers: list[expected.ClioReader] = []
        self._firm = FirmChanges(stack.clio.url, self._readers, self._rng)
        self.report = Report()

    @property
    def network(self) -> Counter[str]:
        """The number of exchanges with Clio for each fault of the proxy."""
        return self._proxy.counts

    def begin(self) -> None:
        """Connect two users, wait for the first run and check the data."""
        users = [
            {"id": us, "name": us, "email": f"{us}@firm.test", "active": True}
            for us in USERS.values()
        ]
        self._stack.connect(ACCOUNT, user=601)
        path = f"/v1/accounts/{ACCOUNT}"
        self._stack.api.put(f"{path}/users", json={"users": users}).raise_for_status()
        self._stack.approve(ACCOUNT, USERS[602], user=602)
        self._wait_for_runs()
        redirect = f"{self._stack.service.url}/oauth/clio/callback"
        self._readers += [
            expected.ClioReader(self._stack.clio.url, redirect, user) for user in USERS
        ]
        self._check()

    def end(self) -> None:
        """Close the readers of Clio."""
        for reader in self._readers:
            reader.close()

    def round(self) -> None:
        """Change records, inject faults during a run, end the faults, run again and check the data."""
        for _ in range(self._rng.randint(1, 8)):
            self.report.actions[self._firm.change()] += 1
        self._request_run("full")
        self._proxy.rates = FAULT_RATES
        for _ in range(self._rng.randint(0, 3)):
            time.sleep(self._rng.uniform(0.0, 0.6))
            self._inject_fault()
        time.sleep(self._rng.uniform(0.0, 0.5))
        self._proxy.rates = FaultRates()
        self._wait_for_runs()
        self._request_run("full")
        self._wait_for_runs()
        while self._stack.release_holds(ACCOUNT):
            self._wait_for_runs()
        self._check()
        self.report.rounds += 1

    # --- faults ------------------------------------------------------------------------------

    def _inject_fault(self) -> None:
        name = self._rng.choice(["kill", "kill", "stop", "database", "clock"])
        self.report.actions[name] += 1
        if name == "database":
            with stopped_server(self._pg):
                pass
            return
        process = self._rng.choice(self._processes)
        self._check_processes()
        if name == "clock":
            process.set_clock(self._rng.choice(CLOCK_OFFSETS))
            return
        if name == "kill":
            process.kill()
        else:
            code = process.stop()
            # A process that is still starting has no handler for the signal yet, so the signal ends it.
            assert code in (0, -signal.SIGTERM), (code, process.log.read_text()[-3000:])
        self._start(process)

    def _check_processes(self) -> None:
        """Fail if a process ended by itself: a process waits for its database, also when it starts."""
        for process in self._processes:
            process.check_running()

    def _start(self, process: Program) -> None:
        if process is self._stack.service:
            process.start(path="/healthz")
        else:
            process.spawn()

    # --- checks ------------------------------------------------------------------------------

    def _check(self) -> None:
        checked = check_account(self._stack, ACCOUNT, self._readers, FIRM)
        self.report.contacts, self.report.lines = checked

    # --- requests to the API -----------------------------------------------------------------

    def _request_run(self, kind: str) -> None:
        key = {"Idempotency-Key": f"{self.report.rounds}-{time.monotonic_ns()}"}
        path = f"/v1/accounts/{ACCOUNT}/runs"
        retry_until_success(lambda: self._stack.api.post(path, json={"kind": kind}, headers=key))

    def _wait_for_runs(self) -> None:
        """Wait until all runs have ended, except a queued webhook run, which waits for more webhooks.

        Such a run finds no new changes when it starts later.
        """
        self._check_processes()
        wait_until_none_left(
            lambda: [
                run for run in self._all("runs") if not run["finished_at"] and not _is_delayed(run)
            ],
            "a run did not end",
            patience=TIMEOUT,
        )

    def _all(self, name: str) -> list[dict[str, Any]]:
        return list(self._stack.all(f"/v1/accounts/{ACCOUNT}/{name}"))


def _is_delayed(run: dict[str, Any]) -> bool:
    return bool(run["status"] == "queued" and run["trigger"] == "webhook")


@contextmanager
def running_chaos(
    folder: Path, *, contacts: int, seed: int, latency: float = 0.02
) -> Iterator[Chaos]:
    """Start all processes, yield the test, and stop all processes when the block ends."""
    folder.chmod(0o755)
    server = embedded.start(folder / "pg")
    clio_port, proxy_port = free_port(REGIONS), free_port()
    proxy = Proxy(proxy_port, clio_port, seed)
    origin = f"http://127.0.0.1:{proxy_port}"
    options: dict[str, Any] = {"latency": latency, "rate_limit": 1_000_000}
    try:
        with (
            running(proxy),
            running_stack(
                folder,
                server.dsn,
                contacts=contacts,
                clio_port=clio_port,
                origin=origin,
                clock=folder / "serve.clock",
                **options,
            ) as stack,
        ):
            worker = stack.worker("worker")
            worker.spawn()
            chaos = Chaos(stack, worker, proxy, folder / "pg", seed)
            try:
                yield chaos
            finally:
                chaos.end()
                worker.stop()
    finally:
        server.stop()


def main() -> None:
    """Run rounds until `--rounds` or `--minutes` is reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--contacts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lc-chaos-") as name,
        running_chaos(Path(name), contacts=arguments.contacts, seed=arguments.seed) as chaos,
    ):
        began = time.monotonic()
        chaos.begin()
        for _ in range(arguments.rounds):
            chaos.round()
            chaos.report.seconds = time.monotonic() - began
            print(chaos.report, dict(chaos.network), flush=True)  # noqa: T201
            if chaos.report.seconds >= 60 * arguments.minutes:
                return


if __name__ == "__main__":
    main()
