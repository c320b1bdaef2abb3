"""Processes that share a token never send more requests than its limit, for any lanes, order and pace."""

import asyncio
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from heapq import heappop, heappush

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.clio.shared_rate_limit import ASSUMED_LIMIT, PROBE_INTERVAL, TAIL, UNRESERVED, Window
from app.lanes import CLIO_LANES, Lane
from app.simulator.faults.rate_limit import RateLimit
from app.sync.connections.rate_limit import ALLOTMENT_SIZE, TokenGate
from tests.support.rate_limited_read import MemoryRow

BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
READS = [lane for lane in CLIO_LANES if not lane.is_urgent]


class Processes:
    """Processes that share a token whose window is open, and a clock that is moved by hand."""

    def __init__(self, count: int, window: Window | None) -> None:
        self.now = 0.0
        self.row = MemoryRow(lambda: self.now)
        self.row.window = window
        self.gates = [TokenGate(self.row, lambda: self.now) for _ in range(count)]

    @property
    def given(self) -> int:
        assert self.row.window is not None
        return self.row.window.given


def opened(limit: int) -> Window:
    return Window(limit, 0, 61.0)


class Clio:
    """The simulator's windows, and the headers of its answers."""

    def __init__(self, limit: int) -> None:
        self.limits = RateLimit(limit)

    def ask(self, arrives: float) -> Mapping[str, str]:
        moment = BEGIN + timedelta(seconds=arrives)
        allowed, headers = self.limits.take("token", moment)
        assert allowed, "Clio answered 429"
        named = {name.lower(): value for name, value in headers.items()}
        return {**named, "date": format_datetime(moment, usegmt=True)}


@settings(deadline=None)
@given(
    processes=st.integers(1, 5),
    limit=st.integers(2, 60),
    pace=st.floats(0.01, 3.0),
    identified=st.none() | st.floats(0.0, 60.0),
    lanes=st.lists(st.sampled_from(CLIO_LANES), min_size=1, max_size=6),
    seed=st.integers(0, 10_000),
)
def test_clio_never_refuses_whatever_the_lanes_and_the_order_of_the_processes(
    processes: int,
    limit: int,
    pace: float,
    identified: float | None,
    lanes: list[Lane],
    seed: int,
):
    # S10: the simulated Clio has its own windows; requests and responses overtake each other. The request that
    # identified the user may have opened the first one, some seconds before.
    async def work() -> None:
        dice = random.Random(seed)  # noqa: S311
        world, clio = Processes(processes, None), Clio(limit)
        if identified is not None:
            clio.ask(-identified)
        under_way: list[tuple[float, int, TokenGate, Mapping[str, str] | None]] = []
        made = 0
        for _ in range(400):
            gate = dice.choice(world.gates)
            if wait := await gate.acquire(dice.choice(lanes)):
                asks_again = world.now + wait * dice.random()
            else:
                heappush(under_way, (world.now + dice.uniform(0, 0.5), made, gate, None))
                made, asks_again = made + 1, world.now + dice.uniform(0, pace)
            while under_way and under_way[0][0] <= asks_again:
                world.now, nth, by, answer = heappop(under_way)
                if answer is None:
                    answer = clio.ask(world.now)
                    heappush(under_way, (world.now + dice.uniform(0, 0.5), nth, by, answer))
                else:
                    await by.record_response(answer)
            world.now = asks_again
        assert made

    asyncio.run(work())


@settings(deadline=None)
@given(
    limit=st.integers(2, 200),
    reading=st.sampled_from(READS),
    arrival=st.floats(0.1, 61.0 - TAIL - UNRESERVED - 0.1),
)
def test_a_note_goes_at_once_while_a_pull_of_another_process_takes_all_it_gets(
    limit: int, reading: Lane, arrival: float
):
    # S10: the pull leaves a share to notes until five seconds before the window's end
    async def work() -> None:
        world = Processes(2, opened(limit))
        pulling, writing = world.gates
        for moment in (0.0, arrival / 3, arrival / 2, arrival - 0.05, arrival):
            world.now = moment
            while not await pulling.acquire(reading):
                pass
        assert await writing.acquire(Lane.WRITE_BACK) == 0.0

    asyncio.run(work())


async def test_in_the_last_seconds_of_a_window_a_note_goes_at_once_and_reads_wait_for_the_next():
    world = Processes(1, opened(50))
    (gate,) = world.gates
    world.now = 61.0 - TAIL
    assert await gate.acquire(Lane.INCREMENTAL) == TAIL
    assert await gate.acquire(Lane.WRITE_BACK) == 0.0
    world.now = 61.0
    assert await gate.acquire(Lane.WRITE_BACK) == 0.0
    assert world.given == 2, "the first note counts in both windows"


async def test_the_response_to_a_request_of_the_last_seconds_is_reported_at_once():
    # Clio's next window began with it, so ours begins then too, and reads need not wait any longer.
    world = Processes(1, Window(50, 45, 61.0))
    (gate,) = world.gates
    world.now = 60.0
    assert await gate.acquire(Lane.WRITE_BACK) == 0.0
    await gate.record_response(Clio(50).ask(60.1))
    assert world.row.window is not None
    assert world.row.window.given == 1
    assert world.row.window.ends == pytest.approx(121.0, abs=2)
    assert await gate.acquire(Lane.INCREMENTAL) == 0.0


