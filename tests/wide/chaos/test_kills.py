"""A small round of kills in every wide run; a script runs the large one."""

from pathlib import Path

from tests.chaos.kills import run_kills
from tests.chaos.processes import running_stack


def test_an_initial_run_resumes_after_kills_at_the_page_that_was_not_stored(
    tmp_path: Path, dsn: str
):
    # IS-3, F1, NC-1: it also announces each client once
    with running_stack(tmp_path, dsn, contacts=900, latency=0.5, rate_limit=100_000) as stack:
        report = run_kills(stack, kills=3, seed=7)
    assert report.kills == 3
