"""A release whose rules give other answers: every contact is assessed again, and both guards apply [row 56]."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from app import rules
from app.lanes import Lane
from app.rules import version
from app.rules.facts import ContactFacts
from app.sync import rederiving
from app.sync.upgrades import start_upgrades
from tests.support.slices import do_slices
from tests.support.values import replace
from tests.support.world import World, generous_simulator, harlow_and_pike, opened_world

HOURS = timedelta(hours=1)
# What the next release makes of people with these titles.
ANSWERS: dict[str, dict[str, Any]] = {
    "Judge": {"is_client": False},
    "Broker": {"is_client": True},
    "Doctor": {"title": "Physician"},
}


def next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a release with other rules in place."""
    present = rules.assess

    def assess(facts: ContactFacts, *others: Any) -> Any:
        answer = ANSWERS.get(facts.contact.title or "", {})
        return present(replace(facts, contact=replace(facts.contact, **answer)), *others)

    monkeypatch.setattr(rules, "assess", assess)
    monkeypatch.setattr(version, "VERSION", version.VERSION + 1)


def put_people(world: World, first_id: int, count: int, title: str | None, **more: Any) -> None:
    for clio_id in range(first_id, first_id + count):
        name = {"type": "Person", "name": f"P {clio_id}", "last_name": f"P{clio_id}"}
        person = {"id": clio_id, "title": title, "is_client": True, **name, **more}
        world.simulator.firms[0].put("contact", person)


async def hours_pass(world: World, hours: int) -> None:
    """Do what the clock does at this time, and the runs that it requests."""
    services = world.app.state.services
    moved = replace(services, now=lambda: services.now() + hours * HOURS)
    await start_upgrades(moved)
    await do_slices(services, Lane.RECONCILE)


async def upgrades_of(world: World) -> list[dict[str, Any]]:
    return [run for run in await world.runs() if run["trigger"] == "upgrade"]


async def open_holds(world: World) -> dict[str, dict[str, Any]]:
    return {hold["kind"]: hold async for hold in world.all("holds", status="open")}


@pytest.fixture
async def firm(dsn: str) -> AsyncIterator[World]:
    """A firm whose runs are done by hand."""
    simulator = generous_simulator(harlow_and_pike())
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        yield world


async def first_sync(world: World) -> int:
    """Connect the firm and read it; return the number of feed lines."""
    await world.connect("u_ann", 501)
    await do_slices(world.app.state.services, Lane.INITIAL)
    return len(await world.changes())


