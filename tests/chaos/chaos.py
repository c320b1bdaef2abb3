"""A firm that changes, a network that breaks, killed processes and databases, wrong clocks: after each round
all is true.

    python -m tests.chaos.chaos --rounds 200 --seed 1

Starts an embedded PostgreSQL of its own, the simulator, a faulty proxy before it, and two processes of the service.
Each round changes records in Clio, asks for a full run, and breaks things while it works. Then the network heals,
one more run ends, and the contacts must equal what Clio's own lists and the pure rules say; nobody was withdrawn who
is still there, and the feed rebuilds the list. The same seed breaks the same things.
"""

import argparse
import os
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

from app.clio import resources
from app.db import embedded
from app.rules.facts import FirmFacts
from tests.chaos import truth
from tests.chaos.changes import Firm
from tests.chaos.processes import REGIONS, Program, Stage, patiently, staged
from tests.chaos.proxy import Odds, Proxy, running
from tests.support.ports import free_port

ACCOUNT = "chaos"
USERS = {601: "u_1", 602: "u_2"}  # who connect; both see all contacts, not all matters
FIRM = FirmFacts("US", "u_1", frozenset(USERS.values()), USERS)
ODDS = Odds(drop=0.04, lose=0.06, cut=0.04, delay=0.10)
DAY = 86_400.0
CLOCKS = (0.0, 90.0, 3_600.0, -3_600.0, DAY, -DAY)  # seconds by which a process's clock may be off
PATIENCE = 240.0


@dataclass
class Report:
    """What the rounds came to."""

    rounds: int = 0
    done: Counter[str] = field(default_factory=Counter)
    contacts: int = 0
    lines: int = 0
    seconds: float = 0.0


class Chaos:
    """One firm, one database, two processes, and a die that decides what happens to them."""

    def __init__(self, stage: Stage, other: Program, proxy: Proxy, pg: Path, seed: int) -> None:
        self._stage = stage
        self._processes = [stage.service, other]
        self._proxy = proxy
        self._pg = pg
        self._dice = random.Random(seed)  # noqa: S311
        self._readers: list[truth.Reader] = []
        self._firm = Firm(stage.clio.url, self._readers, self._dice)
        self.report = Report()

    @property
    def network(self) -> Counter[str]:
        """What the proxy did to the exchanges with Clio."""
        return self._proxy.done

    def begin(self) -> None:
        """Two users connect, and everything is read once."""
        users = [
            {"id": us, "name": us, "email": f"{us}@firm.test", "active": True}
            for us in USERS.values()
        ]
        self._stage.connect(ACCOUNT, user=601)
        path = f"/v1/accounts/{ACCOUNT}"
        self._stage.api.put(f"{path}/users", json={"users": users}).raise_for_status()
        self._stage.approve(ACCOUNT, USERS[602], user=602)
        self._settled()
        redirect = f"{self._stage.service.url}/oauth/clio/callback"
        self._readers += [truth.Reader(self._stage.clio.url, redirect, user) for user in USERS]
        self._check()

    def end(self) -> None:
        """Look no more."""
        for reader in self._readers:
            reader.close()

    def round(self) -> None:
        """Change, break, heal, check."""
        for _ in range(self._dice.randint(1, 8)):
            self.report.done[self._firm.change()] += 1
        self._ask("full")
        self._proxy.odds = ODDS
        for _ in range(self._dice.randint(0, 3)):
            time.sleep(self._dice.uniform(0.0, 0.6))
            self._break()
        time.sleep(self._dice.uniform(0.0, 0.5))
        self._proxy.odds = Odds()
        self._settled()
        self._ask("full")
        self._settled()
        self._check()
        self.report.rounds += 1

    # --- what breaks -------------------------------------------------------------------------

    def _break(self) -> None:
        name = self._dice.choice(["kill", "kill", "stop", "database", "clock"])
        self.report.done[name] += 1
        if name == "database":
            restart_database(self._pg)
            return
        process = self._dice.choice(self._processes)
        if name == "clock":
            process.set_clock(self._dice.choice(CLOCKS))
            return
        if name == "kill":
            process.kill()
        else:
            process.stop()
        self._start(process)

    def _start(self, process: Program) -> None:
        if process is self._stage.service:
            process.start(path="/healthz")
        else:
            process.spawn()

    # --- what must be true -------------------------------------------------------------------

    def _check(self) -> None:
        wanted = truth.expected(self._readers, FIRM)
        contacts = {c["clio_id"]: c for c in self._all("contacts")}
        in_scope = {i: truth.told(c) for i, c in contacts.items() if c["state"] == "in_scope"}
        different = {i for i in wanted.keys() | in_scope.keys() if wanted.get(i) != in_scope.get(i)}
        shown = {i: (wanted.get(i), in_scope.get(i)) for i in sorted(different)[:3]}
        assert not different, f"{len(different)} contacts are not what Clio says: {shown}"
        there = {str(record.id) for record in self._readers[0].all(resources.CONTACTS)}
        deleted = {i for i, c in contacts.items() if c["state"] == "deleted"}
        assert not deleted & there, "somebody was deleted who is still there"
        lines = list(self._all("changes"))
        assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
        rebuilt = {line["clio_id"]: line["contact"] for line in lines}
        assert rebuilt == contacts, "the feed does not rebuild the list"
        ledger = Counter(row["clio_id"] for row in self._all("new-clients"))
        assert set(ledger.values()) <= {1}, "a new client was told twice"
        self.report.contacts, self.report.lines = len(contacts), len(lines)

    # --- how it is spoken to -----------------------------------------------------------------

    def _ask(self, kind: str) -> None:
        key = {"Idempotency-Key": f"{self.report.rounds}-{time.monotonic_ns()}"}
        path = f"/v1/accounts/{ACCOUNT}/runs"
        patiently(lambda: self._stage.api.post(path, json={"kind": kind}, headers=key))

    def _settled(self) -> None:
        """Every run has ended but one that waits for more nudges; that finds nothing new when its time comes."""
        deadline = time.monotonic() + PATIENCE
        while any(not run["finished_at"] and not _waits(run) for run in self._all("runs")):
            assert time.monotonic() < deadline, f"a run did not end: {self._all('runs')[-3:]}"
            time.sleep(0.1)

    def _all(self, what: str) -> list[dict[str, Any]]:
        return list(self._stage.all(f"/v1/accounts/{ACCOUNT}/{what}"))


