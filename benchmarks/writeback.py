"""Measures the time from the acceptance of an activity until it is in Clio: when idle, and during a first pull.

    python -m benchmarks.writeback --contacts 20000 --minutes 4

The script runs the simulator and the service as processes on an embedded PostgreSQL, first without and then with Clio's
limit of 50 requests per minute. Each time is `written_at` minus `created_at`, as the service reports them.
"""

import argparse
import time
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from tests.chaos.processes import Stack, embedded_postgres, running_stack

ACCOUNT = "bench"
IDLE = 100  # activities on the idle service
PAUSE = 5.0  # seconds between two activities during the pull


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=4)
    arguments = parser.parse_args()
    measure("idle", contacts=200, rate_limit=1_000_000, action=post_when_idle)
    measure(
        f"during the first pull of {arguments.contacts} contacts at 50 requests per minute",
        contacts=arguments.contacts,
        rate_limit=50,
        action=lambda stack: post_during_pull(stack, arguments.minutes),
    )


def measure(label: str, *, contacts: int, rate_limit: int, action: Any) -> None:
    """Start new processes and print the times that `action` returns."""
    with (
        embedded_postgres("writeback") as (folder, dsn),
        running_stack(folder, dsn, contacts=contacts, rate_limit=rate_limit) as stack,
    ):
        stack.connect(ACCOUNT)
        report(label, action(stack))


def post_when_idle(stack: Stack) -> list[float]:
    """Post one activity after another when the first run has ended; return their times in seconds."""
    while not all(run["finished_at"] for run in stack.all(f"/v1/accounts/{ACCOUNT}/runs")):
        time.sleep(0.1)
    contacts = [item["clio_id"] for item in stack.all(f"/v1/accounts/{ACCOUNT}/contacts")]
    times = []
    for nth in range(IDLE):
        activity = post(stack, nth, contacts[nth % len(contacts)])
        while (item := get(stack, activity))["status"] != "written":
            time.sleep(0.01)
        times.append(seconds(item))
    return times


def post_during_pull(stack: Stack, minutes: float) -> list[float]:
    """Post an activity every few seconds during the first pull; return their times in seconds."""
    while not (page := stack.get(f"/v1/accounts/{ACCOUNT}/runs")["data"][0]["counts"]["pulled"])[
        "contacts"
    ]:
        time.sleep(0.2)
    print(f"the first page is stored: {page}")
    deadline, posted = time.monotonic() + minutes * 60, list[str]()
    contact = first_contact(stack)
    while time.monotonic() < deadline:
        posted.append(post(stack, len(posted), contact))
        time.sleep(PAUSE)
    while any(get(stack, activity)["status"] != "written" for activity in posted):
        time.sleep(0.5)
    (run,) = stack.all(f"/v1/accounts/{ACCOUNT}/runs")
    print(f"the run: {run['status']}, {run['counts']['pulled']}, {run['clio']}")
    return [seconds(get(stack, activity)) for activity in posted]


def first_contact(stack: Stack) -> str:
    """Return the Clio id of a contact of the first page, found by posting activities until one is accepted."""
    for clio_id in range(1, 100_000):
        answer = stack.api.post(
            f"/v1/accounts/{ACCOUNT}/activities",
            json=body(str(clio_id)),
            headers={"Idempotency-Key": f"probe-{clio_id}"},
        )
        if answer.status_code == 202:
            return str(clio_id)
    raise AssertionError("no contact was found")


def body(clio_id: str) -> dict[str, str]:
    """Return the body of a note about a contact."""
    return {
        "kind": "note",
        "user_id": "u_1",
        "clio_contact_id": clio_id,
        "occurred_at": "2026-03-02T12:00:00Z",
        "body": "Called about the closing date; all is prepared.",
    }


def post(stack: Stack, nth: int, clio_id: str) -> str:
    """Post an activity; return its id."""
    headers = {"Idempotency-Key": f"key-{nth}"}
    answer = stack.api.post(
        f"/v1/accounts/{ACCOUNT}/activities", json=body(clio_id), headers=headers
    )
    assert answer.status_code == 202, answer.text
    activity_id: str = answer.json()["id"]
    return activity_id


def get(stack: Stack, activity_id: str) -> dict[str, Any]:
    """Return the activity in its current state."""
    activity: dict[str, Any] = stack.get(f"/v1/accounts/{ACCOUNT}/activities/{activity_id}")
    return activity


def seconds(activity: dict[str, Any]) -> float:
    """Return the seconds from the acceptance of an activity to Clio's response."""
    created, written = (
        datetime.fromisoformat(activity[name]) for name in ("created_at", "written_at")
    )
    return (written - created).total_seconds()


def report(label: str, times: list[float]) -> None:
    """Print the median, the 95th percentile and the maximum."""
    percentile_95 = quantiles(times, n=20)[-1]
    print(
        f"{label}: {len(times)} activities, median {median(times):.3f} s,"
        f" 95 % {percentile_95:.3f} s, longest {max(times):.3f} s"
    )


if __name__ == "__main__":
    main()
