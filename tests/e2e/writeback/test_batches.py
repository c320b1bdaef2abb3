"""Corrections of activities, batches of them, and the answers to repeated requests [WB-5, WB-7, API-7]."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app import main
from app.api import recording
from app.sync.writeback import maintain_outbox
from tests.e2e.writeback.test_writeback import EMAIL, get, notes, post, until
from tests.support.world import USERS, World

BATCH = "/v1/accounts/hp/activities/batch"


async def send_batch(world: World, *activities: Any, key: str = "batch") -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await world.api.post(BATCH, json={"activities": activities}, headers=headers)


async def open_issues(world: World) -> dict[str, str]:
    found = [issue async for issue in world.all("issues", status="open")]
    return {issue["code"]: issue["detail"] for issue in found}


async def test_two_ids_of_different_contacts_are_refused(pulled: World):
    contact_id = (await pulled.contacts())["1002"]["id"]
    for wrong in (contact_id, "con_none"):
        both = {**EMAIL, "contact_id": wrong}
        assert (await post(pulled, both, status=422))["code"] == "contact_mismatch"
    same = {**EMAIL, "clio_contact_id": "1002", "contact_id": contact_id}
    assert (await post(pulled, same))["contact_id"] == contact_id


@pytest.mark.parametrize(
    ("hours", "status"), [(23.9, 202), (24.1, 422)], ids=["soon", "too far ahead"]
)
async def test_an_activity_is_not_more_than_a_day_ahead(pulled: World, hours: float, status: int):
    at = (main.now() + timedelta(hours=hours)).isoformat()
    answer = await post(pulled, {**EMAIL, "occurred_at": at}, status=status)
    if status == 422:
        assert answer["errors"] == [{"pointer": "/occurred_at", "detail": recording.TOO_LATE}]


async def test_an_activity_is_not_before_1970(pulled: World):
    assert await post(pulled, {**EMAIL, "occurred_at": "1970-01-01T00:00:00Z"})
    for at in ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "0001-01-01T00:00:00+14:00"):
        answer = await post(pulled, {**EMAIL, "occurred_at": at}, status=422)
        assert answer["errors"][0]["pointer"] == "/occurred_at"


async def test_an_activity_of_an_unknown_user_waits_until_the_user_is_added(pulled: World):
    # WB-5
    activity = await post(pulled, {**EMAIL, "user_id": "u_new"})
    assert (activity["status"], activity["reason"]) == ("blocked", "user_unknown")
    assert "PUT …/users" in activity["problem"]["detail"]
    assert "u_new" in (await open_issues(pulled))["activity_user_unknown"]
    retry = f"/v1/accounts/hp/activities/{activity['id']}/retry"
    refused = await pulled.api.post(retry)
    assert (refused.status_code, "PUT …/users" in refused.json()["detail"]) == (409, True)
    new = {"id": "u_new", "name": "Nora New", "email": "nora@harlowpike.test", "active": True}
    await pulled.api.put("/v1/accounts/hp/users", json={"users": [*USERS, new]})
    for _ in range(2):  # the second tick sees that nothing waits any more
        await maintain_outbox(pulled.app.state.services)
        await pulled.none_left("select count(*) from activities where status <> 'blocked'")
    assert "activity_user_unknown" not in await open_issues(pulled)
    assert (await get(pulled, activity))["reason"] == "needs_connection"
    await pulled.connect("u_new", 502)
    assert (await until(pulled, activity))["status"] == "written"


async def test_an_unknown_user_is_not_written_through_the_login_of_another_one(pulled: World):
    await pulled.choose({"writeback": {"fallback_author": "primary_connection"}})
    activity = await post(pulled, {**EMAIL, "user_id": "u_new"})
    known = await until(pulled, await post(pulled, {**EMAIL, "user_id": "u_ben"}))
    assert known["status"] == "written"
    assert (await get(pulled, activity))["reason"] == "user_unknown"


async def test_each_activity_of_a_batch_gets_the_answer_that_it_would_get_alone(pulled: World):
    unlinked = {**EMAIL, "clio_contact_id": "999"}
    wrong = [{**EMAIL, "kind": "fax"}, {**EMAIL, "occurred_at": "soon", "more": 1}, "text", None]
    items = [EMAIL, *wrong, unlinked, {**EMAIL, "subject": "Second"}]
    answer = await send_batch(pulled, *items)
    assert answer.status_code == 200, answer.text
    batch = answer.json()["data"]
    assert [item["status"] for item in batch] == [202, 422, 422, 422, 422, 200, 202]
    for item, posted in zip(batch, items, strict=True):
        headers = {"Idempotency-Key": f"alone-{items.index(posted)}"}
        alone = await pulled.api.post("/v1/accounts/hp/activities", json=posted, headers=headers)
        assert alone.status_code == item["status"]
        found, single = item.get("activity") or item["problem"], alone.json()
        assert found.keys() == single.keys()
        own = {"id", "created_at", "request_id", "instance"}
        assert {k: v for k, v in found.items() if k not in own} == {
            k: v for k, v in single.items() if k not in own
        }
    await pulled.none_left("select count(*) from activities where status = 'queued'")
    await pulled.none_left("select count(*) from activities where status = 'sending'")
    assert len(notes(pulled)) == 4, "two of the batch, two alone"


async def test_a_repeated_batch_gets_the_same_bytes_and_records_nothing_twice(pulled: World):
    # WB-7
    items = [EMAIL, {**EMAIL, "kind": "fax"}]
    first = await send_batch(pulled, *items)
    await until(pulled, first.json()["data"][0]["activity"])
    assert (await send_batch(pulled, *items)).content == first.content
    other = await send_batch(pulled, EMAIL, EMAIL)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    missing = await pulled.api.post(BATCH, json={"activities": items})
    assert missing.json()["code"] == "idempotency_key_required"
    assert len(notes(pulled)) == 1


async def test_a_batch_that_was_cut_off_goes_on_where_it_ended(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # WB-7: the process is killed between two activities
    items = [{**EMAIL, "subject": f"Number {n}"} for n in range(4)]
    record, calls = recording.Recorder.record, []

    async def killed(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 3:
            raise asyncio.CancelledError
        return await record(*args)

    with monkeypatch.context() as patched:
        patched.setattr(recording.Recorder, "record", killed)
        with pytest.raises(asyncio.CancelledError):
            await send_batch(pulled, *items)
    again = await send_batch(pulled, *items)
    ids = [item["activity"]["id"] for item in again.json()["data"]]
    assert len(set(ids)) == 4
    assert [one["id"] async for one in pulled.all("activities")] == sorted(ids)


async def test_a_batch_has_1_to_100_activities(pulled: World):
    for count in (0, 101):
        answer = await send_batch(pulled, *[EMAIL] * count, key=str(count))
        assert answer.json()["errors"][0]["pointer"] == "/activities"


async def test_a_repeated_activity_gets_the_stored_answer_and_410_after_an_erasure(pulled: World):
    # S15, API-7
    headers = {"Idempotency-Key": "same"}
    first = await pulled.api.post("/v1/accounts/hp/activities", json=EMAIL, headers=headers)
    batch = await send_batch(pulled, {**EMAIL, "clio_contact_id": "1002"}, EMAIL)
    await until(pulled, first.json())
    again = await pulled.api.post("/v1/accounts/hp/activities", json=EMAIL, headers=headers)
    assert (again.content, again.status_code) == (first.content, first.status_code)
    assert again.headers["location"] == first.headers["location"]
    assert (await pulled.api.get(first.headers["location"])).json()["status"] == "written"
    contact_id = (await pulled.contacts())["1001"]["id"]
    assert (await pulled.api.delete(f"/v1/accounts/hp/contacts/{contact_id}")).status_code == 204
    gone = await pulled.api.post("/v1/accounts/hp/activities", json=EMAIL, headers=headers)
    assert (gone.status_code, gone.json()["code"]) == (410, "erased")
    one, two = (await send_batch(pulled, {**EMAIL, "clio_contact_id": "1002"}, EMAIL)).json()[
        "data"
    ]
    assert one == batch.json()["data"][0]
    assert (two["status"], two["problem"]["code"]) == (410, "erased")
