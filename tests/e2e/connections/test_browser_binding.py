"""Only the browser that began an attempt to connect can spend it (T3, RFC 9700)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import time_machine

from app import main
from tests.support.browser import new_browser
from tests.support.world import World

CALLBACK = "/oauth/clio/callback"


@pytest.fixture
async def stranger(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that did not begin the attempt."""
    async with new_browser(world.app) as browser:
        yield browser


async def approved(world: World, clio_user: int | str = 501) -> str:
    await world.create_account()
    return await world.approve(await world.start("u_ann"), clio_user)


def asked_clio(world: World) -> int:
    return len(world.simulator.requests("/oauth/token")) + len(
        world.simulator.requests("/oauth/deauthorize")
    )


async def connects(world: World, callback: str) -> bool:
    answer = await world.api.get(callback)
    return str(answer.headers.get("location", "")).endswith("clio=connected")


def about(callback: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(callback).query))


async def test_a_callback_in_another_browser_spends_nothing_and_asks_clio_nothing(
    world: World, stranger: httpx.AsyncClient
):
    # AU-2, T3
    callback = await approved(world)
    answer = await stranger.get(callback)
    assert answer.status_code == 400
    assert "finish in the browser in which you began" in answer.text
    assert "location" not in answer.headers
    assert asked_clio(world) == 0
    assert await connects(world, callback)


@pytest.mark.parametrize("part", ["nonce", "check", "whole", "other attempt"])
async def test_a_forged_cookie_is_no_proof(world: World, stranger: httpx.AsyncClient, part: str):
    # T3
    callback = await approved(world)
    (cookie,) = world.api.cookies.jar
    nonce, check = (cookie.value or "").split(".")
    await stranger.get(await world.start("u_ben"))
    (other,) = stranger.cookies.jar
    value = {
        "nonce": f"x{nonce[1:]}.{check}" if nonce[0] != "x" else f"y{nonce[1:]}.{check}",
        "check": f"{nonce}.{check[::-1]}",
        "whole": "",
        "other attempt": other.value or "",
    }[part]
    stranger.cookies.set(cookie.name, value, domain="service.test")
    assert (await stranger.get(callback)).status_code == 400
    assert asked_clio(world) == 0
    stranger.cookies.set(cookie.name, cookie.value or "", domain="service.test")
    assert (await stranger.get(callback)).headers["location"].endswith("clio=connected")


async def test_the_address_can_be_opened_in_several_browsers_and_each_gets_its_own_cookie(
    world: World, stranger: httpx.AsyncClient
):
    # T3
    await world.create_account()
    address = await world.start("u_ann")
    answers = [await browser.get(address) for browser in (world.api, world.api, stranger)]
    values = {answer.headers["set-cookie"].split(";")[0] for answer in answers}
    assert len(values) == 3
    assert len({value.split("=")[0] for value in values}) == 1
    callback = await world.approve(address, 501)
    assert (await stranger.get(callback)).headers["location"].endswith("clio=connected")


async def test_link_scanners_do_not_spend_an_attempt(world: World):
    # T3: HEAD of both addresses, and a form sent to the callback
    await world.create_account()
    address = await world.start("u_ann")
    for _ in range(2):
        head = await world.api.head(address)
        assert (head.status_code, head.text) == (303, "")
        assert "clio-" in head.headers["set-cookie"]
    callback = await world.approve(address, 501)
    assert (await world.api.head(callback)).status_code == 404
    assert (await world.api.post(callback)).status_code == 404
    assert asked_clio(world) == 0
    assert await connects(world, callback)


@pytest.mark.parametrize(
    ("origin", "attributes"),
    [
        ("http://service.test", "; HttpOnly; Max-Age=1800; Path=/; SameSite=lax"),
        ("https://service.test", "; HttpOnly; Max-Age=1800; Path=/; SameSite=lax; Secure"),
    ],
)
async def test_the_cookie_cannot_be_set_by_another_host_nor_read_by_a_script(
    world: World, monkeypatch: pytest.MonkeyPatch, origin: str, attributes: str
):
    # T3: the prefix needs https, so plain http on this machine goes without
    await world.create_account()
    services = replace(world.app.state.services, public_url=origin)
    monkeypatch.setattr(world.app.state, "services", services)
    async with new_browser(world.app, origin) as browser:
        answer = await browser.get(await world.start("u_ann"))
        name, rest = answer.headers["set-cookie"].split("=", 1)
        assert name.startswith("__Host-clio-") == origin.startswith("https")
        assert rest.endswith(attributes)
        transport = httpx.ASGITransport(world.simulator.app("us"))
        async with httpx.AsyncClient(transport=transport) as clio:
            back = await clio.get(f"{answer.headers['location']}&as_user=501")
        end = await browser.get(back.headers["location"])
        assert end.headers["location"].endswith("clio=connected")


