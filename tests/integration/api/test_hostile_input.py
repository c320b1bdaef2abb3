"""Hostile input [T12]: ids and cursors that are invalid, and bodies that are made to cost memory or time."""

import json
import re
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import cursors, schemas
from app.api.cursors import InvalidCursor
from app.api.middleware import MOST_VALUES
from app.api.schemas.base import Body
from app.db.contacts.contact_lists import ContactFilter
from app.db.cursors import encode
from tests.integration.api.test_tenancy import BODIES
from tests.support.world import World

RESOURCE_ID = re.compile(r"\{(?!account_id|clio_user_id|token)\w+\}")
INVALID_KEYS: list[Any] = [
    None,
    True,
    1.5,
    -1,
    2**63,
    10**30,
    [1],
    {"a": 1},
    "a\x00b",
    "\ud800",
    "a\nb",
]
LISTS: list[tuple[Any, ...]] = [  # lists with each kind of key, as their cursors name them
    ("contacts", "hp", ContactFilter()),
    ("issues", "hp", None),
    ("changes", "hp"),
    ("settings-versions", "hp"),
]


async def test_an_id_that_the_database_cannot_store_is_refused_in_every_path(world: World):
    await world.create_account()
    headers = {"Idempotency-Key": "k"}
    operations = [
        (verb, path)
        for path, verbs in world.app.openapi()["paths"].items()
        if RESOURCE_ID.search(path)
        for verb in verbs
    ]
    assert len(operations) > 20
    for verb, path in operations:
        for bad in ("%00", "a%00b", "x" * 65):
            address = RESOURCE_ID.sub(bad, path).replace("{account_id}", "hp")
            body = BODIES.get(path, {"labels": ["Golf"]})
            response = await world.api.request(verb, address, json=body, headers=headers)
            problem = response.json()
            assert (response.status_code, problem["code"]) == (422, "invalid_request"), (verb, path)
            assert problem["errors"][0]["pointer"].startswith("path:")


async def test_a_manipulated_cursor_is_refused_as_invalid(world: World):
    await world.create_account()
    for name in LISTS:
        for key in INVALID_KEYS:
            params = {"cursor": encode(key, *name)}
            path = name[0].replace("settings-", "settings/")
            response = await world.api.get(f"/v1/accounts/hp/{path}", params=params)
            found = (response.status_code, response.json()["code"])
            assert found == (400, "invalid_cursor"), (path, ascii(key))


async def test_a_cursor_after_the_last_item_returns_an_empty_page(world: World):
    await world.create_account()
    for path, name in (("settings/versions", "settings-versions"), ("changes", "changes")):
        cursor = encode(2**63 - 1, name, "hp")
        response = await world.api.get(f"/v1/accounts/hp/{path}", params={"cursor": cursor})
        assert response.status_code == 200
        assert response.json()["data"] == []


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_a_cursor_has_a_key_of_the_right_type_or_is_invalid(key):
    for read, kind in ((cursors.after_id, str), (cursors.after_number, int)):
        try:
            after = read(encode(key, "list"), "list")
        except InvalidCursor:
            continue
        assert type(after) is kind
        assert after == key


MIB = 1024 * 1024
JSON = {"Content-Type": "application/json", "If-Match": "*", "Idempotency-Key": "k"}
UNKNOWN_KEYS = b"{" + b",".join(b'"k%d":0' % n for n in range(MOST_VALUES - 10)) + b"}"
BOMBS = {
    "nested lists": b'{"users":['
    + (b"[" * 300 + b"]" * 300 + b",") * (MIB * 4 // 601 - 9)
    + b"0]}",
    "texts": b'{"users":[' + b'"",' * (MIB - 9) + b'""]}',
    "unknown keys": b"{" + b",".join(b'"k%d":0' % n for n in range(300_000)) + b"}",
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
async def test_a_body_with_very_many_values_is_refused_before_it_is_parsed(
    world: World, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(json, "loads", lambda _: pytest.fail("it was parsed"))
    response = await world.api.put("/v1/accounts/hp/users", content=body, headers=JSON)
    monkeypatch.undo()
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("PUT", "/v1/accounts/hp"),
        ("PUT", "/v1/accounts/hp/settings"),
        ("PATCH", "/v1/accounts/hp/settings"),
        ("POST", "/v1/accounts/hp/settings/preview"),
    ],
)
@pytest.mark.parametrize(
    "body", [UNKNOWN_KEYS, b'{"%s": 0}' % (b"~" * 2 * MIB)], ids=["many keys", "long key"]
)
async def test_the_answer_to_an_invalid_body_is_small_and_costs_little(
    world: World, verb: str, path: str, body: bytes
):
    await world.create_account()
    if path.endswith("/preview"):
        body = b'{"settings": %s}' % body
    began = process_time()
    response = await world.api.request(verb, path, content=body, headers=JSON)
    assert process_time() - began < 0.8  # the errors of 100,000 keys took 1.5 s
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert len(response.content) < 2000


async def test_a_problem_lists_a_hundred_errors_and_says_that_there_are_more(world: World):
    await world.create_account()
    invalid = {
        "users": [{"id": f"u_{n}", "name": "", "email": "", "active": 1} for n in range(150)]
    }
    problem = (await world.api.put("/v1/accounts/hp/users", json=invalid)).json()
    assert len(problem["errors"]) == 100
    assert problem["detail"] == "The request is not valid; `errors` has the first 100 errors"
    named = await world.api.put("/v1/accounts/hp", json={"/" * 4000: 0})
    assert named.json()["errors"][-1]["pointer"] == "/" + "~1" * 100
    many = await world.api.get(
        "/v1/accounts/hp/contacts?" + "&".join(f"{n:0400}" for n in range(150))
    )
    assert many.json()["code"] == "unknown_parameter"
    assert len(many.text) < 1000


async def test_a_text_with_very_many_commas_and_brackets_is_no_reason_to_refuse_a_body(
    world: World,
):
    await world.create_account()
    text = '\\"[{,' * 60_000 + "\\"
    activity = {"kind": "note", "user_id": "u_ann", "clio_contact_id": "1", "body": text}
    body = {**activity, "occurred_at": "2026-03-02T12:00:00Z"}
    response = await world.api.post("/v1/accounts/hp/activities", json=body, headers=JSON)
    assert response.status_code in (200, 202), response.text


def test_every_body_limits_how_many_errors_are_described(world: World):
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for methods in world.app.openapi()["paths"].values()
        for operation in methods.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    forms = [form for body in bodies for form in body.get("anyOf", [body])]  # one may be left out
    named = {form["$ref"].rpartition("/")[2] for form in forms if form != {"type": "null"}}
    assert len(named) >= 10
    assert [name for name in named if not issubclass(getattr(schemas, name), Body)] == []
