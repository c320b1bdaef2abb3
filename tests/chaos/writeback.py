"""Writes activities to Clio while responses are lost and the service is killed.

    python -m tests.chaos.writeback --activities 1000 --kills 200 --seed 1

The script starts an embedded PostgreSQL, the simulator, a faulty proxy before the simulator, and the service as
processes. A backend posts activities with idempotency keys and repeats each post until it has a response. In the end
each activity must be in Clio once, or have failed with a reason.
"""

import argparse
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.processes import REGIONS, USER, Stack, embedded_postgres, running_stack
from tests.chaos.proxy import FaultRates, Proxy, running
from tests.support.ports import free_port
from tests.support.waiting import wait_until_none_left

ACCOUNT = "chaos"
# 30 % of the responses are lost or cut
FAULT_RATES = FaultRates(drop=0.05, lose=0.25, cut=0.05, delay=0.10)
SETTLE = "1.5"  # seconds; longer than any delay of the proxy
CONTACTS = 40
UNCERTAIN = (
    "unconfirmed",
    "sent_unverified",
)  # reasons of a failure after a request without an answer
FINAL_STATUSES = ("written", "failed", "skipped", "cancelled")


@dataclass(frozen=True)
class Report:
    """Counts of the test."""

    kills: int
    accepted: int
    written: int
    failed: dict[str, int]
    attempts: int
    network: dict[str, int]
    seconds: float


@dataclass
class Backend:
    """A client like Levitate's backend, which repeats each post until it has a response."""

    url: str
    headers: dict[str, str]
    seed: int
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)  # by activity id
    released: int = 0  # the number of activities that may be posted so far, so that some are posted before each kill

    def post_all(self, contacts: list[str], count: int) -> None:
        """Post `count` activities, one after another."""
        rng = random.Random(self.seed)  # noqa: S311
        with httpx.Client(
            base_url=self.url, headers=self.headers, timeout=30, trust_env=False
        ) as api:
            for nth in range(count):
                while nth >= self.released:
                    time.sleep(0.01)
                body = activity(nth, rng.choice(contacts), rng)
                self.accepted[self._post(api, f"key-{nth}", body)] = body

    def _post(self, api: httpx.Client, key: str, body: dict[str, Any]) -> str:
        while True:
            with suppress(httpx.TransportError):
                headers = {"Idempotency-Key": key}
                answer = api.post(f"/v1/accounts/{ACCOUNT}/activities", json=body, headers=headers)
                if answer.status_code == 202:
                    activity_id: str = answer.json()["id"]
                    return activity_id
                assert answer.status_code in (409, 500, 503), answer.text
            time.sleep(0.05)


def activity(nth: int, contact: str, rng: random.Random) -> dict[str, Any]:
    """Return the nth activity: a note, or a text message in one of two conversations with the contact."""
    is_text = rng.random() < 0.25
    return {
        "kind": "text_message" if is_text else "note",
        "user_id": "u_1",
        "clio_contact_id": contact,
        "occurred_at": "2026-03-02T12:00:00Z",
        "subject": f"activity {nth}",
        "body": f"body-{nth}-end",
        "conversation_id": f"c{rng.randrange(2)}-{contact}" if is_text else None,
    }


def _run(
    stack: Stack, proxy: Proxy, *, activities: int, kills: int, seed: int, max_uptime: float
) -> Report:
    """Post activities while the service is killed, then check the records in Clio."""
    rng = random.Random(seed)  # noqa: S311
    began = time.monotonic()
    contacts = _connect(stack)
    proxy.rates = FAULT_RATES
    backend = Backend(str(stack.api.base_url), dict(stack.api.headers), seed)
    posting = threading.Thread(target=backend.post_all, args=(contacts, activities))
    posting.start()
    for nth in range(1, kills + 1):
        backend.released = activities * nth // kills
        time.sleep(rng.uniform(0.0, max_uptime))
        stack.service.kill()
        stack.service.start(path="/healthz")
    posting.join()
    found = wait_for_activities(stack, ACCOUNT)
    assert set(found) == set(backend.accepted), "an accepted activity is missing"
    assert len(found) == activities
    check_notes(stack, backend.accepted, found, author=USER)
    _check_no_other_notes(stack, backend.accepted)
    _check_conversations(stack, backend.accepted, found)
    failed = Counter(item["reason"] for item in found.values() if item["status"] == "failed")
    return Report(
        kills=kills,
        accepted=len(found),
        written=sum(item["status"] == "written" for item in found.values()),
        failed=dict(failed),
        attempts=sum(item["attempts"] for item in found.values()),
        network=dict(proxy.counts),
        seconds=time.monotonic() - began,
    )


def _connect(stack: Stack) -> list[str]:
    """Connect the account, wait for its first run, and return the Clio ids of its contacts."""
    stack.connect(ACCOUNT)
    stack.wait_for_runs(ACCOUNT)
    return [item["clio_id"] for item in stack.all(f"/v1/accounts/{ACCOUNT}/contacts")]


