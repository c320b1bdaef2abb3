"""Holds that are decided whole or in part: new clients of the first sync, possible duplicates, removals [row 45]."""

from typing import Any

import pytest
from sqlalchemy import text

from app.db.contacts import hold_decisions
from app.sync.assess import finish_decided_holds
from tests.e2e.assess.test_new_clients import SEVEN, listening, received_events
from tests.e2e.pull.test_deletions import grow, shrink
from tests.support.sessions import as_owner
from tests.support.world import World


@pytest.fixture
async def firm(world: World) -> World:
    """An account that nobody has connected yet."""
    await world.create_account()
    return world


async def holds(world: World, **params: Any) -> list[dict[str, Any]]:
    return [hold async for hold in world.all("holds", **params)]


async def only_hold(world: World) -> dict[str, Any]:
    (hold,) = await holds(world)
    return hold


async def open_issues(world: World) -> list[tuple[str, str]]:
    found = [issue async for issue in world.all("issues", status="open")]
    return [(issue["code"], issue["subject"]["id"]) for issue in found]


async def items(world: World, hold: dict[str, Any], limit: int = 200) -> dict[str, dict[str, Any]]:
    """Return the items of a hold by Clio id, read in pages."""
    path = f"holds/{hold['id']}/items"
    return {item["clio_id"]: item async for item in world.all(path, limit=limit)}


