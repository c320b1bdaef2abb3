"""Measures how early the contacts of a firm are readable during its first run, and how good its ETA is [IS-2].

    python -m benchmarks.first_run --contacts 20000 --rate-limit 50

The script runs the simulator and the service as processes on an embedded PostgreSQL and samples both.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass

import asyncpg

from tests.chaos.processes import Stack, embedded_postgres, running_stack

ACCOUNT = "bench"
READ = "select coalesce(sum(records), 0) from pulls where resource = 'contacts'"


@dataclass(frozen=True)
class Sample:
    """What is known at one moment: seconds since the start, contacts read and readable, share done, seconds left."""

    at: float
    read: int
    readable: int
    percent: int | None
    eta: int | None


def main() -> None:
    """Measure one first run and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--rate-limit", type=int, default=1_000_000, help="requests in a minute")
    arguments = parser.parse_args()
    with (
        embedded_postgres("first_run") as (folder, dsn),
        running_stack(
            folder, dsn, contacts=arguments.contacts, rate_limit=arguments.rate_limit
        ) as stack,
    ):
        samples = asyncio.run(watch(stack, dsn))
    report(samples, arguments.contacts)


async def watch(stack: Stack, dsn: str) -> list[Sample]:
    """Connect the firm and sample the run until it ends."""
    database = await asyncpg.connect(dsn)
    stack.connect(ACCOUNT)
    began, samples = time.monotonic(), list[Sample]()
    while True:
        run = next(stack.all(f"/v1/accounts/{ACCOUNT}/runs"))
        read, readable = [
            await database.fetchval(query) for query in (READ, "select count(*) from contacts")
        ]
        progress = run["progress"]
        at = time.monotonic() - began
        samples.append(Sample(at, read, readable, progress["percent"], progress["eta_seconds"]))
        if run["finished_at"]:
            await database.close()
            return samples
        await asyncio.sleep(0.1)


def report(samples: list[Sample], contacts: int) -> None:
    """Print when people were readable, and the error of the ETA after the first tenth."""
    end, all_of_them = samples[-1].at, samples[-1].readable
    half = next(one for one in samples if one.read >= contacts / 2)
    first = next(one for one in samples if one.readable)
    print(f"seconds                  {end:.1f}")
    print(f"readable at the end      {all_of_them}")
    print(
        f"first readable after     {first.at:.1f} s, {first.read / contacts:.0%} of contacts read"
    )
    print(f"when half are read       {half.readable / all_of_them:.0%} readable ({half.at:.1f} s)")
    errors = [
        (abs(one.at + one.eta - end) / end, one)
        for one in samples
        if one.eta is not None and end / 10 <= one.at < end
    ]
    known = len(errors) / max(1, sum(end / 10 <= one.at < end for one in samples))
    worst, when = max(errors, key=lambda error: error[0], default=(0.0, samples[-1]))
    print(
        f"ETA after a tenth        wrong by {worst:.0%} of the whole at most, at {when.at:.1f} s;"
    )
    print(f"                         known in {known:.0%} of the samples")


if __name__ == "__main__":
    main()
