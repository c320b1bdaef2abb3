"""Tests of the control of runs: one contact, cancel, report, quarantine, issues, the weekly full run."""

import asyncio
import csv
import io
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from app import main
from app.simulator.faults.faults import Fault
from app.sync import scheduler, slot_times
from tests.e2e.pull.test_unreadable_values import editing
from tests.support.world import PATIENCE, World


def firm(world: World) -> Any:
    return world.simulator.firms[0]


async def ask(world: World, key: str, **body: Any) -> Any:
    return await world.api.post(
        "/v1/accounts/hp/runs",
        json={"kind": "incremental", **body},
        headers={"Idempotency-Key": key},
    )


async def open_issues(world: World) -> list[dict[str, Any]]:
    return [issue async for issue in world.all("issues", status="open")]


async def status(world: World) -> dict[str, Any]:
    found: dict[str, Any] = (await world.api.get("/v1/accounts/hp/status")).json()
    return found


async def test_one_contact_can_be_synced_by_itself(pulled: World):
    # S14
    alice = (await pulled.contacts())["1001"]
    firm(pulled).put("contact", {"id": 1001, "title": "Judge"})
    firm(pulled).put("contact", {"id": 1002, "title": "Clerk"})
    firm(pulled).put("matter", {"id": 201, "status": "closed"})
    pulled.simulator.log.clear()
    asked = await ask(pulled, "a", contact_id=alice["id"])
    assert (asked.status_code, asked.json()["kind"]) == (202, "contact")
    run = (await pulled.settled())[-1]
    assert run["status"] == "succeeded"
    after = await pulled.contacts()
    assert (after["1001"]["title"], after["1002"]["title"]) == ("Judge", None)
    assert "Past Client" in [tag["label"] for tag in after["1001"]["tags"]]
    assert len(pulled.simulator.requests()) == 4
    unknown = await ask(pulled, "b", contact_id="con_unknown")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "contact_not_found")


async def test_a_run_for_a_deleted_contact_removes_it_immediately(pulled: World):
    # S1: a 404 for an unrestricted login that saw it before is the proof
    bram = (await pulled.contacts())["1002"]
    firm(pulled).delete("contact", 1002)
    await ask(pulled, "a", contact_id=bram["id"])
    await pulled.settled()
    assert (await pulled.contacts())["1002"]["state"] == "deleted"


async def test_a_run_in_progress_is_cancelled_and_a_later_one_reads_everything(pulled: World):
    # S14
    firm(pulled).put("contact", {"id": 1001, "title": "Judge"})
    async with pulled.clio_transport.paused():
        asked = await ask(pulled, "a", kind="full")
        path = f"/v1/accounts/hp/runs/{asked.json()['id']}"
        async with asyncio.timeout(PATIENCE):
            while (await pulled.api.get(path)).json()["status"] != "running":
                await asyncio.sleep(0.02)
        cancelled = await pulled.api.post(f"{path}/cancel")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert (await pulled.api.post(f"{path}/cancel")).status_code == 200
    run = await pulled.run()
    assert run["status"] == "succeeded"
    assert (await pulled.contacts())["1001"]["title"] == "Judge"
    ended = await pulled.api.post(f"/v1/accounts/hp/runs/{run['id']}/cancel")
    assert (ended.status_code, ended.json()["code"]) == (409, "run_already_ended")


@pytest.mark.parametrize("only", [True, False], ids=["one contact", "all lists"])
async def test_a_run_without_a_working_login_says_that_a_user_must_connect(
    pulled: World, only: bool
):
    # S9, AU-4
    contact_id = (await pulled.contacts())["1001"]["id"]
    connection = await anext(pulled.all("connections"))
    await pulled.api.delete(f"/v1/accounts/hp/connections/{connection['id']}")
    body = {"kind": "incremental", **({"contact_id": contact_id} if only else {})}
    await pulled.api.post("/v1/accounts/hp/runs", json=body, headers={"Idempotency-Key": "a"})
    run = (await pulled.settled())[-1]
    assert run["status"] == "failed"
    assert [problem["code"] for problem in run["problems"]] == ["needs_reconnect"]


