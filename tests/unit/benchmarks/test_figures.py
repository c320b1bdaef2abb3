"""The arithmetic of the benchmark: what a run has cost, ratios within a round, goals, and what the kernel counts."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from app.api.schemas.base import TimeZone
from benchmarks.measuring import (
    Spent,
    children_of,
    ended_children_cpu,
    interpolate,
    peak_memory,
    process_cpu,
    server_cpu,
)
from benchmarks.one_firm import Sample, progress_table
from benchmarks.programs import FIRST, Figures
from benchmarks.pulls import Played, cpu_of_thousand, seconds
from benchmarks.report import Goal, Report, Table
from benchmarks.servers import zone_in_the_morning

BURN = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


def figures(wall: float, cpu: float = 0.0, records: int = 1000) -> Figures:
    return Figures(Spent(wall, cpu, 0.0), 0.0, 0, records)


@pytest.mark.parametrize(
    ("at", "expected"), [(0.0, 10.0), (1.0, 10.0), (2.5, 40.0), (3.0, 50.0), (9.0, 50.0)]
)
def test_a_meter_is_read_between_two_samples(at: float, expected: float):
    assert interpolate([(1.0, 10.0), (2.0, 30.0), (3.0, 50.0)], at) == expected


def test_the_idle_rate_is_taken_off_for_the_time_of_the_run_and_never_more_than_was_used():
    idle = Spent(2.0, program=0.2, postgres=1.0)
    assert Spent(10.0, 3.0, 4.0).less(idle) == Spent(10.0, 2.0, 0.0)


def test_a_ratio_is_the_median_of_the_ratios_within_the_rounds():
    played = Played(
        {
            "ours": [{FIRST: figures(wall)} for wall in (2.0, 30.0, 5.0)],
            "other": [{FIRST: figures(wall)} for wall in (1.0, 10.0, 10.0)],
        }
    )
    assert played.ratio(("ours", FIRST), ("other", FIRST), seconds) == 2.0
    assert played.figure("ours", FIRST, seconds) == 5.0


def test_the_price_of_a_record_counts_program_and_database():
    found = Figures(Spent(1.0, 2.0, 1.0), 0.0, 0, records=6000)
    assert cpu_of_thousand(found) == 500.0  # ms


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (1.0, "aim met"),
        (1.2, "met"),
        (2.1, "missed: 150% of it"),
        (14.0, "missed: 10 times as much"),
    ],
)
def test_a_goal_says_whether_it_is_met_and_by_how_much_it_is_missed(measured: float, verdict: str):
    assert Goal("price", measured, must=1.4, aim=1.1).row()[-1] == verdict


def test_a_goal_may_want_more_instead_of_less():
    goal = Goal("speed", 1.05, must=1.4, aim=2.0, at_least=True)
    assert goal.row() == ["speed", "≥ 1.4 times", "≥ 2 times", "1.05 times", "missed: 75% of it"]


def test_a_report_is_written_as_markdown_and_as_json(tmp_path):
    report = Report(["today"], [Table("T", ["a"], [["1"]])], [Goal("g", 1.0, 2.0)])
    report.finish(tmp_path / "found")
    assert "| a |\n| --- |\n| 1 |" in (tmp_path / "found.md").read_text()
    assert '"measured": 1.0' in (tmp_path / "found.json").read_text()


def test_the_cpu_of_a_server_counts_its_processes_whether_they_live_or_have_ended():
    before = server_cpu(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in children_of(os.getpid())
        assert process_cpu(child.pid) >= 0.2
        assert peak_memory(child.pid) > 1
        alone = server_cpu(os.getpid(), without=[child.pid]) - before
        assert server_cpu(os.getpid()) - before >= alone + 0.2
        ended = ended_children_cpu(os.getpid())
        child.communicate(b"\n")
    assert ended_children_cpu(os.getpid()) - ended >= 0.19  # counted in steps of 10 ms
    assert process_cpu(child.pid) == peak_memory(child.pid) == 0.0


def test_the_cpu_of_this_process_is_what_python_says():
    before = time.process_time()
    found = process_cpu(os.getpid())
    assert before <= found <= time.process_time()


def test_the_progress_of_a_first_run_says_how_wrong_the_eta_was():
    samples = [
        Sample(0.0, 0, 0, None),
        Sample(2.0, 40, 10, 12),
        Sample(5.0, 60, 20, 5),
        Sample(10.0, 100, 50, 0),
    ]
    rows = {row[0]: row[1] for row in progress_table(samples, 100).rows}
    assert rows["first contact readable"] == "2.0 s, 40% read"
    assert rows["when half are read"] == "40% are readable (5.0 s)"
    assert rows["error of the ETA after a tenth, share of the whole"] == "40% at most"


@pytest.mark.parametrize("hour", range(24))
def test_the_firm_is_where_no_slot_is_near(hour: int):
    now = datetime(2026, 11, 30, hour, 20, tzinfo=UTC)
    zone = zone_in_the_morning(now)
    TypeAdapter(TimeZone).validate_python(zone)
    assert 8 <= now.astimezone(ZoneInfo(zone)).hour < 12
