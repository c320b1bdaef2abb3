"""Several processes, one token: whatever their order and pace, Clio never gets more calls than its limit."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clio import shared
from app.clio.shared import MARGIN, WINDOW, Window
from app.simulator.limits import RateLimit

BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_while_the_limit_is_not_known_one_call_goes_alone():
    window, first = shared.give(None, 0.0, want=5)
    assert first.calls == 1
    window, second = shared.give(window, 0.1, want=5)
    assert (second.calls, second.wait) == (0, shared.PROBE)
    assert shared.give(window, shared.UNANSWERED + 0.1, want=5)[1].calls == 1, "the asker died"
    window = shared.learn(window, 0.3, limit=50, left=49, reset_in=60.7)
    assert shared.give(window, 0.4, want=5)[1].calls == 5


def test_what_is_given_never_comes_to_more_than_the_limit_and_opens_again_at_the_end():
    window, calls = Window(7, 0, 61.0), []
    for _ in range(3):
        window, some = shared.give(window, 1.0, want=3)
        calls.append(some.calls)
        assert some.until < window.ends
    assert calls == [3, 3, 1]
    window, none = shared.give(window, 1.0, want=3)
    assert (none.calls, none.wait) == (0, 60.0)
    window, again = shared.give(window, 61.0, want=3)
    assert (again.calls, window.limit) == (3, 7)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"limit": 50, "left": 10, "reset_in": 30.0}, Window(50, 40, 40.0)),
        ({"limit": 50, "left": 45, "reset_in": 30.0}, Window(50, 20, 40.0)),
        ({"limit": 0, "left": 0, "reset_in": 30.0}, Window(50, 20, 45.0)),
        ({"limit": 50, "left": 0, "reset_in": 90.0}, Window(50, 20, 45.0)),
    ],
    ids=["others use the token", "not all given are used", "nonsense", "of another window"],
)
def test_an_answer_is_believed_where_it_speaks_of_the_open_window(told, expected):
    assert shared.learn(Window(50, 20, 45.0), 10.0, **told) == expected


def test_a_late_answer_of_a_window_that_is_over_says_nothing():
    window = Window(50, 20, 45.0)
    assert shared.learn(window, 50.0, limit=50, left=0, reset_in=1.0) == window


@given(
    processes=st.integers(1, 5),
    limit=st.integers(1, 60),
    batch=st.integers(1, 7),
    pace=st.floats(0.01, 3.0),
    seed=st.integers(0, 10_000),
)
def test_clio_never_refuses_whatever_the_order_of_the_processes(
    processes: int, limit: int, batch: int, pace: float, seed: int
):
    # S10: the windows of the simulated Clio are its own; answers take up to half a second
    dice = random.Random(seed)  # noqa: S311
    clio, now = RateLimit(limit), 0.0
    window: Window | None = None
    held = [(0, 0.0)] * processes  # calls a process holds, and until when they are good
    made = 0
    for _ in range(400):
        now += dice.uniform(0, pace)
        who = dice.randrange(processes)
        calls, until = held[who]
        if not calls or now >= until:
            window, some = shared.give(window, now, want=batch)
            calls, until = some.calls, some.until
            if not calls:
                held[who] = (0, 0.0)
                now += some.wait * dice.random()
                continue
        held[who] = (calls - 1, until)
        arrives = now + dice.uniform(0, 0.5)
        allowed, headers = clio.take("token", BEGIN + timedelta(seconds=arrives))
        assert allowed
        made += 1
        sent = int(BEGIN.timestamp() + arrives)  # Clio's Date is in whole seconds, like its reset
        reset = float(headers["X-RateLimit-Reset"]) - sent
        assert window is not None
        now = arrives + dice.uniform(0, 0.5)
        window = shared.learn(
            window,
            now,
            limit=limit,
            left=int(headers["X-RateLimit-Remaining"]),
            reset_in=min(max(reset, 0.0), WINDOW) + MARGIN,
        )
    assert made
