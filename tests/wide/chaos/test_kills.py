"""A small round of kills in every test run; the large one is a script."""

from pathlib import Path

from tests.chaos.kills import LISTS, round_of_kills
from tests.chaos.processes import staged


def test_an_initial_run_survives_kills_at_the_page_it_had_not_landed(tmp_path: Path, own_dsn: str):
    # IS-3, F1, NC-1: resumes at the page that had not landed, announces each contact once
    with staged(tmp_path, own_dsn, contacts=900, latency=0.5, rate_limit=100_000) as stage:
        report = round_of_kills(stage, kills=3, seed=7)
    assert report.kills == 3
    assert report.fetched_again <= report.kills * LISTS
