"""The accounts of the soak: what each does while everything around it fails, and the checks afterwards.

They all read the same simulated firm, each with logins of its own.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.rules.facts import FirmFacts
from tests.chaos import expected
from tests.chaos.changes import FirmChanges
from tests.chaos.checks import check_account
from tests.chaos.processes import Stack, retry_until_success
from tests.chaos.writeback import check_notes, wait_for_activities
from tests.support.waiting import wait_until, wait_until_none_left

PATIENCE = 300.0  # seconds
ALWAYS = 10**9  # times


@dataclass(frozen=True)
class Account:
    """An account and its connected users: the id in Levitate by the id in Clio."""

    account_id: str
    users: Mapping[int, str]

    @property
    def path(self) -> str:
        """Return the path of the account."""
        return f"/v1/accounts/{self.account_id}"

    @property
    def firm(self) -> FirmFacts:
        """Return the facts of the account for the rules."""
        return FirmFacts("US", "u_1", frozenset(self.users.values()), self.users)


STEADY = Account("steady", {601: "u_1", 602: "u_2"})
BROKEN_LOGIN = Account("broken-login", {601: "u_1", 603: "u_2"})  # 603 cannot read one list
STOPPED = Account("stopped", {604: "u_1"})  # nobody can read one list
MAILING = Account("mailing", {602: "u_1"})
ERASED = Account("erased", {605: "u_1"})
KEPT = (STEADY, BROKEN_LOGIN, STOPPED, MAILING)


def connect(stack: Stack, account: Account) -> None:
    """Create the account and connect its users."""
    (first, *others) = account.users.items()
    stack.connect(account.account_id, user=first[0])
    users = [
        {"id": us, "name": us, "email": f"{us}@firm.test", "active": True}
        for us in account.users.values()
    ]
    stack.api.put(f"{account.path}/users", json={"users": users}).raise_for_status()
    for clio, us in others:
        stack.approve(account.account_id, us, user=clio)


def break_lists(stack: Stack) -> None:
    """Make one list of the broken login fail, and one of the stopped firm."""
    for user, name in ((603, "matters"), (604, "contacts")):
        fault = {"effect": "status", "value": "500", "path": f"/{name}", "times": ALWAYS}
        _control(stack, "POST", "faults", {**fault, "user": user})


def mend_lists(stack: Stack) -> None:
    """End the faults of the lists."""
    _control(stack, "DELETE", "faults")


def _control(stack: Stack, method: str, name: str, body: Mapping[str, Any] | None = None) -> None:
    address = f"{stack.clio.url}/_simulator/{name}"
    httpx.request(method, address, json=body, trust_env=False, timeout=60).raise_for_status()


@dataclass
class Load:
    """What callers and the firm do during the soak, and what was accepted from them."""

    stack: Stack
    readers: Mapping[int, expected.ClioReader]
    rng: random.Random
    mailed: dict[str, dict[str, Any]] = field(default_factory=dict)  # activities by id
    changes: Counter[str] = field(default_factory=Counter)

    def change_firm(
        self, is_over: Callable[[], bool], pause: float, recipients: Iterable[str]
    ) -> None:
        """Change records in Clio, one every `pause` seconds, and request a run after each; keep the recipients."""
        firm = FirmChanges(self.stack.clio.url, [self.readers[601]], self.rng)
        firm.protected |= {int(clio_id) for clio_id in recipients}
        while not is_over():
            self.changes[firm.change()] += 1
            self.request_run(STEADY, "incremental")
            time.sleep(pause)

    def choose_recipients(self) -> list[str]:
        """Return the Clio ids of the contacts to whom the mass mailing goes."""
        found = self.stack.all(f"{MAILING.path}/contacts")
        ids = sorted(each["clio_id"] for each in found if each["state"] == "in_scope")
        return ids[: len(ids) // 2]

    def mail(
        self, is_over: Callable[[], bool], recipients: list[str], count: int, pause: float
    ) -> None:
        """Post the notes of a mass mailing, and then a note every `pause` seconds."""
        for _ in range(count):
            self._post_note(recipients)
        while not is_over():
            self._post_note(recipients)
            time.sleep(pause)

    def _post_note(self, recipients: list[str]) -> None:
        nth = len(self.mailed)
        body = {
            "kind": "note",
            "user_id": "u_1",
            "clio_contact_id": recipients[nth % len(recipients)],
            "occurred_at": "2026-03-02T12:00:00Z",
            "subject": "Our newsletter",
            "body": f"body-{nth}-end",
        }
        self.mailed[self._post(MAILING, "activities", body, f"mail-{nth}").json()["id"]] = body

    def erase(self) -> None:
        """Erase an account. If a response is lost, the next one says that the account does not exist."""
        path = ERASED.path
        retry_until_success(lambda: self.stack.api.delete(path), patience=PATIENCE, also=(404,))

    def request_run(self, account: Account, kind: str) -> str:
        """Request a run of the account; return its id."""
        body, key = {"kind": kind}, f"run-{time.monotonic_ns()}"
        return str(self._post(account, "runs", body, key).json()["id"])

    def _post(self, account: Account, name: str, body: Any, key: str) -> httpx.Response:
        headers, path = {"Idempotency-Key": key}, f"{account.path}/{name}"
        return retry_until_success(
            lambda: self.stack.api.post(path, json=body, headers=headers), patience=PATIENCE
        )


def settle(load: Load) -> None:
    """Read every kept account completely once more, release what is held, and wait until no run is left."""
    for account in KEPT:
        read_completely(load, account)
        while load.stack.release_holds(account.account_id):
            read_completely(load, account)


def read_completely(load: Load, account: Account) -> None:
    """Wait for the account's runs, and then for a full run."""
    wait_for_runs(load.stack, account)
    load.request_run(account, "full")
    wait_for_runs(load.stack, account)


