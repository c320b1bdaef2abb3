"""The priority when requests are scarce: people, write-backs, incremental runs, first runs, reconciling last."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clio import shared_rate_limit
from app.clio.shared_rate_limit import RESERVED_SHARE, TAIL, UNRESERVED, Window
from app.lanes import CLIO_LANES, Lane

LIMIT = 50
ENDS = 61.0
CLOSES = ENDS - TAIL  # start of the last seconds, in which no request is sent
lanes = st.sampled_from(CLIO_LANES)
READS = [lane for lane in CLIO_LANES if not lane.is_urgent]


def left(calls: int, limit: int = LIMIT) -> Window:
    return Window(limit, limit - calls, ENDS)


def taken(window: Window, now: float, lane: Lane, *, want: int = 1) -> tuple[Window, int]:
    """Return all requests that a lane gets at one time."""
    count = 0
    while (given := shared_rate_limit.allot(window, now, want=want, lane=lane))[1].calls:
        window, count = given[0], count + given[1].calls
    return window, count


@pytest.mark.parametrize(
    ("calls", "now", "going"),
    [
        (50, 1.0, "PERSON WRITE_BACK INCREMENTAL INITIAL RECONCILE"),
        (16, 0.0, "PERSON WRITE_BACK INCREMENTAL INITIAL RECONCILE"),
        (15, 0.0, "PERSON WRITE_BACK INCREMENTAL INITIAL"),
        (13, 0.0, "PERSON WRITE_BACK INCREMENTAL"),
        (11, 0.0, "PERSON WRITE_BACK INCREMENTAL"),
        (10, 0.0, "PERSON WRITE_BACK"),
        (3, 0.0, "PERSON WRITE_BACK"),
        (2, 0.0, "PERSON"),
        (1, 0.0, "PERSON"),
        (0, 0.0, ""),
        (8, 28.0, "PERSON WRITE_BACK INCREMENTAL INITIAL"),
        (7, 28.0, "PERSON WRITE_BACK INCREMENTAL"),
        (2, 28.0, "PERSON WRITE_BACK"),
        (1, 55.9, "PERSON WRITE_BACK"),
        (1, 56.1, "PERSON WRITE_BACK INCREMENTAL INITIAL RECONCILE"),
        (50, CLOSES, "PERSON WRITE_BACK"),
    ],
)
def test_the_last_requests_go_to_the_higher_priorities(calls: int, now: float, going: str):
    # S10: the reserved shares shrink during the window of 50; in its last seconds no read starts
    gets = [
        lane.name
        for lane in sorted(CLIO_LANES)
        if shared_rate_limit.allot(left(calls), now, want=5, lane=lane)[1].calls
    ]
    assert " ".join(gets) == going


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0, ENDS), lanes, lanes)
def test_a_lane_gets_a_request_whenever_a_lower_lane_would(
    limit: int, given_calls: int, now: float, one: Lane, other: Lane
):
    # S10
    first, second = sorted((one, other))
    window = Window(limit, min(given_calls, limit), ENDS)
    if shared_rate_limit.allot(window, now, want=1, lane=second)[1].calls:
        assert shared_rate_limit.allot(window, now, want=1, lane=first)[1].calls


@given(st.integers(2, 300), st.integers(0, 300), st.floats(0, ENDS), lanes)
def test_after_the_given_wait_a_request_is_available(
    limit: int, given_calls: int, now: float, lane: Lane
):
    """The wait is exact: after it one attempt is enough, unless another lane takes the request."""
    window = Window(limit, min(given_calls, limit), ENDS)
    window, none = shared_rate_limit.allot(window, now, want=1, lane=lane)
    if not none.calls:
        later = now + none.wait + 1e-6
        assert shared_rate_limit.allot(window, later, want=1, lane=lane)[1].calls == 1
        early = now + none.wait - 0.01
        if none.wait > shared_rate_limit.PROBE_INTERVAL:
            assert shared_rate_limit.allot(window, early, want=1, lane=lane)[1].calls == 0


@pytest.mark.parametrize("lane", READS)
@given(
    limit=st.integers(2, 300), now=st.floats(0, CLOSES - UNRESERVED - 0.01), want=st.integers(1, 7)
)
def test_a_note_gets_a_request_while_reads_take_all_they_can(
    lane: Lane, limit: int, now: float, want: int
):
    # S10: at any time except the last five seconds of a window
    window, _ = taken(left(limit, limit), now, lane, want=want)
    assert shared_rate_limit.allot(window, now, want=1, lane=Lane.WRITE_BACK)[1].calls == 1


@pytest.mark.parametrize("lane", READS)
@pytest.mark.parametrize("limit", [1, 2, 5, 50, 200])
def test_unused_write_requests_go_to_reads_before_the_window_ends(lane: Lane, limit: int):
    # S10
    window, total = left(limit, limit), 0
    for tenth in range(int(ENDS * 10)):
        window, count = taken(window, tenth / 10, lane, want=5)
        total += count
    assert total == limit


@pytest.mark.parametrize("lane", CLIO_LANES)
def test_in_a_new_window_a_lane_leaves_the_share_of_higher_lanes(lane: Lane):
    kept = LIMIT * RESERVED_SHARE[lane]
    _, count = taken(left(LIMIT), 0.0, lane, want=5)
    assert count == LIMIT - (int(kept) if lane.is_urgent else ceil(kept))


@pytest.mark.parametrize(
    ("lane", "calls"), [(lane, 1 if lane.is_urgent else 5) for lane in CLIO_LANES]
)
def test_an_urgent_lane_takes_one_request_and_a_read_takes_several(lane: Lane, calls: int):
    assert shared_rate_limit.allot(left(LIMIT), 0.0, want=5, lane=lane)[1].calls == calls


@pytest.mark.parametrize("lane", READS)
def test_no_read_waits_longer_than_the_end_of_the_window_lasts(lane: Lane):
    window, none = shared_rate_limit.allot(left(LIMIT), CLOSES, want=1, lane=lane)
    assert (none.calls, none.wait) == (0, TAIL)
    assert shared_rate_limit.allot(window, CLOSES + none.wait, want=1, lane=lane)[1].calls == 1
