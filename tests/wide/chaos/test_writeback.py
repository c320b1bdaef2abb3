"""A small round of losses and kills in every wide run; a script runs the large one."""

from pathlib import Path

from tests.chaos.writeback import run_round


def test_each_activity_is_in_clio_once_although_answers_are_lost_and_the_service_is_killed(
    tmp_path: Path, dsn: str
):
    # WB-7, I3, F2, F3: through a proxy that loses 30 % of the answers
    report = run_round(tmp_path, dsn, activities=40, kills=6, seed=3, max_uptime=0.8)
    assert report.accepted == 40
    assert report.written + sum(report.failed.values()) == 40
    assert report.written >= 20
    assert report.network["lose"] > 0
