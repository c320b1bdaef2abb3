"""A small round of chaos in every test run; the large one is a script."""

from pathlib import Path

from tests.chaos.chaos import Chaos, chaotic

ROUNDS = 2
MOST = 12  # rounds in which something must have hit the network: how much goes over it is a matter of time


def harmed(chaos: Chaos) -> int:
    """Exchanges with Clio that did not come to their end."""
    return sum(chaos.network[how] for how in ("lose", "cut", "drop"))


def test_what_clio_says_comes_true_whatever_breaks(tmp_path: Path):
    # I1, I4, I5, I7, F1, F7, F14, F17: kills, a crashed database, a broken network, wrong clocks, real deletions
    with chaotic(tmp_path, contacts=80, seed=15, latency=0.0) as chaos:
        chaos.begin()
        while chaos.report.rounds < ROUNDS or (not harmed(chaos) and chaos.report.rounds < MOST):
            chaos.round()
    done = chaos.report.done
    assert done["kill"] + done["database"] + done["stop"] >= 3
    assert harmed(chaos) > 0
