"""Measures how long it takes to read a firm under Clio's real rate limits, in simulated time.

python -m benchmarks.pace --contacts 100000
"""

import argparse

import psutil

from tests.support.rate_limited_read import read_firm


def main() -> None:
    """Read one firm with the client from the simulator in memory, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0.15)
    arguments = parser.parse_args()
    result = read_firm(arguments.contacts, limit=arguments.limit, latency=arguments.latency)
    minimum = result.least(arguments.limit, arguments.latency)
    print(f"records          {result.records}")
    print(f"requests         {result.requests}, refused {result.refused}")
    print(f"seconds          {result.seconds:.1f} (minimum: {minimum:.1f})")
    print(f"over the minimum {result.seconds / minimum - 1:.2%}")
    print(f"estimate at 60 s {result.early:.1f}")
    print(
        f"memory           {psutil.Process().memory_info().rss / 2**20:.0f} MiB, including the simulator"
    )


if __name__ == "__main__":
    main()