async def test_the_first_run_of_a_firm_is_its_initial_run_whoever_requests_it(world: World):
    # IS-1, NC-2: the settings decide about the clients that a firm already has
    await world.create_account()
    nobody = await world.run("full")
    assert (nobody["kind"], nobody["status"]) == ("initial", "failed")
    assert [problem["code"] for problem in nobody["problems"]] == ["needs_reconnect"]
    await world.choose({"new_client": {"initial_sync": "suppress"}})
    world.simulator.latency = 0.3
    await world.connect("u_ann", 501)
    first = (await world.runs())[-1]
    assert (first["kind"], first["trigger"]) == ("initial", "connect")
    cancelled = await world.api.post(f"/v1/accounts/hp/runs/{first['id']}/cancel")
    assert cancelled.status_code == 200, cancelled.text
    world.simulator.latency = 0
    by_hand = await world.run("full")
    assert (by_hand["kind"], by_hand["trigger"], by_hand["status"]) == (
        "initial", "manual", "succeeded",
    )  # fmt: skip
    rows = [row async for row in world.all("new-clients")]
    assert {(row["origin"], row["status"]) for row in rows} == {("initial_sync", "suppressed")}
    assert (await world.run("full"))["kind"] == "full"


async def test_a_report_names_each_contact_touched_and_its_outcome(pulled: World):
    # S16
    firm(pulled).put("contact", {"id": 1001, "title": None})
    firm(pulled).put("practice_area", {"id": 11, "name": "=HYPERLINK(1)"})
    pulled.simulator.faults.add(Fault("poison", path=r"relationships\.json"))
    firm(pulled).delete("contact", 1002)
    run = await pulled.run("full")
    path = f"/v1/accounts/hp/runs/{run['id']}/report"
    report = (await pulled.api.get(path)).json()
    assert report["run"]["id"] == run["id"]
    rows = {(row["outcome"], row["kind"], row["clio_id"]): row for row in report["outcomes"]}
    assert set(rows) == {
        ("updated", "contact", "1001"),
        ("deleted", "contact", "1002"),
        ("quarantined", "relationship", None),
    }
    alice = rows["updated", "contact", "1001"]
    assert (alice["changed_fields"], alice["tags_added"]) == (["title"], ["=HYPERLINK(1)"])
    assert rows["deleted", "contact", "1002"]["detail"] == "removed_in_clio"
    answer = await pulled.api.get(path, params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    counts = [row["detail"] for row in table if row["outcome"] == "count"]
    assert counts == [f"{name}: {count}" for name, count in report["noted"].items()]
    assert len(table) - len(counts) == len(report["outcomes"])
    cells = [cell for row in table for cell in row.values()]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert "'=HYPERLINK(1)" in cells
    missing = await pulled.api.get("/v1/accounts/hp/runs/run_unknown/report")
    assert (missing.status_code, missing.json()["code"]) == (404, "run_not_found")


async def test_a_record_in_quarantine_is_reported_tried_again_and_stored_once_it_is_readable(
    pulled: World,
):
    # rows 34 and 49, F16: nothing says whether it is a person
    def spoil(record: dict[str, Any]) -> None:
        record["type"] = 7

    pulled.clio_transport.edit = editing("contacts", 1001, spoil)
    firm(pulled).put("contact", {"id": 1001, "title": "Judge"})
    run = await pulled.run()
    assert (run["status"], run["counts"]["quarantined"]) == ("succeeded", 1)
    (issue,) = await open_issues(pulled)
    assert (issue["code"], issue["subject"]) == (
        "record_quarantined", {"kind": "contact", "id": "1001"},
    )  # fmt: skip
    assert "Judge" not in issue["detail"]
    with time_machine.travel(main.now() + timedelta(hours=1), tick=True):
        again = await pulled.run()
        assert (again["status"], again["counts"]["quarantined"]) == ("succeeded", 1)
        assert (await pulled.contacts())["1001"]["title"] == "Teacher"
        pulled.clio_transport.edit = None
        await pulled.run()
    assert await open_issues(pulled) == []
    assert (await pulled.contacts())["1001"]["title"] == "Judge"


async def test_issues_open_with_their_cause_and_are_resolved_when_it_ends(pulled: World):
    # S16, F19
    assert await open_issues(pulled) == []
    pulled.simulator.faults.add(Fault("forbidden", path="custom_fields", times=99))
    pulled.simulator.faults.add(Fault("unknown_field", path="contacts", value="title", times=99))
    await pulled.run()
    codes = sorted(issue["code"] for issue in await open_issues(pulled))
    assert codes == ["clio_field_unknown", "clio_forbidden"]
    found = await status(pulled)
    assert (found["open_issues"], found["health"]) == (2, "degraded")
    pulled.simulator.faults.clear()
    await pulled.run()
    assert await open_issues(pulled) == []
    assert len([issue async for issue in pulled.all("issues")]) == 2
    assert (await status(pulled))["health"] == "ok"


async def test_an_api_version_that_clio_refuses_opens_an_issue_and_disconnects_nobody(
    pulled: World,
):
    # OV-2, S9
    pulled.simulator.faults.add(Fault("refused", path="/api/", value="410", times=99))
    run = await pulled.run()
    assert run["status"] == "failed"
    (issue,) = await open_issues(pulled)
    assert (issue["code"], issue["severity"]) == ("clio_api_version_gone", "error")
    found = await status(pulled)
    assert (found["health"], found["connections"]["connected"]) == ("needs_attention", 1)
    pulled.simulator.faults.clear()
    await pulled.run()
    assert await open_issues(pulled) == []


async def test_a_missing_primary_user_is_reported_until_there_is_one(pulled: World):
    # OW-7, row 5
    users = (await pulled.api.get("/v1/accounts/hp/users")).json()["users"]
    gone = [{**user, "active": user["id"] != "u_off"} for user in users]
    await pulled.api.put("/v1/accounts/hp/users", json={"users": gone})
    await pulled.settled()
    assert [issue["code"] for issue in await open_issues(pulled)] == ["primary_user_missing"]
    await pulled.api.put("/v1/accounts/hp/users", json={"users": users})
    await pulled.settled()
    assert await open_issues(pulled) == []


async def test_an_issue_that_a_person_resolves_opens_again_while_its_cause_lasts(
    pulled: World,
):
    pulled.simulator.faults.add(Fault("forbidden", path="custom_fields", times=99))
    await pulled.run()
    (issue,) = await open_issues(pulled)
    answer = await pulled.api.post(f"/v1/accounts/hp/issues/{issue['id']}/resolve")
    assert answer.json()["resolved_at"] is not None
    assert await open_issues(pulled) == []
    await pulled.run()
    (again,) = await open_issues(pulled)
    assert again["id"] != issue["id"]
    unknown = await pulled.api.post("/v1/accounts/hp/issues/iss_unknown/resolve")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "issue_not_found")


