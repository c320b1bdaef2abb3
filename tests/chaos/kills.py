"""kill -9 at random moments of an initial run: nothing is lost, told twice or fetched again beyond what was in flight.

    python -m tests.chaos.kills --contacts 5000 --kills 50 --seed 1

Starts an embedded PostgreSQL, the simulator and the service as processes. An undisturbed run of the same firm in
another account is what the killed one must equal.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs

from tests.chaos.processes import Stage, on_embedded, staged

UNDISTURBED = "undisturbed"
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
    accounts: int
    pages: int
    fetched_again: int
    contacts: int
    seconds: float


def round_of_kills(stage: Stage, *, kills: int, seed: int, pause: float = 2.5) -> Report:
    """Kill the service at random moments of initial runs, and check each account against one that was left in peace.

    `pause` is the longest time in seconds from a start to the next kill; accounts follow one another until all kills
    are spent.
    """
    dice = random.Random(seed)  # noqa: S311
    began = time.monotonic()
    spent, again, pages = 0, 0, 0
    accounts: list[str] = []
    while spent < kills:
        account = f"killed-{len(accounts)}"
        accounts.append(account)
        asked_before = len(stage.clio_log())
        stage.connect(account)
        while spent < kills and not _ended(stage, account):
            time.sleep(dice.uniform(0.0, pause))
            stage.service.kill()
            stage.service.start(path="/healthz")
            spent += 1
        _wait(stage, account)
        log = stage.clio_log()[asked_before:]
        again += check_walk(log)
        pages += len({(entry["path"], entry["query"]) for entry in log})
    stage.connect(UNDISTURBED)
    _wait(stage, UNDISTURBED)
    expected = _people(stage, UNDISTURBED)
    for account in accounts:
        assert _people(stage, account) == expected
        _check_feed(stage, account)
    return Report(spent, len(accounts), pages, again, len(expected), time.monotonic() - began)


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


def _people(stage: Stage, account: str) -> dict[str, dict[str, Any]]:
    """The account's people with their tags, owners and data, by Clio id."""
    found = stage.all(f"/v1/accounts/{account}/contacts")
    return {item["clio_id"]: _timeless(item) for item in found}


def _check_feed(stage: Stage, account: str) -> None:
    """Each person was told once, in an unbroken row of numbers, as the contact list shows it."""
    lines = list(stage.all(f"/v1/accounts/{account}/changes"))
    told = Counter(line["clio_id"] for line in lines)
    assert set(told.values()) <= {1}, "a person was told twice"
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    contacts = {item["clio_id"]: item for item in stage.all(f"/v1/accounts/{account}/contacts")}
    assert {line["clio_id"]: line["contact"] for line in lines} == contacts
    ledger = Counter(row["clio_id"] for row in stage.all(f"/v1/accounts/{account}/new-clients"))
    assert set(ledger.values()) <= {1}


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
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--pause", type=float, default=5.0)
    asked = parser.parse_args()
    options = {"latency": asked.latency, "rate_limit": 100_000}
    with (
        on_embedded("kills") as (folder, dsn),
        staged(folder, dsn, contacts=asked.contacts, **options) as stage,
    ):
        report = round_of_kills(stage, kills=asked.kills, seed=asked.seed, pause=asked.pause)
        print(report)  # noqa: T201


if __name__ == "__main__":
    main()
