"""Measure how long it takes to read a firm under Clio's real limits, in simulated time.

python -m benchmarks.pace --contacts 100000
"""

import argparse

import psutil

from tests.support.rate_limited_read import read_firm


def main() -> None:
    """One firm, read by the client against the simulator in memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0.15)
    asked = parser.parse_args()
    pace = read_firm(asked.contacts, limit=asked.limit, latency=asked.latency)
    least = pace.least(asked.limit, asked.latency)
    print(f"records          {pace.records}")
    print(f"requests         {pace.requests}, refused {pace.refused}")
    print(f"seconds          {pace.seconds:.1f} (the least possible: {least:.1f})")
    print(f"over the least   {pace.seconds / least - 1:.2%}")
    print(f"foreseen at 60 s {pace.early:.1f}")
    print(
        f"memory           {psutil.Process().memory_info().rss / 2**20:.0f} MiB, simulator included"
    )


if __name__ == "__main__":
    main()
