"""Connecting a login through the real redirects, and all its failures."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from app import main
from app.db.connection import Address
from app.db.session import open_database
from app.simulator.store.firm import Firm
from app.sync import checked_tokens
from app.sync.checked_tokens import Purpose
from tests.support.world import World


def token_requests(world: World) -> int:
    return len(world.simulator.requests("/oauth/token"))


async def connection(world: World) -> dict[str, Any]:
    return [found async for found in world.all("connections")][-1]


async def test_the_authorize_address_leads_to_clios_page_of_the_region_and_requests_a_redirect_on_decline(
    world: World,
):
    # AU-3
    await world.create_account()
    start = await world.start("u_ann")
    assert start.startswith("http://service.test/oauth/clio/start/")
    url = (await world.api.get(start)).headers["location"]
    assert url.startswith("https://app.clio.com/oauth/authorize?")
    assert "redirect_on_decline=true" in url
    assert "code_challenge_method=S256" in url
    assert "scope" not in url


async def test_a_connected_login_is_shown_without_any_token(world: World):
    # AU-1, AU-2
    await world.create_account()
    assert await world.connect("u_ann", 501) == "x=1&clio=connected"
    found = await connection(world)
    assert (found["status"], found["clio_user"]["id"]) == ("connected", "501")
    assert "token" not in str(found)
    account = (await world.api.get("/v1/accounts/hp")).json()
    assert account["clio"] == {"region": "us", "account_id": "77", "name": "Harlow & Pike LLP"}


async def test_a_state_is_valid_once_and_an_unknown_state_is_never_valid(world: World):
    # AU-2
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), 501)
    assert (await world.api.get(callback)).status_code == 303
    before = token_requests(world)
    with time_machine.travel(main.now() + timedelta(minutes=11), tick=True):
        for address in (
            callback,
            "/oauth/clio/callback?code=c&state=foreign",
            "/oauth/clio/callback?code=c",
        ):
            answer = await world.api.get(address)
            assert answer.status_code == 400
            assert "location" not in answer.headers
    assert token_requests(world) == before


async def test_an_invented_state_or_link_costs_no_look_up(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    # AU-2, T12
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), 501)
    services = world.app.state.services
    real = checked_tokens.new_token(services, Purpose.STATE)
    link = checked_tokens.new_token(services, Purpose.LINK)
    away = open_database(Address("postgresql://nobody@127.0.0.1:1/none"))
    monkeypatch.setattr(world.app.state, "services", replace(services, database=away))
    hook = checked_tokens.new_token(services, Purpose.HOOK)
    for state in ("s", "s" * 43, real[1:], real[:-1], hook, link):
        params = {"code": "c", "state": state}
        answer = await world.api.get("/oauth/clio/callback", params=params)
        assert answer.status_code == 400, state
        assert (await world.api.get(f"/oauth/clio/start/{state}")).status_code == 400, state
        if state != link:
            assert (await world.api.get(f"/oauth/links/{state}")).status_code == 404, state
    for asked in (callback, f"/oauth/clio/start/{real}", f"/oauth/links/{link}"):
        assert (await world.api.get(asked)).status_code == 503, asked


async def test_two_users_who_approve_at_the_same_time_are_both_connected(world: World):
    # S9, AU-1: the use of one state does not use up the other
    await world.create_account()
    callbacks = [
        await world.approve(await world.start(user), clio_user)
        for user, clio_user in (("u_ann", 501), ("u_ben", 502))
    ]
    for callback in callbacks:
        answer = await world.api.get(callback)
        assert answer.headers["location"].endswith("clio=connected"), answer.headers
    statuses = [each["status"] async for each in world.all("connections")]
    assert statuses == ["connected", "connected"]


async def test_repeated_parameters_are_refused_and_do_not_use_up_the_state(world: World):
    # AU-2
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), 501)
    assert (await world.api.get(f"{callback}&state=other")).status_code == 400
    assert (await world.api.get(callback)).headers["location"].endswith("clio=connected")


async def test_an_expired_state_is_reported_as_invalid_without_a_token_request(world: World):
    # AU-2: ten minutes
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), 501)
    with time_machine.travel(main.now() + timedelta(minutes=11), tick=True):
        answer = await world.api.get(callback)
    assert answer.headers["location"] == "https://levitate.test/done?x=1&clio=invalid_state"
    assert token_requests(world) == 0


async def test_a_user_who_declines_returns_with_the_result_declined(world: World):
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), "decline")
    answer = await world.api.get(callback)
    assert answer.headers["location"].endswith("clio=declined")
    assert (await connection(world))["status"] == "declined"
    assert await world.connect("u_ann", 501) == "x=1&clio=connected"


async def test_a_login_of_another_firm_is_refused_and_its_token_is_discarded(world: World):
    # AU-4
    other = Firm(account_id=99, name="Other LLP", region="us", now=main.now)
    user = {
        "id": 901,
        "name": "O",
        "email": "o@x.test",
        "enabled": True,
        "account_owner": True,
        "roles": [],
    }
    other.put("user", user)
    world.simulator.firms.append(other)
    world.simulator.oauth["us"].firms.append(other)
    await world.create_account()
    await world.connect("u_ann", 501)
    assert await world.connect("u_ben", 901) == "x=1&clio=clio_account_mismatch"
    found = {item["user_id"]: item async for item in world.all("connections")}
    assert found["u_ben"]["status"] == "disconnected"
    assert found["u_ben"]["problem"]["code"] == "clio_account_mismatch"
    assert found["u_ann"]["status"] == "connected"
    await world.housekept()
    assert len(world.simulator.requests("/oauth/deauthorize")) == 1


async def test_a_wrong_region_and_a_wrong_secret_have_their_own_results(world: World):
    # AU-3
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), 501)
    world.simulator.oauth["us"]._secret = "another"
    answer = await world.api.get(callback)
    assert answer.headers["location"].endswith("clio=wrong_region")
    problem = (await connection(world))["problem"]
    assert problem["code"] == "wrong_region"
    assert "region us" in problem["detail"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"region": "eu"}, 422, "region_not_offered"),
        ({"region": "mars"}, 422, "invalid_request"),
        ({"return_url": "https://evil.test/"}, 422, "return_url_not_allowed"),
        ({"return_url": "https://levitate.test@evil.test/"}, 422, "return_url_not_allowed"),
        ({"return_url": "https://levitate.test.evil.test/"}, 422, "return_url_not_allowed"),
        ({"return_url": "http://levitate.test/"}, 422, "return_url_not_allowed"),
        ({"return_url": "javascript:alert(1)"}, 422, "invalid_request"),
        ({"user_id": "u_nobody"}, 422, "unknown_user"),
        ({"password": "x"}, 422, "invalid_request"),
    ],
)
async def test_a_connection_that_cannot_be_started_is_refused_with_the_reason(
    world: World, change, status, code
):
    # AU-2, AU-3
    await world.create_account()
    body = {
        "user_id": "u_ann",
        "region": "us",
        "return_url": "https://levitate.test/done",
        **change,
    }
    answer = await world.api.post("/v1/accounts/hp/connections", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_nobody_can_connect_before_the_integration_is_enabled(world: World):
    # EN-1
    await world.create_account(enabled=False)
    body = {"user_id": "u_ann", "region": "us", "return_url": "https://levitate.test/done"}
    answer = await world.api.post("/v1/accounts/hp/connections", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "integration_not_enabled")


async def test_an_account_that_is_disabled_while_its_user_approves_pulls_nothing(world: World):
    # EN-1
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), 501)
    await world.create_account(enabled=False)
    assert (await world.api.get(callback)).headers["location"].endswith("clio=connected")
    assert await world.runs() == []


async def test_disconnecting_deauthorises_at_clio_and_keeps_the_data(world: World):
    # S9
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    found = await connection(world)
    path = f"/v1/accounts/hp/connections/{found['id']}"
    assert (await world.api.delete(path)).status_code == 204
    assert (await world.api.delete(path)).status_code == 204
    await world.housekept()
    assert len(world.simulator.requests("/oauth/deauthorize")) == 1
    assert (await world.api.get(path)).json()["status"] == "disconnected"
    assert len(await world.contacts()) == 7
    assert (await world.api.get("/v1/accounts/hp/status")).json()["health"] == "needs_attention"


async def test_reconnecting_keeps_the_id_of_the_connection_and_pulls_its_view(world: World):
    # S9, AU-1
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    before = await connection(world)
    await world.api.delete(f"/v1/accounts/hp/connections/{before['id']}")
    await world.connect("u_ann", 501)
    runs = await world.settled()
    assert (await connection(world))["id"] == before["id"]
    assert [run["kind"] for run in runs] == ["initial", "coverage"]


async def test_erasing_an_account_deletes_everything_and_deauthorises_at_clio(world: World):
    # S15
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    assert (await world.erase())["status"] == "done"
    assert (await world.api.get("/v1/accounts/hp")).status_code == 404
    assert len(world.simulator.requests("/oauth/deauthorize")) == 1
