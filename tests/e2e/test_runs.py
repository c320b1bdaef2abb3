"""Tests of the requests, the changes and the feed lines of a run, through the whole service."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app import main
from app.db.runs import turns
from app.lanes import Lane
from app.simulator.http.server import Simulator
from tests.support.sessions import as_owner
from tests.support.world import World, opened_world

MIRROR = (
    "mirror_contacts",
    "mirror_matters",
    "mirror_relationships",
    "sightings",
    "catalog_items",
    "contacts",
)
SMALL_LISTS = ("users", "custom_fields", "practice_areas", "matter_stages")


async def versions(world: World) -> dict[str, list[Any]]:
    """Return the position and the writing transaction of every row; they are equal only if nothing was written."""
    connection = await asyncpg.connect(world.dsn)
    try:
        return {
            table: [
                tuple(row)
                for row in await connection.fetch(f"select ctid, xmin from {table} order by ctid")
            ]
            for table in MIRROR
        }
    finally:
        await connection.close()


def rebuilt(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the contacts as a reader of the feed builds them."""
    return {line["clio_id"]: line["contact"] for line in changes}


def firm(world: World) -> Any:
    return world.simulator.firms[0]


async def test_a_second_run_without_changes_sends_the_fewest_requests_and_writes_nothing(
    pulled: World,
):
    # OV-4, row 25
    before, lines = await versions(pulled), await pulled.changes()
    pulled.simulator.log.clear()
    run = await pulled.run("incremental")
    asked = sorted(entry.path for entry in pulled.simulator.requests())
    lists = ("contacts", "matters", "relationships", *SMALL_LISTS, "users/who_am_i")
    assert asked == sorted(f"/api/v4/{name}.json" for name in lists)
    assert run["status"] == "succeeded"
    assert run["clio"]["requests"] == len(asked)
    assert run["counts"]["changed"] == 0
    assert await versions(pulled) == before
    assert await pulled.changes() == lines


async def test_the_first_requests_of_a_login_are_not_slowed_by_the_end_of_clios_window(
    pulled: World,
):
    # S10: another request began Clio's window 40 seconds ago, as the callback's does when the first run has to wait
    (window,) = pulled.simulator.limits._windows.values()
    window.ends = main.now() + timedelta(seconds=20)
    run = await pulled.run()
    assert run["status"] == "succeeded"
    assert run["clio"]["waited_seconds"] < 5, "the requests went one by one until that window ended"


async def test_the_feed_rebuilds_exactly_the_contact_list(pulled: World):
    # S13, DM-9
    clio = firm(pulled)
    clio.put("contact", {"id": 1001, "title": None})
    clio.put("contact", {"id": 1006, "is_client": True})
    clio.put("matter", {"id": 201, "status": "closed"})
    clio.put("contact", {"id": 1002, "is_client": False})
    clio.put("matter", {"id": 203, "client_id": 1003})
    await pulled.run()
    clio.put("contact", {"id": 1001, "last_name": "Moreno-Šimić", "name": "Alice Moreno-Šimić"})
    await pulled.run()
    changes, contacts = await pulled.changes(), await pulled.contacts()
    assert rebuilt(changes) == contacts
    assert [line["seq"] for line in changes] == list(range(1, len(changes) + 1))
    added = [line["clio_id"] for line in changes if line["kind"] == "contact.added"]
    assert sorted(added) == sorted(contacts)
    assert contacts["1002"]["state"] == "out_of_scope"
    assert contacts["1002"]["state_reason"] == "not_a_client"
    assert contacts["1002"]["tags"] == []
    assert contacts["1002"]["owner"] is None


async def test_a_field_that_is_cleared_in_clio_is_cleared_here_and_published(pulled: World):
    # DM-9
    firm(pulled).put("contact", {"id": 1001, "title": None})
    await pulled.run()
    line = (await pulled.changes())[-1]
    assert line["kind"] == "contact.updated"
    assert line["fields"] == {"title": {"from": "Teacher", "to": None}}
    assert line["contact"]["title"] is None
    assert line["contact"]["version"] == 2


