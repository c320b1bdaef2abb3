"""A change of settings assesses the whole firm from the mirror; the feed shows the cause."""

import asyncio
from typing import Any

from tests.support.world import World

BY_ORIGIN = {"ownership": {"source": "originating_attorney"}}
ALL_AREAS = {"tags": {"practice_area": {"matter_status": ["open", "pending", "closed"]}}}


def labels(contact: dict[str, Any]) -> list[str]:
    return [tag["label"] for tag in contact["tags"]]


def asked(world: World) -> list[str]:
    return [entry.path for entry in world.simulator.requests()]


async def test_a_change_of_settings_reaches_the_contacts_without_a_call_to_clio(pulled: World):
    # TG-1, OV-5: closed matters' practice areas → 1002 gains Real Estate, 0 Clio calls
    before = len(await pulled.changes())
    pulled.simulator.log.clear()
    run = await pulled.choose(ALL_AREAS)
    assert asked(pulled) == []
    assert run is not None
    assert (run["kind"], run["trigger"], run["status"]) == ("rederive", "settings", "succeeded")
    assert (run["settings_version"], run["clio"]["requests"]) == (2, 0)
    assert "Real Estate" in labels((await pulled.contacts())["1002"])
    told = (await pulled.changes())[before:]
    assert {line["cause"] for line in told} == {"settings"}
    assert {line["run_id"] for line in told} == {run["id"]}
    bram = next(line for line in told if line["clio_id"] == "1002")
    assert (bram["tags_added"], bram["tags_removed"]) == (["Real Estate"], [])


async def test_a_location_tag_that_is_switched_on_tags_people_within_seconds(pulled: World):
    # TG-1: Location city on → 1001 gains Raleigh, 0 Clio calls
    pulled.simulator.log.clear()
    run = await pulled.choose({"tags": {"location": {"city": True}}})
    assert asked(pulled) == []
    assert run is not None
    line = (await pulled.changes())[-1]
    assert (line["clio_id"], line["tags_added"]) == ("1001", ["Raleigh"])
    assert (line["cause"], line["run_id"]) == ("settings", run["id"])


async def test_owners_follow_the_chosen_source_and_change_back_with_it(pulled: World):
    # OW-2, TG-1
    before = await pulled.contacts()
    await pulled.choose(BY_ORIGIN)
    by_origin = await pulled.contacts()
    assert by_origin["1001"]["owner"]["user_id"] == "u_ben"
    await pulled.choose({"ownership": None})
    after = await pulled.contacts()
    assert after["1001"]["owner"] == before["1001"]["owner"]
    assert after["1001"]["version"] == before["1001"]["version"] + 2


async def test_simultaneous_changes_of_users_and_mappings_wait_for_each_other(pulled: World):
    # OW-9: each change is stored, there is no deadlock, and one queued run covers all of them
    urls = [f"/v1/accounts/hp/attorneys/{clio_id}" for clio_id in (501, 502, 503, 504)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pulled.api.put(url, json={"user_id": "u_cat"})) for url in urls]
        tasks.append(group.create_task(pulled.patch_settings(ALL_AREAS)))
    assert [task.result().status_code for task in tasks] == [200] * 5
    assert all(run["status"] == "succeeded" for run in await pulled.settled())
    owners = {contact["owner"]["user_id"] for contact in (await pulled.contacts()).values()}
    # u_off is the fallback for contacts without an attorney
    assert owners == {"u_cat", "u_off"}


async def test_a_change_that_cannot_affect_a_contact_starts_no_run(pulled: World):
    # API-17: run_id is null when nothing can change
    for patch in (
        {"writeback": {"email": False}},
        {"new_client": {"initial_sync": "hold", "surge_threshold": 7}},
    ):
        assert await pulled.choose(patch) is None
    assert (await pulled.choose({"new_client": {"require_open_matter": True}})) is not None
    assert [run["kind"] for run in await pulled.runs()] == ["initial", "rederive"]


async def test_the_first_pull_uses_settings_that_were_changed_before_it(world: World):
    # OV-5
    await world.create_account()
    assert await world.choose(ALL_AREAS) is None
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    assert run["settings_version"] == 2
    assert "Real Estate" in labels((await world.contacts())["1002"])


