"""Tests of the supervisor without a database: delays, states, logs and the end of the process."""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from app.db.failures import Reaction, reaction_to
from app.errors import DatabaseUnavailable
from app.sync import supervisor as module
from app.sync.supervisor import Part, State, Supervisor


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def part(clock: Clock) -> Part:
    return Part("listener", interval=5.0, monotonic=clock)


def test_a_part_that_fails_is_started_again_after_a_second_then_later_up_to_a_minute(part: Part):
    assert [part.failed(ValueError()) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    part.turned()
    assert part.failed(ValueError()) == 1
    assert part.restarts == 9


def test_a_part_that_waits_for_the_database_tries_again_every_three_seconds(part: Part):
    # F14: everything goes on within 10 s of its return, after hours too
    assert [part.failed(DatabaseUnavailable()) for _ in range(4)] == [1, 2, 3, 3]


def test_the_first_failure_and_the_recovery_are_logged_once(part: Part):
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            part.failed(DatabaseUnavailable())
        part.turned()
        part.turned()
    assert [entry["event"] for entry in logs] == ["database_unavailable", "part_recovered"]
    assert logs[0]["reason"] == "DatabaseUnavailable"


def test_a_defect_that_follows_an_outage_is_logged_too(part: Part):
    with structlog.testing.capture_logs() as logs:
        part.failed(DatabaseUnavailable())
        part.failed(ValueError())
    assert [entry["event"] for entry in logs] == ["database_unavailable", "part_failed"]


def fail(error: Exception) -> Callable[[Part, Clock], None]:
    return lambda part, _: (part.failed(error), None)[1]


def wait(seconds: float) -> Callable[[Part, Clock], None]:
    def move(_: Part, clock: Clock) -> None:
        clock.time += seconds

    return move


@pytest.mark.parametrize(
    ("steps", "answering", "state"),
    [
        ([], 0, State.RUNNING),
        ([wait(59)], 1000, State.RUNNING),
        ([wait(61)], 1000, State.STUCK),
        ([wait(61)], 30, State.RUNNING),  # the database was away meanwhile
        ([wait(14)], None, State.RUNNING),
        ([wait(16)], None, State.WAITING_FOR_DATABASE),  # it hangs in a query
        ([wait(10_000)], None, State.WAITING_FOR_DATABASE),
        ([fail(DatabaseUnavailable())], 1000, State.WAITING_FOR_DATABASE),  # e.g. read only
        ([fail(ValueError())], 1000, State.RESTARTING),
        ([wait(10_000), fail(ValueError())], 10_000, State.RESTARTING),  # it does something
        ([fail(ValueError()), wait(61)], 1000, State.STUCK),
    ],
)
def test_the_state_of_a_part(
    part: Part,
    clock: Clock,
    steps: list[Callable[[Part, Clock], None]],
    answering: float | None,
    state: State,
):
    for step in steps:
        step(part, clock)
    assert part.state(answering=answering) is state


def test_a_slow_part_is_late_after_three_of_its_intervals_and_stuck_after_ten(clock: Clock):
    part = Part("clock", interval=20.0, monotonic=clock)
    clock.time += 60
    assert not part.is_late()
    clock.time += 1
    assert part.is_late()
    assert part.state(answering=1000) is State.RUNNING
    clock.time += 140
    assert part.state(answering=1000) is State.STUCK


@pytest.mark.parametrize(
    ("error", "pause", "ends"),
    [
        (ValueError(), 60, True),
        (ValueError(), 70, False),  # ten failures take longer than ten minutes
        (DatabaseUnavailable(), 1, False),  # a database that is away is never a reason
        (ExceptionGroup("", [DatabaseUnavailable(), OSError()]), 1, False),
        (ExceptionGroup("", [DatabaseUnavailable(), ValueError()]), 1, True),
    ],
)
def test_ten_failures_of_a_part_in_ten_minutes_end_the_process(
    clock: Clock, error: Exception, pause: float, ends: bool
):
    stopping = asyncio.Event()
    supervisor = Supervisor(stopping, clock)
    part, other = (supervisor.add(name, interval=5.0) for name in ("listener", "clock"))
    for _ in range(9):
        supervisor.note(part, error)
        supervisor.note(other, DatabaseUnavailable())
        clock.time += pause
        part.turned()
    assert not stopping.is_set()
    supervisor.note(part, error)
    assert (stopping.is_set(), supervisor.exit_code) == (ends, 70 if ends else 0)


async def test_a_part_that_fails_does_not_end_another(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.0)
    monkeypatch.setattr(module, "FAILURES_BEFORE_END", 1000)
    stopping = asyncio.Event()
    supervisor = Supervisor(stopping, asyncio.get_running_loop().time)
    failing, other = (supervisor.add(name, interval=5.0) for name in ("listener", "clock"))
    turns: list[int] = []

    async def turn() -> None:
        turns.append(len(turns))
        if len(turns) > 5 and failing.restarts > 5:
            stopping.set()

    async def fail() -> None:
        raise ValueError

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(supervisor.run(failing, fail))
        group.create_task(supervisor.repeat(other, turn, every=0.0))
    assert (other.restarts, supervisor.exit_code) == (0, 0)


async def test_a_turn_that_fails_is_tried_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.0)
    supervisor = Supervisor(asyncio.Event(), asyncio.get_running_loop().time)
    part = supervisor.add("clock.task", interval=20.0)
    errors: list[Exception] = [ValueError(), DatabaseUnavailable(), OSError()]

    async def turn() -> None:
        if errors:
            raise errors.pop()

    await supervisor.complete(part, turn)
    assert (errors, part.restarts) == ([], 3)
    assert part.state(answering=1000) is State.RUNNING


def test_of_a_group_of_failures_the_worst_one_decides():
    reaction = reaction_to
    conflict, away = DatabaseUnavailable(retry_now=True), DatabaseUnavailable()
    assert reaction(ExceptionGroup("", [conflict])) is Reaction.RETRY_NOW
    assert reaction(ExceptionGroup("", [conflict, away])) is Reaction.GIVE_BACK
    assert reaction(ExceptionGroup("", [away, ExceptionGroup("", [KeyError()])])) is Reaction.REPORT