async def test_closing_the_last_matter_changes_active_to_past_and_keeps_client(pulled: World):
    # TG-6, TG-8, NC-4
    firm(pulled).put("matter", {"id": 201, "status": "closed", "close_date": "2026-03-02"})
    await pulled.run()
    line = (await pulled.changes())[-1]
    assert (line["tags_added"], line["tags_removed"]) == (
        ["Past Client"],
        ["Active Client", "Family Law"],
    )
    assert "Client" in [tag["label"] for tag in line["contact"]["tags"]]


async def test_a_new_matter_of_an_old_client_causes_no_second_announcement(pulled: World):
    # NC-4
    matter = {"id": 212, "client_id": 1002, "status": "open", "display_number": "00212-Okafor"}
    firm(pulled).put("matter", matter)
    before = [row async for row in pulled.all("new-clients")]
    run = await pulled.run()
    assert [row async for row in pulled.all("new-clients")] == before
    assert run["counts"]["new_clients"] == 0
    assert "Active Client" in [tag["label"] for tag in (await pulled.contacts())["1002"]["tags"]]


async def test_a_client_who_leaves_and_returns_keeps_the_id_and_the_new_client_row(pulled: World):
    # CS-8, NC-4, TG-8
    before = (await pulled.contacts())["1002"]
    clio = firm(pulled)
    clio.put("contact", {"id": 1002, "is_client": False})
    clio.put("matter", {"id": 203, "client_id": 1003})
    await pulled.run()
    clio.put("contact", {"id": 1002, "is_client": True})
    run = await pulled.run()
    after = (await pulled.contacts())["1002"]
    assert (after["id"], after["state"]) == (before["id"], "in_scope")
    assert run["counts"]["new_clients"] == 0
    kinds = [line["kind"] for line in await pulled.changes() if line["clio_id"] == "1002"]
    assert kinds == ["contact.added", "contact.out_of_scope", "contact.updated"]


async def test_a_record_edited_just_before_the_last_run_is_in_the_next_run(pulled: World):
    # OV-4: the overlap of 15 minutes
    earlier = main.now() - timedelta(minutes=10)
    firm(pulled).put(
        "contact", {"id": 1003, "title": "Pilot", "updated_at": earlier.isoformat()}, at=earlier
    )
    await pulled.run()
    assert (await pulled.contacts())["1003"]["title"] == "Pilot"


async def test_a_renamed_company_reaches_its_people_although_they_did_not_change(pulled: World):
    # DM-9, row 26
    firm(pulled).put("contact", {"id": 2001, "name": "Northwind Bread Inc"})
    await pulled.run()
    assert (await pulled.contacts())["1007"]["company"]["name"] == "Northwind Bread Inc"


async def test_a_renamed_practice_area_reaches_the_tags_although_no_matter_changed(pulled: World):
    # row 25
    firm(pulled).put("practice_area", {"id": 11, "name": "Families"})
    await pulled.run()
    line = (await pulled.changes())[-1]
    assert (line["tags_added"], line["tags_removed"]) == (["Families"], ["Family Law"])


async def test_a_new_relationship_tags_a_client_and_does_not_change_the_owner(pulled: World):
    # TG-12, OW-10
    link = {"id": 303, "matter_id": 207, "contact_id": 1001, "description": "Witness"}
    firm(pulled).put("relationship", link)
    await pulled.run()
    line = (await pulled.changes())[-1]
    assert (line["clio_id"], line["tags_added"], line["owner"]) == (
        "1001",
        ["Related Contacts"],
        None,
    )


async def test_a_change_of_users_assesses_all_contacts_again_without_requests_to_clio(
    pulled: World,
):
    # OW-7, OW-9, TG-1
    pulled.simulator.log.clear()
    users = (await pulled.api.get("/v1/accounts/hp/users")).json()["users"]
    for user in users:
        user["active"] = user["id"] != "u_ben"
    await pulled.api.put("/v1/accounts/hp/users", json={"users": users})
    runs = await pulled.settled()
    assert (runs[-1]["kind"], runs[-1]["status"]) == ("rederive", "succeeded")
    assert pulled.simulator.requests() == []
    lines = {line["clio_id"]: line for line in await pulled.changes() if line["cause"] == "users"}
    assert lines["1007"]["owner"] == {
        "from": "u_ben",
        "to": "u_off",
        "rule": "fallback",
        "matter_clio_id": None,
    }
    assert lines["1010"]["owner"]["to"] == "u_off"
    assert "1001" not in lines


