"""Measures what many firms of mixed size cost on one database with two workers.

    python -m benchmarks.many_firms                5 firms of 50,000, 45 of 5,000, 450 of 500 contacts
    python -m benchmarks.many_firms --scale 0.2    as many firms, with a fifth of the contacts

All firms connect at the same time, and each feed is read once. Then follow a minute in which nothing is due, a slot
that finds 1 % changed, the webhooks of a day (1 % of the contacts and matters), a second slot, and a full run of every
firm. Every run must succeed.
A minute of Clio has six seconds (`short_minutes.py`). `docs/scaling.md` says what else is shorter than in production.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.many_firms import nudges, tables
from benchmarks.many_firms.stage import Size, running_stage
from benchmarks.many_firms.watch import Watch
from benchmarks.report import Report, machine
from benchmarks.servers import running_postgres

CHANGED_PERCENT = 1.0  # of the contacts and matters, before the first slot and again by webhooks
IDLE_SECONDS = 90.0
SHARES = (("large", 0.01, 50_000, "us"), ("middle", 0.09, 5_000, "eu"), ("small", 0.9, 500, "ca"))
MANY = 500


def main() -> None:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--firms", type=int, default=MANY, help="1 % large, 9 % middle, the rest small"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the contacts of each firm")
    parser.add_argument(
        "--spread", type=int, default=60, help="seconds over which a slot is spread"
    )
    parser.add_argument(
        "--nudge-seconds", type=float, default=120, help="for the webhooks of a day"
    )
    parser.add_argument("--latency-ms", type=float, default=50, help="of each answer of Clio")
    parser.add_argument("--out", type=Path, help="write the report to FILE.md and FILE.json")
    given = parser.parse_args()
    with running_postgres() as postgres, tempfile.TemporaryDirectory(prefix="lc-many-") as folder:
        date = datetime.now(UTC).date()  # noqa: TID251  # the report says when it was made
        report = Report([f"{date}, {machine()}, PostgreSQL {postgres.version}", f"`{vars(given)}`"])
        began, sizes = time.monotonic(), sizes_of(given.firms, given.scale)
        with running_stage(
            postgres, Path(folder), sizes, spread=given.spread, latency_ms=given.latency_ms
        ) as stage:
            measure(report, Watch(stage), given.nudge_seconds)
        report.conditions.append(f"It took {(time.monotonic() - began) / 60:.0f} minutes.")
        report.finish(given.out)


def sizes_of(firms: int, scale: float) -> Sequence[Size]:
    """Return the firms of each size; at least one of each, with 20 contacts at least."""
    return [
        Size(name, max(1, round(firms * share)), max(20, round(contacts * scale)), region)
        for name, share, contacts, region in SHARES
    ]


def measure(report: Report, watch: Watch, nudge_seconds: float) -> None:
    """Play the first runs, a day and a full run; add the tables."""
    stage = watch.stage
    report.add(tables.show_firms(stage))
    with watch.phase("first runs") as first:
        stage.connect_all()
        stage.wait_for_runs("initial")
    report.add(tables.show_waits(watch, first, ["initial"], "First runs: from the connection"))
    with watch.phase("every feed is read once"):
        report.raw["lines"] = stage.read_feeds()
    nudges.confirm_subscriptions(stage)
    with watch.phase("idle") as idle:
        time.sleep(IDLE_SECONDS)
    report.add(tables.show_ticks(watch, idle))
    nudges.touch(stage, percent=CHANGED_PERCENT)
    _play_slot(report, watch, "slot with 1 % changed")
    report.add(tables.show_ticks(watch, watch.phases["slot with 1 % changed"]))
    _play_webhooks(report, watch, nudge_seconds)
    _play_slot(report, watch, "slot with nothing new")
    with watch.phase("full run of every firm") as full:
        stage.request_runs("full")
        stage.wait_for_runs("full")
    report.add(tables.show_waits(watch, full, ["full"], "Full runs: from the request"))
    report.add(tables.show_phases(watch))
    report.add(tables.show_queue(watch))
    report.add(tables.show_sizes(stage))
    report.add(tables.show_bloat(stage))
    report.raw["phases"] = {phase.name: phase.raw() for phase in watch.phases.values()}


def _play_slot(report: Report, watch: Watch, name: str) -> None:
    """Let a slot come for all firms, and wait until its runs have ended."""
    slot = watch.stage.begin_slot()
    with watch.phase(name) as phase:
        watch.stage.wait_for_slot(slot)
    report.add(tables.show_waits(watch, phase, ["incremental", "full"], f"Runs of a {name}"))


def _play_webhooks(report: Report, watch: Watch, seconds: float) -> None:
    """Change records, post Clio's webhooks about them, and wait until their runs have ended."""
    stage = watch.stage
    nudges.touch(stage, percent=CHANGED_PERCENT)
    due = nudges.due_nudges(stage)
    with watch.phase("webhooks of a day") as phase:
        took = nudges.post_all(due, seconds)
        stage.wait_for("select count(*) from named_records", 0, "named records that are left")
        stage.wait_until_quiet()
    what = f"Runs of {len(due):,} webhooks, posted within {took:.0f} s"
    report.add(tables.show_waits(watch, phase, ["incremental"], what))


if __name__ == "__main__":
    main()