def wait_for_runs(stack: Stack, account: Account) -> None:
    """Wait until all runs have ended, except one that waits for more webhooks of Clio, and those of later slots."""
    asked = {run["id"] for run in _open_runs(stack, account) if run["trigger"] != "webhook"}
    wait_until_none_left(
        lambda: [run for run in _open_runs(stack, account) if run["id"] in asked],
        f"{account.account_id}: did not end",
        patience=PATIENCE,
    )


def _open_runs(stack: Stack, account: Account) -> list[dict[str, Any]]:
    return [run for run in runs_of(stack, account) if not run["finished_at"]]


def runs_of(stack: Stack, account: Account) -> list[dict[str, Any]]:
    """Return all runs of the account, oldest first."""
    return list(stack.all(f"{account.path}/runs"))


def check_accounts(load: Load) -> None:
    """Check that nothing is lost and nothing is doubled."""
    for account in KEPT:
        readers = [load.readers[user] for user in account.users]
        check_account(load.stack, account.account_id, readers, account.firm)
    found = wait_for_activities(load.stack, MAILING.account_id)
    assert found.keys() == load.mailed.keys(), "an accepted activity is missing"
    (author,) = MAILING.users
    check_notes(load.stack, load.mailed, found, author=author)


def check_erased(stack: Stack) -> None:
    """Check that the account's id is free again, which is so when nothing is left, and that Clio was told."""
    body = {
        "name": "Another firm",
        "time_zone": "UTC",
        "country": "US",
        "primary_user_id": "u_1",
        "enabled": True,
    }
    wait_until(
        lambda: stack.api.put(ERASED.path, json=body).status_code != httpx.codes.CONFLICT,
        "the erasure did not end",
        patience=PATIENCE,
    )
    assert not list(stack.all(f"{ERASED.path}/contacts"))
    log = httpx.get(f"{stack.clio.url}/_simulator/log", trust_env=False, timeout=60).json()
    ended = [entry for entry in log if entry["path"] == "/oauth/deauthorize"]
    assert [entry["status"] for entry in ended if entry["status"] == httpx.codes.OK] == [200]


def wait_for_next_slot(stack: Stack) -> int:
    """Wait until each account was served at one more slot; return how many slots the first one had."""
    before = [_served_slots(stack, account) for account in KEPT]
    wait_until(
        lambda: all(
            _served_slots(stack, one) != old for one, old in zip(KEPT, before, strict=True)
        ),
        "an account was not served at a slot",
        patience=2 * PATIENCE,
    )
    return len(_served_slots(stack, STEADY))


def _served_slots(stack: Stack, account: Account) -> set[str]:
    runs = runs_of(stack, account)
    return {run["slot"] for run in runs if run["slot"] and run["status"] == "succeeded"}
