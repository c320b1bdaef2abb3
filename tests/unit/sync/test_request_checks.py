"""The limit of look-ups of tokens that cannot be checked."""

from app.sync.request_checks import LOOKUPS_PER_SECOND, LookupLimit


def test_no_second_has_more_look_ups_than_allowed():
    limit = LookupLimit()
    allowed = [n / 100 for n in range(1000) if limit.take(n / 100)]
    assert len(allowed) == 10 * LOOKUPS_PER_SECOND
    spans = zip(allowed, allowed[LOOKUPS_PER_SECOND:], strict=False)
    assert all(later - earlier >= 1 for earlier, later in spans)