def wait_for_activities(stack: Stack, account_id: str) -> dict[str, dict[str, Any]]:
    """Wait until all activities have a final status; return them by id."""
    path = f"/v1/accounts/{account_id}/activities"
    wait_until_none_left(
        lambda: [item for item in stack.all(path) if item["status"] not in FINAL_STATUSES],
        "an activity has no final status",
        patience=900,
    )
    return {item["id"]: item for item in stack.all(path)}


def _clio_records(stack: Stack, kind: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{stack.clio.url}/_simulator/records/{kind}", trust_env=False, timeout=60)
    records: list[dict[str, Any]] = answer.json()
    return records


def check_notes(
    stack: Stack,
    posted: dict[str, dict[str, Any]],
    found: dict[str, dict[str, Any]],
    *,
    author: int,
) -> None:
    """Check that each written note is in Clio once with its contact, author and text, and a failed one at most once.

    `posted` has the bodies of the requests and `found` the activities, by id. The author is a user of Clio.
    """
    notes = _clio_records(stack, "note")
    by_text = Counter(note["detail"].split("\n")[0] for note in notes)
    ids = {str(note["id"]): note for note in notes}
    for activity_id, body in posted.items():
        if body["kind"] != "note":
            continue
        item, count = found[activity_id], by_text[body["body"]]
        assert item["status"] in ("written", "failed"), item
        if item["status"] == "failed":
            assert item["reason"] in UNCERTAIN, item
            assert count <= 1, (body, count)
            continue
        assert count == 1, (body, count)
        note = ids[item["clio"]["id"]]
        assert note["detail"].startswith(body["body"] + "\n")
        assert (str(note["contact_id"]), note["author_id"]) == (body["clio_contact_id"], author)


def _check_no_other_notes(stack: Stack, posted: dict[str, dict[str, Any]]) -> None:
    """Check that Clio has only notes that were posted."""
    texts = {body["body"] for body in posted.values() if body["kind"] == "note"}
    for note in _clio_records(stack, "note"):
        assert note["detail"].split("\n")[0] in texts, "Clio has a note that nobody posted"


def _check_conversations(
    stack: Stack, posted: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]
) -> None:
    """Check that each conversation is one communication in Clio, with the newest text that was written.

    A text whose outcome is not known may be the newest one there.
    """
    communications = {str(item["id"]): item for item in _clio_records(stack, "communication")}
    conversations: dict[str, str] = {}  # by text
    clio_ids: dict[str, str] = {}
    newest: dict[str, set[str]] = {}
    for activity_id, body in posted.items():  # in the order of posting
        if body["kind"] != "text_message":
            continue
        item, text, conversation = found[activity_id], body["body"], body["conversation_id"]
        conversations[text] = conversation
        assert item["status"] in ("written", "failed"), item
        if item["status"] == "failed":
            assert item["reason"] in UNCERTAIN, item
            newest.setdefault(conversation, set()).add(text)
            continue
        assert clio_ids.setdefault(conversation, item["clio"]["id"]) == item["clio"]["id"]
        newest[conversation] = {text}
    texts = {clio_id: item["body"] for clio_id, item in communications.items()}
    assert set(texts.values()) <= conversations.keys(), "Clio has a text that nobody posted"
    there = {clio_id: conversations[text] for clio_id, text in texts.items()}
    assert len(set(there.values())) == len(there), "a conversation is in Clio twice"
    for clio_id, conversation in there.items():
        assert texts[clio_id] in newest[conversation], "Clio has an older text"
    assert all(there[clio_id] == conversation for conversation, clio_id in clio_ids.items())


def run_round(
    folder: Path, dsn: str, *, activities: int, kills: int, seed: int, max_uptime: float = 2.5
) -> Report:
    """Run one round on a database; `max_uptime` is the longest time in seconds from a start to the next kill."""
    proxy = Proxy(free_port(), free_port(REGIONS), seed)
    with (
        running(proxy),
        running_stack(
            folder,
            dsn,
            contacts=CONTACTS,
            clio_port=proxy.target,
            origin=f"http://127.0.0.1:{proxy.port}",
            environment={"LEVITATE_CLIO_SETTLE_SECONDS": SETTLE},
            rate_limit=1_000_000,
        ) as stack,
    ):
        return _run(
            stack, proxy, activities=activities, kills=kills, seed=seed, max_uptime=max_uptime
        )


def main() -> None:
    """Run one round on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activities", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    options = {"activities": arguments.activities, "kills": arguments.kills, "seed": arguments.seed}
    with embedded_postgres("writeback") as (folder, dsn):
        print(run_round(folder, dsn, **options))  # noqa: T201


if __name__ == "__main__":
    main()
