"""Kills the service with kill -9 at random moments of an initial run.

    python -m tests.chaos.kills --contacts 5000 --kills 50 --seed 1

The script starts an embedded PostgreSQL, the simulator and the service as processes. Nothing may be lost or announced
twice, and only pages that were on their way may be requested again. Each killed account must equal another account that
reads the same firm without a kill.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs

from tests.chaos.processes import Stack, embedded_postgres, running_stack

CONTROL = "undisturbed"  # the account that is compared with the killed ones
NOT_COMPARED = (
    "first_synced_at",
    "updated_at",
    "id",
)  # fields that differ between two runs or two accounts
LISTS = 7
# Of each list one page may be on its way to the database at a kill, and one on its way from Clio.
ON_THEIR_WAY = 2 * LISTS


@dataclass(frozen=True)
class Report:
    """Counts of the test. `repeated_pages` are the pages that were requested again after a kill."""

    kills: int
    accounts: int
    pages: int
    repeated_pages: int
    contacts: int
    seconds: float


def run_kills(stack: Stack, *, kills: int, seed: int, pause: float = 2.5) -> Report:
    """Kill the service at random moments of initial runs, and compare each account with one that ran without a kill.

    `pause` is the longest time in seconds from a start to the next kill. Accounts are synced one after another until
    the service was killed `kills` times.
    """
    rng = random.Random(seed)  # noqa: S311
    began = time.monotonic()
    killed, repeated, pages = 0, 0, 0
    accounts: list[str] = []
    while killed < kills:
        account = f"killed-{len(accounts)}"
        accounts.append(account)
        requests_before = len(stack.clio_log())
        stack.connect(account)
        while killed < kills and not _runs_ended(stack, account):
            time.sleep(rng.uniform(0.0, pause))
            stack.service.kill()
            stack.service.start(path="/healthz")
            killed += 1
        _wait(stack, account)
        log = stack.clio_log()[requests_before:]
        repeated += check_page_order(log)
        pages += len({(entry["path"], entry["query"]) for entry in log})
    stack.connect(CONTROL)
    _wait(stack, CONTROL)
    expected = _contacts(stack, CONTROL)
    for account in accounts:
        assert _contacts(stack, account) == expected
        _check_feed(stack, account)
    assert repeated <= killed * ON_THEIR_WAY, "a page that was stored was requested again"
    return Report(killed, len(accounts), pages, repeated, len(expected), time.monotonic() - began)


def check_page_order(log: list[dict[str, Any]]) -> int:
    """Check that no list was read backwards: a page follows its predecessor, or is on its way a second time.

    Return the number of repeated requests. Writes (Clio's webhooks) do not count.
    """
    repeats = 0
    reads = [entry for entry in log if entry["method"] == "GET"]
    for path in {entry["path"] for entry in reads}:
        tokens = [
            parse_qs(entry["query"]).get("page_token", [""])[0]
            for entry in reads
            if entry["path"] == path
        ]
        numbers = {token: nth for nth, token in enumerate(dict.fromkeys(tokens))}
        pages = [numbers[token] for token in tokens]
        for before, after in pairwise(pages):
            assert abs(after - before) <= 1, f"{path}: page {after} follows page {before}"
        repeats += len(pages) - len(numbers)
    return repeats


def _contacts(stack: Stack, account: str) -> dict[str, dict[str, Any]]:
    """Return the compared fields of the account's contacts, by Clio id."""
    contacts = stack.all(f"/v1/accounts/{account}/contacts")
    return {item["clio_id"]: _compared_fields(item) for item in contacts}


def _check_feed(stack: Stack, account: str) -> None:
    """Check that the feed has one line for each contact, equal to the contact list, and no gap in its numbers."""
    lines = list(stack.all(f"/v1/accounts/{account}/changes"))
    per_contact = Counter(line["clio_id"] for line in lines)
    assert set(per_contact.values()) <= {1}, "the feed has two lines for a contact"
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    contacts = {item["clio_id"]: item for item in stack.all(f"/v1/accounts/{account}/contacts")}
    assert {line["clio_id"]: line["contact"] for line in lines} == contacts
    new_clients = stack.all(f"/v1/accounts/{account}/new-clients")
    assert {len(row["event_ids"]) for row in new_clients} == {1}, "not announced exactly once"


def _compared_fields(contact: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in contact.items() if name not in NOT_COMPARED}


def _runs_ended(stack: Stack, account: str) -> bool:
    return all(run["finished_at"] for run in stack.all(f"/v1/accounts/{account}/runs"))


def _wait(stack: Stack, account: str) -> None:
    """Wait until the account's only run has succeeded."""
    (run,) = stack.wait_for_runs(account, patience=600)
    assert run["status"] == "succeeded", run


def main() -> None:
    """Run the test on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--pause", type=float, default=5.0)
    arguments = parser.parse_args()
    options = {"latency": arguments.latency, "rate_limit": 100_000}
    with (
        embedded_postgres("kills") as (folder, dsn),
        running_stack(folder, dsn, contacts=arguments.contacts, **options) as stack,
    ):
        report = run_kills(stack, kills=arguments.kills, seed=arguments.seed, pause=arguments.pause)
        print(report)  # noqa: T201


if __name__ == "__main__":
    main()
