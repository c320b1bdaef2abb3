"""Measures time and memory of the re-derivation after a change of settings, and of its preview.

    python -m benchmarks.rederive --contacts 20000

The script runs the simulator and the service as processes on an embedded PostgreSQL. It pulls the firm once, then
previews and applies two changes: one affects many contacts, the other few. Neither may send
a request to Clio.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks.memory import ACCOUNT, MemorySampler
from tests.chaos.processes import Stack, embedded_postgres, running_stack

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
    """Pull one firm, then preview and apply each change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    arguments = parser.parse_args()
    with (
        embedded_postgres("rederive") as (folder, dsn),
        running_stack(folder, dsn, contacts=arguments.contacts, rate_limit=1_000_000) as stack,
    ):
        stack.connect(ACCOUNT)
        first = wait_for_run(stack)
        print(f"in scope         {first['counts']['entered']}")
        requests = len(stack.clio_log())
        for name, patch in CHANGES.items():
            measure(stack, name, patch)
        assert len(stack.clio_log()) == requests, "a rederive run asked Clio"


def measure(stack: Stack, name: str, patch: dict[str, Any]) -> None:
    """Preview a change and apply it; print the measurements of both."""
    with print_usage(stack, f"{name}: preview"):
        answer = stack.api.post(f"{URL}/preview", json={"settings": patch}, timeout=300)
    answer.raise_for_status()
    summary = answer.json()["summary"]
    etag = stack.api.get(URL).headers["etag"]
    with print_usage(stack, f"{name}: run    "):
        stack.api.patch(URL, json=patch, headers={"If-Match": etag}).raise_for_status()
        run = wait_for_run(stack)
    print(f"{name}: {run['status']}, {run['counts']['changed']} changed")
    assert run["counts"]["entered"] == summary["entering"]
    assert run["counts"]["new_clients"] == summary["new_clients"]


@contextmanager
def print_usage(stack: Stack, label: str) -> Iterator[None]:
    """Print the duration of the block, and the CPU time and peak memory of the service during it."""
    assert stack.service.process is not None
    process = psutil.Process(stack.service.process.pid)
    memory = MemorySampler(process.pid)
    began, cpu_before = time.monotonic(), sum(process.cpu_times()[:2])
    yield
    seconds, cpu = time.monotonic() - began, sum(process.cpu_times()[:2]) - cpu_before
    print(f"{label} {seconds:5.1f} s, CPU time {cpu:5.1f} s, peak {memory.stop() / 2**20:.0f} MiB")


def wait_for_run(stack: Stack) -> dict[str, Any]:
    """Wait until the newest run has ended; return it."""
    while not (run := list(stack.all(f"/v1/accounts/{ACCOUNT}/runs"))[-1])["finished_at"]:
        time.sleep(0.2)
    return run


if __name__ == "__main__":
    main()
