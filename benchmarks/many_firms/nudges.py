"""A day's webhooks: the fake changes records, and this module posts what Clio would post, signed, to every firm."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.many_firms.stage import Stage
from tests.support.waiting import wait_until

POSTERS = 8
MODELS = {"contact": "contacts", "matter": "matters"}


@dataclass(frozen=True)
class Nudge:
    """A webhook: the address that the service gave to Clio, its secret, and the record that it names."""

    url: str
    secret: str
    hook_id: int
    clio_id: int

    def post(self, client: httpx.Client) -> None:
        """Post it; the service must accept it."""
        data = {"id": self.clio_id, "etag": f'"{time.monotonic_ns()}"'}
        document = {"data": data, "meta": {"event": "updated", "webhook_id": self.hook_id}}
        body = json.dumps(document).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hook-Signature": signature}
        client.post(self.url, content=body, headers=headers).raise_for_status()


def confirm_subscriptions(stage: Stage) -> None:
    """Wait until each firm has its two subscriptions, and confirm them as Clio does."""
    wanted = len(MODELS) * stage.firms
    made = "select count(*) from subscriptions where hook_id is not null"
    stage.wait_for(made, wanted, "subscriptions")
    wait_until(lambda: sum(map(len, _hooks(stage))) == wanted, "Clio has other subscriptions")
    with httpx.Client(trust_env=False, timeout=60) as client:
        for hook in (hook for hooks in _hooks(stage) for hook in hooks):
            headers = {"X-Hook-Secret": hook["shared_secret"]}
            client.post(hook["url"], content=b"{}", headers=headers).raise_for_status()
    stage.wait_for("select count(*) from subscriptions where pending", 0, "pending subscriptions")


def _hooks(stage: Stage) -> Iterator[list[dict[str, Any]]]:
    """Yield the subscriptions of the firms of each size."""
    for fake in stage.fakes.values():
        answer = fake.control.get("/__bench__/hooks")
        answer.raise_for_status()
        yield answer.json()


def touch(stage: Stage, *, percent: float) -> None:
    """Give all records their first values, then change so many of 100 contacts and matters of each firm."""
    for fake in stage.fakes.values():
        fake.call("restore")
        fake.touch(percent=percent)


def due_nudges(stage: Stage) -> list[Nudge]:
    """Return a webhook for each record that is changed now, of each firm: the firms in turn."""
    by_firm: list[list[Nudge]] = []
    for fake, hooks in zip(stage.fakes.values(), _hooks(stage), strict=True):
        touched = fake.call("touched")
        for hook in hooks:
            ids = touched[MODELS[hook["model"]]]
            by_firm.append(
                [Nudge(hook["url"], hook["shared_secret"], hook["id"], one) for one in ids]
            )
    return spread_evenly(by_firm)


def spread_evenly(lists: list[list[Nudge]]) -> list[Nudge]:
    """Return all in one list, those of each given list at equal distances."""
    placed = [((nth + 0.5) / len(one), nudge) for one in lists for nth, nudge in enumerate(one)]
    return [nudge for _, nudge in sorted(placed, key=lambda each: each[0])]


def post_all(nudges: list[Nudge], seconds: float) -> float:
    """Post the webhooks at equal distances over a time; return how many seconds it took."""
    began = time.monotonic()
    with httpx.Client(trust_env=False, timeout=120) as client, ThreadPoolExecutor(POSTERS) as pool:

        def post(nth: int) -> None:
            time.sleep(max(0.0, began + nth * seconds / len(nudges) - time.monotonic()))
            nudges[nth].post(client)

        list(pool.map(post, range(len(nudges))))
    return time.monotonic() - began
