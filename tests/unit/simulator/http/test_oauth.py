"""The simulated Clio's OAuth (clio.md §20.1, §20.2, §20.3, §20.4)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.simulator.http import sockets
from app.simulator.http.server import REGIONS, Simulator, credentials
from tests.support.visitor import CALLBACK, Visitor, simulator_with

INVALID_TOKEN = {
    "error": "invalid_token",
    "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
}


@pytest.mark.parametrize("region", [region for region in REGIONS if region != "us"])
async def test_a_code_and_the_credentials_of_one_region_are_invalid_in_another(clio, region):
    # clio.md §20.1
    visitor, elsewhere = Visitor(clio), Visitor(clio, region)
    code = await visitor.code(501)
    elsewhere.client_id, elsewhere.secret = credentials("us")
    answer = await elsewhere.exchange(code)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    elsewhere.client_id, elsewhere.secret = credentials(region)
    assert (await elsewhere.exchange(code)).json()["error"] == "invalid_grant"
    assert (await visitor.exchange(code)).status_code == 200


async def test_a_token_of_one_region_is_invalid_in_another(clio, ann):
    # clio.md §20.1
    elsewhere = Visitor(clio, "eu")
    elsewhere.use(ann.tokens)
    assert (await elsewhere.get("users/who_am_i.json")).json() == INVALID_TOKEN
    assert (await ann.get("users/who_am_i.json")).status_code == 200


@pytest.mark.parametrize(
    "redirect_uri", [f"{CALLBACK}/", f"{CALLBACK}?a=1", CALLBACK.replace("http", "https"), ""]
)
async def test_a_redirect_must_equal_the_registered_one(clio, redirect_uri):
    # clio.md §20.2
    answer = await Visitor(clio).authorize(redirect_uri=redirect_uri, as_user=501)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_the_state_is_returned_unchanged(clio):
    # clio.md §20.2
    answer = await Visitor(clio).authorize(as_user=501)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == ["s t&te"]


async def test_a_user_who_declines_is_redirected_only_if_the_app_asked_for_it(clio):
    # clio.md §20.2
    stays = await Visitor(clio).authorize(as_user="decline")
    assert stays.status_code == 200
    assert "You declined" in stays.text
    returns = await Visitor(clio).authorize(as_user="decline", redirect_on_decline="true")
    query = parse_qs(urlsplit(returns.headers["location"]).query)
    assert query == {"error": ["access_denied"], "state": ["s t&te"]}


async def test_a_code_can_be_used_once(clio):
    # clio.md §20.2
    visitor = Visitor(clio)
    code = await visitor.code(501)
    assert (await visitor.exchange(code)).status_code == 200
    again = await visitor.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("seconds", "status"), [(599, 200), (601, 400)])
async def test_a_code_is_valid_for_ten_minutes(clio, clock, seconds, status):
    # clio.md §20.2
    visitor = Visitor(clio)
    code = await visitor.code(501)
    clock.move(seconds=seconds)
    assert (await visitor.exchange(code)).status_code == status


@pytest.mark.parametrize("changed", [{"redirect_uri": f"{CALLBACK}/"}, {"code": "another"}])
async def test_a_code_needs_the_redirect_it_was_issued_for(clio, changed):
    # clio.md §20.2
    visitor = Visitor(clio)
    form = {"redirect_uri": CALLBACK, "code": await visitor.code(501), **changed}
    answer = await visitor.token(grant_type="authorization_code", **form)
    assert answer.json()["error"] == "invalid_grant"


async def test_another_app_cannot_use_our_code_or_refresh_our_token(clio, ann):
    # clio.md §20.3
    other = Visitor(clio, other=True)
    assert (await other.exchange(await ann.code(501))).json()["error"] == "invalid_grant"
    other.tokens = ann.tokens
    assert (await other.refresh()).json()["error"] == "invalid_grant"


async def test_a_disabled_user_cannot_approve(clio, firm):
    firm.put("user", {"id": 504, "enabled": False})
    assert (await Visitor(clio).authorize(as_user=504)).json()["error"] == "access_denied"


@pytest.mark.parametrize("with_body", [True, False])
async def test_credentials_are_accepted_in_the_body_only(clio, with_body):
    # clio.md §20.3
    visitor = Visitor(clio)
    code = await visitor.code(501)
    own = {"client_id": visitor.client_id, "client_secret": visitor.secret} if with_body else {}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **own}
    basic = httpx.BasicAuth(*credentials("us"))
    answer = await visitor.http.post("/oauth/token", data=form, auth=basic)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_access_tokens_live_thirty_days_and_the_refresh_token_is_returned_once(clio):
    # clio.md §20.3
    visitor = Visitor(clio)
    tokens = (await visitor.exchange(await visitor.code(501))).json()
    assert tokens.keys() == {"token_type", "access_token", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 2_592_000)
    visitor.use(tokens)
    for _ in range(2):  # it does not rotate
        renewed = (await visitor.refresh()).json()
        assert renewed.keys() == {"token_type", "access_token", "expires_in"}
        assert renewed["access_token"] != tokens["access_token"]


async def test_a_shorter_token_life_ends_the_access_token_only(firm, clock):
    # clio.md §20.3
    clio = simulator_with(firm, clock=clock, token_life=timedelta(hours=1))
    visitor = await Visitor(clio).login(501)
    assert visitor.tokens["expires_in"] == 3600
    clock.move(hours=1)
    assert (await visitor.get("users.json")).json() == INVALID_TOKEN
    visitor.use({**visitor.tokens, **(await visitor.refresh()).json()})
    assert (await visitor.get("users.json")).status_code == 200


async def test_a_revoked_grant_cannot_be_refreshed(clio: Simulator, ann: Visitor):
    # clio.md §20.3
    clio.oauth["us"].revoke_user(501)
    assert (await ann.refresh()).json()["error"] == "invalid_grant"
    assert (await ann.get("users.json")).json() == INVALID_TOKEN


async def test_deauthorising_revokes_the_access_token_and_the_refresh_token(ann):
    # clio.md §20.4
    form = {"token": ann.tokens["access_token"]}
    answer = await ann.http.post("/oauth/deauthorize", data=form)
    assert (answer.status_code, answer.content) == (200, b"")
    dead = await ann.get("users.json")
    assert (dead.status_code, dead.json()) == (401, INVALID_TOKEN)
    assert (await ann.refresh()).json()["error"] == "invalid_grant"


async def test_deauthorising_needs_the_token_itself_as_bearer(clio, ann):
    # clio.md §20.4
    stranger = await Visitor(clio).login(502)
    form = {"token": ann.tokens["access_token"]}
    assert (await stranger.http.post("/oauth/deauthorize", data=form)).status_code == 401
    assert (await ann.get("users.json")).status_code == 200


async def test_the_page_shows_the_app_and_lets_a_person_choose_a_user(clio, firm):
    # clio.md §20.2
    firm.put("user", {"id": 502, "name": "Ben <Pike> & Co"})
    firm.put("user", {"id": 504, "enabled": False})
    page = (await Visitor(clio).authorize(redirect_on_decline="true")).text
    assert "levitate-us asks for access" in page
    assert '<label for="as_user">' in page
    assert '<html lang="en">' in page
    assert "Ann Harlow, Harlow &amp; Pike LLP" in page
    assert "Ben &lt;Pike&gt; &amp; Co" in page
    assert 'value="504"' not in page
    assert 'name="state" value="s t&amp;te"' in page
    assert page.index("Approve access") < page.index("Decline")


async def test_the_form_of_the_page_approves_and_declines(clio):
    # clio.md §20.2
    visitor = Visitor(clio)
    hidden = {
        "client_id": visitor.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "state": "x",
        "redirect_on_decline": "true",
    }
    approved = await visitor.http.post("/oauth/authorize", data={**hidden, "as_user": "501"})
    assert "code=" in approved.headers["location"]
    clicked = {**hidden, "as_user": ["501", "decline"]}  # a browser sends the choice and the button
    declined = await visitor.http.post("/oauth/authorize", data=clicked)
    assert "error=access_denied" in declined.headers["location"]


async def test_the_log_holds_no_code_and_no_token(clio):
    visitor = Visitor(clio)
    code = await visitor.code(501)
    visitor.use((await visitor.exchange(code)).json())
    await visitor.get("users.json")
    told = repr(list(clio.log))
    assert len(clio.log) == 3
    secrets = (code, visitor.tokens["access_token"], visitor.tokens["refresh_token"])
    assert not any(secret in told for secret in (*secrets, visitor.secret))


@pytest.mark.parametrize("region", REGIONS)
async def test_every_region_has_a_firm_to_connect(clock, region):
    clio = simulator_with(*sockets.firms(contacts=30, seed=1, now=clock), clock=clock)
    visitor = await Visitor(clio, region).login(601)
    me = (await visitor.get("users/who_am_i.json", fields="id,account{name}")).json()["data"]
    assert me == {"id": 601, "account": {"name": "Seeded & Simulated LLP"}}


async def test_its_address_shows_a_person_how_to_connect_and_is_no_request_to_clio(clio):
    # the demonstration prints this address
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(clio.app("eu")), base_url="http://clio.test"
    ) as browser:
        answer = await browser.get("/")
    assert answer.status_code == 200
    for shown in (*credentials("eu"), CALLBACK):
        assert shown in answer.text
    assert clio.requests("/") == []