async def test_an_attorney_mapped_by_hand_decides_until_mapped_automatically_again(pulled: World):
    # OW-9
    path = "/v1/accounts/hp/attorneys/504"
    assert (await pulled.api.put(path, json={"user_id": "u_cat"})).json()["mapped_by"] == "manual"
    await pulled.settled()
    assert (await pulled.contacts())["1004"]["owner"]["user_id"] == "u_cat"
    assert (await pulled.api.delete(path)).status_code == 204
    await pulled.settled()
    assert (await pulled.contacts())["1004"]["owner"]["user_id"] == "u_ann"
    attorneys = (await pulled.api.get("/v1/accounts/hp/attorneys")).json()["data"]
    assert {a["clio_user_id"]: (a["user_id"], a["mapped_by"]) for a in attorneys} == {
        "501": ("u_ann", "connection"),
        "502": ("u_ben", "email"),
        "503": ("u_cat", "email"),
        "504": (None, None),
    }


async def test_a_request_that_a_queued_or_active_run_covers_returns_that_run(pulled: World):
    # S14
    async with pulled.clio_transport.paused():
        first = await pulled.api.post(
            "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"}
        )
        second = await pulled.api.post(
            "/v1/accounts/hp/runs", json={"kind": "incremental"}, headers={"Idempotency-Key": "b"}
        )
        again = await pulled.api.post(
            "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"}
        )
    assert first.json()["id"] == second.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/v1/accounts/hp/runs/{first.json()['id']}"
    other = await pulled.api.post(
        "/v1/accounts/hp/runs", json={"kind": "incremental"}, headers={"Idempotency-Key": "a"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    missing = await pulled.api.post("/v1/accounts/hp/runs", json={"kind": "full"})
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")


async def test_a_run_of_one_contact_needs_no_kind_and_its_repetition_gets_the_stored_answer(
    pulled: World,
):
    # S15: after the erasure of the contact it is 410
    contact_id = (await pulled.contacts())["1001"]["id"]
    asked: dict[str, Any] = {
        "json": {"contact_id": contact_id},
        "headers": {"Idempotency-Key": "one"},
    }
    first = await pulled.api.post("/v1/accounts/hp/runs", **asked)
    assert (first.status_code, first.json()["kind"]) == (202, "contact")
    await pulled.settled()
    again = await pulled.api.post("/v1/accounts/hp/runs", **asked)
    assert (again.status_code, again.content) == (202, first.content), "not the present state"
    assert again.headers["location"] == first.headers["location"]
    assert (await pulled.api.get(first.headers["location"])).content != first.content
    await pulled.api.delete(f"/v1/accounts/hp/contacts/{contact_id}")
    gone = await pulled.api.post("/v1/accounts/hp/runs", **asked)
    assert (gone.status_code, gone.json()["code"]) == (410, "erased")
    neither = await pulled.api.post(
        "/v1/accounts/hp/runs", json={}, headers={"Idempotency-Key": "two"}
    )
    assert neither.json()["errors"] == [
        {
            "pointer": "",
            "detail": "must say what to read; send kind, or contact_id to read only one contact",
        }
    ]


async def test_the_progress_of_a_run_can_be_followed_as_events_to_its_end(pulled: World):
    # IS-2
    pulled.simulator.latency = 0.05
    asked = await pulled.api.post(
        "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"}
    )
    path = f"/v1/accounts/hp/runs/{asked.json()['id']}/events"
    async with pulled.api.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in stream.aiter_lines()]
    assert lines.count("event: run") >= 1
    assert '"status":"succeeded"' in [line for line in lines if line.startswith("data:")][-1]


