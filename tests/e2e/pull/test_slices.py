"""A run that is done in many small attempts ends like one in one go, and asks Clio nothing twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from app.simulator.faults.faults import Fault
from app.simulator.http.server import LogEntry
from app.sync.pull import deletions
from app.sync.services import LocalLimits
from tests.support.postgres import Server
from tests.support.sliced_firm import ANN, BEN, MOST_ATTEMPTS, SlicedFirm, sliced_firm, within
from tests.support.world import PATIENCE, World

MANY = range(20_001, 20_441)  # contacts on three pages
FIELDS = range(1001, 1301)  # custom fields on two pages


async def story(firm: SlicedFirm) -> list[dict[str, Any]]:
    """Return the runs of a firm whose lists are long, whose records go, and whose logins may not read all."""
    for clio_id in MANY:
        firm.put("contact", id=clio_id, type="Person", name=f"Person {clio_id}")
    field = firm.world.simulator.firms[0].find("custom_field", 1) or {}
    for field_id in FIELDS:
        firm.put("custom_field", **{**field, "id": field_id, "name": f"F{field_id}"})
    firm.breaks("forbidden", "practice_areas", user=ANN)
    runs = [await firm.connect("u_ann", ANN), await firm.connect("u_ben", BEN)]
    firm.put("matter", 1, id=201, status="odd")
    firm.delete("contact", 1002, *MANY[:3])
    firm.delete("relationship", 301)
    firm.delete("custom_field", FIELDS[0])
    firm.breaks("unknown_field", "contacts", "title", user=BEN)
    runs.append(await firm.run("full"))
    firm.put("contact", 2, id=1001, title="Judge")
    runs.append(await firm.run())
    firm.delete("contact", 1003)
    gone = (await firm.world.contacts())["1003"]["id"]
    runs.append(await firm.run(contact_id=gone))
    return runs


VOLATILE = {
    "id",
    "run_id",
    "at",
    "contact_id",
    "clio",
    "change_id",
    "connection_id",
    "seq",
    "since",
}


def plain(value: Any) -> Any:
    """Return a document without ids and times, which differ from world to world."""
    if isinstance(value, dict):
        kept = value.keys() - VOLATILE
        return {name: plain(value[name]) for name in kept if not name.endswith("_at")}
    return [plain(item) for item in value] if isinstance(value, list) else value


MIRROR = (
    "select clio_id, record::text from mirror_contacts where gone is null order by clio_id",
    "select clio_id, record::text from mirror_matters order by clio_id",
    "select clio_id, record::text from mirror_relationships order by clio_id",
    "select resource, clio_id, record::text, gone from catalog_items order by 1, 2",
    "select resource, clio_id, user_id, digest from sightings join connections using (account_id, connection_id)"
    " order by 1, 2, 3",
    "select resource, user_id, pages, records, unreadable, complete from pulls"
    " join connections using (account_id, connection_id) order by run_id, 1, 2",
    "select user_id, resource from checkpoints join connections using (account_id, connection_id) order by 1, 2",
    "select resource, clio_id, reason, resolved_at is null as waits from quarantine order by 1, 2, 3, 4",
)


async def told(firm: SlicedFirm, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return all that the firm's runs have brought, and how often each thing was asked of Clio."""
    lines = [plain(line) for line in await firm.world.changes()]
    asked = Counter(
        (one.user_id, one.path, *sorted(name for name, _ in parse_qsl(one.query)))
        for one in firm.world.simulator.requests()
    )
    return {
        "runs": [
            (run["status"], run["kind"], run["counts"], plain(run["problems"])) for run in runs
        ],
        "requests": [run["clio"] for run in runs],
        "contacts": plain(await firm.world.contacts()),
        "feed": sorted(lines, key=repr),
        "mirror": [await firm.rows(query) for query in MIRROR],
        "asked": asked,
    }


async def in_one_go(server: Server) -> dict[str, Any]:
    async with sliced_firm(server, within()) as firm:
        return await told(firm, await story(firm))


async def test_a_run_in_many_attempts_ends_as_in_one_go_and_asks_nothing_twice(server: Server):
    # S10, IS-3, I4
    whole = await in_one_go(server)
    for calls in (1, 3):
        async with sliced_firm(server, within(calls=calls)) as firm:
            runs = await story(firm)
            sliced = await told(firm, runs)
            assert len(firm.waits) > sum(sliced["asked"].values()) / calls - len(runs) * 3
            assert set(firm.waits) == {timedelta(0)}
            assert await firm.rows("select 1 from lookups union all select 1 from run_logins") == []
        for part in whole:
            assert sliced[part] == whole[part], (part, calls)


@pytest.fixture
def whole(idle_with_two: World) -> SlicedFirm:
    """A firm with two logins after its first runs, whose runs have no budget."""
    return SlicedFirm(idle_with_two, within())


