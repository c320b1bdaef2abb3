"""Measure memory, requests and time of the first pull of a firm.

    python -m benchmarks.memory --contacts 20000

Runs the simulator and the service as processes on an embedded PostgreSQL and samples the service's resident memory.
"""

import argparse
import threading
import time
from math import ceil

import psutil

from tests.chaos.processes import Stage, on_embedded, staged

ACCOUNT = "bench"
SMALL = 5  # the four small lists and who-am-i


def main() -> None:
    """One first pull, measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    asked = parser.parse_args()
    with (
        on_embedded("memory") as (folder, dsn),
        staged(folder, dsn, contacts=asked.contacts, rate_limit=1_000_000) as stage,
    ):
        measure(stage, asked.contacts)


def measure(stage: Stage, contacts: int) -> None:
    """Pull the firm and print what it took."""
    assert stage.service.process is not None
    peak = Peak(stage.service.process.pid)
    began = time.monotonic()
    stage.connect(ACCOUNT)
    while not (run := next(stage.all(f"/v1/accounts/{ACCOUNT}/runs")))["finished_at"]:
        time.sleep(0.5)
    seconds = time.monotonic() - began
    least = sum(ceil(n / 200) for n in (contacts, contacts * 3 // 2, contacts * 3 // 4)) + SMALL
    print(f"status         {run['status']}")
    print(f"records        {run['counts']['pulled']}")
    print(f"in scope       {run['counts']['entered']}")
    print(f"requests       {run['clio']['requests']} (the least possible: {least})")
    print(f"seconds        {seconds:.1f}")
    print(f"memory before  {peak.before / 2**20:.0f} MiB")
    print(f"memory peak    {peak.stop() / 2**20:.0f} MiB")


class Peak:
    """Samples a process's resident memory until it is stopped."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.before = self._most = self._process.memory_info().rss
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def _sample(self) -> None:
        while not self._done.wait(0.05):
            self._most = max(self._most, self._process.memory_info().rss)

    def stop(self) -> int:
        """The most that was seen, in bytes."""
        self._done.set()
        self._thread.join()
        return self._most


if __name__ == "__main__":
    main()
