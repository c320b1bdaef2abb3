"""New clients and what several users see: acceptance examples of sections 4, 10 and 11, through HTTP."""

import asyncio
from typing import Any

from tests.support.harlow_pike import clio, contact, known, labels, new_clients, owner, person, tags
from tests.support.world import World

SEVEN = {"1001", "1002", "1003", "1004", "1007", "1008", "1010"}


async def connections(world: World) -> dict[str, dict[str, Any]]:
    found = (await world.api.get("/v1/accounts/hp/connections")).json()["data"]
    return {connection["user_id"]: connection for connection in found}


async def issues(world: World) -> list[dict[str, Any]]:
    return [issue async for issue in world.all("issues", status="open")]


async def test_the_first_sync_announces_every_client_with_the_date_since_when_it_is_a_client(
    pulled: World,
):
    # NC-2, C-12, row 19: past clients are announced too; origin and dates distinguish them
    rows = await new_clients(pulled)
    assert {row["status"] for row in rows.values()} == {"emitted"}
    assert {row["origin"] for row in rows.values()} == {"initial_sync"}
    found = {
        clio_id: (row["basis"], row["client_since"], row["has_open_matter"])
        for clio_id, row in rows.items()
    }
    assert found == {
        "1001": ("flag", "2026-01-15", True),
        "1002": ("flag", "2025-06-01", False),
        "1003": ("flag", "2024-11-02", False),
        "1004": ("flag", "2026-02-25", False),
        "1007": ("company", "2026-02-28", True),
        "1008": ("flag", None, False),
        "1010": ("flag", "2023-05-05", True),
    }


async def test_three_users_who_connect_at_the_same_time_cause_one_row_and_one_event_for_each_client(
    world: World,
):
    # NC-1, IS-1, AU-1
    await world.create_account()
    users = (("u_ann", 501), ("u_ben", 502), ("u_cat", 503))
    async with asyncio.TaskGroup() as group:
        for user_id, clio_user in users:
            group.create_task(world.connect(user_id, clio_user))
    runs = await world.settled()
    kinds = sorted(run["kind"] for run in runs)  # a login may change who is who [OW-9]
    assert [kind for kind in kinds if kind != "rederive"] == ["coverage", "coverage", "initial"]
    assert {run["status"] for run in runs} == {"succeeded"}
    async with asyncio.TaskGroup() as group:
        for nth, kind in enumerate(("incremental", "full")):
            body, key = {"kind": kind}, {"Idempotency-Key": f"race-{nth}"}
            asked = world.api.post("/v1/accounts/hp/runs", json=body, headers=key)
            group.create_task(asked)
    await world.settled()
    rows = [row async for row in world.all("new-clients")]
    assert sorted(row["clio_id"] for row in rows) == sorted(SEVEN)
    assert {len(row["event_ids"]) for row in rows} == {1}
    assert len({event_id for row in rows for event_id in row["event_ids"]}) == 7


async def test_a_prospect_is_announced_when_a_matter_opens_if_the_settings_require_an_open_matter(
    world: World,
):
    # NC-3, row 20: M206 opens; the other waiting clients are announced when the setting is switched off
    await world.create_account()
    await world.choose({"new_client": {"require_open_matter": True}})
    await world.connect("u_ann", 501)
    await world.settled()
    assert set(await new_clients(world)) == {"1001", "1007", "1010"}
    assert "Client" in await tags(world, "1004")
    clio(world).put("matter", {"id": 206, "status": "open"})
    await world.run()
    rows = await new_clients(world)
    assert set(rows) == {"1001", "1004", "1007", "1010"}
    assert (rows["1004"]["origin"], rows["1004"]["has_open_matter"]) == ("incremental", True)
    await world.choose({"new_client": {"require_open_matter": False}})
    late = {clio_id: row for clio_id, row in (await new_clients(world)).items()
            if clio_id not in rows}  # fmt: skip
    assert {clio_id: row["origin"] for clio_id, row in late.items()} == dict.fromkeys(
        ("1002", "1003", "1008"), "settings"
    )


