"""The local rate limit: tables of headers, and a simulated Clio that counts in windows and refuses the excess."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clio.local_rate_limit import PROBE_INTERVAL, LocalLimit, read_limit_headers, response_date
from app.clio.shared_rate_limit import MARGIN, WINDOW
from tests.support.scripted_clio import NOW, limits


def taken(limiter: LocalLimit, now: float, at_most: int = 1000) -> int:
    """Return how many requests can be reserved now."""
    gone = 0
    while gone < at_most and limiter.reserve(now) == 0.0:
        gone += 1
    return gone


def known(*, left: int = 10, limit: int = 50, reset_in: int = 40, now: float = 0.0) -> LocalLimit:
    limiter = LocalLimit()
    assert limiter.reserve(now) == 0.0
    limiter.record_response(limits(left=left, limit=limit, reset_in=reset_in), now)
    return limiter


def test_while_the_limit_is_unknown_one_request_goes_alone():
    limiter = LocalLimit()
    assert taken(limiter, 0.0) == 1
    assert limiter.reserve(0.0) == PROBE_INTERVAL
    limiter.record_response(limits(left=9), 0.1)
    assert taken(limiter, 0.1) == 9


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit": "50"},
        {"x-ratelimit-remaining": "50"},
        {"x-ratelimit-limit": "fifty", "x-ratelimit-remaining": "49"},
        {"x-ratelimit-limit": "0", "x-ratelimit-remaining": "0"},
        {"x-ratelimit-limit": "-1", "x-ratelimit-remaining": "-1"},
        {"x-ratelimit-limit": "9" * 5000, "x-ratelimit-remaining": "1"},
    ],
)
def test_after_a_response_without_limit_headers_one_more_request_goes_alone(
    headers: dict[str, str],
):
    limiter = LocalLimit()
    for now in (0.0, 1.0, 2.0):
        assert taken(limiter, now) == 1
        limiter.record_response(headers, now)


def test_a_window_that_is_used_up_opens_again_when_clio_says_and_not_before():
    limiter = known(left=3, reset_in=40)
    assert taken(limiter, 1.0) == 3
    assert limiter.reserve(1.0) == 39.0 + MARGIN
    assert limiter.reserve(40.0) == pytest.approx(MARGIN)
    for _ in range(3):
        limiter.record_no_response()
    assert taken(limiter, 40.0 + MARGIN) == 1  # one request asks for the limit of the new window


@pytest.mark.parametrize(("told", "expected"), [(20, 20), (0, 0), (45, 40), (40, 40)])
def test_a_response_can_lower_the_requests_left_but_not_raise_them(told: int, expected: int):
    limiter = known(left=41)
    assert limiter.reserve(1.0) == 0.0
    limiter.record_response(limits(left=told), 1.0)
    assert taken(limiter, 1.0) == expected


def test_when_another_program_uses_the_token_requests_in_flight_are_subtracted():
    limiter = known(left=40)
    assert taken(limiter, 1.0, 6) == 6
    limiter.record_response(limits(left=10), 1.0)
    assert taken(limiter, 1.0) == 5


@pytest.mark.parametrize("limit", [20, 50, 200])
def test_a_limit_that_changes_is_learnt_with_the_next_window(limit: int):
    limiter = known(left=0, limit=50, reset_in=10)
    assert limiter.reserve(12.0) == 0.0
    later = limits(left=limit - 1, limit=limit, reset_in=60, sent=NOW + timedelta(seconds=12))
    limiter.record_response(later, 12.0)
    assert limiter.limit == limit
    assert taken(limiter, 12.0) == limit - 1


def test_a_response_from_an_ended_window_changes_nothing():
    limiter = known(left=40, reset_in=5)
    assert taken(limiter, 1.0, 2) == 2
    limiter.record_response(limits(left=48, reset_in=60, sent=NOW + timedelta(seconds=5)), 5.5)
    limiter.record_response(limits(left=0, reset_in=1), 9.0)
    assert taken(limiter, 9.0) == 47


def test_if_clios_clock_is_set_back_the_next_window_uses_it():
    limiter = known(left=0, reset_in=10)
    back = NOW - timedelta(hours=3)
    assert limiter.reserve(12.0) == 0.0
    limiter.record_response(limits(left=30, reset_in=60, sent=back), 12.0)
    assert taken(limiter, 12.0) == 30


def test_after_a_429_nothing_is_sent_until_the_wait_ends_and_then_one_request_goes_alone():
    limiter = known(left=30)
    assert taken(limiter, 0.0, 3) == 3
    assert limiter.record_rate_limited({"retry-after": "5"}, 1.0) == 5.0 + MARGIN
    assert (
        limiter.record_rate_limited({"retry-after": "2"}, 1.0) == 2.0 + MARGIN
    )  # the longer wait counts
    assert limiter.reserve(4.0) == pytest.approx(2.0 + MARGIN)
    limiter.record_no_response()
    assert taken(limiter, 6.0 + MARGIN) == 1


def test_a_request_without_a_response_is_not_given_back_but_blocks_nobody():
    limiter = known(left=5, reset_in=40)
    assert taken(limiter, 1.0) == 5
    for _ in range(5):
        limiter.record_no_response()
    assert limiter.reserve(2.0) > 0
    for now in (50.0, 51.0, 52.0):  # a new window for which no response ever arrives
        assert taken(limiter, now) == 1
        limiter.record_no_response()


@pytest.mark.parametrize(
    ("calls", "expected"),
    [(10, 5.0), (11, 40.0 + MARGIN + 0.5), (61, 40.0 + MARGIN + WINDOW + 0.5), (0, 0.0)],
)
def test_the_time_for_more_requests_is_estimated(calls: int, expected: float):
    # IS-2
    limiter = known(left=10, limit=50, reset_in=40)
    assert limiter.expected_seconds(calls, 0.0, seconds_per_call=0.5) == pytest.approx(expected)


def test_the_time_is_estimated_although_the_limit_is_unknown():
    assert LocalLimit().expected_seconds(10, 0.0, seconds_per_call=0.5) == 5.0
    limiter = known(left=0, limit=50, reset_in=1)
    assert limiter.reserve(5.0) == 0.0  # asks for the limit of the new window
    assert limiter.expected_seconds(50, 5.0, seconds_per_call=0.5) == 25.0
    assert limiter.expected_seconds(51, 5.0, seconds_per_call=0.5) == pytest.approx(WINDOW + 0.5)


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,4} \d\d:\d\d:\d\d.{0,6}")
)
def test_an_unreadable_date_is_none(date: str):
    sent = response_date({"date": date})
    assert sent is None or sent.tzinfo is UTC


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["learn", "refused", "abandoned"]),
            st.dictionaries(
                st.sampled_from(
                    [
                        "x-ratelimit-limit",
                        "x-ratelimit-remaining",
                        "x-ratelimit-reset",
                        "retry-after",
                        "date",
                    ]
                ),
                st.text(max_size=8)
                | st.integers().map(str)
                | st.just("Mon, 02 Mar 2026 12:00:00 GMT"),
            ),
            st.floats(0.0, 100.0),
        ),
        max_size=40,
    )
)
def test_whatever_clio_returns_some_request_can_be_sent_in_the_end(
    steps: list[tuple[str, dict[str, str], float]],
):
    limiter, now = LocalLimit(), 0.0
    for what, headers, pause in steps:
        waited = 0.0
        while wait := limiter.reserve(now):
            now, waited = now + wait, waited + wait
        assert waited <= 1000.0  # the longest wait plus one window
        now += pause
        match what:
            case "learn":
                limiter.record_response(headers, now)
            case "refused":
                assert 1.0 <= limiter.record_rate_limited(headers, now) <= 901.0
            case _:
                limiter.record_no_response()


@dataclass
class Window:
    """Counts like Clio: a fixed window of 60 seconds that begins with the first request after the last window."""

    limit: int
    began: float = -1e9
    count: int = 0
    most: int = 0

    def call(self, at: float) -> dict[str, str] | None:
        """Return the headers of the response, or None if the request exceeds the limit."""
        if at >= self.began + WINDOW:
            self.began, self.count = at, 0
        self.count += 1
        self.most = max(self.most, self.count)
        if self.count > self.limit:
            return None
        epoch = NOW.timestamp()
        sent = datetime.fromtimestamp(floor(epoch + at), UTC)
        told = limits(left=self.limit - self.count, limit=self.limit, sent=sent)
        return {
            **told,
            "x-ratelimit-reset": str(floor(epoch + self.began + WINDOW)),
        }


@settings(deadline=None, max_examples=60)
@given(
    limit=st.sampled_from([1, 2, 5, 50]),
    workers=st.sampled_from([1, 2, 7]),
    delays=st.lists(
        st.tuples(st.sampled_from([0.01, 0.3, 2.0, 25.0]), st.sampled_from([0.01, 0.3, 2.0, 25.0])),
        min_size=1,
        max_size=30,
    ),
    first=st.floats(0.0, 60.0),
)
def test_no_window_ever_gets_more_requests_than_its_limit(
    limit: int, workers: int, delays: list[tuple[float, float]], first: float
):
    # S10: no 429, in whatever order requests reach Clio and responses arrive
    clio, limiter = Window(limit), LocalLimit()
    numbers, made = count(), 0
    # the events: a worker wants to send (None), a request arrives (seconds until its response), a response arrives
    events: list[tuple[float, int, float | dict[str, str] | None]] = []

    def later(at: float, what: float | dict[str, str] | None) -> None:
        heappush(events, (at, next(numbers), what))

    for _ in range(workers):
        later(first, None)
    while events:
        now, _, what = heappop(events)
        if isinstance(what, dict):
            limiter.record_response(what, now)
            later(now, None)
        elif what is not None:
            headers = clio.call(now)
            assert headers is not None, "Clio answered 429"
            later(now + what, headers)
        elif made < 80:
            wait = limiter.reserve(now)
            there, back = delays[made % len(delays)]
            if wait:  # a short wait ends with a response: nothing changes before the next event
                later(
                    max(now + wait, events[0][0])
                    if wait <= PROBE_INTERVAL and events
                    else now + wait,
                    None,
                )
            else:
                made += 1
                later(now + there, back)
    assert made == 80
    assert clio.most <= limit


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, None),
        ({"x-ratelimit-limit": "50"}, None),
        (limits(left=12, limit=50, reset_in=40), (50, 12, 40 + MARGIN)),
        ({**limits(left=12, limit=50), "retry-after": "7"}, (50, 0, 7 + MARGIN)),
    ],
    ids=["nothing", "half", "an answer", "a refusal has its own wait"],
)
def test_limit_headers_are_read_for_all_processes(headers: dict[str, str], told: object):
    assert read_limit_headers(headers) == told
