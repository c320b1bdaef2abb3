"""A firm is read as fast as Clio's real limits allow, and the ETA is right [S10, IS-2]."""

import pytest

from tests.support.rate_limited_read import read_firm

LIMIT = 25  # half of today's limit: the firm is half as large, and read in as many windows


@pytest.mark.parametrize("latency", [0.15, 0.8], ids=["quick", "slow"])
def test_a_firm_is_read_in_little_more_than_the_time_that_the_limit_allows(latency: float):
    # S10: at least 95 % of what is allowed, no 429; IS-2: the end within 20 % from a minute on
    pace = read_firm(6_000, limit=LIMIT, latency=latency)
    assert pace.records == 6_000 + 9_000 + 4_500
    assert pace.refused == 0
    assert pace.seconds <= 1.05 * pace.least(LIMIT, latency)
    assert pace.early == pytest.approx(pace.seconds, rel=0.2)
