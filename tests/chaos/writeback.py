"""Activities through a network that loses answers, while the service is killed: each is in Clio once, or says why not.

    python -m tests.chaos.writeback --activities 1000 --kills 200 --seed 1

Starts an embedded PostgreSQL, the simulator, a faulty proxy before it and the service as processes. Activities are
posted with idempotency keys by a backend that sends again until it gets an answer.
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

from tests.chaos.processes import REGIONS, USER, Stage, on_embedded, staged
from tests.chaos.proxy import Odds, Proxy, running
from tests.support.ports import free_port

ACCOUNT = "chaos"
ODDS = Odds(drop=0.05, lose=0.25, cut=0.05, delay=0.10)  # 30 % of the answers are lost or cut
SETTLE = "1.5"  # seconds; the proxy delays less
CONTACTS = 40
ENDED = ("written", "failed", "skipped", "cancelled")


@dataclass(frozen=True)
class Report:
    """What a round came to."""

    kills: int
    accepted: int
    written: int
    failed: dict[str, int]
    attempts: int
    network: dict[str, int]
    seconds: float


@dataclass
class Backend:
    """Levitate's backend: posts each activity until it is answered, as a good client does."""

    url: str
    headers: dict[str, str]
    seed: int
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)  # by activity id
    released: int = 0  # so many may be posted by now, so that each kill finds some under way

    def post_all(self, contacts: list[str], count: int) -> None:
        """Post so many activities, one after another."""
        dice = random.Random(self.seed)  # noqa: S311
        with httpx.Client(
            base_url=self.url, headers=self.headers, timeout=30, trust_env=False
        ) as api:
            for nth in range(count):
                while nth >= self.released:
                    time.sleep(0.01)
                body = activity(nth, dice.choice(contacts), dice)
                self.accepted[self._post(api, f"key-{nth}", body)] = body

    def _post(self, api: httpx.Client, key: str, body: dict[str, Any]) -> str:
        while True:
            with suppress(httpx.TransportError):
                headers = {"Idempotency-Key": key}
                answer = api.post(f"/v1/accounts/{ACCOUNT}/activities", json=body, headers=headers)
                if answer.status_code == 202:
                    found: str = answer.json()["id"]
                    return found
                assert answer.status_code in (409, 500, 503), answer.text
            time.sleep(0.05)


def activity(nth: int, contact: str, dice: random.Random) -> dict[str, Any]:
    """The nth activity: a note, or a text message of one of the contact's few conversations."""
    texts = dice.random() < 0.25
    return {
        "kind": "text_message" if texts else "note",
        "user_id": "u_1",
        "clio_contact_id": contact,
        "occurred_at": "2026-03-02T12:00:00Z",
        "subject": f"activity {nth}",
        "body": f"body-{nth}-end",
        "conversation_id": f"c{dice.randrange(2)}-{contact}" if texts else None,
    }


def round_of_losses(
    stage: Stage, proxy: Proxy, *, activities: int, kills: int, seed: int, life: float
) -> Report:
    """Post, lose and kill; check what is in Clio in the end."""
    dice = random.Random(seed)  # noqa: S311
    began = time.monotonic()
    contacts = _connected(stage)
    proxy.odds = ODDS
    backend = Backend(str(stage.api.base_url), dict(stage.api.headers), seed)
    posting = threading.Thread(target=backend.post_all, args=(contacts, activities))
    posting.start()
    for nth in range(1, kills + 1):
        backend.released = activities * nth // kills
        time.sleep(dice.uniform(0.0, life))
        stage.service.kill()
        stage.service.start(path="/healthz")
    posting.join()
    found = _all_ended(stage)
    assert set(found) == set(backend.accepted), "an accepted activity was forgotten"
    assert len(found) == activities
    _check_notes(stage, backend.accepted, found)
    _check_conversations(stage, backend.accepted, found)
    failed = Counter(item["reason"] for item in found.values() if item["status"] == "failed")
    return Report(
        kills=kills,
        accepted=len(found),
        written=sum(item["status"] == "written" for item in found.values()),
        failed=dict(failed),
        attempts=sum(item["attempts"] for item in found.values()),
        network=dict(proxy.done),
        seconds=time.monotonic() - began,
    )


