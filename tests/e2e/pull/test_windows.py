"""Firms with more relationships than Clio lists: windows read all of them, and nothing is removed by mistake.

Most tests use a cap of two pages, so that they are short; one test uses Clio's real cap of 10,000.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import asyncpg
import pytest

from app.simulator.faults.faults import Fault
from app.simulator.firms.harlow_pike import NOW
from app.simulator.http.server import Simulator
from app.simulator.store import listing
from app.sync.pull import windows
from tests.support.world import World, opened_world

FIRST = 400_000
CAP, MANY = 400, 1000  # three windows


@pytest.fixture
def low_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the cap of lists without an order to two pages, in the simulated Clio and in the service."""
    monkeypatch.setattr(listing, "MAX_UNORDERED", CAP)
    monkeypatch.setattr(windows, "CAPPED", CAP - 100)


def age(nth: int) -> datetime:
    """Return the creation time of a relationship: one each minute, after those of the fixture."""
    return NOW + timedelta(minutes=nth)


def crowd(simulator: Simulator, made: Callable[[int], datetime] = age, many: int = MANY) -> None:
    """Add more relationships than Clio lists; the last one is Chloe's only relationship."""
    simulator.quirks.caps_unordered_lists = True
    link = {"matter_id": 201, "contact_id": 1009, "description": "Witness"}
    for nth in range(1, many + 1):
        last = {"matter_id": 207, "contact_id": 1003} if nth == many else {}
        simulator.firms[0].put("relationship", {"id": FIRST + nth, **link, **last}, at=made(nth))


async def rows(world: World, query: str) -> list[Any]:
    connection = await asyncpg.connect(world.dsn)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def stored(world: World) -> dict[int, str]:
    """Return the descriptions of the mirror's relationships by Clio id."""
    query = "select clio_id, record->>'description' as said from mirror_relationships"
    return {row["clio_id"]: row["said"] for row in await rows(world, query)}


def request_parameters(world: World) -> list[tuple[str | None, ...]]:
    """Return the parameters of the requests for relationships: updated since, created since, page token."""
    found = [parse_qs(one.query) for one in world.simulator.requests("/api/v4/relationships.json")]
    names = ("updated_since", "created_since", "page_token")
    return [tuple(query.get(name, [None])[0] for name in names) for query in found]


def opened(world: World) -> list[str | None]:
    """Return the starts of the windows, in the order in which they were opened."""
    return list(dict.fromkeys(made for _, made, _ in request_parameters(world)))


def since(nth: int) -> str:
    """Return the start of the window after a relationship."""
    return (age(nth) - windows.OVERLAP).isoformat().replace("+00:00", "Z")


async def labels(world: World, clio_id: str) -> list[str]:
    return [tag["label"] for tag in (await world.contacts())[clio_id]["tags"]]


async def open_issues(world: World) -> list[str]:
    return [issue["code"] async for issue in world.all("issues", status="open")]


@pytest.fixture
async def crowded(low_cap: None, world: World) -> World:
    """The firm with more relationships than Clio lists, after one run."""
    crowd(world.simulator)
    await connected(world)
    return world


async def connected(world: World) -> dict[str, Any]:
    """Connect Ann and return her first run."""
    await world.create_account()
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    return run


HABITS = {
    "Clio refuses the next page": {},
    "Clio ends the list without an error": {"caps_silently": True},
    "Clio sends no total": {"tells_records": False},
}


@pytest.mark.usefixtures("low_cap")
@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
async def test_relationships_beyond_the_cap_are_read_in_windows(
    world: World, habits: dict[str, bool]
):
    # row 25, TG-12
    vars(world.simulator.quirks).update(habits)
    crowd(world.simulator)
    run = await connected(world)
    assert (run["status"], run["problems"], await open_issues(world)) == ("succeeded", [], [])
    assert sorted(await stored(world)) == [301, 302, *range(FIRST + 1, FIRST + MANY + 1)]
    # 301 and 302 are in the first window; each window starts with the last record of the one before
    assert opened(world) == [None, since(CAP - 2), since(2 * CAP - 3)]
    assert "Related Contacts" in await labels(world, "1003")


async def test_a_firm_with_more_than_clios_ten_thousand_relationships_is_read_completely(
    dsn: str, simulator: Simulator
):
    # row 25: with the real cap, in Clio and in the service
    many = listing.MAX_UNORDERED + 300
    crowd(simulator, many=many)
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        async with asyncio.timeout(300):  # the list is long for a busy machine
            while not all(run["finished_at"] for run in await world.runs()):
                await asyncio.sleep(0.1)
        assert len(await stored(world)) == many + 2
        assert opened(world) == [None, since(listing.MAX_UNORDERED - 2)]
        assert await open_issues(world) == []
        assert "Related Contacts" in await labels(world, "1003")


