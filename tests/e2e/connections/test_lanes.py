"""The lane of each kind of request to Clio: requests that a person waits for have the highest priority."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from app import main
from app.clio.shared_limit import Lane
from app.db.runs.runs import Kind, Trigger
from app.sync import scheduler
from app.sync.connections.rate_limit import TokenGate
from app.sync.pull.all_connections import lane_of
from app.sync.writeback import verify_written
from tests.e2e.writeback.test_writeback import EMAIL, post, until
from tests.support.world import World


@pytest.mark.parametrize(
    ("kind", "trigger", "lane"),
    [
        (Kind.INITIAL, Trigger.CONNECT, Lane.INITIAL),
        (Kind.INITIAL, Trigger.SCHEDULE, Lane.INITIAL),
        (Kind.COVERAGE, Trigger.CONNECT, Lane.INITIAL),
        (Kind.INCREMENTAL, Trigger.SCHEDULE, Lane.INCREMENTAL),
        (Kind.INCREMENTAL, Trigger.WEBHOOK, Lane.INCREMENTAL),
        (Kind.INCREMENTAL, Trigger.MANUAL, Lane.INCREMENTAL),
        (Kind.FULL, Trigger.SCHEDULE, Lane.RECONCILE),
        (Kind.FULL, Trigger.MANUAL, Lane.RECONCILE),
        (Kind.CONTACT, Trigger.MANUAL, Lane.PERSON),
        (Kind.CONTACT, Trigger.WEBHOOK, Lane.INCREMENTAL),
    ],
)
def test_the_lane_of_a_run(kind: Kind, trigger: Trigger, lane: Lane):
    # S10
    assert lane_of(kind, trigger) is lane


def test_every_run_that_asks_clio_has_a_lane():
    for kind in set(Kind) - {Kind.REDERIVE}:
        for trigger in Trigger:
            assert lane_of(kind, trigger) in Lane


class Passed:
    """The lanes in which calls passed a login's gate."""

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
def passed(monkeypatch: pytest.MonkeyPatch) -> Passed:
    return Passed(monkeypatch)


async def test_first_pulls_changes_and_whole_readings_each_ask_in_their_lane(
    world: World, passed: Passed
):
    # S10: a first pull, what a new login sees, what changed, everything again
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    assert passed.take() == {Lane.INITIAL}
    await world.connect("u_ben", 502)
    await world.settled()
    assert passed.take() == {Lane.INITIAL}
    await world.run("incremental")
    assert passed.take() == {Lane.INCREMENTAL}
    await world.run("full")
    assert passed.take() == {Lane.RECONCILE}


async def test_asking_for_what_a_list_lacked_gives_way_to_what_changed(
    pulled: World, passed: Passed
):
    # S10, row 25: a scheduled run reads the relationships whole and asks for those it did not find
    firm = pulled.simulator.firms[0]
    firm.delete("relationship", firm.ids("relationship")[0])
    services, zone = pulled.app.state.services, ZoneInfo("America/New_York")
    due = scheduler.next_due(main.now(), zone, services.timing, "hp")
    with time_machine.travel(due + timedelta(minutes=5), tick=True):
        assert await scheduler.propose_slots(services) == 1
        run = (await pulled.settled())[-1]
    assert (run["kind"], run["status"]) == ("incremental", "succeeded")
    assert passed.take() == {Lane.INCREMENTAL, Lane.RECONCILE}


async def test_a_contact_that_a_person_asks_for_goes_first(pulled: World, passed: Passed):
    # S10, S14
    alice = (await pulled.contacts())["1001"]
    body, key = {"kind": "incremental", "contact_id": alice["id"]}, {"Idempotency-Key": "alice"}
    asked = await pulled.api.post("/v1/accounts/hp/runs", json=body, headers=key)
    assert asked.status_code == 202
    await pulled.settled()
    assert passed.take() == {Lane.PERSON}


async def test_what_is_written_goes_before_reads_and_its_count_after_them(
    pulled: World, passed: Passed
):
    # S10
    await until(pulled, await post(pulled, EMAIL))
    assert passed.take() == {Lane.WRITE_BACK}
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        assert await verify_written(pulled.app.state.services, "hp") is None
    assert passed.take() == {Lane.RECONCILE}


async def test_who_returns_from_clio_does_not_wait_for_a_run_of_the_same_login(
    pulled: World, passed: Passed
):
    # S10, AU-1: the new token has a window of its own, so the question who it is passes no gate
    asked = list[Lane]()
    services = pulled.app.state.services
    real = services.open_clio

    def open_clio(*args: Any) -> Any:
        asked.append(args[-1])
        return real(*args)

    object.__setattr__(services, "open_clio", open_clio)
    callback = await pulled.approve(await pulled.start("u_ann"), 501)
    assert not passed.take()
    assert "clio=connected" in (await pulled.api.get(callback)).headers["location"]
    assert asked[0] is Lane.PERSON
