"""Measure the time of an activity from its acceptance to Clio: on an idle service, and during a first pull.

    python -m benchmarks.writeback --contacts 20000 --minutes 4

Runs the simulator and the service as processes on an embedded PostgreSQL, without and then with Clio's 50 requests a
minute. The times are the service's own: `written_at` less `created_at`.
"""

import argparse
import time
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from tests.chaos.processes import Stage, on_embedded, staged

ACCOUNT = "bench"
IDLE = 100  # activities on the idle service
PAUSE = 5.0  # seconds between two during the pull


def main() -> None:
    """Both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=4)
    asked = parser.parse_args()
    measure("idle", contacts=200, rate_limit=1_000_000, act=idle)
    measure(
        f"during the first pull of {asked.contacts} contacts at 50 a minute",
        contacts=asked.contacts,
        rate_limit=50,
        act=lambda stage: pulling(stage, asked.minutes),
    )


def measure(what: str, *, contacts: int, rate_limit: int, act: Any) -> None:
    """One measurement on fresh programs."""
    with (
        on_embedded("writeback") as (folder, dsn),
        staged(folder, dsn, contacts=contacts, rate_limit=rate_limit) as stage,
    ):
        stage.connect(ACCOUNT)
        report(what, act(stage))


def idle(stage: Stage) -> list[float]:
    """One activity after another, when the pull has ended."""
    while not all(run["finished_at"] for run in stage.all(f"/v1/accounts/{ACCOUNT}/runs")):
        time.sleep(0.1)
    contacts = [item["clio_id"] for item in stage.all(f"/v1/accounts/{ACCOUNT}/contacts")]
    found = []
    for nth in range(IDLE):
        activity = post(stage, nth, contacts[nth % len(contacts)])
        while (item := get(stage, activity))["status"] != "written":
            time.sleep(0.01)
        found.append(seconds(item))
    return found


def pulling(stage: Stage, minutes: float) -> list[float]:
    """An activity every few seconds while the first pull goes on."""
    while not (page := stage.get(f"/v1/accounts/{ACCOUNT}/runs")["data"][0]["counts"]["pulled"])[
        "contacts"
    ]:
        time.sleep(0.2)
    print(f"first page landed: {page}")
    until, posted = time.monotonic() + minutes * 60, []
    contact = first_contact(stage)
    while time.monotonic() < until:
        posted.append(post(stage, len(posted), contact))
        time.sleep(PAUSE)
    while any(get(stage, activity)["status"] != "written" for activity in posted):
        time.sleep(0.5)
    (run,) = stage.all(f"/v1/accounts/{ACCOUNT}/runs")
    print(f"the pull: {run['status']}, {run['counts']['pulled']}, {run['clio']}")
    return [seconds(get(stage, activity)) for activity in posted]


def first_contact(stage: Stage) -> str:
    """The Clio id of a contact that the first page brought."""
    for clio_id in range(1, 100_000):
        answer = stage.api.post(
            f"/v1/accounts/{ACCOUNT}/activities",
            json=body(str(clio_id)),
            headers={"Idempotency-Key": f"probe-{clio_id}"},
        )
        if answer.status_code == 202:
            return str(clio_id)
    raise AssertionError("no contact was found")


def body(clio_id: str) -> dict[str, str]:
    """A note on a contact."""
    return {
        "kind": "note",
        "user_id": "u_1",
        "clio_contact_id": clio_id,
        "occurred_at": "2026-03-02T12:00:00Z",
        "body": "Called about the closing date; all is prepared.",
    }


def post(stage: Stage, nth: int, clio_id: str) -> str:
    """Accept an activity; answers its id."""
    headers = {"Idempotency-Key": f"key-{nth}"}
    answer = stage.api.post(
        f"/v1/accounts/{ACCOUNT}/activities", json=body(clio_id), headers=headers
    )
    assert answer.status_code == 202, answer.text
    found: str = answer.json()["id"]
    return found


def get(stage: Stage, activity_id: str) -> dict[str, Any]:
    """The activity now."""
    found: dict[str, Any] = stage.get(f"/v1/accounts/{ACCOUNT}/activities/{activity_id}")
    return found


def seconds(activity: dict[str, Any]) -> float:
    """From acceptance to Clio's answer."""
    moments = [datetime.fromisoformat(activity[name]) for name in ("created_at", "written_at")]
    return (moments[1] - moments[0]).total_seconds()


def report(what: str, found: list[float]) -> None:
    """Median, 95 % and the longest."""
    ninety_five = quantiles(found, n=20)[-1]
    print(
        f"{what}: {len(found)} activities, median {median(found):.3f} s,"
        f" 95 % {ninety_five:.3f} s, longest {max(found):.3f} s"
    )


if __name__ == "__main__":
    main()
