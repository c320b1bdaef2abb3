"""Clio's regions are separate systems: the same id in another region is another firm [AU-3, AU-4, T4]."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app import main
from app.simulator.firms.harlow_pike import harlow_pike
from tests.support.world import World, generous_simulator, harlow_and_pike, opened_world


@pytest.fixture
async def world(dsn: str) -> AsyncIterator[World]:
    """The service with two regions. Each has a firm and users with the same ids, names and addresses."""
    european = harlow_pike(main.now)
    european.region = "eu"
    simulator = generous_simulator(harlow_and_pike(), european)
    async with opened_world(dsn, simulator, ("us", "eu")) as world, world:
        await world.create_account()
        yield world


async def approved_in(world: World, region: str, user_id: str, clio_user: int) -> httpx.Response:
    """Return the answer to a browser that comes back from Clio in a region."""
    body = {"user_id": user_id, "region": region, "return_url": "https://levitate.test/done"}
    started = await world.api.post("/v1/accounts/hp/connections", json=body)
    assert started.status_code == 201, started.text
    to_clio = (await world.api.get(started.json()["authorize_url"])).headers["location"]
    transport = httpx.ASGITransport(world.simulator.app(region))
    async with httpx.AsyncClient(transport=transport) as browser:
        back = await browser.get(f"{to_clio}&as_user={clio_user}")
    return await world.api.get(back.headers["location"])


async def connections(world: World) -> dict[str, dict[str, Any]]:
    return {one["user_id"]: one async for one in world.all("connections")}


async def test_the_firm_with_the_same_id_in_another_region_is_another_firm(world: World):
    # ASVS V6.8.1
    first = await approved_in(world, "us", "u_ann", 501)
    assert urlsplit(first.headers["location"]).query == "clio=connected"
    for user_id, clio_user in (("u_ben", 502), ("u_ann", 501)):
        other = await approved_in(world, "eu", user_id, clio_user)
        assert urlsplit(other.headers["location"]).query == "clio=clio_account_mismatch"
    found = await connections(world)
    assert found["u_ben"]["problem"]["code"] == "clio_account_mismatch"
    assert (found["u_ann"]["status"], found["u_ann"]["region"]) == ("connected", "us")
    assert (await world.api.get("/v1/accounts/hp")).json()["clio"]["region"] == "us"


async def test_a_disconnected_login_is_not_connected_again_by_the_same_user_id_of_another_region(
    world: World,
):
    # ASVS V6.8.1: its Clio user is still known, and asked about no more in its own region
    await approved_in(world, "us", "u_ben", 502)
    own = (await connections(world))["u_ben"]["id"]
    assert (await world.api.delete(f"/v1/accounts/hp/connections/{own}")).status_code == 204
    other = await approved_in(world, "eu", "u_ben", 502)
    assert urlsplit(other.headers["location"]).query == "clio=clio_account_mismatch"
    assert (await connections(world))["u_ben"]["status"] == "disconnected"
    again = await approved_in(world, "us", "u_ben", 502)
    assert urlsplit(again.headers["location"]).query == "clio=connected"
