"""A person confirms a Clio login that does not have the e-mail address of the Levitate user (T3)."""

import asyncio
import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.simulator.store.firm import Firm
from app.sync.connections import decline_unanswered, tell_clio_what_is_due
from tests.support.browser import form_in, new_browser, submit_form
from tests.support.sessions import looking
from tests.support.world import USERS, World


async def asked(world: World, user_id: str = "u_ben", clio_user: int = 501) -> httpx.Response:
    """Approve as another Clio user than the Levitate user, and return the page."""
    callback = await world.approve(await world.start(user_id), clio_user)
    return await world.api.get(callback)


async def answer(world: World, page: httpx.Response, word: str) -> str:
    end = await submit_form(world.api, page, {"answer": word})
    assert end.status_code == 303, end.text
    return str(end.headers["location"])


async def connection(world: World, user_id: str = "u_ben") -> dict[str, Any]:
    (found,) = [one async for one in world.all("connections") if one["user_id"] == user_id]
    return found


def ann_in_clio(world: World) -> dict[str, Any]:
    ann = world.simulator.firms[0].find("user", 501)
    assert ann is not None
    return ann


async def audited(world: World, action: str) -> list[dict[str, Any]]:
    return [entry async for entry in world.all("audit") if entry["action"] == action]


@pytest.fixture
async def account(world: World) -> World:
    await world.create_account()
    return world


async def test_the_page_says_who_is_about_to_connect_what_to_whom(account: World):
    page = await asked(account)
    said = html.unescape(re.sub(r"<[^>]+>", "", page.text))
    assert "You are signed in to Clio as Ann Harlow of Harlow & Pike LLP." in said
    assert "Connect this login to Ben Pike in Levitate?" in said
    assert page.status_code == 200
    assert re.findall(r'name="answer" value="(\w+)"', page.text) == ["no", "yes"]


async def test_until_the_answer_only_sealed_rows_are_stored(account: World):
    await asked(account)
    found = await connection(account)
    assert (found["status"], found["clio_user"]) == ("pending", None)
    assert await account.runs() == []
    assert (await account.api.get("/v1/accounts/hp")).json()["clio"] is None
    async with looking(account.app.state.services.database) as session:
        for table in ("authorizations", "connections", "revocations", "audit", "accounts"):
            rows = (await session.execute(text(f"select {table}::text from {table}"))).scalars()
            assert not [row for row in rows if "ann@harlowpike.test" in row and table != "users"]


async def test_a_yes_connects_the_login_and_is_audited(account: World):
    assert (await answer(account, await asked(account), "yes")).endswith("clio=connected")
    found = await connection(account)
    assert (found["status"], found["clio_user"]["name"]) == ("connected", "Ann Harlow")
    (entry,) = await audited(account, "connection.connected")
    assert entry["details"]["confirmed_by"] == "person"
    assert entry["request_id"].startswith("req_")
    (bound,) = await audited(account, "account.firm_bound")
    assert (bound["subject"], bound["details"]["region"]) == ("77", "us")
    assert [run["kind"] for run in await account.settled()] == ["initial"]
    await account.housekept()
    assert account.simulator.requests("/oauth/deauthorize") == []


async def test_a_no_declines_and_revokes_the_tokens(account: World):
    page = await asked(account)
    for word in ("", "YES", "maybe"):
        refused = await submit_form(account.api, page, {"answer": word})
        assert refused.status_code == 400, "it is no answer"
    assert (await answer(account, page, "no")).endswith("clio=declined")
    found = await connection(account)
    assert (found["status"], found["problem"]["code"]) == ("declined", "declined")
    await account.housekept()
    assert len(account.simulator.requests("/oauth/deauthorize")) == 1
    assert await account.runs() == []


async def test_no_answer_within_ten_minutes_is_a_no(account: World):
    page = await asked(account)
    services = account.app.state.services
    at_9, at_11 = (main.now() + timedelta(minutes=minutes) for minutes in (9, 11))
    soon, later = replace(services, now=lambda: at_9), replace(services, now=lambda: at_11)
    assert [await decline_unanswered(at) for at in (soon, later, later)] == [0, 1, 0]
    assert (await connection(account))["status"] == "declined"
    await tell_clio_what_is_due(later, "hp")
    assert len(account.simulator.requests("/oauth/deauthorize")) == 1
    assert (await answer(account, page, "yes")).endswith("clio=declined"), "the end is repeated"


async def test_a_yes_that_comes_too_late_declines(account: World):
    page = await asked(account)
    with time_machine.travel(main.now() + timedelta(minutes=10, seconds=1), tick=True):
        assert (await answer(account, page, "yes")).endswith("clio=declined")
        await account.housekept()
    assert len(account.simulator.requests("/oauth/deauthorize")) == 1


async def test_a_yes_after_clio_was_told_to_revoke_the_tokens_connects_nothing(account: World):
    # the clock of the process that tells Clio may be ahead
    page = await asked(account)
    now = main.now() + timedelta(minutes=11)
    await tell_clio_what_is_due(replace(account.app.state.services, now=lambda: now), "hp")
    assert (await answer(account, page, "yes")).endswith("clio=exchange_failed")
    assert (await connection(account))["status"] == "disconnected"


