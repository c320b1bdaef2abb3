"""A small round of chaos in every wide run; a script runs the large one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.chaos import Chaos, running_chaos
from tests.support.postgres import fastest_folder

ROUNDS = 2
MOST_ROUNDS = 12  # rounds after which the network must have failed once; the amount of traffic depends on timing


def failed_exchanges(chaos: Chaos) -> int:
    """Return the number of exchanges with Clio that were lost, cut or dropped."""
    return sum(chaos.network[how] for how in ("lose", "cut", "drop"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the data of a server that only this test uses."""
    with tempfile.TemporaryDirectory(prefix="lc-chaos-", dir=fastest_folder()) as name:
        yield Path(name)


def test_levitate_equals_clio_after_any_failure(folder: Path):
    # I1, I4, I5, I7, F1, F7, F14, F17: kills, a crashed database, a broken network, wrong clocks, real deletions
    with running_chaos(folder, contacts=80, seed=15, latency=0.0) as chaos:
        chaos.begin()
        while chaos.report.rounds < ROUNDS or (
            not failed_exchanges(chaos) and chaos.report.rounds < MOST_ROUNDS
        ):
            chaos.round()
    actions = chaos.report.actions
    assert (
        sum(n for name, n in actions.items() if name.startswith(("edited", "added", "deleted"))) > 0
    )
    assert actions["kill"] + actions["database"] + actions["stop"] >= 3
    assert failed_exchanges(chaos) > 0
