"""Whatever changes who is who has all contacts assessed again, and nothing else does: OW-9, row 48."""

from typing import Any

import pytest

from tests.support.world import ACCOUNT, USERS, World


async def owner(world: World, clio_id: str) -> str | None:
    found: str | None = (await world.contacts())[clio_id]["owner"]["user_id"]
    return found


async def mapped(world: World) -> dict[str, tuple[str | None, str | None]]:
    """Return whom each Clio user stands for, and why."""
    found = (await world.api.get("/v1/accounts/hp/attorneys")).json()["data"]
    return {who["clio_user_id"]: (who["user_id"], who["mapped_by"]) for who in found}


async def put_users(world: World, users: list[dict[str, Any]]) -> None:
    answer = await world.api.put("/v1/accounts/hp/users", json={"users": users})
    assert answer.status_code == 200, answer.text
    await world.settled()


def changed(user_id: str, **more: Any) -> list[dict[str, Any]]:
    """Return the directory with one user changed."""
    return [{**user, **more} if user["id"] == user_id else user for user in USERS]


async def connect(world: World, user_id: str, clio_user: int) -> None:
    assert "clio=connected" in await world.connect(user_id, clio_user)
    await world.settled()


async def disconnect(world: World, user_id: str) -> None:
    (own,) = [one["id"] async for one in world.all("connections") if one["user_id"] == user_id]
    assert (await world.api.delete(f"/v1/accounts/hp/connections/{own}")).status_code == 204
    await world.settled()


async def end_by_clio(world: World, user_id: str, clio_user: int) -> None:
    """Let Clio end a login, and a run notice it."""
    world.simulator.oauth["us"].revoke_user(clio_user)
    await world.run()
    (own,) = [one async for one in world.all("connections") if one["user_id"] == user_id]
    assert own["status"] == "needs_reconnect"


async def rederivations(world: World) -> list[tuple[str, str]]:
    return [
        (run["trigger"], run["status"]) for run in await world.runs() if run["kind"] == "rederive"
    ]


@pytest.fixture
async def unmatched(pulled: World) -> World:
    """A firm after its first run, in which no address says who Clio user 502 is."""
    await put_users(pulled, changed("u_ben", email="ben@elsewhere.test"))
    assert await owner(pulled, "1010") == "u_off"
    return pulled


async def test_connecting_as_a_clio_user_whose_address_is_unknown_moves_the_owners(
    unmatched: World,
):
    before = len(await unmatched.changes())
    await connect(unmatched, "u_ben", 502)
    assert (await mapped(unmatched))["502"] == ("u_ben", "connection")
    assert await owner(unmatched, "1010") == "u_ben"
    assert await rederivations(unmatched) == [("users", "succeeded")] * 2
    moved = [line for line in (await unmatched.changes())[before:] if line["clio_id"] == "1010"]
    assert [(line["cause"], line["owner"]["to"]) for line in moved] == [("users", "u_ben")]


async def test_connecting_again_as_another_clio_user_moves_the_owners(pulled: World):
    await connect(pulled, "u_cat", 504)
    assert await owner(pulled, "1004") == "u_cat"
    await connect(pulled, "u_cat", 503)
    assert await mapped(pulled) == {
        "501": ("u_ann", "connection"),
        "502": ("u_ben", "email"),
        "503": ("u_cat", "connection"),
        "504": (None, None),
    }
    assert await owner(pulled, "1004") == "u_ann"


async def test_disconnecting_moves_the_owners(unmatched: World):
    # row 48: an ended login says nothing
    await connect(unmatched, "u_ben", 502)
    await disconnect(unmatched, "u_ben")
    assert (await mapped(unmatched))["502"] == (None, None)
    assert await owner(unmatched, "1010") == "u_off"


async def test_an_ended_login_does_not_outrank_an_address(pulled: World):
    # row 48
    await connect(pulled, "u_ann", 502)
    assert await owner(pulled, "1010") == "u_ann"
    await disconnect(pulled, "u_ann")
    assert (await mapped(pulled))["502"] == ("u_ben", "email")
    assert await owner(pulled, "1010") == "u_ben"


async def test_a_login_that_clio_refused_maps_as_before_also_while_its_user_connects_again(
    unmatched: World,
):
    # row 48
    await connect(unmatched, "u_ben", 502)
    await end_by_clio(unmatched, "u_ben", 502)
    assert (await mapped(unmatched))["502"] == ("u_ben", "connection")
    await unmatched.start("u_ben")
    assert (await mapped(unmatched))["502"] == ("u_ben", "connection")
    await connect(unmatched, "u_ben", 502)
    assert await owner(unmatched, "1010") == "u_ben"
    assert len(await rederivations(unmatched)) == 2, "nothing changed since he first connected"


async def test_of_two_logins_of_one_clio_user_the_latest_decides_also_when_clio_has_refused_both(
    unmatched: World,
):
    # row 48
    await connect(unmatched, "u_cat", 502)
    await connect(unmatched, "u_ben", 502)
    assert await owner(unmatched, "1010") == "u_ben"
    await end_by_clio(unmatched, "u_ben", 502)
    assert (await mapped(unmatched))["502"] == ("u_ben", "connection")
    await connect(unmatched, "u_cat", 502)
    assert await owner(unmatched, "1010") == "u_cat"


@pytest.mark.parametrize("way", ["deactivated", "left"])
async def test_the_login_of_a_user_who_is_not_active_says_nothing(unmatched: World, way: str):
    # row 48, OW-7
    await connect(unmatched, "u_ben", 502)
    others = [user for user in USERS if user["id"] != "u_ben"]
    inactive = {"email": "ben@elsewhere.test", "active": False}
    await put_users(unmatched, others if way == "left" else changed("u_ben", **inactive))
    assert (await mapped(unmatched))["502"] == (None, None)
    assert await owner(unmatched, "1010") == "u_off"


async def test_nobody_is_mapped_by_hand_to_a_user_who_has_left(pulled: World):
    await pulled.api.put("/v1/accounts/hp/attorneys/504", json={"user_id": "u_cat"})
    await put_users(pulled, [user for user in USERS if user["id"] != "u_cat"])
    assert (await mapped(pulled))["504"] == (None, None)
    await put_users(pulled, USERS)
    assert (await mapped(pulled))["504"] == ("u_cat", "manual")


async def test_what_leaves_everybody_who_they_are_has_no_contact_assessed_again(pulled: World):
    await connect(pulled, "u_ben", 502)
    await end_by_clio(pulled, "u_ben", 502)
    await connect(pulled, "u_ben", 502)
    await put_users(pulled, list(reversed(USERS)))
    await put_users(pulled, changed("u_ben", name="Benjamin Pike"))
    for clio_user, user_id in (("504", None), ("501", "u_ann")):
        await pulled.api.put(f"/v1/accounts/hp/attorneys/{clio_user}", json={"user_id": user_id})
    await pulled.api.put("/v1/accounts/hp", json={**ACCOUNT, "name": "Harlow"})
    await pulled.settled()
    assert await rederivations(pulled) == []


async def test_the_primary_user_and_the_country_have_all_contacts_assessed_again(pulled: World):
    for change in ({"primary_user_id": "u_cat"}, {"primary_user_id": "u_cat", "country": "DE"}):
        await pulled.api.put("/v1/accounts/hp", json={**ACCOUNT, **change})
        await pulled.settled()
    assert await rederivations(pulled) == [("users", "succeeded")] * 2
