"""Load test of the change feed: a firm changes while workers, readers and the service are killed at random.

    python -m tests.chaos.feed --seconds 300 --seed 1

The script starts an embedded PostgreSQL, the simulator, the API, workers and readers as processes. While the firm
changes in Clio, every account is synced repeatedly. Each reader follows every account with long polls and stores its
cursor after it has consumed a page. In the end each reader must have read every line in order, and a line twice only
after its own kill; the contacts rebuilt from the feed must equal Clio's.
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
from tests.chaos import expected
from tests.chaos.processes import (
    TOKEN,
    USER,
    Program,
    Stack,
    embedded_postgres,
    retry_until_success,
    running_stack,
)
from tests.chaos.reader import ReaderLog, digest
from tests.support.waiting import wait_for, wait_until

FIRM = FirmFacts("US", "u_1", frozenset({"u_1"}), {USER: "u_1"})  # as `Stack.connect` makes it
TITLES = (None, "Judge", "Baker", "Pilot", "Notary", "Captain")
EDITS = 8  # edits in Clio between two requests for runs


@dataclass(frozen=True)
class Size:
    """The number of accounts, worker processes and reader processes."""

    accounts: int
    workers: int
    readers: int


@dataclass
class Report:
    """Counts of the load test."""

    kills: Counter[str] = field(default_factory=Counter)
    edits: int = 0
    lines: int = 0  # of all feeds together
    consumed: int = 0  # lines read by all readers together
    repeated: int = 0  # of these, lines that a reader read again after its own kill
    contacts: int = 0
    seconds: float = 0.0


class ChangingFirm:
    """Changes the firm in Clio in a thread, and requests runs of the accounts that read it."""

    def __init__(self, stack: Stack, accounts: list[str], seed: int) -> None:
        self._stack = stack
        self._accounts = accounts
        self._rng = random.Random(seed)  # noqa: S311
        self._city_tags: dict[str, bool] = defaultdict(bool)
        contacts = stack.all(f"/v1/accounts/{accounts[0]}/contacts")
        self._people = sorted(contact["clio_id"] for contact in contacts)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure: BaseException | None = None
        self.edits = 0

    def begin(self) -> None:
        """Start to change the firm."""
        self._thread.start()

    def end(self) -> None:
        """Stop the changes, and wait until every account has synced the last one."""
        self._stopped.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        for account_id in self._accounts:
            self._set_city_tags(account_id, enabled=False)
        for _ in range(2):  # the first run may have begun before the last edit
            requested = [(account_id, self._sync(account_id)) for account_id in self._accounts]
            for account_id, run_id in requested:
                run = self._stack.wait_for_run(account_id, run_id)
                assert run["status"] == "succeeded", run
        for account_id in self._accounts:  # also those that settings and Clio's webhooks requested
            self._stack.wait_for_runs(account_id)

    def _run(self) -> None:
        try:
            while True:
                for _ in range(EDITS):
                    self._edit()
                for account_id in self._accounts:
                    self._sync(account_id)
                account_id = self._rng.choice(self._accounts)
                self._set_city_tags(account_id, enabled=not self._city_tags[account_id])
                if self._stopped.wait(self._rng.uniform(0.0, 0.5)):
                    return
        except BaseException as failure:  # noqa: BLE001  # raised where the thread is joined
            self._failure = failure

    def _edit(self) -> None:
        """Change the title or the client flag of a random contact."""
        record: dict[str, Any] = {"id": int(self._rng.choice(self._people))}
        if self._rng.random() < 0.1:
            record["is_client"] = self._rng.random() < 0.5
        else:
            record["title"] = self._rng.choice(TITLES)
        httpx.post(
            f"{self._stack.clio.url}/_simulator/mutations",
            json={"op": "put", "kind": "contact", "record": record},
            trust_env=False,
            timeout=30,
        ).raise_for_status()
        self.edits += 1

    def _sync(self, account_id: str) -> str:
        """Request a run; return its id."""

        def request() -> httpx.Response:
            key = {"Idempotency-Key": f"sync-{time.monotonic_ns()}"}
            path = f"/v1/accounts/{account_id}/runs"
            return self._stack.api.post(path, json={"kind": "incremental"}, headers=key)

        run_id: str = retry_until_success(request).json()["id"]
        return run_id

    def _set_city_tags(self, account_id: str, *, enabled: bool) -> None:
        """Enable or disable the city tag, a change of settings that adds a line for each contact."""
        path = f"/v1/accounts/{account_id}/settings"
        patch = {"tags": {"location": {"city": enabled}}}
        headers = {"If-Match": "*"}
        retry_until_success(lambda: self._stack.api.patch(path, json=patch, headers=headers))
        self._city_tags[account_id] = enabled


class Load:
    """Workers, readers and the service that follow a changing firm and are killed at random."""

    def __init__(self, stack: Stack, folder: Path, size: Size, seed: int) -> None:
        self._stack = stack
        self._rng = random.Random(seed)  # noqa: S311
        self._accounts = [f"firm-{nth}" for nth in range(size.accounts)]
        self._workers = [stack.worker(f"worker-{nth}") for nth in range(size.workers)]
        self._folders = [folder / f"reader-{nth}" for nth in range(size.readers)]
        self._readers = [self._reader(each) for each in self._folders]
        self.report = Report()

    def run(self, *, seconds: float, kills: int, pause: float, seed: int) -> None:
        """Run the load for `seconds` and until `kills` processes were killed; then check what the readers read."""
        began = time.monotonic()
        for account_id in self._accounts:
            self._stack.connect(account_id)
        for program in (*self._workers, *self._readers):
            program.spawn()
        self._stack.wait_for_runs(self._accounts[0])
        firm = ChangingFirm(self._stack, self._accounts, seed)
        firm.begin()
        try:
            while time.monotonic() < began + seconds or self.report.kills.total() < kills:
                self._kill_each(pause)
        finally:
            firm.end()
        self.report.edits = firm.edits
        self._check()
        self.report.seconds = time.monotonic() - began

    def stop(self) -> None:
        """Stop the workers and readers."""
        for program in (*self._workers, *self._readers):
            program.stop()

    def _reader(self, folder: Path) -> Program:
        folder.mkdir()
        url = self._stack.service.url
        command = [url, TOKEN, str(folder), *self._accounts]
        return Program(command, {}, url, folder / "log", module="tests.chaos.reader")

    def _kill_each(self, pause: float) -> None:
        """Kill one process of each kind at random moments, in random order, and restart it."""
        kinds = {"worker": self._workers, "reader": self._readers, "service": [self._stack.service]}
        for kind in self._rng.sample(sorted(kinds), len(kinds)):
            time.sleep(self._rng.uniform(0.0, pause))
            program = self._rng.choice(kinds[kind])
            program.kill()
            if kind == "service":
                program.start(path="/healthz")
            else:
                program.spawn()
            self.report.kills[kind] += 1

    # --- checks ------------------------------------------------------------------------------

    def _check(self) -> None:
        wanted = self._expected_contacts()
        for account_id in self._accounts:
            lines, contacts = self._read_at_rest(account_id)
            check_lines(lines)
            rebuilt = {line["contact_id"]: line["contact"] for line in lines}
            found = {contact["id"]: contact for contact in contacts}
            assert rebuilt == found, _differences(rebuilt, found)
            actual = {
                c["clio_id"]: expected.fields_of_api(c)
                for c in contacts
                if c["state"] == "in_scope"
            }
            assert actual == wanted, "the contacts differ from Clio"
            self.report.lines += len(lines)
            self.report.contacts = len(contacts)
            for folder, reader in zip(self._folders, self._readers, strict=True):
                log = ReaderLog(folder, account_id)
                self._wait_for_reader(log, reader, len(lines))
                self._check_reader(log, lines)

    def _read_at_rest(self, account_id: str) -> tuple[list[Any], list[Any]]:
        """Return the feed and the contacts of one moment: a run that Clio's webhooks request may still publish."""
        path = f"/v1/accounts/{account_id}"

        def read() -> tuple[list[Any], list[Any]] | None:
            lines = list(self._stack.all(f"{path}/changes"))
            contacts = list(self._stack.all(f"{path}/contacts"))
            is_at_rest = lines == list(self._stack.all(f"{path}/changes"))
            return (lines, contacts) if is_at_rest else None

        return wait_for(read, f"the feed of {account_id} did not come to rest")

    def _expected_contacts(self) -> dict[str, expected.ComparedFields]:
        redirect = f"{self._stack.service.url}/oauth/clio/callback"
        reader = expected.ClioReader(self._stack.clio.url, redirect, USER)
        try:
            return expected.expected_contacts([reader], FIRM)
        finally:
            reader.close()

    def _wait_for_reader(self, log: ReaderLog, reader: Program, last: int) -> None:
        def has_read_all() -> bool:
            reader.check_running()
            return log.position()[1] >= last

        wait_until(has_read_all, f"a reader did not read {last} lines")

    def _check_reader(self, log: ReaderLog, lines: list[dict[str, Any]]) -> None:
        """Check that a reader consumed the same lines as the feed has now."""
        consumed, repeated = check_reader(log.entries(), [digest(line) for line in lines])
        self.report.consumed += consumed
        self.report.repeated += repeated