async def found(firm: SlicedFirm, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = (await firm.world.api.get(f"/v1/accounts/hp/runs/{run_id}")).json()
    return run


def users_since(firm: SlicedFirm, before: int) -> Counter[int | None]:
    return Counter(one.user_id for one in firm.world.simulator.requests()[before:])


async def test_the_logins_of_a_firm_are_read_side_by_side(whole: SlicedFirm):
    # S10: while Clio does not answer the lists of contacts, both logins read their matters
    run_id = await whole.ask("full")
    before = len(whole.world.simulator.requests())

    async def both_ask() -> None:
        while True:
            asked = whole.world.simulator.requests()[before:]
            if {one.user_id for one in asked if "matters" in one.path} == {ANN, BEN}:
                return
            await asyncio.sleep(0.01)

    paused = whole.world.clio_transport.paused("/api/v4/contacts")
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group, paused:
        group.create_task(whole.attempt(run_id))
        await both_ask()
    assert (await found(whole, run_id))["status"] == "succeeded"


async def test_a_login_without_calls_does_not_stop_the_others(whole: SlicedFirm):
    # S10, F5: Ann's lists are read; then the run waits for Ben's rate limit, and asks only as Ben
    whole.put("contact", 1, id=1001, title="Judge")
    whole.breaks("rate_limited", "matters", "80", user=BEN, times=1)
    run_id = await whole.ask("full")
    before = len(whole.world.simulator.requests())
    after = await whole.attempt(run_id)
    assert after is not None
    assert timedelta(seconds=75) < after <= timedelta(seconds=81)
    run = await found(whole, run_id)
    assert (run["status"], [one["code"] for one in run["problems"]]) == (
        "interrupted", ["clio_rate_limited"],
    )  # fmt: skip
    done = "select user_id from run_logins join connections using (account_id, connection_id) where complete"
    assert [row["user_id"] for row in await whole.rows(done)] == ["u_ann"]
    assert users_since(whole, before)[ANN] == 8
    before = len(whole.world.simulator.requests())
    whole.late += after
    await whole.rows("delete from budgets")  # the minute has passed, also for this process
    services = whole.world.app.state.services
    object.__setattr__(services, "local_limits", LocalLimits())
    assert await whole.attempt(run_id) is None
    assert users_since(whole, before).keys() == {BEN}
    run = await found(whole, run_id)
    assert (run["status"], run["problems"]) == ("succeeded", [])
    assert (await whole.world.contacts())["1001"]["title"] == "Judge"


async def test_the_others_go_on_while_a_login_fails_and_is_asked_once_a_minute(whole: SlicedFirm):
    # row 53: in the end the login is set aside, as without budgets
    for clio_id in range(20_001, 23_001):
        whole.put("contact", 1, id=clio_id, type="Person", name=f"Person {clio_id}")
    whole.put("contact", 1, id=1001, title="Judge")
    whole.breaks("status", "matters", "500", user=BEN, times=9999)
    whole.budget = within(calls=9)
    run_id = await whole.ask("full")
    waits, tried = [], []  # after each attempt, and whether it met the failure
    for _ in range(MOST_ATTEMPTS):
        before = len(whole.world.simulator.requests())
        if (after := await whole.attempt(run_id)) is None:
            break
        waits.append(after)
        tried.append(any(o.status == 500 for o in whole.world.simulator.requests()[before:]))
        whole.late += after
    run = await found(whole, run_id)
    assert run["status"] == "succeeded"
    assert "login_set_aside" in [problem["code"] for problem in run["problems"]]
    assert (await whole.world.contacts())["1001"]["title"] == "Judge"
    assert timedelta(minutes=9) <= sum(waits, timedelta(0)) < timedelta(minutes=15)
    going_on = [met for met, after in zip(tried, waits, strict=True) if after == timedelta(0)]
    assert sum(going_on) <= 3 < len(going_on), "slices in between do not repeat what fails"


async def test_only_failures_in_a_row_set_a_login_aside(whole: SlicedFirm):
    # row 53: Ben's list fails three times over ten minutes, but comes on in between
    for clio_id in MANY:
        whole.put("contact", 1, id=clio_id, type="Person", name=f"Person {clio_id}")
    run_id = await whole.ask("full")
    faults = whole.world.simulator.faults
    for minutes, skip in ((0, 0), (5, 1), (11, 0)):
        whole.late = timedelta(minutes=minutes)
        path = "/api/v4/contacts.json"
        faults.add(Fault("status", path=path, value="500", user=BEN, times=4, skip=skip))
        assert await whole.attempt(run_id) is not None
    assert await whole.rows("select 1 from logins_set_aside") == []
    whole.late += timedelta(minutes=1)
    assert await whole.attempt(run_id) is None
    assert (await found(whole, run_id))["problems"] == []


async def test_a_run_asks_for_fifty_single_records_at_most_and_goes_on_later(
    whole: SlicedFirm, monkeypatch: pytest.MonkeyPatch
):
    # S1: 140 contacts are missing; each slice takes some of them
    monkeypatch.setattr(deletions, "FEW", 1000)
    for clio_id in MANY:
        whole.put("contact", 1, id=clio_id, type="Person", name=f"Person {clio_id}")
    await whole.run("full")
    whole.delete("contact", *MANY[:140])
    whole.budget = within(calls=50, records=50)
    run_id = await whole.ask("full")
    most = []
    for _ in range(MOST_ATTEMPTS):
        before = len(whole.world.simulator.requests())
        after = await whole.attempt(run_id)
        asked = whole.world.simulator.requests()[before:]
        most.append((len(asked), sum(_single_records(one) for one in asked)))
        if after is None:
            break
    assert (await found(whole, run_id))["status"] == "succeeded"
    assert max(calls for calls, _ in most) <= 50
    assert max(records for _, records in most) == 50
    gone = "select count(*) from mirror_contacts where gone is not null and clio_id > 20000"
    assert [row["count"] for row in await whole.rows(gone)] == [140]


def _single_records(one: LogEntry) -> int:
    """Return how many records a request names by their ids."""
    named = len([name for name, _ in parse_qsl(one.query) if name == "ids[]"])
    return named or int(one.path.split("/")[-1].removesuffix(".json").isdigit())