async def decide(
    world: World, hold: dict[str, Any], what: str, *clio_ids: int | str
) -> dict[str, Any]:
    """Release or discard a hold, or only some of its contacts; return the hold."""
    waiting = await items(world, hold) if clio_ids else {}
    body = {"ids": [waiting[str(clio_id)]["id"] for clio_id in clio_ids]} if clio_ids else None
    url = f"/v1/accounts/hp/holds/{hold['id']}/{what}"
    answer = await world.api.post(url, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def statuses(world: World) -> dict[str, tuple[str, str | None]]:
    return {
        row["clio_id"]: (row["status"], row["held_for"]) async for row in world.all("new-clients")
    }


async def connect_with_hold(firm: World) -> dict[str, Any]:
    """Pull the firm for the first time with `initial_sync: hold`; return the hold."""
    await firm.choose({"new_client": {"initial_sync": "hold"}})
    await firm.connect("u_ann", 501)
    await firm.settled()
    return await only_hold(firm)


async def test_the_clients_of_the_first_sync_wait_in_one_hold_with_counts_and_one_issue(
    firm: World,
):
    # NC-2, row 45
    hold = await connect_with_hold(firm)
    (run,) = await firm.runs()
    assert (hold["kind"], hold["status"], hold["run_id"]) == ("new_clients", "open", run["id"])
    assert hold["count"] == len(SEVEN)
    assert hold["summary"] == {
        "by_held_for": {"initial_sync": 7},
        "by_basis": {"flag": 6, "company": 1},
        "with_open_matter": 3,
        "possible_duplicates": 0,
    }
    (issue,) = [issue async for issue in firm.all("issues", status="open")]
    assert (issue["code"], issue["subject"]) == (
        "new_clients_held",
        {"kind": "hold", "id": hold["id"]},
    )
    assert issue["detail"].startswith("7 new clients wait: 7 of the first sync")
    assert "releases or discards this hold" in issue["detail"]
    report = (await firm.api.get(f"/v1/accounts/hp/runs/{run['id']}/report")).json()
    assert "held" not in {row["outcome"] for row in report["outcomes"]}, "nobody would leave"
    await firm.run()
    await firm.run("full")
    assert await holds(firm) == [hold], "later runs add nothing"


async def test_the_items_of_a_hold_say_who_it_is_and_what_changed(firm: World):
    # row 45
    hold = await connect_with_hold(firm)
    found = await items(firm, hold, limit=3)
    assert list(found) == sorted(SEVEN)
    alice, contact = found["1001"], (await firm.contacts())["1001"]
    assert (alice["contact_id"], alice["name"]) == (contact["id"], "Alice Moreno")
    assert all(one["new_client"] is True for one in found.values())
    change = alice["change"]
    assert (change["kind"], change["clio_id"], change["cause"]) == ("contact.added", "1001", "sync")
    assert (change["seq"], change["run_id"]) == (None, None)
    assert "Client" in change["tags_added"]
    assert change["contact"]["tags"] == contact["tags"]


async def test_a_whole_hold_of_the_first_sync_is_released_or_discarded(firm: World):
    # NC-2, row 45
    hold = await connect_with_hold(firm)
    async with listening(firm) as receiver:
        decided = await decide(firm, hold, "release")
        assert (decided["status"], decided["count"], decided["summary"]) == ("released", 7, None)
        events = await received_events(firm, receiver)
    assert {event["clio_id"] for event in events} == SEVEN
    assert await open_issues(firm) == []
    assert await items(firm, hold) == {}
    again = await firm.api.post(f"/v1/accounts/hp/holds/{hold['id']}/discard")
    assert (again.status_code, again.json()["code"]) == (409, "hold_already_decided")


async def test_new_clients_are_released_and_discarded_for_given_ids(firm: World):
    # row 45: the hold stays open for the others, with its count, its summary and its issue
    hold = await connect_with_hold(firm)
    async with listening(firm) as receiver:
        left = await decide(firm, hold, "release", 1001, 1007)
        assert (left["id"], left["status"], left["count"]) == (hold["id"], "open", 5)
        assert left["summary"]["by_basis"] == {"flag": 5}
        left = await decide(firm, hold, "discard", 1002)
        assert left["count"] == len(left["contact_clio_ids"]) == 4
        events = await received_events(firm, receiver)
    assert {event["clio_id"] for event in events} == {"1001", "1007"}
    assert await holds(firm) == [left], "the decided part is no hold of its own"
    assert await statuses(firm) == {
        **dict.fromkeys(["1001", "1007"], ("emitted", None)),
        "1002": ("suppressed", None),
        **dict.fromkeys(["1003", "1004", "1008", "1010"], ("held", "initial_sync")),
    }
    (issue,) = [issue async for issue in firm.all("issues", status="open")]
    assert issue["detail"].startswith("4 new clients wait")
    await decide(firm, hold, "discard", 1003, 1004, 1008, 1010)
    assert [one["status"] for one in await holds(firm)] == ["discarded"]
    assert await open_issues(firm) == []
    audit = [entry async for entry in firm.all("audit") if entry["action"].startswith("hold.")]
    assert [(entry["action"], entry["details"]) for entry in audit] == [
        ("hold.released", {"items": 2}),
        ("hold.discarded", {"items": 1}),
        ("hold.discarded", {"items": 4}),
    ]


async def test_single_decisions_keep_the_hold_right_until_it_is_empty(firm: World):
    # row 45: an empty hold disappears, and its issue is resolved
    hold = await connect_with_hold(firm)
    rows = [row async for row in firm.all("new-clients")]
    for n, row in enumerate(rows, start=1):
        what = "release" if n % 2 else "suppress"
        answer = await firm.api.post(f"/v1/accounts/hp/new-clients/{row['id']}/{what}")
        assert answer.status_code == 200
        if n < len(rows):
            assert (await only_hold(firm))["count"] == len(rows) - n
            (issue,) = [issue async for issue in firm.all("issues", status="open")]
            assert issue["detail"].startswith(f"{len(rows) - n} new clients wait")
    assert await holds(firm) == []
    assert await open_issues(firm) == []
    gone = await firm.api.get(f"/v1/accounts/hp/holds/{hold['id']}/items")
    assert (gone.status_code, gone.json()["code"]) == (404, "hold_not_found")


BAD_IDS = [
    (["itm_1"], ["/ids/0"]),
    (["itm_{hold}_1001", "itm_{hold}_77"], ["/ids/1"]),  # not in this hold
    (["itm_{hold}_01001"], ["/ids/0"]),
    (["itm_{hold}_1001", "itm_other_1001"], ["/ids/1"]),
    ([], ["/ids"]),
]


@pytest.mark.parametrize(("ids", "pointers"), BAD_IDS)
async def test_ids_that_are_not_items_of_the_hold_decide_nothing(
    firm: World, ids: list[str], pointers: list[str]
):
    # row 45
    hold = await connect_with_hold(firm)
    sent = [one.replace("{hold}", hold["id"].removeprefix("hld_")) for one in ids]
    url = f"/v1/accounts/hp/holds/{hold['id']}/release"
    answer = await firm.api.post(url, json={"ids": sent})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert await only_hold(firm) == hold


async def test_a_hold_of_another_account_is_not_found(firm: World):
    # T2
    hold = await connect_with_hold(firm)
    await firm.create_account("other")
    for method, act in (("GET", "items"), ("POST", "release"), ("POST", "discard")):
        url = f"/v1/accounts/other/holds/{hold['id']}/{act}"
        answer = await firm.api.request(method, url)
        assert (answer.status_code, answer.json()["code"]) == (404, "hold_not_found")
    assert await only_hold(firm) == hold


async def test_clients_whom_the_first_run_finds_after_a_decision_wait_in_another_hold(firm: World):
    # row 45: the set is fixed when the request is accepted, and the person has not seen the others
    hold = await connect_with_hold(firm)
    await decide(firm, hold, "release")
    (run,) = await firm.runs()
    async with as_owner(firm.app.state.services.database) as session:
        found = (
            "update new_clients set status = 'held', held_for = 'initial_sync' where clio_id = 1002"
        )
        await session.execute(text(found))
    await firm.run()
    first, second = sorted(await holds(firm), key=lambda one: one["status"] == "open")
    assert (first["status"], second["status"], second["run_id"]) == ("released", "open", run["id"])
    assert second["contact_clio_ids"] == ["1002"]
    assert await open_issues(firm) == [("new_clients_held", second["id"])]


async def test_rows_that_the_release_before_held_without_a_hold_get_one_at_the_end_of_a_run(
    firm: World,
):
    # NC-2, row 45
    hold = await connect_with_hold(firm)
    async with as_owner(firm.app.state.services.database) as session:
        for table in ("hold_items", "holds", "issues"):
            await session.execute(text(f"delete from {table}"))
    await firm.run()
    assert {**(await only_hold(firm)), "opened_at": None} == {**hold, "opened_at": None}
    assert await open_issues(firm) == [("new_clients_held", hold["id"])]


@pytest.mark.parametrize("at_once", [True, False])
async def test_of_many_items_the_rest_follows_and_the_set_stays_as_it_was_decided(
    firm: World, monkeypatch: pytest.MonkeyPatch, at_once: bool
):
    # row 45: up to 500 in the request, the rest within a minute; here two at once
    monkeypatch.setattr("app.sync.assess.holds.STEP", 2)
    monkeypatch.setattr(hold_decisions, "ITEMS_AT_ONCE", 2)
    monkeypatch.setattr("app.sync.assess.new_client_holds.ROWS_PER_TRANSACTION", 2)
    hold = await connect_with_hold(firm)
    assert hold["count"] == len(SEVEN)
    chosen = [] if at_once else [1001, 1002, 1003, 1004, 1007]
    await decide(firm, hold, "discard", *chosen)
    suppressed = [one for one, status in (await statuses(firm)).items() if status[0] != "held"]
    assert sorted(suppressed) == ["1001", "1002"]
    left = {"1003", "1004", "1007"} if chosen else set()
    assert left.isdisjoint(await items(firm, hold)) or at_once
    await finish_decided_holds(firm.app.state.services)
    expected = {str(one) for one in chosen} or SEVEN
    found = await statuses(firm)
    assert {one for one, status in found.items() if status == ("suppressed", None)} == expected
    assert len(await open_issues(firm)) == (1 if chosen else 0)
    await finish_decided_holds(firm.app.state.services)
    assert await statuses(firm) == found


async def test_possible_duplicates_wait_in_a_hold_where_the_settings_say_so(firm: World):
    # NC-6: others of the same run are announced
    clio = firm.simulator.firms[0]
    alice = clio.find("contact", 1001)
    assert alice is not None
    await firm.choose({"new_client": {"hold_possible_duplicates": True}})
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        assert {event["clio_id"] for event in await received_events(firm, receiver)} == SEVEN
        clio.put("contact", {**alice, "id": 7001})
        clio.put("contact", {**alice, "id": 7002, "email_addresses": []})
        run = await firm.run()
        events = await received_events(firm, receiver)
        assert {event["clio_id"] for event in events} == {*SEVEN, "7002"}
        hold = await only_hold(firm)
        assert (hold["kind"], hold["run_id"], hold["contact_clio_ids"]) == (
            "new_clients",
            run["id"],
            ["7001"],
        )
        assert hold["summary"]["by_held_for"] == {"possible_duplicate": 1}
        assert hold["summary"]["possible_duplicates"] == 1
        assert await open_issues(firm) == [("new_clients_held", hold["id"])]
        await decide(firm, hold, "release")
        last = (await received_events(firm, receiver))[-1]
    assert last["clio_id"] == "7001"
    assert last["possible_duplicate_of"] is not None
    assert await open_issues(firm) == []


async def test_duplicates_and_a_surge_of_one_run_are_one_hold_with_one_issue(firm: World):
    # NC-6, NC-7
    clio = firm.simulator.firms[0]
    alice = clio.find("contact", 1001)
    assert alice is not None
    chosen = {"hold_possible_duplicates": True, "surge_threshold": 1}
    await firm.choose({"new_client": chosen})
    await firm.connect("u_ann", 501)
    await firm.settled()
    clio.put("contact", {**alice, "id": 7001})
    for clio_id in (7002, 7003):
        clio.put("contact", {**alice, "id": clio_id, "email_addresses": []})
    await firm.run()
    hold = await only_hold(firm)
    assert hold["summary"]["by_held_for"] == {"possible_duplicate": 1, "surge": 2}
    assert await open_issues(firm) == [("new_client_surge", hold["id"])]
    await decide(firm, hold, "release", 7002, 7003)
    assert await open_issues(firm) == [("new_clients_held", hold["id"])]
    await decide(firm, hold, "discard", 7001)
    assert await open_issues(firm) == []
    assert (await statuses(firm))["7001"] == ("suppressed", None)


async def test_removals_are_released_and_discarded_for_given_ids(pulled: World):
    # S5, row 45: a discarded removal does not come back with the next change of settings
    await grow(pulled, 30)
    await shrink(pulled, 21)
    hold = await only_hold(pulled)
    assert (hold["count"], hold["summary"]) == (21, None)
    found = await items(pulled, hold)
    assert {item["change"]["kind"] for item in found.values()} == {"contact.out_of_scope"}
    assert all(item["name"] and item["contact_id"] for item in found.values())
    assert all(item["new_client"] is False for item in found.values())
    left = await decide(pulled, hold, "release", 3000, 3001)
    assert (left["status"], left["count"]) == ("open", 19)
    await pulled.settled()
    gone = await pulled.contacts(state="out_of_scope")
    assert gone.keys() == {"3000", "3001"}
    left = await decide(pulled, hold, "discard", 3002)
    assert left["count"] == 18
    assert await open_issues(pulled) == [("shrink_held", hold["id"])]
    await pulled.choose({"tags": {"location": {"city": True}}})
    assert (await pulled.contacts(state="out_of_scope")).keys() == gone.keys()
    await decide(pulled, hold, "release")
    await pulled.settled()
    left_now = await pulled.contacts(state="out_of_scope")
    assert left_now.keys() == {str(n) for n in range(3000, 3021)} - {"3002"}
    assert await open_issues(pulled) == []


async def test_a_large_release_of_removals_goes_on_in_steps(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # S5, row 45
    await grow(pulled, 30)
    await shrink(pulled, 21)
    monkeypatch.setattr("app.sync.assess.holds.STEP", 4)
    hold = await only_hold(pulled)
    await decide(pulled, hold, "release")
    assert await open_issues(pulled) == [("shrink_held", hold["id"])]
    await finish_decided_holds(pulled.app.state.services)
    await pulled.settled()
    assert len(await pulled.contacts(state="out_of_scope")) == 21
    assert await open_issues(pulled) == []
