"""Measures memory, requests and time of the first pull of a firm.

    python -m benchmarks.memory --contacts 20000

The script runs the simulator and the service as processes on an embedded PostgreSQL, and samples the service's resident
memory.
"""

import argparse
import threading
import time
from math import ceil

import psutil

from tests.chaos.processes import Stack, embedded_postgres, running_stack

ACCOUNT = "bench"
SMALL = 5  # requests for the four small lists and who_am_i


def main() -> None:
    """Measure one first pull."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    arguments = parser.parse_args()
    with (
        embedded_postgres("memory") as (folder, dsn),
        running_stack(folder, dsn, contacts=arguments.contacts, rate_limit=1_000_000) as stack,
    ):
        measure(stack, arguments.contacts)


def measure(stack: Stack, contacts: int) -> None:
    """Pull the firm and print the measurements."""
    assert stack.service.process is not None
    memory = MemorySampler(stack.service.process.pid)
    began = time.monotonic()
    stack.connect(ACCOUNT)
    while not (run := next(stack.all(f"/v1/accounts/{ACCOUNT}/runs")))["finished_at"]:
        time.sleep(0.5)
    seconds = time.monotonic() - began
    minimum = sum(ceil(n / 200) for n in (contacts, contacts * 3 // 2, contacts * 3 // 4)) + SMALL
    print(f"status         {run['status']}")
    print(f"records        {run['counts']['pulled']}")
    print(f"in scope       {run['counts']['entered']}")
    print(f"requests       {run['clio']['requests']} (minimum: {minimum})")
    print(f"seconds        {seconds:.1f}")
    print(f"memory before  {memory.before / 2**20:.0f} MiB")
    print(f"memory peak    {memory.stop() / 2**20:.0f} MiB")


class MemorySampler:
    """Samples a process's resident memory until it is stopped."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.before = self._peak = self._process.memory_info().rss
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def _sample(self) -> None:
        while not self._stopped.wait(0.05):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def stop(self) -> int:
        """Stop and return the highest sample in bytes."""
        self._stopped.set()
        self._thread.join()
        return self._peak


if __name__ == "__main__":
    main()
