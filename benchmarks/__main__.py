"""The benchmark: this service beside the references, and what its parts cost.

    python -m benchmarks                          in under 15 minutes: 10,000 contacts, three rounds
    python -m benchmarks --full                   all sizes, five rounds; takes hours
    python -m benchmarks --only runs rederive     some parts

`make bench` makes the environment of the references first. `docs/performance.md` says how a figure is taken.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import growth, large_firm, one_firm, pulls, reads
from benchmarks.programs import (
    FIRST,
    Measured,
    OurService,
    Stage,
    first_run,
    measured_service,
)
from benchmarks.report import Report, machine
from benchmarks.servers import Postgres, running_fake, running_postgres

SMALL, MIDDLE, LARGE = 10_000, 50_000, 200_000
LATENCIES = (0.0, 50.0)


def main() -> None:
    """Measure the parts that were asked for, and print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="all sizes, five rounds")
    parser.add_argument("--contacts", type=int, help="one size, instead of the usual ones")
    parser.add_argument("--rounds", type=int, help="rounds, instead of three or five")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*FIRM_PARTS, *PARTS),
        metavar="PART",
        help=f"of {', '.join((*PARTS, *FIRM_PARTS))}; {' and '.join(LONG)} only if named here, or with --full",
    )
    parser.add_argument(
        "--rate-limit", type=int, default=0, help="requests a minute that Clio allows, for progress"
    )
    parser.add_argument("--out", type=Path, help="write the report to FILE.md and FILE.json")
    arguments = parser.parse_args()
    wanted = arguments.only or [
        part for part in (*PARTS, *FIRM_PARTS) if arguments.full or part not in LONG
    ]
    with running_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        date = datetime.now(UTC).date()  # noqa: TID251  # the report says when it was made
        report = Report([f"{date}, {machine()}, PostgreSQL {postgres.version}"])
        bench, began = Bench(report, postgres, Path(folder), arguments), time.monotonic()
        try:
            for part in PARTS:
                if part in wanted:
                    PARTS[part](bench)
            bench.measure_firm([part for part in FIRM_PARTS if part in wanted])
        finally:
            report.conditions.append(f"It took {(time.monotonic() - began) / 60:.0f} minutes.")
            report.finish(arguments.out)


@dataclass(frozen=True)
class Bench:
    """The report, the database server, a folder for logs, and what was asked for."""

    report: Report
    postgres: Postgres
    folder: Path
    arguments: argparse.Namespace

    @property
    def full(self) -> bool:
        """Whether all sizes are wanted."""
        return bool(self.arguments.full)

    def size(self, usual: int) -> int:
        """Return the number of contacts: what was asked for, or the usual one."""
        return self.arguments.contacts or usual

    def measure_runs(self) -> None:
        """Compare first and later runs at both latencies; the first round of all warms up."""
        rounds = self.arguments.rounds or (5 if self.full else 3)
        sizes = [SMALL, MIDDLE] if self.full else [SMALL]
        for size in [self.size(SMALL)] if self.arguments.contacts else sizes:
            with running_fake(self.folder, size) as fake:
                for latency in LATENCIES:
                    stage = Stage(self.postgres, fake, latency, only_first=latency > 0)
                    played = pulls.compare(self.report, stage, rounds=rounds, warm_up=not latency)
                    if not latency:
                        growth.show_requests(self.report, fake, played)

    def measure_growth(self) -> None:
        """Compare the first runs of a small and a large firm, alone and without a warm-up."""
        found = []
        for size in (SMALL, self.size(LARGE)):
            with running_fake(self.folder, size) as fake:
                turn = OurService().play(Stage(self.postgres, fake, only_first=True))
                found.append((size, turn[FIRST]))
                print(f"  {size:,} contacts: {pulls.seconds(turn[FIRST]):.1f} s", flush=True)
        growth.show_growth(self.report, *found)

    def measure_pace(self) -> None:
        """Read a firm in simulated time."""
        growth.show_pace(self.report, contacts=self.size(100_000 if self.full else 20_000))

    def measure_large_firm(self) -> None:
        """Measure the database work at the end of a run of a very large firm."""
        large_firm.measure_large_firm(self.report, self.size(1_000_000))

    def measure_firm(self, parts: Sequence[str]) -> None:
        """Measure these parts on one firm."""
        if not parts:
            return
        size = self.size(one_firm.SCALE if self.full else SMALL)
        with (
            running_fake(self.folder, size) as fake,
            self.postgres.database("bench_firm") as dsn,
            ExitStack() as closing,
        ):
            stage = Stage(self.postgres, fake)
            fake.renew(latency_ms=0)
            fake.call("config", rate_limit=self.arguments.rate_limit)
            measured = measured_service(stage, dsn, self.folder, closing)
            if "progress" in parts:
                one_firm.measure_progress(self.report, measured)
            else:
                first_run(measured)
            measured.service.sql.rows("vacuum analyze")
            for part in parts:
                FIRM_PARTS[part](self.report, measured, dsn)


PARTS: dict[str, Callable[[Bench], None]] = {
    "runs": Bench.measure_runs,
    "growth": Bench.measure_growth,
    "pace": Bench.measure_pace,
    "large-firm": Bench.measure_large_firm,
}
# Measured on one firm, in this order, which follows its first run.
FIRM_PARTS: dict[str, Callable[[Report, Measured, str], None]] = {
    "progress": lambda _report, _measured, _dsn: None,  # is the first run itself
    "reads": reads.measure_reads,
    "rules": lambda report, _measured, dsn: one_firm.measure_rules(report, dsn),
    "rereading": one_firm.measure_rereading,
    "rederive": lambda report, measured, _dsn: one_firm.measure_rederive(report, measured),
}
LONG = ("growth", "large-firm")


if __name__ == "__main__":
    main()
