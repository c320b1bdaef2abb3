"""Somebody who can begin to connect cannot get the login of another person, nor keep an attempt that was revoked (T3).

An attacker opens the address of an attempt, keeps the cookie, and sends the same address to a lawyer.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.browser import form_in, new_browser, submit_form
from tests.support.walls import HP
from tests.support.world import USERS, World

YES = {"answer": "yes"}


@pytest.fixture
async def account(world: World) -> World:
    await world.create_account()
    return world


@pytest.fixture
async def attacker(account: World) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody else, who opens the same address."""
    async with new_browser(account.app) as browser:
        yield browser


async def connections(world: World) -> dict[str, tuple[str, Any]]:
    """Return status and Clio user of each Levitate user's connection."""
    found = [one async for one in world.all("connections")]
    return {
        one["user_id"]: (one["status"], one["clio_user"] and one["clio_user"]["id"])
        for one in found
    }


async def question(world: World, user_id: str, clio_user: int = 501) -> httpx.Response:
    """Approve as a Clio user with another address than the Levitate user; return the page that asks."""
    page = await world.api.get(await world.approve(await world.start(user_id), clio_user))
    assert page.status_code == 200
    return page


@pytest.mark.parametrize("rest", ["&code=garbage", "", "&code=", "&error=access_denied"])
async def test_another_browser_with_a_cookie_of_the_attempt_cannot_answer_for_the_login(
    account: World, attacker: httpx.AsyncClient, rest: str
):
    # the lawyer allows the access at Clio, reads the page and does not answer
    address = await account.start("u_ben")
    await attacker.get(address)
    page = await account.api.get(await account.approve(address, 501))
    state = form_in(page.text).fields["state"]
    stolen = await attacker.get(f"/oauth/clio/callback?state={state}{rest}")
    assert stolen.status_code == 400
    assert "finish in the browser in which you began" in stolen.text
    assert form_in(stolen.text).action is None
    fields = {**form_in(page.text).fields, **YES}
    assert (await attacker.post("/oauth/clio/confirm", data=fields)).status_code == 400
    assert (await connections(account))["u_ben"] == ("pending", None)
    ended = await submit_form(account.api, page, {"answer": "no"})
    assert ended.headers["location"].endswith("clio=declined")
    assert (await connections(account))["u_ben"] == ("declined", None)


async def test_where_an_attempt_ended_is_shown_only_to_the_browser_that_used_it(
    account: World, attacker: httpx.AsyncClient
):
    address = await account.start("u_ann")
    await attacker.get(address)
    callback = await account.approve(address, 501)
    ends = [(await account.api.get(callback)).headers["location"] for _ in range(2)]
    assert ends[0] == ends[1]
    assert (await attacker.get(callback)).status_code == 400


async def test_a_login_of_another_user_is_asked_about_although_the_address_is_the_same(
    account: World,
):
    # the directory says that Ben has Ann's address
    assert (await account.connect("u_ann", 501)).endswith("clio=connected")
    users = [{**user, "email": "ann@harlowpike.test"} for user in USERS]
    assert (await account.api.put(f"{HP}/users", json={"users": users})).status_code == 200
    page = await question(account, "u_ben")
    assert "already connected to <bdi>Ann Harlow</bdi>" in page.text
    assert (await connections(account))["u_ben"] == ("pending", None)


@pytest.mark.parametrize("address", ["ann@harlowpike.teſt", "аnn@harlowpike.test"])
async def test_an_address_that_only_looks_the_same_is_another_one(account: World, address: str):
    users = [{**user, "email": address} for user in USERS]
    assert (await account.api.put(f"{HP}/users", json={"users": users})).status_code == 200
    assert "Connect this login to" in (await question(account, "u_ben")).text


@pytest.mark.parametrize("address", ["a\nb@x.test", "ann@x.test\u202e", "a\x00b@x.test"])
async def test_an_address_with_characters_that_nobody_can_see_is_refused(
    account: World, address: str
):
    users = [{**USERS[0], "email": address}]
    answer = await account.api.put(f"{HP}/users", json={"users": users})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/users/0/email"


async def disconnect(world: World) -> None:
    (found,) = [one async for one in world.all("connections") if one["user_id"] == "u_ben"]
    assert (await world.api.delete(f"{HP}/connections/{found['id']}")).status_code == 204


