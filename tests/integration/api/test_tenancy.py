"""A token sees only its own accounts. Every operation treats another account like one that does not exist [T2]."""

import re
from typing import Any

import httpx

from tests.support.world import World


def operations(world: World) -> list[tuple[str, str]]:
    """Return all operations whose path has an account."""
    paths = world.app.openapi()["paths"]
    return [
        (verb, path) for path, verbs in paths.items() if "{account_id}" in path for verb in verbs
    ]


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "1"), path)


BODIES: dict[str, Any] = {
    "/v1/accounts/{account_id}": {
        "name": "x",
        "time_zone": "UTC",
        "country": "US",
        "enabled": True,
    },
    "/v1/accounts/{account_id}/users": {"users": []},
    "/v1/accounts/{account_id}/attorneys/{clio_user_id}": {"user_id": None},
    "/v1/accounts/{account_id}/connections": {
        "user_id": "u_ann",
        "region": "us",
        "return_url": "https://levitate.test",
    },
    "/v1/accounts/{account_id}/runs": {"kind": "full"},
    "/v1/accounts/{account_id}/activities": {
        "kind": "note",
        "user_id": "u_ann",
        "clio_contact_id": "1001",
        "occurred_at": "2026-03-02T12:00:00Z",
    },
    "/v1/accounts/{account_id}/activities/batch": {"activities": [{}]},
    "/v1/accounts/{account_id}/new-clients/decisions": {"action": "release", "filter": {}},
}


VERBS = ("get", "head", "options", "post", "put", "patch", "delete")


def shown(answer: httpx.Response, own: str) -> tuple[int, str, dict[str, str]]:
    """Return status, body and headers of an answer without what names the id that was asked for."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.text.replace(own, "…"), headers


async def test_an_account_of_another_token_looks_like_one_that_does_not_exist(world: World):
    await world.create_account("hp")
    await world.connect("u_ann", 501)
    await world.settled()
    foreign, _ = await world.create_token("other")
    ids = {
        "connection_id": (await anext(world.all("connections")))["id"],
        "run_id": (await world.runs())[0]["id"],
        "contact_id": next(iter((await world.contacts()).values()))["id"],
    }
    headers = {
        **foreign,
        "Levitate-Role": "success_manager",
        "Idempotency-Key": "k",
        "X-Request-Id": "same",
    }
    documented = set(operations(world))
    assert len(documented) > 15
    for path in {path for _, path in documented}:
        for verb in VERBS:
            answers = []
            for account_id in ("hp", "hq"):  # one of another token, and none
                url = filled(path, {**ids, "account_id": account_id})
                answer = await world.api.request(verb, url, json=BODIES.get(path), headers=headers)
                answers.append(shown(answer, account_id))
            assert answers[0] == answers[1], (verb, path)
            if (verb, path) in documented:
                assert answers[0][0] == 404, (verb, path, answers[0])
                assert "account_not_found" in answers[0][1]
            else:
                assert answers[0][0] in (404, 405), (verb, path, answers[0])
    assert len(await world.contacts()) == 7


async def test_an_id_of_another_account_is_not_found_even_if_the_token_sees_both_accounts(
    world: World,
):
    # [T2]: every id in a path is looked up within its account
    for account_id in ("hp", "other"):
        await world.create_account(account_id)
    await world.connect("u_ann", 501)
    await world.settled()
    ids = {
        "connection_id": (await anext(world.all("connections")))["id"],
        "run_id": (await world.runs())[0]["id"],
        "contact_id": (await world.contacts())["1002"]["id"],
        "new_client_id": (await anext(world.all("new-clients")))["id"],
    }
    note = {**BODIES["/v1/accounts/{account_id}/activities"], "clio_contact_id": "1002"}
    headers = {"Idempotency-Key": "k"}
    queued = await world.api.post("/v1/accounts/hp/activities", json=note, headers=headers)
    ids["activity_id"] = queued.json()["id"]
    found = [(verb, path) for verb, path in operations(world) if "_id}/" in path + "/"]
    tried = []
    unknown = {name: f"{own[:-6]}zzzzzz" for name, own in ids.items()}
    headers["X-Request-Id"] = "same"
    for verb, path in found:
        if not any(f"{{{name}}}" in path for name in ids):
            continue
        body = {"labels": ["VIP"]} if path.endswith("preexisting-tags") else None
        answers = []
        for asked in (ids, unknown):
            url = filled(path, {**asked, "account_id": "other"})
            answer = await world.api.request(verb, url, json=body, headers=headers)
            assert answer.status_code == 404, (verb, path, answer.status_code, answer.text)
            (own,) = [asked[name] for name in asked if f"{{{name}}}" in path][:1]
            answers.append(shown(answer, own))
        assert answers[0] == answers[1], (verb, path)
        tried.append(path)
    assert len(tried) > 14
    assert (await world.contacts())["1002"]["id"] == ids["contact_id"]


async def test_a_token_lists_only_its_own_accounts(world: World):
    await world.create_account("a")
    await world.create_account("b")
    headers, _ = await world.create_token("b")
    response = await world.api.get("/v1/accounts", headers=headers)
    assert [account["id"] for account in response.json()["data"]] == ["b"]


async def test_a_change_of_an_account_needs_a_role(world: World):
    # EN-2
    await world.create_account()
    for role in ("user", None):
        headers = {"Levitate-Role": role} if role else {"Levitate-Role": "user"}
        response = await world.api.put("/v1/accounts/hp/users", json={"users": []}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "role_required")
    response = await world.api.get("/v1/accounts/hp", headers={"Levitate-Role": "user"})
    assert response.status_code == 200


async def test_a_webhook_endpoint_of_another_token_looks_like_one_that_does_not_exist(world: World):
    endpoint = {"url": "https://hooks.example/levitate", "events": ["*"], "description": "d"}
    made = await world.api.post("/v1/webhook-endpoints", json=endpoint)
    assert made.status_code == 201, made.text
    foreign, _ = await world.create_token("other")
    own = made.json()["id"]
    paths = [path for path in world.app.openapi()["paths"] if "{endpoint_id}" in path]
    assert len(paths) > 3
    for path in paths:
        for verb in VERBS:
            answers = []
            for endpoint_id in (own, f"{own[:-6]}zzzzzz"):
                url = filled(path, {"endpoint_id": endpoint_id})
                headers = {**foreign, "X-Request-Id": "same"}
                answer = await world.api.request(verb, url, json=endpoint, headers=headers)
                assert answer.status_code in (404, 405, 422), (verb, path, answer.text)
                answers.append(shown(answer, endpoint_id))
            assert answers[0] == answers[1], (verb, path)
