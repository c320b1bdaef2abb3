"""Measures how long the service needs to go on after each kind of trouble with its database.

    python -m benchmarks.outages --seconds 5 20

The script runs the service and a worker on an embedded PostgreSQL behind a proxy. After each outage it measures the
time until the API answers, until every part of both processes works, and until a run that is requested then has
succeeded.
"""

import argparse
import time
from contextlib import ExitStack

from tests.chaos.checks import check_parts
from tests.chaos.database_faults import DatabaseFaults
from tests.chaos.loops import loop_thread
from tests.chaos.processes import (
    Program,
    Stack,
    embedded_postgres,
    retry_until_success,
    running_stack,
)
from tests.support.database_proxy import database_proxy

ACCOUNT = "bench"
PATIENCE = 120.0  # seconds


def main() -> None:
    """Measure each kind of outage at each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0, 20.0])
    arguments = parser.parse_args()
    print("outage              seconds   API answers   all parts work   a run succeeded")
    with ExitStack() as opened:
        folder, dsn = opened.enter_context(embedded_postgres("outages"))
        loop = opened.enter_context(loop_thread())
        proxy = opened.enter_context(loop.entered(database_proxy(dsn)))
        stack = opened.enter_context(running_stack(folder, proxy.dsn, contacts=50))
        worker = stack.worker("worker")
        opened.callback(worker.stop)
        worker.start(path="/healthz")
        stack.connect(ACCOUNT)
        stack.wait_for_runs(ACCOUNT)
        faults = DatabaseFaults(folder / "pg", dsn, proxy, loop)
        for fault in (
            faults.stopped,
            faults.read_only,
            faults.silent,
            faults.out_of_connections,
            faults.slow,
        ):
            for seconds in arguments.seconds:
                with fault():
                    time.sleep(seconds)
                print(f"{fault.__name__:<18} {seconds:>8.0f} {measure(stack, worker)}", flush=True)


def measure(stack: Stack, worker: Program) -> str:
    """Return the times of the recovery, as columns."""
    began = time.monotonic()

    def passed() -> float:
        return time.monotonic() - began

    path = f"/v1/accounts/{ACCOUNT}"
    key = {"Idempotency-Key": str(began)}
    run = retry_until_success(
        lambda: stack.api.post(f"{path}/runs", json={"kind": "incremental"}, headers=key)
    ).json()
    answered = passed()
    check_parts([stack.service, worker], PATIENCE)
    working = passed()
    assert stack.wait_for_run(ACCOUNT, run["id"])["status"] == "succeeded"
    return f"{answered:>12.1f} s {working:>14.1f} s {passed():>15.1f} s"


if __name__ == "__main__":
    main()