async def remove_user(world: World) -> None:
    users = [user for user in USERS if user["id"] != "u_ben"]
    assert (await world.api.put(f"{HP}/users", json={"users": users})).status_code == 200


@pytest.mark.parametrize("revoke", [disconnect, remove_user])
async def test_what_was_begun_is_not_finished_after_the_connection_or_the_user_was_ended(
    account: World, revoke: Any
):
    callback = await account.approve(await account.start("u_ben"), 502)
    await revoke(account)
    end = await account.api.get(callback)
    end = await submit_form(account.api, end, YES)
    assert end.headers["location"].endswith("clio=declined")
    assert (await connections(account))["u_ben"][0] != "connected"


@pytest.mark.parametrize("revoke", [disconnect, remove_user])
async def test_a_yes_after_the_connection_or_the_user_was_ended_connects_nobody(
    account: World, revoke: Any
):
    page = await question(account, "u_ben")
    await revoke(account)
    end = await submit_form(account.api, page, YES)
    assert end.headers["location"].endswith("clio=declined")
    assert (await connections(account))["u_ben"][0] != "connected"
    await account.housekept()
    assert len(account.simulator.requests("/oauth/deauthorize")) == 1


async def test_the_end_of_a_link_ends_what_was_begun_with_it(account: World):
    body = {"user_id": "u_ben", "region": "us", "return_url": "https://levitate.test/done"}
    made = (await account.api.post(f"{HP}/connect-links", json=body)).json()
    begun = await account.api.post(made["url"])
    callback = await account.approve(begun.headers["location"], 502)
    assert (await account.api.delete(f"{HP}/connect-links/{made['id']}")).status_code == 204
    assert (await account.api.get(callback)).headers["location"].endswith("clio=declined")
    assert (await connections(account))["u_ben"][0] != "connected"


async def test_a_form_of_another_site_is_refused(account: World):
    page, elsewhere = await question(account, "u_ben"), {"Sec-Fetch-Site": "cross-site"}
    fields = {**form_in(page.text).fields, **YES}
    sent = await account.api.post("/oauth/clio/confirm", data=fields, headers=elsewhere)
    assert sent.status_code == 400
    body = {"user_id": "u_ben", "region": "us", "return_url": "https://levitate.test/done"}
    made = (await account.api.post(f"{HP}/connect-links", json=body)).json()
    assert (await account.api.post(made["url"], headers=elsewhere)).status_code == 400
    own = {"Sec-Fetch-Site": "same-origin"}
    assert (await account.api.post(made["url"], headers=own)).status_code == 303


async def test_a_link_of_a_connected_user_begins_nothing(account: World):
    body = {"user_id": "u_ben", "region": "us", "return_url": "https://levitate.test/done"}
    made = (await account.api.post(f"{HP}/connect-links", json=body)).json()
    await account.connect("u_ben", 502)
    sent = await account.api.post(made["url"])
    assert made["url"].endswith(sent.headers["location"])


async def test_the_outcome_is_the_only_one_in_the_return_address(account: World):
    body = {
        "user_id": "u_ann",
        "region": "us",
        "return_url": "https://levitate.test/done?clio=connected&x=1",
    }
    started = (await account.api.post(f"{HP}/connections", json=body)).json()
    callback = await account.approve(started["authorize_url"], "decline")
    location = (await account.api.get(callback)).headers["location"]
    assert location == "https://levitate.test/done?x=1&clio=declined"


@pytest.mark.parametrize(
    ("role", "user_id", "status"),
    [
        ("user", "u_ann", 403),
        ("user", None, 403),
        ("user", "u_ben", 204),
        ("account_admin", "u_ann", 204),
    ],
)
async def test_a_user_without_a_role_ends_only_the_own_connection(
    account: World, role: str, user_id: str | None, status: int
):
    await account.connect("u_ben", 502)
    (found,) = [one async for one in account.all("connections")]
    headers = {"Levitate-Role": role, **({"Levitate-User": user_id} if user_id else {})}
    if user_id is None:
        account.api.headers.pop("Levitate-User", None)
    answer = await account.api.delete(f"{HP}/connections/{found['id']}", headers=headers)
    assert answer.status_code == status