def _differences(rebuilt: dict[str, Any], found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what the feed and the list of contacts say of the contacts about which they differ."""
    ids = {*rebuilt, *found}
    return {
        id_: (rebuilt.get(id_), found.get(id_)) for id_ in ids if rebuilt.get(id_) != found.get(id_)
    }


def check_lines(lines: list[dict[str, Any]]) -> None:
    """Check that the feed has no gap, and that each change of a contact continues from the contact's last one."""
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
    """Check that a reader read every line of the feed unchanged and in order, and repeated only lines after a restart.

    Return the number of lines that it consumed, and how many of these were repeated.
    """
    last = furthest = consumed = repeated = 0
    for entry in entries:
        if "resumed_after" in entry:
            assert entry["resumed_after"] <= last, "the stored cursor was after the last line read"
            last = entry["resumed_after"]
            continue
        assert entry["seq"] == last + 1, f"line {entry['seq']} was read after line {last}"
        last = entry["seq"]
        assert entry["digest"] == feed[last - 1], f"line {last} differs from the feed"
        consumed += 1
        repeated += last <= furthest
        furthest = max(furthest, last)
    assert last == len(feed), f"read {last} of {len(feed)} lines"
    return consumed, repeated


def run_load(
    folder: Path, dsn: str, size: Size, *, contacts: int, seed: int, **options: Any
) -> Report:
    """Run the load test on a database; `options` are the arguments of `Load.run`."""
    simulator: dict[str, Any] = {"rate_limit": 1_000_000}
    with running_stack(
        folder, dsn, contacts=contacts, serve=["--no-workers"], **simulator
    ) as stack:
        load = Load(stack, folder, size, seed)
        try:
            load.run(seed=seed, **options)
        finally:
            load.stop()
        return load.report


def main() -> None:
    """Run one long load test on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--contacts", type=int, default=250)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=6)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    size = Size(accounts=8, workers=arguments.workers, readers=4)
    options = {"seconds": arguments.seconds, "kills": 30, "pause": arguments.pause}
    with embedded_postgres("feed") as (folder, dsn):
        report = run_load(
            folder, dsn, size, contacts=arguments.contacts, seed=arguments.seed, **options
        )
        print(report)  # noqa: T201


if __name__ == "__main__":
    main()
