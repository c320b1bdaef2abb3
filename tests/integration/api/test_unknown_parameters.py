"""A query parameter that an operation does not know is refused by name, below /v1 and only there."""

import re

import pytest

from tests.support.openapi import openapi_document
from tests.support.world import World

OPERATIONS = [
    (method, path) for path, methods in openapi_document()["paths"].items() for method in methods
]


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path.replace("{account_id}", "hp"))


async def test_every_operation_below_v1_refuses_it_and_no_other_does(api: World):
    assert len(OPERATIONS) > 70
    for method, path in OPERATIONS:
        answer = await api.api.request(method, filled(path), params={"nonsense": "1"}, json={})
        if path.startswith("/v1/"):
            assert answer.status_code == 422, (method, path, answer.text)
            assert answer.json()["code"] == "unknown_parameter", (method, path)
            assert "nonsense" in answer.json()["detail"]
        else:
            assert "unknown_parameter" not in answer.text, (method, path)


async def test_every_documented_parameter_is_known(api: World):
    for method, path in OPERATIONS:
        parameters = openapi_document()["paths"][path][method].get("parameters", ())
        query = {one["name"]: "1" for one in parameters if one["in"] == "query"}
        if query and path.startswith("/v1/") and method == "get" and "wait" not in query:
            answer = await api.api.request(method, filled(path), params=query)
            assert answer.json().get("code") != "unknown_parameter", (path, answer.text)


@pytest.mark.parametrize("name", ["x" * 500, "a\x00b", "\u202e"])
async def test_a_name_that_cannot_be_shown_is_not_repeated(api: World, name: str):
    answer = await api.api.get("/v1/accounts/hp/runs", params={name: "1"})
    assert answer.json()["code"] == "unknown_parameter"
    assert name not in answer.json()["detail"]
    assert "limit" in answer.json()["detail"]


async def test_another_account_does_not_differ_by_its_parameters(api: World):
    # T2: what a token may not see looks like what does not exist
    headers, _ = await api.create_token("other")
    answers = [
        await api.api.get(f"/v1/accounts/{account}/runs", params={"x": "1"}, headers=headers)
        for account in ("hp", "nobody")
    ]
    codes = {(answer.status_code, answer.json()["code"]) for answer in answers}
    assert len(codes) == 1
