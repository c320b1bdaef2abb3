"""Tests of runs while Clio fails or a login ends."""

import asyncio
from time import monotonic
from typing import Any

import pytest

from app.simulator.faults.faults import Effect, Fault
from app.simulator.http.server import Simulator
from tests.support.world import PATIENCE, World, opened_world


async def until_hit(fault: Fault) -> None:
    """Wait until the fault has hit a request."""
    async with asyncio.timeout(PATIENCE):
        while not fault.hits:
            await asyncio.sleep(0.02)


async def interrupted(world: World) -> dict[str, Any]:
    """Wait until the newest run is interrupted, and return it."""
    run = await world.stopped((await world.runs())[-1]["id"])
    assert run["status"] == "interrupted"
    return run


async def pulled_as_without_faults(world: World) -> None:
    """Check that the seven contacts of the golden table are in Levitate."""
    assert len(await world.contacts(state="in_scope")) == 7


@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
async def test_a_failed_request_is_repeated_immediately(world: World, status: str):
    # IS-3, F6
    await world.create_account()
    world.simulator.faults.add(Fault("status", path="matters", value=status))
    await world.connect("u_ann", 501)
    assert [run["status"] for run in await world.settled()] == ["succeeded"]
    await pulled_as_without_faults(world)


@pytest.mark.parametrize("effect", ["cut", "html"])
async def test_a_broken_page_is_discarded_and_requested_again(world: World, effect):
    # F7
    await world.create_account()
    world.simulator.faults.add(Fault(effect, path="contacts"))
    await world.connect("u_ann", 501)
    assert [run["status"] for run in await world.settled()] == ["succeeded"]
    await pulled_as_without_faults(world)


async def test_a_run_waits_after_a_429_and_does_not_fail(world: World):
    # S10
    await world.create_account()
    world.simulator.faults.add(Fault("rate_limited", path="contacts", value="1"))
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    assert (run["status"], run["clio"]["rate_limited"]) == ("succeeded", 1)
    assert run["clio"]["waited_seconds"] >= 1


async def test_a_list_that_the_user_may_not_read_is_reported_and_the_other_lists_are_read(
    world: World,
):
    # F19
    await world.create_account()
    world.simulator.faults.add(Fault("forbidden", path="custom_fields", times=99))
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["clio_forbidden"]
    await pulled_as_without_faults(world)


# Not Clio's answers: pages of proxies and firewalls, an empty body, a rate limit in base64, and a 404 for a list
OUTAGES: list[tuple[Effect, str]] = [
    ("html", ""),
    ("body", ""),
    ("body", '{"data": "eyJlcnJvciI6IHsidHlwZSI6ICJSYXRlTGltaXRlZCJ9fQ=="}'),
    ("status", "401"),
    ("status", "403"),
    ("status", "404"),
    ("status", "410"),
    ("refused", "404"),
]


@pytest.mark.parametrize(("effect", "value"), OUTAGES)
async def test_an_answer_that_is_not_clios_interrupts_the_run_which_resumes_by_itself(
    pulled: World, effect: Effect, value: str
):
    # rows 35, 53: nobody must connect again, no list counts as forbidden, and no operator must act
    before = await pulled.contacts()
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge"})
    asked = len(pulled.simulator.requests("/oauth/token"))
    pulled.simulator.faults.add(Fault(effect, path="contacts", value=value, times=99))
    run = await pulled.attempted()
    assert run["status"] == "interrupted"
    assert {problem["code"] for problem in run["problems"]} <= {
        "clio_unreadable",
        "clio_unavailable",
    }
    assert [issue async for issue in pulled.all("issues", status="open")] == []
    assert {one["status"] async for one in pulled.all("connections")} == {"connected"}
    assert len(pulled.simulator.requests("/oauth/token")) == asked
    assert await pulled.contacts() == before
    pulled.simulator.faults.clear()
    await pulled.resume()
    assert (await pulled.settled())[-1]["status"] == "succeeded"
    assert (await pulled.contacts())["1001"]["title"] == "Judge"


