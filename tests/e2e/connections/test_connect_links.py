"""Connect links: a page that a user is sent, at which the user can connect (T3)."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import time_machine

from app import main
from tests.support.browser import new_browser, submit_form
from tests.support.world import World

LINKS = "/v1/accounts/hp/connect-links"
BODY = {"user_id": "u_ann", "region": "us", "return_url": "https://levitate.test/done"}


async def created(world: World, **more: Any) -> dict[str, Any]:
    answer = await world.api.post(LINKS, json={**BODY, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{LINKS}/{answer.json()['id']}"
    link: dict[str, Any] = answer.json()
    return link


def words(page: httpx.Response) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.text))


async def connect_by(world: World, browser: httpx.AsyncClient, url: str) -> httpx.Response:
    """Press the button of the page, approve at Clio and come back."""
    started = await submit_form(browser, await browser.get(url), {})
    to_clio = (await browser.get(started.headers["location"])).headers["location"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.simulator.app("us"))) as clio:
        back = await clio.get(f"{to_clio}&as_user=501")
    return await browser.get(back.headers["location"])


async def actions(world: World) -> list[str]:
    return [entry["action"] async for entry in world.all("audit")]


async def test_a_user_connects_in_the_browser_in_which_the_link_was_opened(world: World):
    await world.create_account()
    link = await created(world)
    assert urlsplit(link["url"]).path.startswith("/oauth/links/")
    async with new_browser(world.app) as browser:
        page = await browser.get(link["url"])
        assert "Connect Ann Harlow to Clio" in words(page)
        assert "Harlow & Pike LLP" in words(page)
        assert page.text.count("<button") == 1
        end = await connect_by(world, browser, link["url"])
        assert end.headers["location"] == "https://levitate.test/done?clio=connected"
        after = words(await browser.get(link["url"]))
    assert "Ann Harlow is connected to Clio" in after
    assert "that of Ann Harlow (ann@harlowpike.test)" in after
    assert "first sync has not ended" in after
    assert "Writes notes and communications" in after
    assert "How to disconnect" in after
    entries = [entry async for entry in world.all("audit")]
    (began,) = [entry for entry in entries if entry["action"] == "connection.started"]
    assert began["details"] == {"user_id": "u_ann", "link_id": link["id"]}


async def test_the_page_says_when_the_last_sync_was(world: World):
    await world.create_account()
    link = await created(world)
    async with new_browser(world.app) as browser:
        await connect_by(world, browser, link["url"])
        await world.settled()
        await world.run()
        after = words(await browser.get(link["url"]))
    assert re.search(r"The last sync ended at \d\d:\d\d E[SD]T on \w+ \d\d, \d{4}", after)


async def test_a_link_can_be_opened_often_and_looking_at_it_begins_nothing(world: World):
    await world.create_account()
    link = await created(world)
    async with new_browser(world.app) as browser:
        for _ in range(3):
            assert (await browser.get(link["url"])).status_code == 200
            assert (await browser.head(link["url"])).status_code == 404, "no page for scanners"
    assert [found async for found in world.all("connections")] == []
    assert "connection.started" not in await actions(world)


@pytest.mark.parametrize("end", ["deleted", "expired", "user removed"])
async def test_a_link_that_has_ended_says_so_and_connects_nobody(world: World, end: str):
    await world.create_account()
    link = await created(world, expires_in_days=1)
    later = timedelta(days=1, seconds=1) if end == "expired" else timedelta(0)
    if end == "deleted":
        for _ in range(2):
            assert (await world.api.delete(f"{LINKS}/{link['id']}")).status_code == 204
    if end == "user removed":
        await world.api.put("/v1/accounts/hp/users", json={"users": [
            {"id": "u_ben", "name": "Ben Pike", "email": "ben@harlowpike.test", "active": True}
        ]})  # fmt: skip
    async with new_browser(world.app) as browser:
        with time_machine.travel(main.now() + later, tick=True):
            for answer in (await browser.get(link["url"]), await browser.post(link["url"])):
                assert answer.status_code == 404
                assert "This link has ended" in words(answer)
    assert [found async for found in world.all("connections")] == []
    wanted = ["connect_link.created"] + ["connect_link.ended"] * (end == "deleted")
    assert [name for name in await actions(world) if "link" in name] == wanted


async def test_a_login_stays_connected_when_its_link_ends(world: World):
    await world.create_account()
    link = await created(world)
    async with new_browser(world.app) as browser:
        await connect_by(world, browser, link["url"])
    await world.api.delete(f"{LINKS}/{link['id']}")
    (found,) = [found async for found in world.all("connections")]
    assert found["status"] == "connected"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"user_id": "u_nobody"}, 422, "unknown_user"),
        ({"region": "eu"}, 422, "region_not_offered"),
        ({"return_url": "https://evil.test/"}, 422, "return_url_not_allowed"),
        ({"expires_in_days": 0}, 422, "invalid_request"),
        ({"expires_in_days": 15}, 422, "invalid_request"),
    ],
)
async def test_a_link_that_could_not_work_is_refused(
    world: World, change: dict[str, Any], status: int, code: str
):
    await world.create_account()
    answer = await world.api.post(LINKS, json={**BODY, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_links_need_a_role_and_belong_to_one_account(world: World):
    await world.create_account()
    await world.create_account("other")
    link = await created(world)
    user = {"Levitate-Role": "user"}
    refused = [
        await world.api.post(LINKS, json=BODY, headers=user),
        await world.api.delete(f"{LINKS}/{link['id']}", headers=user),
    ]
    assert {one.json()["code"] for one in refused} == {"role_required"}
    foreign = await world.api.delete(f"/v1/accounts/other/connect-links/{link['id']}")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "connect_link_not_found")
    async with new_browser(world.app) as browser:
        assert (await browser.get(link["url"])).status_code == 200


async def test_nobody_gets_a_link_before_the_integration_is_enabled(world: World):
    # EN-1
    await world.create_account(enabled=False)
    answer = await world.api.post(LINKS, json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (403, "integration_not_enabled")
