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