async def test_a_waiting_reader_gets_a_line_as_soon_as_there_is_one(pulled: World):
    # S13
    page = (await pulled.api.get("/v1/accounts/hp/changes?limit=1000")).json()
    empty = (await pulled.api.get(f"/v1/accounts/hp/changes?cursor={page['next_cursor']}")).json()
    assert empty == {"data": [], "next_cursor": page["next_cursor"], "has_more": False}
    firm(pulled).put("contact", {"id": 1001, "title": "Judge"})
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(
            pulled.api.get(f"/v1/accounts/hp/changes?cursor={page['next_cursor']}&wait=20")
        )
        group.create_task(pulled.run())
    assert [line["fields"]["title"]["to"] for line in waiting.result().json()["data"]] == ["Judge"]


async def test_a_contact_can_be_read_with_the_reasons_for_tags_and_owner(pulled: World):
    # S12: the chosen attorney, the matter of a tag, and the new-client row
    deniz = (await pulled.contacts())["1004"]
    why = (await pulled.api.get(f"/v1/accounts/hp/contacts/{deniz['id']}/explain")).json()
    assert why["owner"]["considered"][0]["matter_clio_id"] == "206"
    assert (
        "originating attorney Ann Harlow (501) is u_ann" in why["owner"]["considered"][0]["outcome"]
    )
    grants = {tag["label"]: tag["grants"] for tag in why["tags"]}
    assert grants["Pending Client"][0]["matter_clio_ids"] == ["206"]
    assert why["new_client"]["clio_id"] == "1004"
    assert len(why["seen_by"]) == 1


async def test_the_status_shows_the_state_of_the_account(pulled: World):
    # S16
    status = (await pulled.api.get("/v1/accounts/hp/status")).json()
    assert status["health"] == "ok"
    assert status["connections"] == {"connected": 1, "needs_reconnect": 0}
    assert status["contacts"] == {"in_scope": 7, "out_of_scope": 0, "deleted": 0}
    assert status["run"]["progress"] == {
        "phase": "done", "done": 31, "total": 31, "percent": 100, "eta_seconds": 0,
    } | {"done": status["run"]["progress"]["done"], "total": status["run"]["progress"]["total"]}  # fmt: skip
    assert status["next_run_at"] is not None
    assert status["open_issues"] == 0


async def test_a_disabled_account_starts_nothing_and_keeps_its_data(pulled: World):
    # EN-1; S14: a request whose answer was lost still gets that answer
    before = await pulled.api.post(
        "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "w"}
    )
    await pulled.settled()
    account = (await pulled.api.get("/v1/accounts/hp")).json()
    body = {name: account[name] for name in ("name", "time_zone", "country", "primary_user_id")}
    await pulled.api.put("/v1/accounts/hp", json={**body, "enabled": False})
    answer = await pulled.api.post(
        "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "x"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "integration_not_enabled")
    again = await pulled.api.post(
        "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "w"}
    )
    assert (again.status_code, again.json()["id"]) == (202, before.json()["id"])
    assert len(await pulled.contacts()) == 7
    assert (await pulled.api.get("/v1/accounts/hp/status")).json()["health"] == "disabled"


@pytest.mark.parametrize(("starts", "status"), [(9, "succeeded"), (10, "failed")])
async def test_a_run_that_ended_its_worker_ten_times_without_progress_fails(
    dsn: str, simulator: Simulator, starts: int, status: str
):
    # I8: otherwise it would crash one worker after another
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        (run,) = await world.runs()
        async with as_owner(world.app.state.services.database) as session:
            for _ in range(starts):
                lease = await turns.take_turn(
                    session, "hp", Lane.INITIAL, length=timedelta(0), now=main.now()
                )
                assert lease is not None
    async with opened_world(dsn, simulator, clock=False) as world, world:
        (run,) = await world.settled()
        codes = [problem["code"] for problem in run["problems"]]
    assert (run["status"], codes) == (
        status,
        [] if status == "succeeded" else ["run_keeps_crashing"],
    )
