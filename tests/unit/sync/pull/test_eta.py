"""The ETA of a pull: the pages that are left and the pace of the rate limit [IS-2]."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.runs.checkpoints import Pull
from app.sync.pull import eta

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def pull(**known: Any) -> Pull:
    values = dict.fromkeys(Pull.__dataclass_fields__)
    counts = {"pages": 0, "records": 0, "unreadable": 0, "passed": 0, "complete": False}
    return Pull(**{**values, **counts, **known})


@pytest.mark.parametrize(
    ("pulls", "left"),
    [
        ([], []),
        ([pull(total=None)], None),
        ([pull(total=None, complete=True)], []),
        ([pull(total=401)], [3]),
        ([pull(total=400, records=199, unreadable=1), pull(total=200, records=200)], [1, 0]),
        ([pull(total=1, records=200)], [0]),
    ],
)
def test_the_pages_left_follow_from_clios_count_and_the_records_read(pulls: list[Pull], left: Any):
    assert eta.pages_left(pulls) == left


class SlowClio:
    """A client for which each request takes a second, and each in a row another one."""

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        return calls + in_a_row


def test_the_end_is_as_far_ahead_as_the_requests_take():
    clio: Any = SlowClio()
    pulls = [pull(total=10_000), pull(total=400)]
    assert eta.expected_end(clio, pulls, now=NOW) == NOW + timedelta(seconds=52 + 50)
    assert eta.expected_end(clio, [pull(total=None)], now=NOW) is None


class QuickClio:
    """A client that nothing limits."""

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        return 0.0


def contacts(pages: int, total: int = 20_000) -> list[Pull]:
    known = {"connection_id": "con_1", "resource": "contacts", "total": total}
    return [pull(**known, pages=pages, records=pages * eta.PAGE)]


def seconds_left(found: Any, now: datetime) -> float:
    return float((found - now).total_seconds())


def end_of(found: eta.Eta, pulls: list[Pull], *, assessed: int, now: datetime) -> datetime | None:
    found.note(pulls)
    found.assessed = assessed
    return found.end(now=now)


def eta_of(clio: Any, first: eta.Slice) -> eta.Eta:
    return eta.Eta(first, {"con_1": clio})


def test_a_first_run_ends_when_everybody_is_assessed_at_the_pace_of_its_slice():
    # IS-2: 20 pages in two seconds; 80 pages are left, and the people of 100
    found = eta_of(QuickClio(), eta.Slice(NOW, 0.0, None))
    now = NOW + timedelta(seconds=2)
    left = 80 + eta.PAGES_OF_ASSESSMENT * 100
    end = end_of(found, contacts(20), assessed=0, now=now)
    assert seconds_left(end, now) == pytest.approx(left * 0.1)


def test_work_done_before_the_slice_does_not_make_it_look_fast():
    # IS-2: an hour of waiting between two slices does not count either
    done, _ = eta.work(contacts(50), assessed=5_000)
    found = eta_of(QuickClio(), eta.Slice(NOW, done, None))
    now = NOW + timedelta(seconds=3)
    end = end_of(found, contacts(50), assessed=6_000, now=now)
    left = 50 + eta.PAGES_OF_ASSESSMENT * 70
    pace = 3 / (eta.PAGES_OF_ASSESSMENT * 5)
    assert seconds_left(end, now) == pytest.approx(left * pace)


def test_one_slow_slice_changes_the_expected_end_only_in_part():
    # IS-2
    expected = NOW + timedelta(seconds=100)
    found = eta_of(QuickClio(), eta.Slice(NOW, 0.0, expected))
    now = NOW + timedelta(seconds=20)
    end = end_of(found, contacts(20), assessed=0, now=now)
    alone = end_of(
        eta_of(QuickClio(), eta.Slice(NOW, 0.0, None)), contacts(20), assessed=0, now=now
    )
    assert end is not None
    assert alone is not None
    assert expected < end < alone
    assert (end - expected) < (alone - end)


def test_at_the_beginning_of_a_slice_the_expected_end_stays():
    # IS-2: one page says nothing about the pace
    expected = NOW + timedelta(seconds=100)
    found = eta_of(QuickClio(), eta.Slice(NOW, 0.0, expected))
    assert end_of(found, contacts(1), assessed=0, now=NOW + timedelta(seconds=2)) == expected


def test_a_first_run_does_not_end_before_the_rate_limit_lets_it_be_read():
    # IS-2: a request takes a second, and another one in a row
    found = eta_of(SlowClio(), eta.Slice(NOW, 0.0, None))
    now = NOW + timedelta(milliseconds=1)
    end = end_of(found, contacts(50), assessed=0, now=now)
    assert seconds_left(end, now) == 50 + 50
