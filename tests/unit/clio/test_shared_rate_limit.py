"""The window that all processes with one token share: allotments, and what responses change."""

from functools import partial

import pytest

from app.clio import shared_rate_limit
from app.clio.shared_rate_limit import Window
from app.lanes import CLIO_LANES, Lane


@pytest.mark.parametrize("lane", CLIO_LANES)
def test_while_the_limit_is_unknown_one_process_sends_one_request(lane: Lane):
    window, first = shared_rate_limit.allot(None, 0.0, want=5, lane=lane)
    assert first.calls == 1
    window, second = shared_rate_limit.allot(window, 0.1, want=5, lane=Lane.PERSON)
    assert (second.calls, second.wait) == (0, shared_rate_limit.PROBE_INTERVAL)
    asker_died = shared_rate_limit.PROBE_TIMEOUT + 0.1
    assert shared_rate_limit.allot(window, asker_died, want=5, lane=lane)[1].calls == 1
    window = shared_rate_limit.update_window(window, 0.3, limit=50, left=49, reset_in=60.7)
    assert shared_rate_limit.allot(window, 0.4, want=5, lane=Lane.INITIAL)[1].calls == 5


def test_allotments_never_exceed_the_limit_and_a_new_window_opens_at_the_end():
    window, calls = Window(9, 0, 61.0), []
    for lane in [Lane.INCREMENTAL] * 3 + [Lane.WRITE_BACK] * 3:
        window, some = shared_rate_limit.allot(window, 1.0, want=3, lane=lane)
        assert some.calls == 0 or some.until < window.ends
        calls.append(some.calls)
    assert calls == [3, 3, 1, 1, 1, 0]
    assert shared_rate_limit.allot(window, 1.0, want=3, lane=Lane.PERSON)[1].wait == 60.0
    window, again = shared_rate_limit.allot(window, 61.0, want=3, lane=Lane.INCREMENTAL)
    assert (again.calls, window.limit) == (3, 9)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"limit": 50, "left": 10, "reset_in": 30.0}, Window(50, 40, 40.0)),
        ({"limit": 50, "left": 45, "reset_in": 30.0}, Window(50, 20, 40.0)),
        ({"limit": 0, "left": 0, "reset_in": 30.0}, Window(50, 20, 45.0)),
        ({"limit": 50, "left": 40, "reset_in": 37.9}, Window(50, 20, 45.0)),
        ({"limit": 50, "left": 49, "reset_in": 61.0}, Window(50, 20, 71.0)),
        ({"limit": 50, "left": 0, "reset_in": 900.0}, Window(50, 50, 910.0)),
        ({"limit": 50, "left": 0, "reset_in": 4.0}, Window(50, 20, 45.0)),
    ],
    ids=[
        "others use the token",
        "not all allotted requests are used",
        "nonsense",
        "its margins",
        "Clio's window began later",
        "Clio says to wait",
        "of a window that is over",
    ],
)
def test_a_response_counts_if_it_belongs_to_the_open_window(told, expected):
    assert shared_rate_limit.update_window(Window(50, 20, 45.0), 10.0, **told) == expected


def test_a_late_response_from_an_ended_window_is_ignored():
    window = Window(50, 20, 45.0)
    assert shared_rate_limit.update_window(window, 50.0, limit=50, left=0, reset_in=1.0) == window


@pytest.mark.parametrize("left_of_clios_window", [59.0, 31.0, 29.0, 10.0])
def test_the_first_response_shows_the_limit_however_soon_clios_window_ends(
    left_of_clios_window: float,
):
    # the request that identified the user opened it, before the login had a window of ours
    window, _ = shared_rate_limit.allot(None, 0.0, want=5, lane=Lane.INITIAL)
    window = shared_rate_limit.update_window(
        window, 0.5, limit=50, left=48, reset_in=left_of_clios_window + shared_rate_limit.MARGIN
    )
    assert window == Window(50, 2, 1.5 + left_of_clios_window)
    assert shared_rate_limit.allot(window, 0.6, want=5, lane=Lane.INITIAL)[1].calls == 5


def test_requests_of_the_tail_count_in_both_windows():
    window, now = Window(50, 48, 61.0), 61.0 - shared_rate_limit.TAIL
    for calls in (1, 1, 0):
        window, urgent = shared_rate_limit.allot(window, now, want=5, lane=Lane.PERSON)
        assert (urgent.calls, urgent.report) == (calls, bool(calls))
    assert window == Window(50, 50, 61.0, tail=2)
    assert shared_rate_limit.allot(window, now, want=5, lane=Lane.INITIAL)[1].calls == 0
    window, _ = shared_rate_limit.allot(window, 61.0, want=5, lane=Lane.INITIAL)
    assert window == Window(50, 2 + 5, 122.0)


def test_if_clios_window_began_in_our_tail_only_the_tail_counts_in_it():
    update = partial(shared_rate_limit.update_window, now=58.0, limit=50, left=49, reset_in=60.9)
    assert update(Window(50, 48, 61.0, tail=3)) == Window(50, 3, 118.9)
    assert update(Window(50, 45, 61.0)) == Window(50, 45, 118.9)
    late = partial(shared_rate_limit.update_window, now=61.3, limit=50, left=49, reset_in=60.6)
    assert late(Window(50, 48, 61.0, tail=3)) == Window(50, 3, 61.3 + 60.6), "it opens the next one"