async def test_when_a_window_is_used_up_a_note_waits_for_its_end():
    world = Processes(1, Window(50, 50, 61.0))
    world.now = 61.0 - TAIL
    assert await world.gates[0].acquire(Lane.WRITE_BACK) == TAIL


async def test_a_read_takes_a_few_requests_at_once_and_a_note_may_use_them():
    world = Processes(1, opened(50))
    (gate,) = world.gates
    assert await gate.acquire(Lane.INITIAL) == 0.0
    assert world.given == ALLOTMENT_SIZE
    for _ in range(ALLOTMENT_SIZE - 1):
        assert await gate.acquire(Lane.WRITE_BACK) == 0.0
    assert world.given == ALLOTMENT_SIZE
    assert await gate.acquire(Lane.WRITE_BACK) == 0.0
    assert world.given == ALLOTMENT_SIZE + 1, "a note takes one request"


async def test_requests_taken_for_a_lane_are_not_used_by_a_lower_lane():
    world = Processes(1, opened(50))
    (gate,) = world.gates
    await gate.acquire(Lane.INCREMENTAL)
    for nth in (1, 2, 3):
        assert await gate.acquire(Lane.RECONCILE) == 0.0
        assert world.given == ALLOTMENT_SIZE + nth, "the lane takes its own requests, one by one"
    for _ in range(ALLOTMENT_SIZE - 1):
        assert await gate.acquire(Lane.INCREMENTAL) == 0.0
    assert world.given == ALLOTMENT_SIZE + 3, "the stock has not changed"


async def test_a_lower_lane_gets_nothing_while_the_stock_of_a_higher_lane_lasts_and_the_window_is_low():
    world = Processes(
        1, Window(50, 39, 61.0)
    )  # eleven left: one for incremental reads, none for lower lanes
    (gate,) = world.gates
    assert await gate.acquire(Lane.INITIAL) > PROBE_INTERVAL
    assert await gate.acquire(Lane.INCREMENTAL) == 0.0
    assert await gate.acquire(Lane.INCREMENTAL) > PROBE_INTERVAL
    assert await gate.acquire(Lane.WRITE_BACK) == 0.0


async def test_requests_that_were_not_used_in_their_window_are_not_sent_in_the_next():
    world = Processes(1, opened(50))
    (gate,) = world.gates
    await gate.acquire(Lane.INITIAL)
    world.now = 61.0 - TAIL
    assert await gate.acquire(Lane.INITIAL) == TAIL
    world.now = 61.0
    assert await gate.acquire(Lane.INITIAL) == 0.0
    assert world.given == ALLOTMENT_SIZE


async def test_simultaneous_reads_of_one_process_take_requests_once():
    world = Processes(1, opened(50))

    async with asyncio.TaskGroup() as group:
        entering = [
            group.create_task(world.gates[0].acquire(Lane.INITIAL)) for _ in range(ALLOTMENT_SIZE)
        ]
    assert [task.result() for task in entering] == [0.0] * ALLOTMENT_SIZE
    assert world.given == ALLOTMENT_SIZE


@pytest.mark.parametrize("lane", CLIO_LANES)
async def test_the_first_response_gives_all_processes_the_limit(lane: Lane):
    world = Processes(2, None)
    first, second = world.gates
    assert await first.acquire(lane) == 0.0
    assert await second.acquire(Lane.PERSON) == PROBE_INTERVAL
    await first.record_response(Clio(50).ask(0.2))
    assert world.row.window is not None
    assert (world.row.window.limit, world.row.window.given) == (50, 1)
    assert await second.acquire(Lane.PERSON) == 0.0


async def test_responses_are_reported_when_a_window_opens_and_then_once_for_a_few_requests():
    world, clio = Processes(1, opened(50)), Clio(50)
    (gate,) = world.gates
    told = []
    for _ in range(1 + 2 * ALLOTMENT_SIZE):
        assert await gate.acquire(Lane.WRITE_BACK) == 0.0
        world.now += 0.1
        before = world.row.asked
        await gate.record_response(clio.ask(world.now))
        told.append(world.row.asked - before)
    assert told == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


async def test_without_rate_limit_headers_the_documented_limit_holds_and_the_log_says_so():
    # a proxy may remove the headers: eight requests took 46 seconds, because each one went alone
    world = Processes(2, None)
    with capture_logs() as logs:
        for nth in range(ASSUMED_LIMIT):
            gate = world.gates[nth % 2]
            if await gate.acquire(Lane.PERSON):
                break
            world.now += 0.1
            await gate.record_response({})
    assert world.given == ASSUMED_LIMIT
    assert world.now == pytest.approx(5.0)
    assert await world.gates[0].acquire(Lane.PERSON) > 0
    (line,) = logs
    assert (line["event"], line["count"]) == ("clio_rate_limit_unknown", 50)


async def test_a_refusal_without_a_limit_does_not_stand_for_the_documented_limit():
    world = Processes(1, None)
    (gate,) = world.gates
    assert await gate.acquire(Lane.PERSON) == 0.0
    await gate.record_response({"retry-after": "20"})
    assert await gate.acquire(Lane.PERSON) > 0


async def test_headers_that_come_later_replace_the_documented_limit():
    world, clio = Processes(1, None), Clio(20)
    (gate,) = world.gates
    assert await gate.acquire(Lane.PERSON) == 0.0
    clio.ask(world.now)
    await gate.record_response({})
    for _ in range(19):
        assert await gate.acquire(Lane.PERSON) == 0.0
        await gate.record_response(clio.ask(world.now))
    assert await gate.acquire(Lane.PERSON) > 0
