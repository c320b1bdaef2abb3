"""A small round of losses and kills in every test run; the large one is a script."""

from pathlib import Path

from tests.chaos.writeback import play


def test_each_activity_is_in_clio_once_though_answers_are_lost_and_the_service_is_killed(
    tmp_path: Path, own_dsn: str
):
    # WB-7, I3, F2, F3: through a proxy that loses 30 % of the answers
    report = play(tmp_path, own_dsn, activities=40, kills=6, seed=3, life=0.8)
    assert report.accepted == 40
    assert report.written + sum(report.failed.values()) == 40
    assert report.network["lose"] > 0
