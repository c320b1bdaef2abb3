"""A small round of chaos in every test run; the large one is a script."""

from pathlib import Path

from tests.chaos.chaos import chaotic


def test_what_clio_says_comes_true_whatever_breaks(tmp_path: Path):
    # I1, I4, I5, I7, F1, F7, F14, F17: kills, a crashed database, a broken network, wrong clocks, real deletions
    with chaotic(tmp_path, contacts=80, seed=12, latency=0.0) as chaos:
        chaos.begin()
        for _ in range(2):
            chaos.round()
    report = chaos.report
    assert report.rounds == 2
    assert report.done["kill"] + report.done["database"] + report.done["stop"] >= 3
    assert chaos.network["lose"] + chaos.network["cut"] + chaos.network["drop"] > 0
