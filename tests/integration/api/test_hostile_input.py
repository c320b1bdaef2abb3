"""What no honest caller sends, in every place where an id or a cursor stands, is refused as such (T12)."""

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

OURS = re.compile(r"\{(?!account_id|clio_user_id|token)\w+\}")
KEYS: list[Any] = [None, True, 1.5, -1, 2**63, 10**30, [1], {"a": 1}, "a\x00b", "\ud800", "a\nb"]
ASKED: list[tuple[Any, ...]] = [  # a list of each sort of key, as its cursors name it
    ("contacts", "hp", ContactFilter()),
    ("issues", "hp", None),
    ("changes", "hp"),
    ("settings-versions", "hp"),
]


async def test_an_id_that_the_database_cannot_hold_is_refused_wherever_it_stands(world: World):
    await world.create_account()
    headers = {"Idempotency-Key": "k"}
    asked = [
        (verb, path)
        for path, verbs in world.app.openapi()["paths"].items()
        if OURS.search(path)
        for verb in verbs
    ]
    assert len(asked) > 20
    for verb, path in asked:
        for bad in ("%00", "a%00b", "x" * 65):
            address = OURS.sub(bad, path).replace("{account_id}", "hp")
            body = BODIES.get(path, {"labels": ["Golf"]})
            answer = await world.api.request(verb, address, json=body, headers=headers)
            told = answer.json()
            assert (answer.status_code, told["code"]) == (422, "invalid_request"), (verb, path)
            assert told["errors"][0]["pointer"].startswith("path:")


async def test_a_cursor_that_was_tampered_with_is_a_damaged_one(world: World):
    await world.create_account()
    for asked in ASKED:
        for key in KEYS:
            params = {"cursor": encode(key, *asked)}
            path = asked[0].replace("settings-", "settings/")
            answer = await world.api.get(f"/v1/accounts/hp/{path}", params=params)
            told = (answer.status_code, answer.json()["code"])
            assert told == (400, "invalid_cursor"), (path, ascii(key))


async def test_a_cursor_beyond_the_last_version_finds_none(world: World):
    await world.create_account()
    for path, asked in (("settings/versions", "settings-versions"), ("changes", "changes")):
        cursor = encode(2**63 - 1, asked, "hp")
        answer = await world.api.get(f"/v1/accounts/hp/{path}", params={"cursor": cursor})
        assert answer.status_code == 200
        assert answer.json()["data"] == []


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_whatever_a_cursor_holds_it_is_a_key_or_damaged(key):
    for read, kind in ((cursors.after_id, str), (cursors.after_number, int)):
        try:
            after = read(encode(key, "list"), "list")
        except InvalidCursor:
            continue
        assert type(after) is kind
        assert after == key