@pytest.mark.usefixtures("low_cap")
async def test_a_run_that_is_interrupted_in_a_window_continues_at_the_page_that_was_not_stored(
    dsn: str, simulator: Simulator
):
    # IS-3, row 33: window and page are in the database, so another process finds both
    crowd(simulator)
    # two pages, the refusal, one page of the second window; then a wait, during which the process stops
    fault = simulator.faults.add(Fault("rate_limited", "relationships", skip=4, value="10"))
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        async with asyncio.timeout(30):
            while not fault.hits:
                await asyncio.sleep(0.02)
    (pull,) = await rows(world, "select * from pulls where resource = 'relationships'")
    assert (pull["records"], pull["passed"], pull["complete"]) == (600, 400, False)
    assert pull["total"] == MANY + 2 + 1, "all records, one of them read twice"
    before = request_parameters(world)
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.resume_before_clio_said()
        (run,) = await world.settled()
        assert (run["status"], len(await stored(world))) == ("succeeded", MANY + 2)
        after = request_parameters(world)[len(before) :]
    assert after[0] == before[-1] == (None, since(CAP - 2), pull["cursor"])
    assert not set(after[1:]) & set(before)


async def test_an_incremental_pull_of_more_than_the_cap_is_read_in_windows(crowded: World):
    # row 25: with both parameters, updated since the last run and created since the last window
    for nth in range(1, MANY + 1):
        crowded.simulator.firms[0].put("relationship", {"id": FIRST + nth, "description": "Judge"})
    crowded.simulator.log.clear()
    run = await crowded.run("incremental")
    assert (run["status"], run["problems"]) == ("succeeded", [])
    said = await stored(crowded)
    assert {said[FIRST + nth] for nth in range(1, MANY + 1)} == {"Judge"}
    assert len({changed for changed, _, _ in request_parameters(crowded)} - {None}) == 1
    assert opened(crowded) == [None, since(CAP), since(2 * CAP - 1)]


async def test_a_full_run_in_windows_removes_exactly_the_deleted_records(crowded: World):
    # OV-4, rows 25, 32: a relationship beyond the cap
    links, contacts = await stored(crowded), await crowded.contacts()
    crowded.simulator.firms[0].delete("relationship", FIRST + MANY)
    await crowded.run("full")
    assert links.keys() - (await stored(crowded)).keys() == {FIRST + MANY}
    after = await crowded.contacts()
    assert [clio_id for clio_id in after if after[clio_id] != contacts[clio_id]] == ["1003"]
    assert "Related Contacts" not in await labels(crowded, "1003")
    assert await open_issues(crowded) == []


async def test_a_window_that_cannot_be_read_removes_nothing(crowded: World):
    # S2, F19: the deleted record is missing in the first window, the second window is forbidden
    links, contacts = await stored(crowded), await crowded.contacts()
    crowded.simulator.firms[0].delete("relationship", 301)
    crowded.simulator.faults.add(Fault("forbidden", "relationships", skip=3))
    run = await crowded.run("full")
    assert [problem["code"] for problem in run["problems"]] == ["clio_forbidden"]
    assert (await stored(crowded), await crowded.contacts()) == (links, contacts)
    await crowded.run("full")
    assert links.keys() - (await stored(crowded)).keys() == {301}


ENDS = {
    "all were made in one instant": (lambda _: age(1), [None, since(1)]),
    "the list does not come by age": (lambda nth: age(MANY - nth), [None]),
}


@pytest.mark.usefixtures("low_cap")
@pytest.mark.parametrize(("made", "begun"), ENDS.values(), ids=ENDS)
async def test_a_list_that_windows_cannot_read_is_reported_and_removes_nothing(
    world: World, made: Callable[[int], datetime], begun: list[str | None]
):
    # S2: no record counts as deleted, neither beyond the cap nor missing in the first window
    crowd(world.simulator, made)
    world.simulator.quirks.caps_unordered_lists = False
    await connected(world)
    links, contacts = await stored(world), await world.contacts()
    assert len(links) == MANY + 2
    world.simulator.quirks.caps_unordered_lists = True
    world.simulator.firms[0].delete("relationship", 301)
    world.simulator.log.clear()
    run = await world.run("full")
    assert [problem["code"] for problem in run["problems"]] == ["relationship_list_capped"]
    assert await open_issues(world) == ["relationship_list_capped"]
    assert opened(world)[: len(begun)] == begun
    assert (await stored(world), await world.contacts()) == (links, contacts)
    world.simulator.quirks.caps_unordered_lists = False
    await world.run("full")
    assert (await open_issues(world), links.keys() - (await stored(world)).keys()) == ([], {301})