@pytest.mark.parametrize(("effect", "value"), [("html", ""), ("status", "403"), ("status", "404")])
async def test_an_answer_that_is_not_clios_proves_no_deletion_and_no_existence(
    pulled: World, effect: Effect, value: str
):
    # S1, row 32: the full list lacks Bram, and his own address answers with a page
    pulled.simulator.firms[0].delete("contact", 1002)
    pulled.simulator.faults.add(Fault(effect, path="contacts/1002", value=value, times=99))
    assert (await pulled.attempted("full"))["status"] == "interrupted"
    assert (await pulled.contacts())["1002"]["state"] == "in_scope"
    pulled.simulator.faults.clear()
    await pulled.resume()
    assert (await pulled.settled())[-1]["status"] == "succeeded"
    assert (await pulled.contacts())["1002"]["state"] == "deleted"


@pytest.mark.parametrize(("effect", "value"), [("html", ""), ("status", "400"), ("status", "401")])
async def test_a_page_at_the_token_endpoint_asks_nobody_to_connect_again(
    pulled: World, effect: Effect, value: str
):
    # S9
    pulled.simulator.oauth["us"].expire_access_tokens()
    pulled.simulator.faults.add(Fault(effect, path="oauth/token", value=value, times=99))
    assert (await pulled.attempted())["status"] == "interrupted"
    assert {one["status"] async for one in pulled.all("connections")} == {"connected"}
    pulled.simulator.faults.clear()
    await pulled.resume()
    assert (await pulled.settled())[-1]["status"] == "succeeded"


async def test_an_unreadable_record_is_counted_and_the_other_records_are_stored(world: World):
    # row 34
    await world.create_account()
    world.simulator.faults.add(Fault("poison", path="matters"))
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    assert (run["status"], run["counts"]["quarantined"]) == ("succeeded", 1)


async def test_a_field_that_clio_no_longer_knows_is_dropped_and_reported(world: World):
    await world.create_account()
    world.simulator.faults.add(Fault("unknown_field", path="contacts", value="title", times=99))
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["clio_field_unknown"]
    assert (await world.contacts())["1001"]["title"] is None


async def test_a_next_page_on_another_host_is_not_requested_and_interrupts_the_run(world: World):
    # T1, row 53
    await world.create_account()
    world.simulator.faults.add(
        Fault(
            "next",
            path="contacts",
            value="https://evil.test/api/v4/contacts.json?page_token=x",
            times=99,
        )
    )
    await world.connect("u_ann", 501)
    run = await interrupted(world)
    assert [problem["code"] for problem in run["problems"]] == ["clio_unreadable"]


async def test_an_expired_access_token_is_renewed_once_and_the_run_continues(pulled: World):
    # S9
    pulled.simulator.oauth["us"].expire_access_tokens()
    before = len(pulled.simulator.requests("/oauth/token"))
    assert (await pulled.run("full"))["status"] == "succeeded"
    assert len(pulled.simulator.requests("/oauth/token")) == before + 1


async def test_a_revoked_login_must_be_connected_again_and_nothing_is_removed(pulled: World):
    # S9
    before = await pulled.contacts()
    pulled.simulator.oauth["us"].revoke_user(501)
    run = await pulled.run()
    assert run["status"] == "failed"
    assert [problem["code"] for problem in run["problems"]] == ["needs_reconnect"]
    status = (await pulled.api.get("/v1/accounts/hp/status")).json()
    assert (status["health"], status["connections"]["needs_reconnect"]) == ("needs_attention", 1)
    issues = [issue["code"] async for issue in pulled.all("issues", status="open")]
    assert "needs_reconnect" in issues
    assert "run_failed" not in issues
    assert await pulled.contacts() == before


async def test_one_revoked_login_does_not_stop_the_others(pulled: World):
    # S9
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    pulled.simulator.oauth["us"].revoke_user(501)
    run = await pulled.run()
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["needs_reconnect"]
    assert (await pulled.api.get("/v1/accounts/hp/status")).json()["health"] == "degraded"


async def test_a_broken_matter_listing_removes_nothing(pulled: World):
    # S2, row 53: contacts that were updated stay updated, and nobody loses Active Client
    before = await pulled.contacts()
    pulled.simulator.firms[0].put("matter", {"id": 201, "status": "closed"})
    pulled.simulator.faults.add(Fault("status", path="relationships", value="404", times=99))
    assert (await pulled.attempted())["status"] == "interrupted"
    assert await pulled.contacts() == before
    pulled.simulator.faults.clear()
    await pulled.resume()
    await pulled.settled()
    assert "Past Client" in [tag["label"] for tag in (await pulled.contacts())["1001"]["tags"]]


