"""A firm is read as fast as Clio's real limits allow, and the estimated end is right [S10, IS-2]."""

import pytest

from tests.support.rate_limited_read import read_firm

LIMIT = (
    25  # half of the real limit: the firm is half as large, so it needs the same number of windows
)


@pytest.mark.parametrize("latency", [0.15, 0.8], ids=["quick", "slow"])
def test_a_firm_is_read_in_little_more_than_the_time_that_the_limit_allows(latency: float):
    # S10: at least 95 % of the allowed speed, no 429; IS-2: after a minute the estimate is within 20 %
    pace = read_firm(6_000, limit=LIMIT, latency=latency)
    assert pace.records == 6_000 + 9_000 + 4_500
    assert pace.refused == 0
    assert pace.seconds <= 1.05 * pace.least(LIMIT, latency)
    assert pace.early == pytest.approx(pace.seconds, rel=0.2)
