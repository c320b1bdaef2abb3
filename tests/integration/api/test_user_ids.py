"""User ids with any printable character, from the directory to the audit log [API-2, API-4]."""

from urllib.parse import quote

import pytest

from tests.support.world import World

HP = "/v1/accounts/hp"
IDS = [
    "Zoë O'Hara/1",
    "100%25",
    'Ω {x} "y"?&=#',
    "用户 🦉",
    " padded ",
    "%00",
    "a;b,c:d@e\\f",
    "a" * 128,
]


@pytest.mark.parametrize("user_id", IDS)
async def test_a_user_id_may_have_any_printable_character(world: World, user_id: str):
    await world.create_account(primary_user_id=user_id)
    user = {"id": user_id, "name": "Zoë", "email": "z@firm.test", "active": True}
    saved = await world.api.put(f"{HP}/users", json={"users": [user]})
    assert saved.status_code == 200, saved.text
    assert (await world.api.get(f"{HP}/users")).json()["users"] == [user]
    body = {"user_id": user_id}
    acting = {"Levitate-User": quote(user_id)}
    mapped = await world.api.put(f"{HP}/attorneys/501", json=body, headers=acting)
    assert mapped.status_code == 200, mapped.text
    assert mapped.json()["user_id"] == user_id
    entry = [found async for found in world.all("audit")][-1]
    assert (entry["user_id"], entry["action"]) == (user_id, "attorney.mapped")
    assert (await world.api.get(HP)).json()["primary_user_id"] == user_id
    assert (await world.api.get(f"{HP}/contacts", params={"owner": user_id})).status_code == 200


async def test_a_login_and_an_activity_of_such_a_user_work(world: World):
    user_id = "用户 100% /🦉"
    await world.create_account(primary_user_id=user_id)
    user = {"id": user_id, "name": "Zoë", "email": "z@firm.test", "active": True}
    await world.api.put(f"{HP}/users", json={"users": [user]})
    assert await world.connect(user_id, 501) == "x=1&clio=connected"
    (found,) = [found async for found in world.all("connections")]
    assert (found["user_id"], found["status"]) == (user_id, "connected")


@pytest.mark.parametrize("value", [b"100%", b"%C3", b"\xc3\xa9", b"%zz"])
async def test_a_header_that_is_not_percent_encoded_is_400_and_changes_nothing(
    world: World, value: bytes
):
    await world.create_account()
    answer = await world.api.put(
        f"{HP}/users", json={"users": []}, headers={b"Levitate-User": value}
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "acting_user_invalid")
    assert "write % as %25" in problem["detail"]
    assert (await world.api.get(f"{HP}/users")).json()["users"] != []


async def test_a_header_with_an_invisible_character_is_422(world: World):
    await world.create_account()
    answer = await world.api.put(
        f"{HP}/users", json={"users": []}, headers={"Levitate-User": "a%00"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "pointer": "header:levitate-user",
            "detail": "must have printable characters only; leave the others out",
        }
    ]