async def test_the_callback_again_asks_again_and_an_answer_again_ends_as_before(account: World):
    callback = await account.approve(await account.start("u_ben"), 501)
    first, second = await account.api.get(callback), await account.api.get(callback)
    assert first.text == second.text
    ends = {await answer(account, page, "yes") for page in (first, second)}
    ends.add(await answer(account, first, "no"))
    assert ends == {"https://levitate.test/done?x=1&clio=connected"}
    assert len(account.simulator.requests("/oauth/token")) == 1


async def test_two_answers_at_once_count_once(account: World):
    page = await asked(account)
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(answer(account, page, word)) for word in ("yes", "yes", "no")]
    ends = {one.result() for one in answers}
    assert len(ends) == 1
    works = ends.pop().endswith("clio=connected")
    assert (await connection(account))["status"] == ("connected" if works else "declined")
    assert len(await audited(account, "connection.connected")) == works
    await account.settled()
    await account.housekept()
    assert len(account.simulator.requests("/oauth/deauthorize")) == (not works)


async def test_only_the_browser_of_the_attempt_can_answer_with_its_own_form(account: World):
    address = await account.start("u_ben")
    page = await account.api.get(await account.approve(address, 501))
    form = form_in(page.text)
    async with new_browser(account.app) as stranger:
        refused = [
            await stranger.post("/oauth/clio/confirm", data={**form.fields, "answer": "yes"})
        ]
        await stranger.get(
            address
        )  # an own cookie for the same attempt, but not the token of its form
        refused.append(
            await stranger.post("/oauth/clio/confirm", data={**form.fields, "answer": "yes"})
        )
    for token in ("", "x", form.fields["token"][:-1]):
        sent = {**form.fields, "token": token, "answer": "yes"}
        refused.append(await account.api.post("/oauth/clio/confirm", data=sent))
    assert {one.status_code for one in refused} == {400}
    assert (await connection(account))["status"] == "pending"
    assert (await answer(account, page, "yes")).endswith("clio=connected")


async def test_an_address_that_differs_only_in_case_and_spaces_is_the_same(account: World):
    users = [{**user, "email": f" {str(user['email']).upper()} "} for user in USERS]
    await account.api.put("/v1/accounts/hp/users", json={"users": users})
    assert await account.connect("u_ann", 501) == "x=1&clio=connected"
    (entry,) = await audited(account, "connection.connected")
    assert entry["details"]["confirmed_by"] == "same_email"


async def test_a_login_without_an_address_is_confirmed_by_a_person(account: World):
    firm = account.simulator.firms[0]
    firm.put("user", {**ann_in_clio(account), "email": None})
    page = await asked(account, "u_ann")
    assert "No email address" in page.text
    assert (await answer(account, page, "yes")).endswith("clio=connected")


async def test_a_login_that_was_connected_before_is_not_asked_about_again(account: World):
    await answer(account, await asked(account), "yes")
    found = await connection(account)
    await account.api.delete(f"/v1/accounts/hp/connections/{found['id']}")
    assert (await asked(account)).headers["location"].endswith("clio=connected")
    entries = await audited(account, "connection.connected")
    assert [entry["details"]["confirmed_by"] for entry in entries] == ["person", "same_clio_user"]
    assert await audited(account, "connection.clio_user_changed") == []


async def test_another_clio_user_than_before_is_asked_about_and_audited(account: World):
    assert await account.connect("u_ben", 502) == "x=1&clio=connected"
    page = await asked(account, "u_ben", 501)
    assert (await connection(account))["clio_user"]["id"] == "502", "not before the answer"
    await answer(account, page, "yes")
    (entry,) = await audited(account, "connection.clio_user_changed")
    assert entry["details"] == {"clio_user_id_before": "502", "clio_user_id": "501"}
    assert len(await audited(account, "account.firm_bound")) == 1
    await account.housekept()
    assert len(account.simulator.requests("/oauth/deauthorize")) == 1, "of the login before"


async def test_a_refused_login_leaves_a_working_one_as_it_is(account: World):
    assert await account.connect("u_ben", 502) == "x=1&clio=connected"
    assert (await answer(account, await asked(account), "no")).endswith("clio=declined")
    found = await connection(account)
    assert (found["status"], found["clio_user"]["id"]) == ("connected", "502")


async def test_nobody_is_asked_about_a_login_of_another_firm(account: World):
    # AU-4
    other = Firm(account_id=99, name="Other LLP", region="us", now=main.now)
    user = {"id": 901, "name": "O", "email": "o@x.test", "enabled": True, "account_owner": True}
    other.put("user", {**user, "roles": []})
    account.simulator.firms.append(other)
    account.simulator.oauth["us"].firms.append(other)
    await account.connect("u_ann", 501)
    page = await asked(account, "u_ben", 901)
    assert page.headers["location"].endswith("clio=clio_account_mismatch")


async def test_names_are_shown_as_text(account: World):
    # T11
    hostile = '<script>alert("x")</script>'
    firm = account.simulator.firms[0]
    firm.put("user", {**ann_in_clio(account), "name": hostile, "first_name": hostile})
    users = [{**user, "name": hostile} for user in USERS]
    await account.api.put("/v1/accounts/hp/users", json={"users": users})
    page = await asked(account)
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_a_page_is_left_to_the_return_address_only(account: World):
    # browsers hold the redirects after a form to `form-action`
    page = await asked(account)
    policy = page.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https:")