@pytest.mark.parametrize(
    "more", [{"error": "access_denied"}, {"error": ""}], ids=["code and error", "empty error"]
)
async def test_a_code_with_an_error_is_refused_and_spends_nothing(
    world: World, more: dict[str, str]
):
    # T3, RFC 6749 §4.1.2: an answer has either
    callback = await approved(world)
    answer = await world.api.get(CALLBACK, params={**about(callback), **more})
    assert answer.status_code == 400
    assert asked_clio(world) == 0
    assert await connects(world, callback)


async def test_the_issuer_is_compared_where_clio_names_one(world: World):
    # T4, RFC 9207
    callback = await approved(world)
    params = {**about(callback), "iss": "https://eu.app.clio.com"}
    answer = await world.api.get(CALLBACK, params=params)
    assert answer.headers["location"].endswith("clio=wrong_region")
    assert asked_clio(world) == 0
    (found,) = [found async for found in world.all("connections")]
    assert (found["status"], found["problem"]["code"]) == ("disconnected", "wrong_region")
    callback = await world.approve(await world.start("u_ann"), 501)
    params = {**about(callback), "iss": "https://app.clio.com"}
    answer = await world.api.get(CALLBACK, params=params)
    assert answer.headers["location"].endswith("clio=connected")


async def test_two_tabs_with_two_attempts_end_each_for_itself(world: World):
    # T3
    await world.create_account()
    callbacks = [
        await world.approve(await world.start(user), clio_user)
        for user, clio_user in (("u_ann", 501), ("u_ben", 502))
    ]
    swapped = {**about(callbacks[0]), "state": about(callbacks[1])["state"]}
    for callback in reversed(callbacks):
        assert await connects(world, callback)
    assert (
        (await world.api.get(CALLBACK, params=swapped))
        .headers["location"]
        .endswith("clio=connected")
    ), "the state of an attempt that has ended repeats its end"
    assert len(world.simulator.requests("/oauth/token")) == 2


async def test_the_same_callback_ends_as_before_for_ten_minutes_and_asks_clio_nothing(
    world: World, stranger: httpx.AsyncClient
):
    # T3
    callback = await approved(world)
    first = await world.api.get(callback)
    before = asked_clio(world)
    again = await world.api.get(callback)
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert (await stranger.get(callback)).status_code == 400
    later = main.now() + timedelta(minutes=11)
    with time_machine.travel(later, tick=True):
        assert (await world.api.get(callback)).status_code == 400
    assert asked_clio(world) == before


@pytest.mark.parametrize("end", ["declined", "invalid_state"])
async def test_a_failed_attempt_also_ends_the_same_way_again(world: World, end: str):
    # T3
    clio_user = "decline" if end == "declined" else 501
    callback = await approved(world, clio_user)
    wait = timedelta(minutes=11 if end == "invalid_state" else 0)
    with time_machine.travel(main.now() + wait, tick=True):
        for _ in range(2):
            answer = await world.api.get(callback)
            assert answer.headers["location"].endswith(f"clio={end}")
    assert asked_clio(world) == 0


async def test_a_callback_that_is_sent_twice_at_once_connects_once(world: World):
    # T3: browsers and extensions load an address twice
    callback = await approved(world)
    async with asyncio.TaskGroup() as group, world.clio_transport.paused("/oauth/token"):
        first = group.create_task(world.api.get(callback))
        await world.clio_transport.waiting.wait()
        second = await world.api.get(callback)
        assert second.status_code == 409
        assert '<meta http-equiv="refresh" content="2">' in second.text
    assert first.result().headers["location"].endswith("clio=connected")
    assert await connects(world, callback), "the page loads again"
    assert len(world.simulator.requests("/oauth/token")) == 1


async def test_a_state_that_was_never_in_this_browser_is_the_same_page_for_each_reason(
    world: World, stranger: httpx.AsyncClient
):
    # T3: no page says more to a stranger than to anybody
    callback = await approved(world)
    unused = await stranger.get(callback)
    await world.api.get(callback)
    used = await stranger.get(callback)
    assert unused.text == used.text


async def test_a_code_of_another_attempt_is_not_redeemed(world: World):
    # T4, RFC 9700 §4.5: PKCE binds a code to the attempt that began it
    await world.create_account()
    stolen, own = [await world.approve(await world.start(user), 501) for user in ("u_ben", "u_ann")]
    injected = {**about(own), "code": about(stolen)["code"]}
    answer = await world.api.get(CALLBACK, params=injected)
    assert answer.headers["location"].endswith("clio=exchange_failed")
    assert [one["status"] async for one in world.all("connections")] == ["pending", "disconnected"]


async def test_a_code_goes_to_the_region_of_the_attempt_whatever_the_callback_says(world: World):
    # T4: the region is in the row of the attempt
    callback = await approved(world)
    params = {**about(callback), "region": "eu", "location": "https://evil.test"}
    answer = await world.api.get(CALLBACK, params=params)
    assert answer.headers["location"].endswith("clio=connected")
    (found,) = [one async for one in world.all("connections")]
    assert found["region"] == "us"
