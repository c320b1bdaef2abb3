"""The feed under load: firms that change, workers, waiting readers and the service, all killed at random.

    python -m tests.chaos.feed --seconds 300 --seed 1

Starts an embedded PostgreSQL, the simulator, the API, workers and readers as processes. While the firm changes in
Clio, every account is synced again and again; each reader follows every account with long polls and stores its
place after consuming. In the end each has read every line once and in order, but for what it read again after its
own kill, and what the lines tell is what Clio says.
"""

import argparse
import random
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.rules.facts import FirmFacts
from tests.chaos import truth
from tests.chaos.processes import (
    PATIENCE,
    TOKEN,
    USER,
    Program,
    Stage,
    on_embedded,
    patiently,
    staged,
)
from tests.chaos.reader import Notebook, digest

FIRM = FirmFacts("US", "u_1", frozenset({"u_1"}), {USER: "u_1"})  # as `Stage.connect` makes it
TITLES = (None, "Judge", "Baker", "Pilot", "Notary", "Captain")
LINES = 8  # edits in Clio between two wishes for runs


@dataclass(frozen=True)
class Size:
    """How many of each."""

    accounts: int
    workers: int
    readers: int


@dataclass
class Report:
    """What the load came to."""

    kills: Counter[str] = field(default_factory=Counter)
    edits: int = 0
    lines: int = 0  # in all feeds together
    consumed: int = 0  # by all readers together
    again: int = 0  # of these, what a reader met again after its own kill
    contacts: int = 0
    seconds: float = 0.0


class Unrest:
    """The firm in Clio, which changes all the while, and whoever asks for runs of the accounts that read it."""

    def __init__(self, stage: Stage, accounts: list[str], seed: int) -> None:
        self._stage = stage
        self._accounts = accounts
        self._dice = random.Random(seed)  # noqa: S311
        self._located: dict[str, bool] = defaultdict(bool)
        contacts = stage.all(f"/v1/accounts/{accounts[0]}/contacts")
        self._people = sorted(contact["clio_id"] for contact in contacts)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._change)
        self._failure: BaseException | None = None
        self.edits = 0

    def begin(self) -> None:
        """Change from now on."""
        self._thread.start()

    def end(self) -> None:
        """Change no more, and let every account see what holds in the end."""
        self._over.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        for account_id in self._accounts:
            self._locate(account_id, wanted=False)
        for _ in range(2):  # the first may be one that had begun before the last edit
            asked = [(account_id, self._sync(account_id)) for account_id in self._accounts]
            for account_id, run_id in asked:
                run = self._stage.ended(account_id, run_id)
                assert run["status"] == "succeeded", run

    def _change(self) -> None:
        try:
            while True:
                for _ in range(LINES):
                    self._edit()
                for account_id in self._accounts:
                    self._sync(account_id)
                account_id = self._dice.choice(self._accounts)
                self._locate(account_id, wanted=not self._located[account_id])
                if self._over.wait(self._dice.uniform(0.0, 0.5)):
                    return
        except BaseException as failure:  # noqa: BLE001  # raised where the thread is joined
            self._failure = failure

    def _edit(self) -> None:
        """Another title, or the client's flag set or taken away."""
        record: dict[str, Any] = {"id": int(self._dice.choice(self._people))}
        if self._dice.random() < 0.1:
            record["is_client"] = self._dice.random() < 0.5
        else:
            record["title"] = self._dice.choice(TITLES)
        httpx.post(
            f"{self._stage.clio.url}/_simulator/mutations",
            json={"op": "put", "kind": "contact", "record": record},
            trust_env=False,
            timeout=30,
        ).raise_for_status()
        self.edits += 1

    def _sync(self, account_id: str) -> str:
        """Ask for a run; answers which."""

        def ask() -> httpx.Response:
            key = {"Idempotency-Key": f"sync-{time.monotonic_ns()}"}
            path = f"/v1/accounts/{account_id}/runs"
            return self._stage.api.post(path, json={"kind": "incremental"}, headers=key)

        run_id: str = patiently(ask).json()["id"]
        return run_id

    def _locate(self, account_id: str, *, wanted: bool) -> None:
        """Give everybody a tag of the city, or take it away again: a change of settings that is told of each."""
        path = f"/v1/accounts/{account_id}/settings"
        patch = {"tags": {"location": {"city": wanted}}}
        patiently(lambda: self._stage.api.patch(path, json=patch, headers={"If-Match": "*"}))
        self._located[account_id] = wanted