def _connected(stage: Stage) -> list[str]:
    """The Clio ids of the firm's contacts, once they are pulled."""
    stage.connect(ACCOUNT)
    deadline = time.monotonic() + 120
    while not all(run["finished_at"] for run in stage.all(f"/v1/accounts/{ACCOUNT}/runs")):
        assert time.monotonic() < deadline, "the first run did not end"
        time.sleep(0.1)
    return [item["clio_id"] for item in stage.all(f"/v1/accounts/{ACCOUNT}/contacts")]


def _all_ended(stage: Stage) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + 900
    while True:
        found = {item["id"]: item for item in stage.all(f"/v1/accounts/{ACCOUNT}/activities")}
        open_ones = [item for item in found.values() if item["status"] not in ENDED]
        if not open_ones:
            return found
        assert time.monotonic() < deadline, open_ones[:3]
        time.sleep(0.2)


def _written(stage: Stage, kind: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{stage.clio.url}/_simulator/records/{kind}", trust_env=False, timeout=60)
    found: list[dict[str, Any]] = answer.json()
    return found


def _check_notes(
    stage: Stage, posted: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]
) -> None:
    """Each note once, on its contact, by its author, with its text; what failed is there once at most."""
    notes = _written(stage, "note")
    by_text = Counter(note["detail"].split("\n")[0] for note in notes)
    ids = {str(note["id"]): note for note in notes}
    for activity_id, body in posted.items():
        if body["kind"] != "note":
            continue
        item, there = found[activity_id], by_text[body["body"]]
        assert item["status"] in ("written", "failed"), item
        if item["status"] == "failed":
            assert item["reason"] in ("unconfirmed", "sent_unverified"), item
            assert there <= 1, (body, there)
            continue
        assert there == 1, (body, there)
        note = ids[item["clio"]["id"]]
        assert note["detail"].startswith(body["body"] + "\n")
        assert (str(note["contact_id"]), note["author_id"]) == (body["clio_contact_id"], USER)
    assert len(notes) == sum(by_text.values())


def _check_conversations(
    stage: Stage, posted: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]
) -> None:
    """Each conversation's day is one communication, and holds the newest text that was written."""
    communications = {str(item["id"]): item for item in _written(stage, "communication")}
    told: dict[str, str] = {}
    newest: dict[str, str] = {}
    for activity_id, body in posted.items():  # in the order of posting
        item = found[activity_id]
        if body["kind"] == "text_message" and item["status"] == "written":
            conversation = body["conversation_id"]
            assert told.setdefault(conversation, item["clio"]["id"]) == item["clio"]["id"]
            newest[conversation] = body["body"]
    assert sorted(told.values()) == sorted(communications)
    for conversation, clio_id in told.items():
        assert communications[clio_id]["body"] == newest[conversation]


def play(
    folder: Path, dsn: str, *, activities: int, kills: int, seed: int, life: float = 2.5
) -> Report:
    """One round on a database; `life` is the longest, in seconds, that the service is left alone."""
    proxy = Proxy(free_port(), free_port(REGIONS), seed)
    with (
        running(proxy),
        staged(
            folder,
            dsn,
            contacts=CONTACTS,
            clio_port=proxy.target,
            origin=f"http://127.0.0.1:{proxy.port}",
            environment={"LEVITATE_CLIO_SETTLE_SECONDS": SETTLE},
            rate_limit=1_000_000,
        ) as stage,
    ):
        return round_of_losses(
            stage, proxy, activities=activities, kills=kills, seed=seed, life=life
        )


def main() -> None:
    """One round, on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activities", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    how = {"activities": asked.activities, "kills": asked.kills, "seed": asked.seed}
    with on_embedded("writeback") as (folder, dsn):
        print(play(folder, dsn, **how))  # noqa: T201


if __name__ == "__main__":
    main()
