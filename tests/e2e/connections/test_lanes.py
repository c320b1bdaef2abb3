"""The lane of each kind of request to Clio: requests that a person waits for have the highest priority."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from app import main
from app.db.runs.runs import Kind, Trigger, lane_of
from app.lanes import RUN_LANES, Lane
from app.sync import scheduler, slot_times
from app.sync.connections.rate_limit import TokenGate
from tests.e2e.writeback.test_writeback import EMAIL, post, until
from tests.support.slices import do_slices
from tests.support.world import World


@pytest.mark.parametrize(
    ("kind", "trigger", "lane"),
    [
        (Kind.INITIAL, Trigger.CONNECT, Lane.INITIAL),
        (Kind.INITIAL, Trigger.SCHEDULE, Lane.INITIAL),
        (Kind.COVERAGE, Trigger.CONNECT, Lane.INITIAL),
        (Kind.INCREMENTAL, Trigger.SCHEDULE, Lane.INCREMENTAL),
        (Kind.INCREMENTAL, Trigger.WEBHOOK, Lane.INCREMENTAL),
        (Kind.INCREMENTAL, Trigger.MANUAL, Lane.PERSON),
        (Kind.FULL, Trigger.SCHEDULE, Lane.RECONCILE),
        (Kind.FULL, Trigger.MANUAL, Lane.RECONCILE),
        (Kind.CONTACT, Trigger.MANUAL, Lane.PERSON),
        (Kind.CONTACT, Trigger.WEBHOOK, Lane.INCREMENTAL),
        (Kind.REDERIVE, Trigger.SETTINGS, Lane.INCREMENTAL),
        (Kind.REDERIVE, Trigger.MANUAL, Lane.INCREMENTAL),
    ],
)
def test_the_lane_of_a_run(kind: Kind, trigger: Trigger, lane: Lane):
    # S10
    assert lane_of(kind, trigger) is lane


def test_every_run_has_a_lane():
    for kind in Kind:
        for trigger in Trigger:
            assert lane_of(kind, trigger) in RUN_LANES


class RecordedLanes:
    """The lanes in which requests of a login were sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lanes: set[Lane] = set()
        real = TokenGate.acquire

        async def acquire(gate: TokenGate, lane: Lane) -> float:
            self._lanes.add(lane)
            return await real(gate, lane)

        monkeypatch.setattr(TokenGate, "acquire", acquire)

    def take(self) -> set[Lane]:
        """Return the lanes since the last call."""
        taken, self._lanes = self._lanes, set()
        return taken


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch) -> RecordedLanes:
    return RecordedLanes(monkeypatch)


async def test_initial_coverage_incremental_and_full_runs_each_use_their_lane(
    world: World, lanes: RecordedLanes
):
    # S10: the first pull, the view of a new login, the changes, then all records again
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    assert lanes.take() == {Lane.INITIAL}
    await world.connect("u_ben", 502)
    await world.settled()
    assert lanes.take() == {Lane.INITIAL}
    await world.run("incremental")
    assert lanes.take() == {Lane.PERSON}
    await world.run("full")
    assert lanes.take() == {Lane.RECONCILE}


async def test_requests_for_records_missing_from_a_list_have_a_lower_priority_than_changes(
    pulled: World, lanes: RecordedLanes
):
    # S10, row 25: a scheduled run reads all relationships and requests those that it did not find
    firm = pulled.simulator.firms[0]
    firm.delete("relationship", firm.ids("relationship")[0])
    services, zone = pulled.app.state.services, ZoneInfo("America/New_York")
    due = slot_times.next_due(main.now(), zone, services.timing, "hp")
    with time_machine.travel(due + timedelta(minutes=5), tick=True):
        assert await scheduler.propose_slots(services) == 1
        run = (await pulled.settled())[-1]
    assert (run["kind"], run["status"]) == ("incremental", "succeeded")
    assert lanes.take() == {Lane.INCREMENTAL, Lane.RECONCILE}


async def test_a_contact_run_that_a_person_requests_has_the_highest_priority(
    pulled: World, lanes: RecordedLanes
):
    # S10, S14
    alice = (await pulled.contacts())["1001"]
    body, key = {"kind": "incremental", "contact_id": alice["id"]}, {"Idempotency-Key": "alice"}
    asked = await pulled.api.post("/v1/accounts/hp/runs", json=body, headers=key)
    assert asked.status_code == 202
    await pulled.settled()
    assert lanes.take() == {Lane.PERSON}


async def test_writes_have_a_higher_priority_than_reads_and_their_verification_a_lower_one(
    pulled: World, lanes: RecordedLanes
):
    # S10
    await until(pulled, await post(pulled, EMAIL))
    assert lanes.take() == {Lane.WRITE_BACK}
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        await do_slices(pulled.app.state.services, Lane.WRITE_BACK)
    assert lanes.take() == {Lane.RECONCILE}


async def test_a_user_who_returns_from_clio_does_not_wait_for_a_run_of_the_same_login(
    pulled: World, lanes: RecordedLanes
):
    # S10, AU-1: the new token has its own window, so who_am_i does not wait for the rate limit
    asked = list[Lane]()
    services = pulled.app.state.services
    real = services.open_clio

    def open_clio(*args: Any) -> Any:
        asked.append(args[3])
        return real(*args)

    object.__setattr__(services, "open_clio", open_clio)
    callback = await pulled.approve(await pulled.start("u_ann"), 501)
    assert not lanes.take()
    assert "clio=connected" in (await pulled.api.get(callback)).headers["location"]
    assert asked[0] is Lane.PERSON
