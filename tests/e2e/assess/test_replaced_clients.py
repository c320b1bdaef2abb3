"""Clients under a new Clio id: suppressed only if Clio proves that the old one is gone, else announced [S6, row 46]."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from app import main
from app.simulator.faults.faults import Fault
from app.simulator.store.firm import Firm
from tests.e2e.assess.test_new_clients import choose, decide, found, rows
from tests.support.sliced_firm import SlicedFirm, within
from tests.support.world import World


def clio(world: World) -> Firm:
    return world.simulator.firms[0]


async def announced(world: World) -> list[str]:
    """Return the Clio ids of all `client.new` events, one for each event."""
    ledger = await rows(world)
    return sorted(key for key, row in ledger.items() for _ in row["event_ids"])


def put_person(world: World, clio_id: int, **more: Any) -> None:
    person = {"type": "Person", "first_name": "Nora", "last_name": "Quist", "is_client": True}
    clio(world).put("contact", {"id": clio_id, **person, **more})


def address(text: str) -> list[dict[str, Any]]:
    return [{"id": 1, "name": "Home", "address": text, "primary": True}]


def move_matters(world: World, old: int, new: int) -> None:
    for matter_id in clio(world).ids("matter"):
        if found(clio(world), "matter", matter_id)["client_id"] == old:
            clio(world).put("matter", {"id": matter_id, "client_id": new})


def asked_for(world: World, clio_id: int) -> int:
    """Return how often Clio was asked for one contact alone."""
    path = f"/api/v4/contacts/{clio_id}.json"
    return sum(one.path == path for one in world.simulator.requests())


@pytest.mark.parametrize(("name", "email"), [("Bram", None), ("Someone", "bram"), ("Bram", "bram")])
@pytest.mark.parametrize("kind", ["incremental", "full"])
async def test_a_matter_that_moves_between_two_living_people_who_look_the_same_announces_the_new_one(
    pulled: World, kind: str, name: str, email: str | None
):
    # NC-1, NC-6
    old = found(clio(pulled), "contact", 1002)
    emails = old["email_addresses"] if email else []
    clio(pulled).put("contact", {**old, "id": 7002, "first_name": name, "email_addresses": emails})
    move_matters(pulled, 1002, 7002)
    before = await announced(pulled)
    run = await pulled.run(kind)
    assert await announced(pulled) == [*before, "7002"]
    ledger = await rows(pulled)
    assert ledger["7002"]["possible_duplicate_of"] == ledger["1002"]["id"]
    assert (ledger["7002"]["status"], ledger["7002"]["run_id"]) == ("emitted", run["id"])
    assert asked_for(pulled, 1002) == 1
    await pulled.run()
    assert asked_for(pulled, 1002) == 1, "it is decided"
    assert (await pulled.contacts())["1002"]["state"] == "in_scope"


async def test_a_matter_that_moves_to_a_different_person_announces_that_person_in_the_same_run(
    pulled: World,
):
    put_person(pulled, 7003, is_client=False)
    move_matters(pulled, 1001, 7003)
    await pulled.run()
    row = (await rows(pulled))["7003"]
    assert (row["status"], row["possible_duplicate_of"]) == ("emitted", None)


@pytest.mark.parametrize("kind", ["incremental", "full"])
async def test_a_client_that_took_the_matters_of_one_who_is_gone_is_suppressed_in_the_same_run(
    pulled: World, kind: str
):
    clio(pulled).put("contact", {**found(clio(pulled), "contact", 1002), "id": 7002})
    move_matters(pulled, 1002, 7002)
    clio(pulled).delete("contact", 1002)
    before = await announced(pulled)
    await pulled.run(kind)
    assert await announced(pulled) == before
    contacts, ledger = await pulled.contacts(), await rows(pulled)
    assert (ledger["7002"]["status"], ledger["7002"]["held_for"]) == ("suppressed", None)
    new = ledger["1002"]["merged_into"]
    assert new == contacts["7002"]["id"] == contacts["1002"]["merged_into"]
    (line,) = [one for one in await pulled.changes() if one["kind"] == "contact.deleted"]
    assert (line["clio_id"], line["contact"]["merged_into"]) == ("1002", new)
    assert line["fields"]["merged_into"] == {"from": None, "to": new}
    assert contacts["7002"]["merged_into"] is None


ALIKE = [
    ("name", {}, {}),
    ("address", {"first_name": "A"}, {"first_name": "B"}),
]


@pytest.mark.parametrize(("by", "old", "new"), ALIKE, ids=[one[0] for one in ALIKE])
async def test_clients_without_matters_who_are_merged_are_announced_once(
    pulled: World, by: str, old: dict[str, Any], new: dict[str, Any]
):
    mail = {"email_addresses": address("nora@home.test")} if by == "address" else {}
    put_person(pulled, 7004, **old, **mail)
    await pulled.run()
    before = await announced(pulled)
    assert before.count("7004") == 1
    clio(pulled).delete("contact", 7004)
    put_person(pulled, 7005, **new, **mail)
    await pulled.run()
    await pulled.run("full")
    assert await announced(pulled) == before
    contacts, ledger = await pulled.contacts(), await rows(pulled)
    assert ledger["7005"]["status"] == "suppressed"
    assert contacts["7004"]["merged_into"] == contacts["7005"]["id"]
    assert contacts["7004"]["state"] == "deleted"


async def test_people_of_one_name_are_both_announced_while_both_exist(pulled: World):
    put_person(pulled, 7004)
    await pulled.run()
    put_person(pulled, 7005)
    put_person(pulled, 7006)
    await pulled.run()
    assert {"7004", "7005", "7006"} <= set(await announced(pulled))
    ledger = await rows(pulled)
    assert {ledger[key]["possible_duplicate_of"] for key in ("7005", "7006")} == {None}


async def test_two_announced_clients_without_matters_who_are_merged_are_one_deleted_and_one_living(
    pulled: World,
):
    for clio_id in (7004, 7005):
        put_person(pulled, clio_id)
    await pulled.run()
    before = await announced(pulled)
    clio(pulled).delete("contact", 7004)
    await pulled.run("full")
    contacts = await pulled.contacts()
    assert await announced(pulled) == before
    assert (contacts["7004"]["state"], contacts["7004"]["merged_into"]) == (
        "deleted",
        contacts["7005"]["id"],
    )


async def test_a_client_who_appears_after_the_old_one_was_found_deleted_is_suppressed_too(
    pulled: World,
):
    put_person(pulled, 7004)
    await pulled.run()
    before = await announced(pulled)
    clio(pulled).delete("contact", 7004)
    await pulled.run("full")
    assert (await pulled.contacts())["7004"]["merged_into"] is None
    put_person(pulled, 7005)
    await pulled.run()
    contacts = await pulled.contacts()
    assert await announced(pulled) == before
    assert contacts["7004"]["merged_into"] == contacts["7005"]["id"]
    put_person(pulled, 7006)
    await pulled.run()
    assert await announced(pulled) == [*before, "7006"], "7004 is 7005 already, who exists"


@pytest.fixture
async def merged(pulled: World) -> World:
    """A firm in which 1002 has become 7002, while Clio does not answer about 1002."""
    clio(pulled).put("contact", {**found(clio(pulled), "contact", 1002), "id": 7002})
    move_matters(pulled, 1002, 7002)
    clio(pulled).delete("contact", 1002)
    pulled.simulator.faults.add(Fault("status", path="/contacts/1002", value="500", times=9999))
    assert (await pulled.run())["status"] == "succeeded", "one record holds nothing up"
    row = (await rows(pulled))["7002"]
    assert (row["status"], row["held_for"], row["event_ids"]) == ("held", "merge", [])
    return pulled


async def test_while_clio_does_not_answer_the_client_waits_and_is_decided_by_the_next_run(
    merged: World,
):
    before = await announced(merged)
    await merged.run()
    assert (await rows(merged))["7002"]["held_for"] == "merge"
    merged.simulator.faults.clear()
    await merged.choose({"tags": {"relationships": {"enabled": True}}})
    assert (await rows(merged))["7002"]["held_for"] == "merge", "a re-derivation asks Clio nothing"
    await merged.run()
    assert (await rows(merged))["7002"]["status"] == "suppressed"
    assert await announced(merged) == before


async def test_a_client_whose_replacement_cannot_be_proven_for_a_day_is_announced_once(
    merged: World,
):
    before = await announced(merged)
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        await merged.run()
        await merged.run()
        assert await announced(merged) == [*before, "7002"]
    ledger = await rows(merged)
    assert ledger["7002"]["possible_duplicate_of"] == ledger["1002"]["id"]


@pytest.mark.parametrize("what", ["release", "suppress"])
async def test_what_a_person_decides_meanwhile_stands(merged: World, what: str):
    before = await announced(merged)
    answer = await decide(merged, (await rows(merged))["7002"], what)
    assert answer.status_code == 200, answer.text
    merged.simulator.faults.clear()
    await merged.run()
    assert await announced(merged) == [*before, *(["7002"] if what == "release" else [])]


async def test_without_an_unrestricted_login_nothing_is_proven_and_the_client_is_announced(
    world: World,
):
    # row 32
    await world.create_account()
    await world.connect("u_cat", 503)
    await world.settled()
    clio(world).put("contact", {**found(clio(world), "contact", 1002), "id": 7002})
    move_matters(world, 1002, 7002)
    clio(world).delete("contact", 1002)
    await world.run()
    ledger = await rows(world)
    assert ledger["7002"]["status"] == "emitted"
    assert ledger["7002"]["possible_duplicate_of"] == ledger["1002"]["id"]
    assert asked_for(world, 1002) == 0


@pytest.mark.parametrize("calls", [1, 50], ids=["one call in a slice", "fifty calls in a slice"])
@pytest.mark.parametrize("way", ["merged", "alive"])
async def test_a_run_in_slices_asks_once_and_announces_once(
    idle_with_two: World, calls: int, way: str
):
    firm = SlicedFirm(idle_with_two, within(calls=calls))
    before = await announced(firm.world)
    old = found(clio(firm.world), "contact", 1002)
    clio(firm.world).put("contact", {**old, "id": 7002})
    move_matters(firm.world, 1002, 7002)
    if way == "merged":
        firm.delete("contact", 1002)
    assert (await firm.run())["status"] == "succeeded"
    assert asked_for(firm.world, 1002) == 1
    more = ["7002"] if way == "alive" else []
    assert await announced(firm.world) == [*before, *more]
    gone = (await firm.world.contacts())["1002"]["state"] == "deleted"
    assert gone == (way == "merged")


async def test_suspected_clients_who_replaced_nobody_count_as_a_surge(pulled: World):
    # NC-7
    await choose(pulled, surge_threshold=2)
    for clio_id in (7004, 7005):
        put_person(pulled, clio_id, last_name=str(clio_id))
    await pulled.run()
    for clio_id in (7014, 7015, 7016):
        put_person(pulled, clio_id, last_name=str(7004 + clio_id % 2))
    await pulled.run()
    held = await rows(pulled, status="held")
    assert {row["held_for"] for row in held.values()} == {"surge"}
    assert set(held) == {"7014", "7015", "7016"}
