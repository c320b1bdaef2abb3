"""Measures how long the work of a small firm waits beside a neighbour that has much work.

    python -m benchmarks.neighbours --neighbour mass-mailing --samples 20 --seconds 60

For each neighbour the script starts an embedded PostgreSQL, two processes of the service, two simulators with a latency
of 100 ms and receivers of events. A sample is the time from due (a note was accepted, a run was asked for, an event was
stored) to the first byte at Clio or at the receiver. What does not arrive counts with the time that it waited. The exit
code is 1 if a 99th percentile reaches its limit, or if a neighbour was not busy the whole time.
"""

import argparse
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from app.main import now
from benchmarks.neighbours.loads import NEIGHBOURS, Neighbour
from benchmarks.neighbours.sampled_firms import SampledFirms
from benchmarks.neighbours.stage import running_stage
from benchmarks.neighbours.waits import Sample, summarize

BETWEEN_STEPS = 1.0  # seconds
COLUMNS = "neighbour            samples     n  late  median     p90     p99  longest   limit"


def main() -> None:
    """Measure beside each neighbour; exit with 1 if one of the results is bad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200, help="for each neighbour")
    parser.add_argument("--seconds", type=float, default=240, help="over which they are spread")
    parser.add_argument(
        "--neighbour", choices=list(NEIGHBOURS), nargs="+", default=list(NEIGHBOURS)
    )
    given = parser.parse_args()
    print(COLUMNS, flush=True)
    passed = [measure(name, given.samples, given.seconds) for name in given.neighbour]
    sys.exit(not all(passed))


def measure(name: str, count: int, seconds: float) -> bool:
    """Take samples beside the neighbour and print them; return whether the result is good."""
    kind = NEIGHBOURS[name]
    with running_stage(neighbour_contacts=kind.contacts) as stage:
        firms, neighbour = SampledFirms(stage), kind(stage)
        firms.connect()
        neighbour.begin()
        with kept_busy(neighbour) as backlogs:
            firms.ask(count, seconds)
            samples = firms.samples()
            p99 = print_rows(name, samples, neighbour, now())
    busy, fast = min(backlogs) > 0, p99 < kind.limit
    result = "void: the neighbour was not busy" if not busy else "passed" if fast else "FAILED"
    print(f"{name:<20} {result}; its backlog was {backlogs[0]} to {backlogs[-1]}", flush=True)
    return busy and fast


def print_rows(name: str, samples: list[Sample], neighbour: Neighbour, until: datetime) -> float:
    """Print a row for each kind of sample and one for all; return the 99th percentile of all."""
    kinds = sorted({sample.kind for sample in samples})
    groups = {kind: [sample for sample in samples if sample.kind == kind] for kind in kinds}
    for label, group in {**groups, "all": samples}.items():
        row = summarize(group, neighbour.outages, limit=neighbour.limit, until=until)
        print(
            f"{name:<20} {label:<7} {row.count:>5} {row.late:>5} {row.median:>7.2f} {row.p90:>7.2f}"
            f" {row.p99:>7.2f} {row.longest:>8.2f} {neighbour.limit:>7.1f}"
        )
    return summarize(samples, neighbour.outages, limit=neighbour.limit, until=until).p99


@contextmanager
def kept_busy(neighbour: Neighbour) -> Iterator[list[int]]:
    """Let the neighbour go on until the block ends; yield its backlogs, one for about each second."""
    over, backlogs = threading.Event(), [neighbour.backlog()]

    def go_on() -> None:
        while not over.wait(BETWEEN_STEPS):
            neighbour.go_on()
            backlogs.append(neighbour.backlog())

    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(go_on)
        try:
            yield backlogs
        finally:
            over.set()
    going_on.result()


if __name__ == "__main__":
    main()