async def test_an_upgrade_reaches_a_large_firm_within_a_day_with_both_guards(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    # row 56, S5, NC-7: 5,000 people, of whom 1,000 would leave and 100 are found to be clients
    put_people(firm, 10_000, 3400, None)
    put_people(firm, 20_000, 1000, "Judge")
    put_people(firm, 30_000, 500, "Doctor")
    put_people(firm, 40_000, 100, "Broker", is_client=False)
    before = await first_sync(firm)
    assert before >= 4900
    next_release(monkeypatch)
    await hours_pass(firm, 0)
    assert await upgrades_of(firm) == [], "the previous release may still be at work"
    await hours_pass(firm, 24)

    (run,) = await upgrades_of(firm)
    assert (run["kind"], run["status"], run["reads"]) == ("rederive", "succeeded", "nothing")
    lines = (await firm.changes())[before:]
    assert Counter((line["kind"], line["cause"]) for line in lines) == {
        ("contact.updated", "upgrade"): 500,
        ("contact.added", "upgrade"): 100,
    }
    assert {line["run_id"] for line in lines} == {run["id"]}
    found = await open_holds(firm)
    assert {kind: hold["count"] for kind, hold in found.items()} == {
        "removals": 1000,
        "new_clients": 100,
    }
    codes = [issue["code"] async for issue in firm.all("issues", status="open")]
    assert {"shrink_held", "new_client_surge"} <= set(codes)
    origins = Counter([row["origin"] async for row in firm.all("new-clients", status="held")])
    assert origins == {"incremental": 100}

    await hours_pass(firm, 72)
    assert await upgrades_of(firm) == [run], "everybody was assessed with the present rules"
    hold = f"/v1/accounts/hp/holds/{found['removals']['id']}/release"
    assert (await firm.api.post(hold)).status_code == 200
    await do_slices(firm.app.state.services, Lane.INCREMENTAL)
    left = (await firm.changes())[before + 600 :]
    assert Counter((line["kind"], line["cause"]) for line in left) == {
        ("contact.out_of_scope", "manual"): 1000
    }


async def test_a_change_of_settings_after_a_release_is_not_blamed_for_it(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    # rows 21, 56: what would leave waits, and the cause is the upgrade; afterwards settings are free again
    put_people(firm, 20_000, 30, "Judge")
    before = await first_sync(firm)
    await execute(firm, "update accounts set words_made_for = '2/US'")
    next_release(monkeypatch)
    await firm.patch_settings({"key_facts": {"clio_id": False}})
    await do_slices(firm.app.state.services, Lane.INCREMENTAL)
    lines = (await firm.changes())[before:]
    assert {(line["kind"], line["cause"]) for line in lines} == {("contact.updated", "upgrade")}
    assert (await open_holds(firm))["removals"]["count"] == 30
    assert len(await firm.contacts(state="in_scope")) == 37

    await hours_pass(firm, 0)
    await hours_pass(firm, 24)
    assert await upgrades_of(firm) == [], "the change of settings has assessed everybody"
    put_people(firm, 50_000, 30, None)
    key = {"Idempotency-Key": "key"}
    await firm.api.post("/v1/accounts/hp/runs", json={"kind": "incremental"}, headers=key)
    await do_slices(firm.app.state.services, Lane.PERSON)
    before = len(await firm.changes())
    await firm.patch_settings({"scope": {"segment": {"include_any": ["Family Law"]}}})
    await do_slices(firm.app.state.services, Lane.INCREMENTAL)
    causes = Counter((line["kind"], line["cause"]) for line in (await firm.changes())[before:])
    assert causes["contact.out_of_scope", "settings"] > 30


async def test_a_firm_that_was_never_read_needs_no_upgrade(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    next_release(monkeypatch)
    await hours_pass(firm, 0)
    await hours_pass(firm, 24)
    assert await firm.runs() == []
    assert await times_of(firm) == {"hp": None}


async def test_an_upgrade_that_fails_is_tried_again(firm: World, monkeypatch: pytest.MonkeyPatch):
    await first_sync(firm)
    next_release(monkeypatch)
    await hours_pass(firm, 0)
    services = firm.app.state.services
    late = replace(services, now=lambda: services.now() + 24 * HOURS)
    await start_upgrades(late)
    (run,) = await upgrades_of(firm)
    await firm.api.post(f"/v1/accounts/hp/runs/{run['id']}/cancel")
    assert [one["status"] for one in await upgrades_of(firm)] == ["cancelled"]
    await hours_pass(firm, 24)
    assert len(await upgrades_of(firm)) == 1, "not at once"
    await hours_pass(firm, 26)
    statuses = {one["status"] for one in await upgrades_of(firm)}
    assert statuses == {"succeeded", "cancelled"}


async def test_upgrades_are_spread_over_a_day_and_reach_no_account_that_is_off(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    for place in range(60):
        await firm.create_account(f"firm-{place}")
    await firm.create_account("off", enabled=False)
    next_release(monkeypatch)
    services = firm.app.state.services
    began = services.now()
    await start_upgrades(replace(services, now=lambda: began))
    times = await times_of(firm)
    assert times.pop("off") is None
    late = sorted((at - began) / HOURS for at in times.values())
    assert late[0] >= 1
    assert late[-1] <= 23
    assert max(after - before for before, after in pairwise(late)) < 6


async def times_of(world: World) -> dict[str, Any]:
    """Return when each account is to be upgraded."""
    connection = await asyncpg.connect(world.dsn)
    try:
        rows = await connection.fetch("select account_id, upgrade_at from accounts")
        return {row["account_id"]: row["upgrade_at"] for row in rows}
    finally:
        await connection.close()


async def execute(world: World, statement: str) -> list[Any]:
    connection = await asyncpg.connect(world.dsn)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def words(world: World) -> set[tuple[int, str]]:
    rows = await execute(world, "select clio_id, word from search_words")
    return {(row["clio_id"], row["word"]) for row in rows}


async def found(world: World, q: str) -> set[str]:
    return {contact["clio_id"] async for contact in world.all("contacts", q=q)}


@pytest.mark.parametrize("made_for", ["null", "'1/US'"])
async def test_contacts_that_an_earlier_release_has_read_can_be_found_after_the_upgrade(
    firm: World, monkeypatch: pytest.MonkeyPatch, made_for: str
):
    monkeypatch.setattr(rederiving, "WORDS_AT_ONCE", 7)  # several steps
    await first_sync(firm)
    everything = await words(firm)
    clients = await firm.contacts(tag="Client")
    assert clients
    await execute(firm, "delete from search_words")
    await execute(firm, f"update accounts set words_made_for = {made_for}")
    await execute(firm, "insert into search_words values ('hp', 1001, 'of a word long ago')")
    assert await found(firm, "moreno") == set()
    assert await firm.contacts(tag="Client") == clients, "a list by tags needs no words"
    await hours_pass(firm, 0)
    assert await upgrades_of(firm) == [], "the previous release may still land contacts"
    await hours_pass(firm, 24)
    assert len(await upgrades_of(firm)) == 1
    assert await words(firm) == everything
    assert {2001, 1001} <= {clio_id for clio_id, _ in everything}, "companies, too"
    assert await found(firm, "moreno") == {"1001"}
    assert await firm.contacts(tag="Client") == clients
    await hours_pass(firm, 48)
    await hours_pass(firm, 72)
    assert len(await upgrades_of(firm)) == 1, "they are made once"


async def test_another_country_gives_the_numbers_of_everybody_other_words(firm: World):
    firm.simulator.firms[0].put(
        "contact",
        {"id": 30_000, "type": "Company", "name": "Lime Ltd"}
        | {"phone_numbers": [{"id": 1, "name": "Work", "number": "020 7946 0958"}]},
    )
    await first_sync(firm)
    await hours_pass(firm, 0)
    await hours_pass(firm, 24)
    number = {(30_000, "02079460958"), (30_000, "#85906497020")}
    assert number <= await words(firm)
    await firm.create_account(country="GB")
    await do_slices(firm.app.state.services, Lane.INCREMENTAL)
    present = await words(firm)
    assert (30_000, "2079460958") in present
    assert not number & present
