"""kill -9 at random moments of an initial run: nothing is lost, told twice or fetched again beyond what was in flight.

    python -m tests.chaos.kills --contacts 5000 --kills 50 --seed 1

Starts an embedded PostgreSQL, the simulator and the service as processes. An undisturbed run of the same firm in
another account is what the killed one must equal.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from app.db import embedded
from tests.chaos.processes import Stage, staged

KILLED, UNDISTURBED = "killed", "undisturbed"
TIMES = (
    "first_synced_at",
    "updated_at",
    "id",
)  # what differs between two runs, and between two accounts
LISTS = 7


@dataclass(frozen=True)
class Report:
    """What a round came to."""

    kills: int
    pages: int
    fetched_again: int
    contacts: int
    lines: int
    seconds: float


def round_of_kills(stage: Stage, *, kills: int, seed: int) -> Report:
    """Kill the service at random moments of one account's initial run; check it against another's."""
    dice = random.Random(seed)  # noqa: S311
    began = time.monotonic()
    stage.connect(KILLED)
    done = 0
    while done < kills and not _ended(stage, KILLED):
        time.sleep(dice.uniform(0.0, 2.5))
        stage.service.kill()
        stage.service.start(path="/healthz")
        done += 1
    _wait(stage, KILLED)
    log = stage.clio_log()
    stage.connect(UNDISTURBED)
    _wait(stage, UNDISTURBED)
    again = check_walk(log)
    contacts, lines = _check_contacts(stage), _check_feed(stage)
    pages = len({(entry["path"], entry["query"]) for entry in log})
    return Report(done, pages, again, contacts, lines, time.monotonic() - began)


def check_walk(log: list[dict[str, Any]]) -> int:
    """No list ever went back: a page follows itself (it was in flight) or its predecessor. Counts the repeats."""
    repeats = 0
    for path in {entry["path"] for entry in log}:
        tokens = [
            parse_qs(entry["query"]).get("page_token", [""])[0]
            for entry in log
            if entry["path"] == path
        ]
        place = {token: nth for nth, token in enumerate(dict.fromkeys(tokens))}
        walk = [place[token] for token in tokens]
        for before, after in pairwise(walk):
            assert after in (before, before + 1), f"{path} went from page {before} to page {after}"
            repeats += after == before
    return repeats


def _check_contacts(stage: Stage) -> int:
    """Both accounts hold the same people with the same tags, owners and data."""
    held = [
        {item["clio_id"]: _timeless(item) for item in stage.all(f"/v1/accounts/{account}/contacts")}
        for account in (KILLED, UNDISTURBED)
    ]
    assert held[0] == held[1]
    return len(held[0])


def _check_feed(stage: Stage) -> int:
    """Each person was told once, in an unbroken row of numbers, as the contact list shows it."""
    lines = list(stage.all(f"/v1/accounts/{KILLED}/changes"))
    told = Counter(line["clio_id"] for line in lines)
    assert set(told.values()) <= {1}, "a person was told twice"
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    contacts = {item["clio_id"]: item for item in stage.all(f"/v1/accounts/{KILLED}/contacts")}
    assert {line["clio_id"]: line["contact"] for line in lines} == contacts
    ledger = Counter(row["clio_id"] for row in stage.all(f"/v1/accounts/{KILLED}/new-clients"))
    assert set(ledger.values()) <= {1}
    return len(lines)


def _timeless(contact: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in contact.items() if name not in TIMES}


def _ended(stage: Stage, account: str) -> bool:
    return all(run["finished_at"] for run in stage.all(f"/v1/accounts/{account}/runs"))


def _wait(stage: Stage, account: str) -> None:
    deadline = time.monotonic() + 600
    while not _ended(stage, account):
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.2)
    (run,) = stage.all(f"/v1/accounts/{account}/runs")
    assert run["status"] == "succeeded", run


def main() -> None:
    """One round, on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency", type=float, default=0.4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lc-kills-") as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder) / "pg")
        try:
            options = {"latency": asked.latency, "rate_limit": 100_000}
            with staged(Path(folder), server.dsn, contacts=asked.contacts, **options) as stage:
                print(round_of_kills(stage, kills=asked.kills, seed=asked.seed))  # noqa: T201
        finally:
            server.stop()


if __name__ == "__main__":
    main()
