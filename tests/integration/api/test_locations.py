"""What was made or started has its address in the response."""

from typing import Any

from tests.integration.api.test_authentication import ENDPOINT
from tests.support.openapi import openapi_document
from tests.support.world import World

HP = "/v1/accounts/hp"
NOTE = {
    "kind": "note", "user_id": "u_ann", "clio_contact_id": "1001", "subject": "s", "body": "b",
    "occurred_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
CONNECTION = {"user_id": "u_ann", "region": "us", "return_url": "https://levitate.test/x"}


def test_the_document_names_it_for_each_201_and_202():
    responses = [
        (path, method, response)
        for path, methods in openapi_document()["paths"].items()
        for method, operation in methods.items()
        for status, response in operation["responses"].items()
        if status in ("201", "202")
    ]
    assert len(responses) >= 9
    assert all("Location" in response["headers"] for _, _, response in responses), responses


async def test_what_was_made_is_at_its_address(api: World):
    async def made(path: str, body: dict[str, Any], status: int) -> Any:
        headers = {"Idempotency-Key": path}
        answer = await api.api.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        found = await api.api.get(answer.headers["Location"])
        assert found.status_code == 200, (path, found.text)
        assert answer.json()["id"] == found.json()["id"]
        return answer.json()

    await made(f"{HP}/connections", CONNECTION, 201)
    await made("/v1/webhook-endpoints", ENDPOINT, 201)
    await made(f"{HP}/runs", {"kind": "full"}, 202)


async def test_an_empty_list_of_users_must_be_meant(api: World):
    kept = (await api.api.get(f"{HP}/users")).json()
    assert kept["users"]
    refused = await api.api.put(f"{HP}/users", json={"users": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "would_remove")
    assert str(len(kept["users"])) in refused.json()["detail"]
    assert (await api.api.get(f"{HP}/users")).json() == kept
    meant = await api.api.put(f"{HP}/users", params={"confirm": "replace"}, json={"users": []})
    assert meant.json() == {"users": []}
    again = await api.api.put(f"{HP}/users", json={"users": []})
    assert again.status_code == 200