async def test_many_clients_that_only_a_new_login_sees_are_held_and_reported_in_one_issue(
    pulled: World,
):
    # NC-7, S3, NC-2: only Ben sees their matters, and they have no client flag
    await pulled.choose({"new_client": {"surge_threshold": 3}})
    for contact_id in range(3001, 3006):
        clio(pulled).put("contact", person(contact_id, is_client=False, last_name=f"P{contact_id}"))
        matter = {**known(pulled, "matter", 208), "id": contact_id, "client_id": contact_id}
        clio(pulled).put("matter", matter)
        clio(pulled).restrict_matter(contact_id, {502})
    await pulled.run()
    assert set(await new_clients(pulled)) == SEVEN
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    held = await new_clients(pulled, status="held")
    assert sorted(held) == ["3001", "3002", "3003", "3004", "3005"]
    assert {(row["origin"], row["basis"]) for row in held.values()} == {("visibility", "matter")}
    assert [issue["code"] for issue in await issues(pulled)] == ["new_client_surge"]
    assert await owner(pulled, "3001") == ("u_ben", "responsible_attorney", "3001")


async def test_a_redacted_view_removes_nothing_that_a_fuller_view_shows(pulled: World):
    # S3: u_cat sees 1001 without e-mails → both e-mails stay; u_ben sees Hugo's matter → no second event
    before = await contact(pulled, "1001")
    assert len(before["emails"]) == 2
    clio(pulled).emails_hidden.add(503)
    await pulled.connect("u_cat", 503)
    await pulled.settled()
    await pulled.run("full")
    assert await contact(pulled, "1001") == before
    clio(pulled).put("contact", {"id": 1001, "title": "Judge"})
    await pulled.run()
    after = await contact(pulled, "1001")
    assert (after["title"], after["emails"]) == ("Judge", before["emails"])
    rows = await new_clients(pulled)
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    assert {"Active Client", "Employment"} <= await tags(pulled, "1008")
    assert await owner(pulled, "1008") == ("u_ben", "responsible_attorney", "208")
    assert await new_clients(pulled) == rows


async def test_a_second_user_is_a_second_connection_to_the_same_firm_and_keeps_the_account_running(
    pulled: World,
):
    # AU-1, S9: two users with one Clio login get an issue;
    # u_ann revokes in Clio → the account continues with the other login, is degraded, and reports the lost view
    await pulled.connect("u_cat", 503)
    await pulled.settled()
    found = await connections(pulled)
    assert {user: (c["status"], c["problem"]) for user, c in found.items()} == {
        "u_ann": ("connected", None),
        "u_cat": ("connected", None),
    }
    account = (await pulled.api.get("/v1/accounts/hp")).json()
    assert account["clio"] == {"region": "us", "account_id": "77", "name": "Harlow & Pike LLP"}
    await pulled.connect("u_off", 503)
    await pulled.settled()
    problems = {user: c["problem"] for user, c in (await connections(pulled)).items()}
    assert (problems["u_ann"], problems["u_cat"]) == (None, None)
    assert problems["u_off"]["code"] == "same_clio_user"
    path = f"/v1/accounts/hp/connections/{found['u_cat']['id']}"
    assert (await pulled.api.delete(path)).status_code == 204
    assert (await connections(pulled))["u_off"]["problem"] is None, (
        "no other user has this login now"
    )
    before = await pulled.contacts()
    pulled.simulator.oauth["us"].revoke_user(501)
    run = await pulled.run()
    assert run["status"] == "succeeded"
    status = (await pulled.api.get("/v1/accounts/hp/status")).json()
    assert status["health"] == "degraded"
    assert status["connections"] == {"connected": 1, "needs_reconnect": 1}
    assert {issue["code"] for issue in await issues(pulled)} == {"needs_reconnect", "coverage_lost"}
    assert await pulled.contacts() == before


async def test_no_decision_of_a_person_in_levitate_changes_a_record_in_clio(pulled: World):
    # FQ-1: contacts, matters and other records are only read; only logins, notes, messages and webhooks are written
    clio_before = {
        kind: {i: dict(known(pulled, kind, i)) for i in clio(pulled).ids(kind)}
        for kind in ("contact", "matter", "relationship", "custom_field", "user")
    }
    everything = {
        "scope": {"include_non_clients": True, "primary_email_only": True},
        "ownership": {"source": "originating_attorney"},
        "tags": {"matter_number": {"enabled": True}, "custom_fields": [{"field_id": "4"}]},
    }
    await pulled.choose(everything)
    await pulled.run("full")
    assert labels(await contact(pulled, "1006"))
    written = {entry.method for entry in pulled.simulator.requests("/api/v4/")}
    assert written == {"GET"}
    assert clio_before == {
        kind: {i: known(pulled, kind, i) for i in clio(pulled).ids(kind)} for kind in clio_before
    }