async def test_once_a_week_the_scheduled_run_is_a_full_run(pulled: World):
    # OV-4, S1
    services, kinds = pulled.app.state.services, []
    zone = ZoneInfo("America/New_York")
    slot = slot_times.next_due(main.now(), zone, services.timing, "hp").astimezone(zone)
    for day in range(9):  # in the firm's time zone, which may be changed in between
        due = (slot + timedelta(days=day)).astimezone(UTC)
        with time_machine.travel(due + timedelta(minutes=5), tick=True):
            assert await scheduler.propose_slots(services) == 1
            kinds.append((await pulled.settled())[-1]["kind"])
    assert kinds.count("full") == 1
    assert kinds.index("full") in (6, 7)
    assert set(kinds) == {"full", "incremental"}


@pytest.mark.parametrize(("verdict", "status"), [("release", "emitted"), ("discard", "suppressed")])
async def test_a_surge_of_new_clients_waits_in_a_hold_for_a_person(
    pulled: World, verdict: str, status: str
):
    # NC-7
    for contact_id in range(3000, 3055):
        name = {"type": "Person", "name": f"P {contact_id}", "last_name": f"P{contact_id}"}
        firm(pulled).put("contact", {"id": contact_id, "is_client": True, **name})
    await pulled.run()
    (hold,) = [hold async for hold in pulled.all("holds", status="open")]
    assert (hold["kind"], hold["count"]) == ("new_clients", 55)
    (issue,) = await open_issues(pulled)
    assert issue["code"] == "new_client_surge"
    assert len([row async for row in pulled.all("new-clients", status="held")]) == 55
    answer = await pulled.api.post(f"/v1/accounts/hp/holds/{hold['id']}/{verdict}")
    assert answer.status_code == 200, answer.text
    rows = [row async for row in pulled.all("new-clients", status=status)]
    assert len([row for row in rows if int(row["clio_id"]) >= 3000]) == 55
    assert await open_issues(pulled) == []
