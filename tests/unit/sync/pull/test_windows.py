"""Windows over a list that Clio ends: what lies beyond is read, or the cap is told; never is it skipped."""

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
CAP, SIZE = 6, 2  # of the simulated list, where the service believes in 9,000
NEW = Pull("cn", "relationships", None, None, None, None, 0, 0, None, 0, 0, complete=False)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def page(
    made: Sequence[float | None], *, total: int | None = None, cursor: str | None = "more"
) -> Page[Any]:
    """A page of relationships that were made so many seconds after noon."""
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
        pytest.param(NEW, [1, None, 2], None, id="one does not tell its age"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [60], at(60), id="the next page"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [39, 60], None, id="a page that falls"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [41], at(50), id="a window's first"),
        pytest.param(replace(NEW, pages=1), [60], None, id="not by age before"),
        pytest.param(NEW, [], None, id="no records"),
        pytest.param(replace(NEW, pages=1, newest=at(50)), [], at(50), id="no more records"),
    ],
)
def test_the_newest_is_known_while_the_list_comes_by_age(
    pull: Pull, made: list[float | None], newest: datetime | None
):
    assert windows.newest_created(LINKS, pull, page(made)) == newest


def test_a_list_that_takes_an_order_needs_no_windows():
    contacts: Page[Any] = Page((Contact(id=1, created_at=NOON),), (), "more", None, NOON)
    assert windows.newest_created(resources.CONTACTS, NEW, contacts) is None
    assert not windows.is_near_cap(resources.CONTACTS, replace(NEW, records=10_000))


def test_stages_which_take_no_order_either_tell_no_age():
    stages: Page[Any] = Page((MatterStage(id=1),), (), "more", None, NOON)
    assert windows.newest_created(resources.MATTER_STAGES, NEW, stages) is None
    assert windows.is_near_cap(resources.MATTER_STAGES, replace(NEW, records=9_000))


@pytest.mark.parametrize(
    ("records", "unreadable", "passed", "near"),
    [(9_000, 0, 0, True), (8_999, 0, 0, False), (8_999, 1, 0, True), (18_999, 0, 10_000, False)],
)
def test_near_the_cap_is_counted_in_each_window(
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
def test_a_window_opens_only_when_it_moves_on(
    newest: datetime | None, began: datetime | None, start: datetime | None
):
    assert windows.next_start(replace(NEW, newest=newest, created_since=began)) == start


@pytest.mark.parametrize(
    ("pull", "total", "less"),
    [
        (replace(NEW, passed=10, total=30, created_since=NOON), 19, True),
        (replace(NEW, passed=10, total=30, created_since=NOON), 20, False),
        (replace(NEW, passed=10, total=30, created_since=NOON), None, False),
        (replace(NEW, passed=10, created_since=NOON), 0, False),
        (replace(NEW, passed=10, total=30, created_since=NOON, cursor="x"), 0, False),
        (replace(NEW, total=30), 29, False),
    ],
)
def test_a_window_must_promise_what_the_one_before_left(pull: Pull, total: int | None, less: bool):
    assert windows.announces_fewer(pull, page([1], total=total)) is less


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
        ),  # too far from the cap: a total that is wrong, no list that is cut
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
def test_what_is_left_of_windows_is_never_less_than_nothing(pull: Pull, left: list[int] | None):
    # IS-2
    assert pages_left([pull]) == left


def walked(ages: Sequence[int]) -> tuple[set[int], bool]:
    """The ids that windows over a list of these ages met, and whether they say that they met all."""
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
        if windows.announces_fewer(pull, got):
            return met, False
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


def shaken(ages: list[int], back: list[int]) -> list[int]:
    """Ages out of order by less than the overlap."""
    return [age - less for age, less in zip(ages, [*back, *[0] * len(ages)], strict=False)]


nearly_by_age = st.builds(shaken, by_age, st.lists(st.sampled_from([0, 1, 9]), max_size=40))


@given(nearly_by_age)
@example([0] * 7)
def test_windows_over_a_list_by_age_meet_all_or_say_that_they_do_not(ages: list[int]):
    met, complete = walked(ages)
    assert not complete or met == set(range(len(ages)))


@given(st.integers(0, 100), st.integers(11, 10_000))
def test_a_list_whose_age_rises_is_always_read_whole(many: int, step: int):
    assert walked([nth * step for nth in range(many)]) == (set(range(many)), True)


@given(st.integers(CAP + 1, 40), st.integers(11, 1000))
def test_a_list_from_new_to_old_is_never_taken_for_whole(many: int, step: int):
    assert walked([(many - nth) * step for nth in range(many)])[1] is False


@given(st.integers(CAP + 1, 40))
def test_a_firm_whose_relationships_were_made_in_one_instant_is_told_the_cap(many: int):
    assert walked([0] * many) == (set(range(CAP)), False)


def test_records_that_cannot_be_read_count_and_tell_no_age():
    pull = replace(NEW, pages=1, newest=at(50))
    odd: Page[Any] = Page((), (UnreadableRecord(7, "matter.id: missing"),), "more", None, NOON)
    assert windows.newest_created(LINKS, pull, odd) == at(50)