def _waits(run: dict[str, Any]) -> bool:
    return bool(run["status"] == "queued" and run["trigger"] == "webhook")


def restart_database(folder: Path) -> None:
    """Stop the server as a crash would, and start it again; it recovers from its log."""
    pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    embedded.start(folder).share.close()  # the share that we have already is enough


@contextmanager
def chaotic(folder: Path, *, contacts: int, seed: int, latency: float = 0.02) -> Iterator[Chaos]:
    """Everything up; everything gone when the block ends."""
    folder.chmod(0o755)
    server = embedded.start(folder / "pg")
    clio_port, proxy_port = free_port(REGIONS), free_port()
    proxy = Proxy(proxy_port, clio_port, seed)
    origin = f"http://127.0.0.1:{proxy_port}"
    options: dict[str, Any] = {"latency": latency, "rate_limit": 1_000_000}
    try:
        with (
            running(proxy),
            staged(
                folder,
                server.dsn,
                contacts=contacts,
                clio_port=clio_port,
                origin=origin,
                clock=folder / "serve.clock",
                **options,
            ) as stage,
        ):
            worker = stage.worker("worker")
            worker.spawn()
            chaos = Chaos(stage, worker, proxy, folder / "pg", seed)
            try:
                yield chaos
            finally:
                chaos.end()
                worker.stop()
    finally:
        server.stop()


def main() -> None:
    """Run rounds until their number or the time is reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--contacts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lc-chaos-") as name,
        chaotic(Path(name), contacts=asked.contacts, seed=asked.seed) as chaos,
    ):
        began = time.monotonic()
        chaos.begin()
        for _ in range(asked.rounds):
            chaos.round()
            chaos.report.seconds = time.monotonic() - began
            print(chaos.report, dict(chaos.network), flush=True)  # noqa: T201
            if chaos.report.seconds >= 60 * asked.minutes:
                return


if __name__ == "__main__":
    main()
