"""The order of an account's runs: which run a lane works on, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.runs.run_order import LOOK_AGAIN, Choice, WaitingRun, choose
from app.lanes import RUN_LANES, Lane

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECONDS = timedelta(seconds=1)
NONE = timedelta(0)


def run(name: str, lane: Lane = Lane.INCREMENTAL, **more: object) -> WaitingRun:
    """Return a run that reads lists, has not begun and may begin at once, with some differences."""
    usual = {"reads_lists": True, "begun": False, "resume_at": None}
    return WaitingRun(name, lane, **{**usual, **more})  # type: ignore[arg-type]


def without_lists(name: str, lane: Lane = Lane.INCREMENTAL, **more: object) -> WaitingRun:
    return run(name, lane, reads_lists=False, **more)


def rederive(name: str, lane: Lane = Lane.INCREMENTAL, **more: object) -> WaitingRun:
    return without_lists(name, lane, rederives=True, **more)


def upgrade(name: str, **more: object) -> WaitingRun:
    return rederive(name, Lane.RECONCILE, upgrades=True, **more)


@pytest.mark.parametrize(
    ("runs", "lane", "expected"),
    [
        pytest.param([], Lane.PERSON, None, id="no run"),
        pytest.param([run("1")], Lane.PERSON, None, id="a run of another lane"),
        pytest.param([run("1")], Lane.INCREMENTAL, Choice("1", NONE), id="one run"),
        pytest.param([run("2"), run("1")], Lane.INCREMENTAL, Choice("1", NONE), id="oldest first"),
        pytest.param(
            [run("1"), run("2", begun=True)],
            Lane.INCREMENTAL,
            Choice("2", NONE, begun=True),
            id="a run that has begun goes before one with an older id",
        ),
        pytest.param(
            [run("1", Lane.INITIAL), run("2")],
            Lane.INCREMENTAL,
            None,
            id="a run that reads lists waits for the one before it",
        ),
        pytest.param(
            [run("1", Lane.INITIAL, begun=True), without_lists("2")],
            Lane.INCREMENTAL,
            Choice("2", NONE),
            id="a run without lists passes one that has begun",
        ),
        pytest.param(
            [run("1"), without_lists("2"), without_lists("3")],
            Lane.INCREMENTAL,
            Choice("2", NONE),
            id="in one lane the oldest of those without lists goes first",
        ),
        pytest.param(
            [run("1", resume_at=NOW + 9 * SECONDS), without_lists("2")],
            Lane.INCREMENTAL,
            Choice("2", NONE),
            id="a run that pauses lets one without lists pass",
        ),
        pytest.param(
            [run("1", resume_at=NOW + 9 * SECONDS), run("2")],
            Lane.INCREMENTAL,
            Choice("1", 9 * SECONDS),
            id="a run that pauses lets no run with lists pass",
        ),
        pytest.param(
            [run("1", Lane.INITIAL, begun=True, busy_for=7 * SECONDS), without_lists("2")],
            Lane.INCREMENTAL,
            Choice("2", 7 * SECONDS),
            id="no two runs at work, in whatever lanes",
        ),
        pytest.param(
            [run("1", begun=True, busy_for=7 * SECONDS, resume_at=NOW + 9 * SECONDS)],
            Lane.INCREMENTAL,
            Choice("1", 9 * SECONDS, begun=True),
            id="the longer wait counts",
        ),
        pytest.param(
            [run("1", resume_at=NOW + timedelta(days=1))],
            Lane.INCREMENTAL,
            Choice("1", LOOK_AGAIN),
            id="a clock may be a day behind: another process looks soon, and finds that the pause is over",
        ),
        pytest.param(
            [run("1", resume_at=NOW - SECONDS)],
            Lane.INCREMENTAL,
            Choice("1", NONE),
            id="a pause that is over",
        ),
        pytest.param(
            [without_lists("1", assesses=True), rederive("2")],
            Lane.INCREMENTAL,
            Choice("1", NONE),
            id="a rederive run waits for one that assesses",
        ),
        pytest.param(
            [upgrade("1", begun=True, assesses=True), rederive("2")],
            Lane.INCREMENTAL,
            Choice("2", NONE),
            id="a rederive run does not wait for an upgrade",
        ),
        pytest.param(
            [upgrade("1", begun=True, assesses=True), rederive("2")],
            Lane.RECONCILE,
            None,
            id="an upgrade waits for a rederive run that was requested after it",
        ),
        pytest.param(
            [upgrade("1", begun=True), upgrade("2")],
            Lane.RECONCILE,
            Choice("1", NONE, begun=True),
            id="two upgrades do not wait for each other",
        ),
        pytest.param(
            [
                without_lists("1", resume_at=NOW + 9 * SECONDS),
                without_lists("2", resume_at=NOW + 5 * SECONDS),
            ],
            Lane.INCREMENTAL,
            Choice("2", 5 * SECONDS),
            id="of two that pause the one whose time comes first",
        ),
    ],
)
def test_the_run_that_a_lane_works_on(runs: list[WaitingRun], lane: Lane, expected: Choice | None):
    assert choose(runs, lane, NOW) == expected


pauses = st.none() | st.integers(-3, 3).map(lambda seconds: NOW + seconds * SECONDS)
leases = st.sampled_from((0, 0, 0, 2)).map(lambda seconds: seconds * SECONDS)
waiting = st.lists(
    st.builds(
        WaitingRun,
        run_id=st.integers(0, 99).map(str),
        lane=st.sampled_from(RUN_LANES),
        reads_lists=st.booleans(),
        begun=st.booleans(),
        resume_at=pauses,
        busy_for=leases,
    ),
    max_size=6,
    unique_by=lambda each: each.run_id,
)


def choices(runs: Sequence[WaitingRun]) -> dict[Lane, Choice]:
    """Return what each lane that has something to do works on."""
    found = {lane: choose(runs, lane, NOW) for lane in RUN_LANES}
    return {lane: choice for lane, choice in found.items() if choice is not None}


@given(waiting)
def test_no_two_lanes_work_on_runs_that_read_lists(runs: list[WaitingRun]):
    by_id = {each.run_id: each for each in runs}
    chosen = [by_id[choice.run_id] for choice in choices(runs).values()]
    reading = [each for each in chosen if each.reads_lists]
    assert len(reading) <= 1
    if any(each.reads_lists and each.begun for each in runs):
        assert all(each.begun for each in reading)


@given(waiting)
def test_a_lane_works_on_a_run_of_its_own_and_only_when_no_worker_has_one(
    runs: list[WaitingRun],
):
    by_id = {each.run_id: each for each in runs}
    for lane, choice in choices(runs).items():
        chosen = by_id[choice.run_id]
        assert chosen.lane is lane
        assert choice.after >= max(each.busy_for for each in runs)
        pause = (chosen.resume_at or NOW) - NOW
        assert choice.after >= min(pause, LOOK_AGAIN)


@given(waiting)
def test_while_there_are_runs_some_lane_has_work_and_each_run_without_lists_gets_its_turn(
    runs: list[WaitingRun],
):
    found = choices(runs)
    assert bool(found) == bool(runs)
    assert {each.lane for each in runs if not each.reads_lists} <= set(found)
    left = list(runs)
    while left:  # a run that is chosen ends, so every run is chosen one day
        ended = min(choices(left).values(), key=lambda choice: choice.after).run_id
        left = [each for each in left if each.run_id != ended]


@given(waiting, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_in_which_the_rows_are_read(
    runs: list[WaitingRun], random
):
    shuffled = list(runs)
    random.shuffle(shuffled)
    assert choices(shuffled) == choices(runs)


def test_in_one_lane_a_run_that_reads_no_lists_goes_first():
    begun = run("a", Lane.INCREMENTAL, begun=True)
    reading_none = without_lists("b", Lane.INCREMENTAL)
    assert choose([begun, reading_none], Lane.INCREMENTAL, NOW) == Choice("b", timedelta(0))


@pytest.mark.parametrize("lane", [Lane.INITIAL, Lane.INCREMENTAL])
def test_a_rederive_run_waits_while_another_run_assesses(lane: Lane):
    # F23: it would mark contacts that the other one then assesses with the settings with which it began
    rederiving = without_lists("b", Lane.INCREMENTAL, rederives=True)
    pulling = run("a", lane, begun=True)
    assert choose([pulling, rederiving], Lane.INCREMENTAL, NOW) == Choice("b", timedelta(0))
    assessing = run("a", lane, begun=True, assesses=True)
    found = choose([assessing, rederiving], Lane.INCREMENTAL, NOW)
    assert found == (Choice("a", timedelta(0), begun=True) if lane is Lane.INCREMENTAL else None)
    alone = without_lists("b", Lane.INCREMENTAL, rederives=True, assesses=True, begun=True)
    assert choose([alone], Lane.INCREMENTAL, NOW) == Choice("b", timedelta(0), begun=True)
