"""Measure time and memory of the re-derivation after a change of settings, and of its preview.

    python -m benchmarks.rederive --contacts 20000

Runs the simulator and the service as processes on an embedded PostgreSQL, pulls the firm once, then previews and
applies two changes: one that touches many contacts and one that touches few. Clio must be asked nothing meanwhile.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks.memory import ACCOUNT, Peak
from tests.chaos.processes import Stage, on_embedded, staged

URL = f"/v1/accounts/{ACCOUNT}/settings"
CHANGES: dict[str, dict[str, Any]] = {
    "many": {
        "tags": {
            "location": {"city": True, "state": True},
            "matter_number": {"enabled": True},
            "practice_area": {"matter_status": ["open", "pending", "closed"]},
        },
        "scope": {"include_related": True},
    },
    "few": {"scope": {"related_role_exclude": ["judge"]}},
}


def main() -> None:
    """One firm, pulled and judged anew, measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    asked = parser.parse_args()
    with (
        on_embedded("rederive") as (folder, dsn),
        staged(folder, dsn, contacts=asked.contacts, rate_limit=1_000_000) as stage,
    ):
        stage.connect(ACCOUNT)
        first = ended(stage)
        print(f"in scope       {first['counts']['entered']}")
        calls = len(stage.clio_log())
        for name, patch in CHANGES.items():
            measure(stage, name, patch)
        print(f"calls to Clio  {len(stage.clio_log()) - calls}")


def measure(stage: Stage, name: str, patch: dict[str, Any]) -> None:
    """Preview a change, then apply it; print what either took."""
    with measured(stage, f"{name}: preview"):
        answer = stage.api.post(f"{URL}/preview", json={"settings": patch}, timeout=300)
    answer.raise_for_status()
    summary = answer.json()["summary"]
    etag = stage.api.get(URL).headers["etag"]
    with measured(stage, f"{name}: run    "):
        stage.api.patch(URL, json=patch, headers={"If-Match": etag}).raise_for_status()
        run = ended(stage)
    print(f"{name}: {run['status']}, {run['counts']['changed']} changed")
    assert run["counts"]["entered"] == summary["entering"]
    assert run["counts"]["new_clients"] == summary["new_clients"]


@contextmanager
def measured(stage: Stage, what: str) -> Iterator[None]:
    """Print the seconds, the service's processor time and its most memory while the block lasts."""
    assert stage.service.process is not None
    process = psutil.Process(stage.service.process.pid)
    peak, began, busy = Peak(process.pid), time.monotonic(), sum(process.cpu_times()[:2])
    yield
    seconds, used = time.monotonic() - began, sum(process.cpu_times()[:2]) - busy
    print(
        f"{what} {seconds:5.1f} s, {used:5.1f} s of processor, peak {peak.stop() / 2**20:.0f} MiB"
    )


def ended(stage: Stage) -> dict[str, Any]:
    """The newest run, once it has ended."""
    while not (run := list(stage.all(f"/v1/accounts/{ACCOUNT}/runs"))[-1])["finished_at"]:
        time.sleep(0.2)
    return run


if __name__ == "__main__":
    main()
