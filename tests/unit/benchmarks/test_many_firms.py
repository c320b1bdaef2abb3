"""The firms of `benchmarks.many_firms`, the order of its webhooks, and its short minutes."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.clio import shared_rate_limit as limit
from app.lanes import Lane
from benchmarks.many_firms.__main__ import sizes_of
from benchmarks.many_firms.nudges import Nudge, spread_evenly

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("firms", "scale", "wanted"),
    [
        (500, 1.0, {"large": (5, 50_000), "middle": (45, 5_000), "small": (450, 500)}),
        (500, 0.2, {"large": (5, 10_000), "middle": (45, 1_000), "small": (450, 100)}),
        (10, 0.001, {"large": (1, 50), "middle": (1, 20), "small": (9, 20)}),
    ],
)
def test_the_firms_keep_their_shares(firms: int, scale: float, wanted: dict[str, tuple[int, int]]):
    found = {size.name: (size.firms, size.contacts) for size in sizes_of(firms, scale)}
    assert found == wanted


def test_webhooks_of_a_small_firm_come_between_those_of_a_large_one():
    large = [Nudge("large", "", 1, nth) for nth in range(4)]
    small = [Nudge("small", "", 2, 9)]
    assert [nudge.url for nudge in spread_evenly([large, [], small])] == [
        *("large", "large", "small", "large", "large"),
    ]


def given_in_a_window() -> int:
    """Return how many requests a first run gets in one window."""
    ends = limit.WINDOW + limit.MARGIN
    window, given = limit.Window(50, 0, ends), 0
    for nth in range(100):
        window, allotment = limit.allot(window, ends * nth / 100, want=5, lane=Lane.INITIAL)
        given += allotment.calls
    return given


def test_a_short_minute_allows_as_many_requests_as_a_long_one():
    # in a process of its own, because the minutes of a process stay short
    code = "from benchmarks.many_firms.short_minutes import shorten_minutes; shorten_minutes();"
    code += "from tests.unit.benchmarks import test_many_firms; print(test_many_firms.given_in_a_window())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == given_in_a_window() == 50
