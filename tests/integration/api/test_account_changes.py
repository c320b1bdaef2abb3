"""A change of an account: a whole one, a merge patch, and the `ETag` that both compare (API-8)."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.world import ACCOUNT, World

URL = "/v1/accounts/hp"


async def patch(world: World, change: dict[str, Any], **headers: str) -> httpx.Response:
    """Patch the account with the ETag that it has now, or with that of `headers`."""
    etag = (await world.api.get(URL)).headers["etag"]
    return await world.api.patch(URL, json=change, headers={"If-Match": etag, **headers})


async def audited(world: World) -> list[dict[str, Any]]:
    """Return what was logged about changes of the account."""
    kinds = ("account.created", "account.changed")
    return [entry async for entry in world.all("audit") if entry["action"] in kinds]


async def test_a_patch_changes_what_it_names_and_keeps_the_rest(api: World):
    before = (await api.api.get(URL)).json()
    answer = await patch(api, {"name": "  Pike & Harlow ", "primary_user_id": None})
    assert answer.status_code == 200, answer.text
    now = answer.json()
    assert (now["name"], now["primary_user_id"]) == ("Pike & Harlow", None)
    same = now.keys() - {"name", "primary_user_id", "updated_at"}
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
    read = await api.api.get(URL)
    assert (read.json(), read.headers["etag"]) == (now, answer.headers["etag"])
    (entry,) = [one for one in await audited(api) if one["action"] == "account.changed"]
    assert set(entry["details"]["pointers"]) == {"/name", "/primary_user_id"}


async def test_every_change_gives_another_etag_and_reading_gives_the_same(api: World):
    seen = []
    for change in ({"name": "One"}, {"publish": "after_review"}, {"enabled": False}):
        answer = await patch(api, change)
        assert answer.status_code == 200, answer.text
        seen.append(answer.headers["etag"])
        assert (await api.api.get(URL)).headers["etag"] == seen[-1]
    whole = await api.api.put(URL, json={**ACCOUNT, "name": "Two"})
    seen.append(whole.headers["etag"])
    assert len(set(seen)) == 4
    assert (await api.api.get(URL)).headers["etag"] == seen[-1]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (None, 428, "precondition_required"),
        ('"1"', 412, "version_conflict"),
        ("*", 200, None),
        ('"1", {etag}', 200, None),
    ],
)
async def test_a_patch_needs_the_etag_that_the_account_has(
    api: World, sent: str | None, status: int, code: str | None
):
    etag = (await api.api.get(URL)).headers["etag"]
    headers = {"If-Match": sent.format(etag=etag)} if sent else {}
    answer = await api.api.patch(URL, json={"name": "Other"}, headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    read = await api.api.get(URL)
    assert read.json()["name"] == ("Other" if status == 200 else ACCOUNT["name"])
    if status == 412:
        assert answer.headers["etag"] == etag


async def test_a_put_compares_the_etag_only_if_it_is_sent(api: World):
    stale = (await api.api.get(URL)).headers["etag"]
    assert (await api.api.put(URL, json={**ACCOUNT, "name": "A"})).status_code == 200
    refused = await api.api.put(URL, json=ACCOUNT, headers={"If-Match": stale})
    assert (refused.status_code, refused.json()["code"]) == (412, "version_conflict")
    current = (await api.api.get(URL)).headers["etag"]
    saved = await api.api.put(URL, json={**ACCOUNT, "name": "B"}, headers={"If-Match": current})
    assert (saved.status_code, saved.json()["name"]) == (200, "B")


async def test_a_put_with_an_etag_creates_nothing(api: World):
    for sent in ("*", '"1"'):
        url = "/v1/accounts/new"
        answer = await api.api.put(url, json=ACCOUNT, headers={"If-Match": sent})
        assert (answer.status_code, answer.json()["code"]) == (412, "version_conflict")
        assert (await api.api.get(url)).status_code == 404


async def test_one_of_two_patches_at_the_same_time_gets_a_version_conflict(api: World):
    etag = (await api.api.get(URL)).headers["etag"]
    async with asyncio.TaskGroup() as both:
        tasks = [
            both.create_task(patch(api, {"name": name}, **{"If-Match": etag}))
            for name in ("Left", "Right")
        ]
    answers = [task.result() for task in tasks]
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    (won,) = [answer.json()["name"] for answer in answers if answer.status_code == 200]
    assert (await api.api.get(URL)).json()["name"] == won


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"name": "  "}, "/name"),
        ({"time_zone": "Mars/Base"}, "/time_zone"),
        ({"enabled": None}, "/enabled"),
        ({"nobody": 1}, "/nobody"),
        ({"publish": "never"}, "/publish"),
    ],
)
async def test_a_patch_with_a_value_that_is_not_allowed_names_it(
    api: World, change: dict[str, Any], pointer: str
):
    before = await api.api.get(URL)
    answer = await patch(api, change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await api.api.get(URL)).json() == before.json()


async def test_a_patch_has_the_effects_of_a_put(api: World):
    # EN-1: what waits ends when the account is switched off, and a new country assesses the contacts again
    asked = await api.api.post(
        f"{URL}/runs", json={"kind": "full"}, headers={"Idempotency-Key": "k"}
    )
    assert asked.json()["status"] == "queued"
    assert (await patch(api, {"enabled": False})).json()["enabled"] is False
    run = await api.api.get(asked.headers["location"])
    assert run.json()["status"] == "cancelled"
    assert (await api.api.get(f"{URL}/status")).json()["health"] == "disabled"


async def test_a_patched_country_assesses_the_contacts_again(idle_with_two: World):
    before = {run["id"] for run in await idle_with_two.runs()}
    assert (await patch(idle_with_two, {"country": "CA"})).status_code == 200
    (added,) = [run for run in await idle_with_two.runs() if run["id"] not in before]
    assert added["kind"] == "rederive"


async def test_a_patch_has_another_media_type_or_no_role(api: World):
    etag = (await api.api.get(URL)).headers["etag"]
    headers = {"If-Match": etag, "Content-Type": "text/plain"}
    answer = await api.api.patch(URL, content='{"name": "x"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    answer = await patch(api, {"name": "x"}, **{"Levitate-Role": "user"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")