async def test_a_run_ends_with_the_settings_with_which_it_started(pulled: World):
    # F23: the settings change while a run reads pages; no tag of the new version before the rederive run
    pulled.simulator.firms[0].put("contact", {"id": 1002, "title": "Baker"})
    lines = len(await pulled.changes())
    body, key = {"kind": "incremental"}, {"Idempotency-Key": "f23"}
    async with pulled.clio_transport.paused("/api/v4/users/who_am_i"):
        answer = await pulled.api.post("/v1/accounts/hp/runs", json=body, headers=key)
        run_id = answer.json()["id"]
        await pulled.clio_transport.waiting.wait()
        saved = (await pulled.patch_settings(ALL_AREAS)).json()
    runs = {run["id"]: run for run in await pulled.settled()}
    assert runs[run_id]["settings_version"] == 1
    assert runs[saved["run_id"]]["settings_version"] == saved["version"] == 2
    told = [line for line in (await pulled.changes())[lines:] if line["clio_id"] == "1002"]
    assert [(line["run_id"], line["tags_added"], line["cause"]) for line in told] == [
        (run_id, [], "sync"),
        (saved["run_id"], ["Real Estate"], "settings"),
    ]


async def test_a_queued_rederive_run_uses_the_newest_settings(pulled: World):
    # S14, F23: two changes during a run make one queued run, which starts with the second change
    async with pulled.clio_transport.paused():
        body, key = {"kind": "full"}, {"Idempotency-Key": "before"}
        await pulled.api.post("/v1/accounts/hp/runs", json=body, headers=key)
        await pulled.clio_transport.waiting.wait()  # the run has the account
        first = (await pulled.patch_settings(BY_ORIGIN)).json()
        second = (await pulled.patch_settings(ALL_AREAS)).json()
    assert first["run_id"] == second["run_id"] is not None
    assert (first["version"], second["version"]) == (2, 3)
    runs = {run["id"]: run for run in await pulled.settled()}
    assert runs[first["run_id"]]["settings_version"] == 3


async def test_a_deleted_field_in_the_settings_is_reported_and_the_run_succeeds(pulled: World):
    # EN-3: CF4 deleted in Clio
    chosen = {"tags": {"custom_fields": [{"field_id": "4"}]}}
    run = await pulled.choose(chosen)
    assert run is not None
    assert run["problems"] == []
    pulled.simulator.firms[0].put("custom_field", {"id": 4, "deleted": True})
    run = await pulled.run()
    assert run["status"] == "succeeded"
    (problem,) = run["problems"]
    assert problem["code"] == "setting_refers_to_missing_field"
    assert "/tags/custom_fields/0/field_id" in problem["detail"]
    assert "custom field 4" in problem["detail"]
    kept = await pulled.patch_settings({"tags": {"location": {"state": True}}})
    assert kept.status_code == 200  # a deleted field does not prevent other changes
    refused = await pulled.patch_settings({"scope": {"opt_out_field_id": "4"}})
    assert refused.status_code == 422


async def test_a_field_that_clio_no_longer_lists_counts_as_deleted_until_it_is_listed_again(
    pulled: World,
):
    # EN-3
    clio = pulled.simulator.firms[0]
    taken = clio.find("custom_field", 5)
    assert taken is not None
    clio.delete("custom_field", 5)
    await pulled.run()
    assert {"5"} == {f["id"] for f in await catalog_fields(pulled) if f["deleted"]}
    clio.put("custom_field", taken)
    await pulled.run()
    assert not any(f["deleted"] for f in await catalog_fields(pulled))


async def catalog_fields(world: World) -> list[dict[str, Any]]:
    answer = await world.api.get("/v1/accounts/hp/catalog")
    fields: list[dict[str, Any]] = answer.json()["custom_fields"]
    return fields


async def test_the_catalog_lists_what_can_be_chosen(pulled: World):
    # EN-3
    catalog = (await pulled.api.get("/v1/accounts/hp/catalog")).json()
    fields = {field["name"]: field for field in catalog["custom_fields"]}
    uses = {
        name: (field["makes_tags"], field["makes_dates"], field["makes_opt_out"])
        for name, field in fields.items()
    }
    assert uses["Newsletter OK"] == (True, False, True)
    assert uses["Referral Source"] == uses["Intake Notes"] == (True, False, False)
    assert uses["Wedding Anniversary"] == (False, True, False)
    assert uses["Web Page"] == (False, False, False)
    assert fields["Referral Source"] == {
        "id": "4",
        "name": "Referral Source",
        "type": "picklist",
        "parent": "contact",
        "deleted": False,
        "options": [
            {"id": "9001", "option": "Google", "deleted": False},
            {"id": "9002", "option": "Friend", "deleted": False},
        ],
        "makes_tags": True,
        "makes_dates": False,
        "makes_opt_out": False,
    }
    assert {area["name"]: area["category"] for area in catalog["practice_areas"]}[
        "Family Law"
    ] == "family"
    assert {stage["name"]: stage["practice_area_id"] for stage in catalog["stages"]} == {
        "Discovery": "11",
        "Closing": "13",
        "Intake": "15",
    }
    assert catalog["users"][0]["email"] == "ann@harlowpike.test"