async def test_another_view_of_the_firm_fills_gaps_and_removes_nothing(pulled: World):
    # S3: Ben sees Hugo's matter; no second new-client row
    await pulled.connect("u_ben", 502)
    run = (await pulled.settled())[-1]
    hugo = (await pulled.contacts())["1008"]
    assert {"Active Client", "Employment"} <= {tag["label"] for tag in hugo["tags"]}
    assert hugo["owner"]["user_id"] == "u_ben"
    assert run["counts"]["new_clients"] == 0


async def test_an_outage_interrupts_the_run_which_continues_by_itself(world: World):
    # F6, rows 33, 35
    await world.create_account()
    world.simulator.faults.add(Fault("rate_limited", path="matters", value="80"))
    await world.connect("u_ann", 501)
    run = await interrupted(world)
    assert run["finished_at"] is None
    assert [problem["code"] for problem in run["problems"]] == ["clio_rate_limited"]


@pytest.mark.parametrize(
    ("kind", "of_contact"),
    [("incremental", False), ("full", False), ("incremental", True)],
    ids=["what changed", "everything", "a contact, for a person"],
)
async def test_a_run_with_a_long_wait_frees_its_worker_and_continues_by_itself(
    pulled: World, kind: str, *, of_contact: bool
):
    # S10: in every lane
    asked = {"kind": kind}
    if of_contact:
        asked["contact_id"] = (await pulled.contacts())["1001"]["id"]
    pulled.simulator.faults.add(Fault("rate_limited", path="contacts", value="80"))
    await pulled.api.post("/v1/accounts/hp/runs", json=asked, headers={"Idempotency-Key": "long"})
    run = await interrupted(pulled)
    assert run["finished_at"] is None
    assert [problem["code"] for problem in run["problems"]] == ["clio_rate_limited"]


async def test_a_process_that_stops_hands_over_a_run_that_waits_for_clio(
    dsn: str, simulator: Simulator
):
    # F27, S10: SIGTERM during a long wait; the next process continues the run
    fault = simulator.faults.add(Fault("rate_limited", path="contacts", value="10"))
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        await until_hit(fault)
        hit = monotonic()
    assert monotonic() - hit < 10
    async with opened_world(dsn, simulator, clock=False) as world, world:
        (run,) = await world.settled()
        assert run["status"] == "succeeded"
        await pulled_as_without_faults(world)


async def test_items_of_a_small_list_that_were_read_before_an_interruption_are_not_marked_as_gone(
    dsn: str, simulator: Simulator
):
    # EN-3, IS-3: the process that reads the end of the list sees only its second page
    firm, path = simulator.firms[0], "/api/v4/custom_fields.json"
    for field_id in range(1001, 1301):
        field = {**(firm.find("custom_field", 1) or {}), "id": field_id, "name": f"F{field_id}"}
        firm.put("custom_field", field)
    waiting = simulator.faults.add(Fault("rate_limited", path=path, value="10", skip=1))
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        await until_hit(waiting)
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.resume_before_clio_said()
        (run,) = await world.settled()
        assert run["status"] == "succeeded"
        fields = (await world.api.get("/v1/accounts/hp/catalog")).json()["custom_fields"]
    assert len(fields) > 300
    assert not any(field["deleted"] for field in fields)


async def test_a_list_is_read_again_from_the_start_when_clio_does_not_know_its_cursor(
    dsn: str, simulator: Simulator
):
    # F1, S1: a contact of the first page is deleted before the list is read again
    firm, path = simulator.firms[0], "/api/v4/contacts.json"
    for clio_id in range(20_001, 20_301):
        firm.put("contact", {"id": clio_id, "type": "Person", "name": f"Person {clio_id}"})
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        await world.settled()
        waiting = simulator.faults.add(Fault("rate_limited", path=path, value="10", skip=1))
        await world.api.post(
            "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"}
        )
        await until_hit(waiting)
    firm.delete("contact", 1002)
    lost = simulator.faults.add(Fault("lost_cursor", path=path))
    before = len(simulator.requests(path))
    async with opened_world(dsn, simulator, clock=False) as world, world:
        run = (await world.settled())[-1]
        known = await world.contacts()
    assert (run["kind"], run["status"], lost.hits) == ("full", "succeeded", 1)
    asked = [one.query for one in simulator.requests(path)[before:] if "ids" not in one.query]
    assert ["page_token" in query for query in asked] == [True, False, True]
    assert (known["1001"]["state"], known["1002"]["state"]) == ("in_scope", "deleted")
