"""Tests of windows over a list that Clio caps: records beyond the cap are read, or the cap is reported."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.clio import resources
from app.clio.models import Contact, MatterStage, Relationship
from app.clio.resources import Page, UnreadableRecord
from app.db.runs.checkpoints import Pull
from app.sync.pull import windows
from app.sync.pull.eta import pages_left

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
LINKS = resources.RELATIONSHIPS
CAP, SIZE = 6, 2  # of the simulated list; the real code expects a cap near 9,000
NEW = Pull("cn", "relationships", None, None, None, None, 0, 0, None, 0, 0, complete=False)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def page(
    made: Sequence[float | None], *, total: int | None = None, cursor: str | None = "more"
) -> Page[Any]:
    """Return a page of relationships that were created so many seconds after noon."""
    items = tuple(
        Relationship(id=nth, created_at=None if seconds is None else at(seconds))
        for nth, seconds in enumerate(made, start=1)
    )
    return Page(items, (), cursor, total, NOON)


@pytest.mark.parametrize(
    ("pull", "made", "newest"),
    [
        pytest.param(NEW, [1, 2, 2], at(2), id="rising"),
        pytest.param(NEW, [5, 1, 20, 11], at(20), id="out of order within the overlap"),
        pytest.param(NEW, [20, 10], None, id="out of order by the overlap"),
        pytest.param(NEW, [1, None, 2], None, id="one has no creation time"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [60], at(60), id="the next page"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [39, 60], None, id="a page that falls"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [41], at(50), id="a window's first"),
        pytest.param(replace(NEW, pages=1), [60], None, id="not by age before"),
        pytest.param(NEW, [], None, id="no records"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [], at(50), id="no more records"),
    ],
)
def test_the_newest_time_is_known_while_the_list_is_in_order_of_age(
    pull: Pull, made: list[float | None], newest: datetime | None
):
    assert windows.newest_created(LINKS, pull, page(made)) == newest


def test_a_list_that_takes_an_order_needs_no_windows():
    contacts: Page[Any] = Page((Contact(id=1, created_at=NOON),), (), "more", None, NOON)
    assert windows.newest_created(resources.CONTACTS, NEW, contacts) is None
    assert not windows.is_near_cap(resources.CONTACTS, replace(NEW, records=10_000))


def test_stages_which_have_no_order_either_have_no_creation_time():
    stages: Page[Any] = Page((MatterStage(id=1),), (), "more", None, NOON)
    assert windows.newest_created(resources.MATTER_STAGES, NEW, stages) is None
    assert windows.is_near_cap(resources.MATTER_STAGES, replace(NEW, records=9_000))


@pytest.mark.parametrize(
    ("records", "unreadable", "passed", "near"),
    [(9_000, 0, 0, True), (8_999, 0, 0, False), (8_999, 1, 0, True), (18_999, 0, 10_000, False)],
)
def test_the_distance_to_the_cap_is_counted_for_each_window(
    records: int, unreadable: int, passed: int, near: bool
):
    pull = replace(NEW, records=records, unreadable=unreadable, passed=passed)
    assert windows.is_near_cap(LINKS, pull) is near


@pytest.mark.parametrize(
    ("newest", "began", "start"),
    [
        (None, None, None),
        (at(60), None, at(50)),
        (at(60), at(49), at(50)),
        (at(60), at(50), None),
        (at(60), at(51), None),
    ],
)
def test_a_window_opens_only_if_it_starts_later_than_the_one_before(
    newest: datetime | None, began: datetime | None, start: datetime | None
):
    assert windows.next_start(replace(NEW, newest=newest, created_since=began)) == start


@pytest.mark.parametrize(
    ("records", "total", "cursor", "end"),
    [
        (9_998, 10_000, None, True),
        (9_998, 10_001, None, False),
        (9_998, None, None, True),
        (9_998, 10_000, "more", False),
        (
            8_997,
            10_001,
            None,
            True,
        ),  # too far from the cap: the total is wrong, the list is not capped
    ],
)
def test_a_list_that_stops_short_of_its_total_near_the_cap_has_not_ended(
    records: int, total: int | None, cursor: str | None, end: bool
):
    pull = replace(NEW, records=records, total=total)
    assert windows.is_complete(LINKS, pull, page([1, 2], total=total, cursor=cursor)) is end


@pytest.mark.parametrize(
    ("pull", "left"),
    [
        (replace(NEW, records=400, total=1000), [3]),
        (replace(NEW, records=400, passed=400, total=1000, created_since=NOON), [3]),
        (replace(NEW, records=390, unreadable=10, total=1000), [3]),
        (replace(NEW, records=1100, total=1000), [0]),
        (replace(NEW, records=400), None),
        (replace(NEW, records=400, complete=True), []),
    ],
)
def test_the_number_of_pages_left_is_never_negative(pull: Pull, left: list[int] | None):
    # IS-2
    assert pages_left([pull]) == left


def read_in_windows(ages: Sequence[int]) -> tuple[set[int], bool]:
    """Read a list with these ages in windows; return the ids read, and whether the list counts as complete."""
    pull, met = NEW, set[int]()
    for _ in range(10 * len(ages) + 10):
        since = pull.created_since
        found = [nth for nth, age in enumerate(ages) if since is None or at(age) > since]
        first = int(pull.cursor or 0)
        if first >= CAP:
            start = windows.next_start(pull)
            if start is None:
                return met, False
            pull = replace(pull, created_since=start, cursor=None, passed=pull.met)
            continue
        ids = found[first : first + SIZE]
        following = str(first + SIZE) if first + SIZE < len(found) else None
        items = tuple(Relationship(id=nth + 1, created_at=at(ages[nth])) for nth in ids)
        got: Page[Any] = Page(items, (), following, len(found), NOON)
        met.update(ids)
        pull = replace(
            pull,
            cursor=following,
            newest=windows.newest_created(LINKS, pull, got),
            pages=pull.pages + 1,
            records=pull.records + len(ids),
            total=pull.passed + len(found),
        )
        assert pages_left([pull]) is not None
        if following is None:
            return met, True
    raise AssertionError("the windows do not end")


by_age = st.lists(st.sampled_from([0, 0, 1, 10, 11, 60]), max_size=40).map(
    lambda steps: [sum(steps[: nth + 1]) for nth in range(len(steps))]
)


def slightly_unordered(ages: list[int], back: list[int]) -> list[int]:
    """Return ages that are out of order by less than the overlap."""
    return [age - less for age, less in zip(ages, [*back, *[0] * len(ages)], strict=False)]


nearly_by_age = st.builds(
    slightly_unordered, by_age, st.lists(st.sampled_from([0, 1, 9]), max_size=40)
)


@given(nearly_by_age)
@example([0] * 7)
def test_windows_over_a_list_by_age_read_all_records_or_report_that_they_do_not(ages: list[int]):
    met, complete = read_in_windows(ages)
    assert not complete or met == set(range(len(ages)))


@given(st.integers(0, 100), st.integers(11, 10_000))
def test_a_list_in_order_of_age_is_always_read_completely(many: int, step: int):
    assert read_in_windows([nth * step for nth in range(many)]) == (set(range(many)), True)


@given(st.integers(CAP + 1, 40), st.integers(11, 1000))
def test_a_list_from_new_to_old_never_counts_as_complete(many: int, step: int):
    assert read_in_windows([(many - nth) * step for nth in range(many)])[1] is False


@given(st.integers(CAP + 1, 40))
def test_relationships_that_were_created_at_one_time_end_at_the_cap(many: int):
    assert read_in_windows([0] * many) == (set(range(CAP)), False)


def test_unreadable_records_do_not_change_the_newest_time():
    pull = replace(NEW, pages=1, newest=at(50))
    odd: Page[Any] = Page((), (UnreadableRecord(7, "matter.id: missing"),), "more", None, NOON)
    assert windows.newest_created(LINKS, pull, odd) == at(50)
