"""Invalid ids and manipulated cursors are refused wherever the API accepts an id or a cursor [T12]."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.api import cursors
from app.api.cursors import InvalidCursor
from app.db.contacts.contacts import ContactFilter
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