class Load:
    """Workers, readers and the service at work on a firm that changes, and a die that kills them."""

    def __init__(self, stage: Stage, folder: Path, size: Size, seed: int) -> None:
        self._stage = stage
        self._dice = random.Random(seed)  # noqa: S311
        self._accounts = [f"firm-{nth}" for nth in range(size.accounts)]
        self._workers = [stage.worker(f"worker-{nth}") for nth in range(size.workers)]
        self._folders = [folder / f"reader-{nth}" for nth in range(size.readers)]
        self._readers = [self._reader(each) for each in self._folders]
        self.report = Report()

    def play(self, *, seconds: float, kills: int, pause: float, seed: int) -> None:
        """Load and kill for so long, and until so many were killed; then see what everybody holds."""
        began = time.monotonic()
        for account_id in self._accounts:
            self._stage.connect(account_id)
        for program in (*self._workers, *self._readers):
            program.spawn()
        self._stage.settled(self._accounts[0])
        unrest = Unrest(self._stage, self._accounts, seed)
        unrest.begin()
        try:
            while time.monotonic() < began + seconds or self.report.kills.total() < kills:
                self._kill_each(pause)
        finally:
            unrest.end()
        self.report.edits = unrest.edits
        self._check()
        self.report.seconds = time.monotonic() - began

    def stop(self) -> None:
        """End whoever still runs beside the service."""
        for program in (*self._workers, *self._readers):
            program.stop()

    def _reader(self, folder: Path) -> Program:
        folder.mkdir()
        url = self._stage.service.url
        command = [url, TOKEN, str(folder), *self._accounts]
        return Program(command, {}, url, folder / "log", module="tests.chaos.reader")

    def _kill_each(self, pause: float) -> None:
        """Kill one of each kind at random moments, in any order, and start it again."""
        kinds = {"worker": self._workers, "reader": self._readers, "service": [self._stage.service]}
        for kind in self._dice.sample(sorted(kinds), len(kinds)):
            time.sleep(self._dice.uniform(0.0, pause))
            program = self._dice.choice(kinds[kind])
            program.kill()
            if kind == "service":
                program.start(path="/healthz")
            else:
                program.spawn()
            self.report.kills[kind] += 1

    # --- what must be true -------------------------------------------------------------------

    def _check(self) -> None:
        wanted = self._wanted()
        for account_id in self._accounts:
            lines = list(self._stage.all(f"/v1/accounts/{account_id}/changes"))
            contacts = list(self._stage.all(f"/v1/accounts/{account_id}/contacts"))
            check_lines(lines)
            rebuilt = {line["contact_id"]: line["contact"] for line in lines}
            assert rebuilt == {contact["id"]: contact for contact in contacts}
            told = {c["clio_id"]: truth.told(c) for c in contacts if c["state"] == "in_scope"}
            assert told == wanted, "the contacts are not what Clio says"
            self.report.lines += len(lines)
            self.report.contacts = len(contacts)
            for folder, reader in zip(self._folders, self._readers, strict=True):
                notebook = Notebook(folder, account_id)
                self._wait_for(notebook, reader, len(lines))
                self._check_reader(notebook, lines)

    def _wanted(self) -> dict[str, truth.Held]:
        redirect = f"{self._stage.service.url}/oauth/clio/callback"
        reader = truth.Reader(self._stage.clio.url, redirect, USER)
        try:
            return truth.expected([reader], FIRM)
        finally:
            reader.close()

    def _wait_for(self, notebook: Notebook, reader: Program, last: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while notebook.place()[1] < last:
            assert reader.process is not None
            assert reader.process.poll() is None, reader.log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"read {notebook.place()[1]} of {last} lines"
            time.sleep(0.05)

    def _check_reader(self, notebook: Notebook, lines: list[dict[str, Any]]) -> None:
        """What a reader consumed is the feed: read again from the beginning it is the same."""
        consumed, again = check_reader(notebook.entries(), [digest(line) for line in lines])
        self.report.consumed += consumed
        self.report.again += again


def check_lines(lines: list[dict[str, Any]]) -> None:
    """The feed has no gap, and each contact's changes come one after another, each from where the last one led."""
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    before: dict[str, dict[str, Any]] = {}
    for line in lines:
        contact = line["contact"]
        last = before.get(line["contact_id"], {"version": 0})
        assert contact["version"] == last["version"] + 1, "a contact's changes are out of order"
        for name, change in line["fields"].items() if last["version"] else ():
            if name in last:
                assert (change["from"], change["to"]) == (last[name], contact[name]), line
        before[line["contact_id"]] = contact


def check_reader(entries: list[dict[str, Any]], feed: list[str]) -> tuple[int, int]:
    """Every line of the feed was met, in order and as it is; only after a start, from the stored place on, again.

    Answers how many were consumed, and how many of these again.
    """
    last = furthest = consumed = again = 0
    for entry in entries:
        if "resumed_after" in entry:
            assert entry["resumed_after"] <= last, "its place was ahead of what it had consumed"
            last = entry["resumed_after"]
            continue
        assert entry["seq"] == last + 1, f"after line {last} came {entry['seq']}"
        last = entry["seq"]
        assert entry["digest"] == feed[last - 1], f"line {last} is not what it was"
        consumed += 1
        again += last <= furthest
        furthest = max(furthest, last)
    assert last == len(feed), f"read {last} of {len(feed)} lines"
    return consumed, again


def play(folder: Path, dsn: str, size: Size, *, contacts: int, seed: int, **how: Any) -> Report:
    """One round of load on a database; `how` is for `Load.play`."""
    options: dict[str, Any] = {"rate_limit": 1_000_000}
    with staged(folder, dsn, contacts=contacts, serve=["--no-workers"], **options) as stage:
        load = Load(stage, folder, size, seed)
        try:
            load.play(seed=seed, **how)
        finally:
            load.stop()
        return load.report


def main() -> None:
    """One long round, on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--contacts", type=int, default=250)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=6)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    size = Size(accounts=8, workers=asked.workers, readers=4)
    how = {"seconds": asked.seconds, "kills": 30, "pause": asked.pause}
    with on_embedded("feed") as (folder, dsn):
        print(play(folder, dsn, size, contacts=asked.contacts, seed=asked.seed, **how))  # noqa: T201


if __name__ == "__main__":
    main()
