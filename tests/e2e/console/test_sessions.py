"""Sessions of the console: a link works once, a session ends with its token, forms of others are refused (T2, T3)."""

from datetime import timedelta

import pytest
import time_machine

from app import main
from app.db.accounts import service_tokens
from tests.support.browser import new_browser
from tests.support.console import MAYA, ShownPage, console_link, in_console
from tests.support.sessions import as_owner
from tests.support.world import World

OVERVIEW = "/console/accounts/hp"


@pytest.fixture
async def account(world: World) -> World:
    await world.create_account()
    return world


async def test_a_link_opens_the_overview_once(account: World):
    url = await console_link(account)
    async with new_browser(account.app) as browser, new_browser(account.app) as other:
        opened = await browser.get(url)
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age=28800" in cookie
        first = ShownPage.of(await browser.get("/console/", follow_redirects=True))
        assert first.status == 200
        assert str(first.answer.url).endswith(OVERVIEW)
        assert "Maya Lind, Success Manager" in first.words_in("//header")
        for again in (browser, other):
            page = ShownPage.of(await again.get(url))
            assert page.status == 410
            assert "This link was already used" in page.words
        assert (await other.get(OVERVIEW)).status_code == 401
        assert (await browser.get(OVERVIEW)).status_code == 200


async def test_a_head_request_uses_nothing_up(account: World):
    url = await console_link(account)
    async with new_browser(account.app) as browser:
        await browser.head(url)
        assert (await browser.get(url)).status_code == 303


async def test_a_link_that_is_late_or_invented_says_so(account: World):
    url = await console_link(account)
    async with new_browser(account.app) as browser:
        with time_machine.travel(main.now() + timedelta(minutes=5, seconds=1)):
            page = ShownPage.of(await browser.get(url))
        assert page.status == 410
        assert "This link has expired" in page.words
        assert "5 minutes" in page.words
        for invented in (url + "x", url.rsplit("/", 1)[0] + "/abc"):
            page = ShownPage.of(await browser.get(invented))
            assert page.status == 404
            assert "This link does not work" in page.words


async def test_a_session_ends_by_signing_out_and_after_eight_hours(account: World):
    async with in_console(account) as maya:
        page = await maya.read()
        out = await maya.press(page, "Sign out")
        assert "You are signed out" in out.words
        assert (await maya.read()).status == 401
    async with in_console(account) as maya:
        with time_machine.travel(main.now() + timedelta(hours=7, minutes=59)):
            assert (await maya.read()).status == 200
        with time_machine.travel(main.now() + timedelta(hours=8, minutes=1)):
            late = await maya.read()
            assert late.status == 401
            assert "You are signed out" in late.words


async def test_a_session_does_not_outlive_its_service_token(account: World):
    headers, token_id = await account.create_token("hp")
    answer = await account.api.post(
        "/v1/accounts/hp/console-links", json={**MAYA, "role": "success_manager"}, headers=headers
    )
    late = await account.api.post(
        "/v1/accounts/hp/console-links", json={**MAYA, "role": "success_manager"}, headers=headers
    )
    async with new_browser(account.app) as browser:
        await browser.get(answer.json()["url"])
        assert (await browser.get(OVERVIEW)).status_code == 200
        async with as_owner(account.app.state.services.database) as session:
            assert await service_tokens.revoke_token(session, token_id, now=main.now())
        await account.until_token(headers, works=False)
        assert (await browser.get(OVERVIEW)).status_code == 401
        assert (await browser.get(late.json()["url"])).status_code == 404


async def test_a_form_of_another_site_or_session_is_refused(account: World):
    async with in_console(account) as maya, in_console(account) as other:
        page = await maya.read()
        form = dict(page.form("Sign out").form_values())
        foreign = dict((await other.read()).form("Sign out").form_values())
        for data, headers in (
            ({}, {}),
            (foreign, {}),
            (form, {"Sec-Fetch-Site": "cross-site"}),
            (form, {"Sec-Fetch-Site": "same-site"}),
        ):
            refused = await maya.browser.post("/console/sign-out", data=data, headers=headers)
            assert refused.status_code == 403, refused.text
        assert (await maya.read()).status == 200


async def test_headers_of_the_browser_do_not_change_who_acts(account: World):
    async with in_console(account, "user") as ann:
        raised = {"Levitate-Role": "success_manager", "Levitate-User": "u_root"}
        page = ShownPage.of(await ann.browser.get(OVERVIEW, headers=raised))
    assert "Ann Harlow, user" in page.words_in("//header")


async def test_another_account_looks_like_one_that_does_not_exist(account: World):
    await account.create_account("hq")
    async with in_console(account) as maya:
        pages = [await maya.read(f"/console/accounts/{one}") for one in ("hq", "nobody")]
    assert [page.status for page in pages] == [404, 404]
    assert pages[0].words == pages[1].words


async def test_a_link_for_all_firms_needs_a_token_for_all_and_the_role(account: World):
    limited, _ = await account.create_token("hp")
    for headers in (
        {**limited, "Levitate-Role": "success_manager"},
        {"Levitate-Role": "account_admin"},
    ):
        refused = await account.api.post("/v1/console-links", json=MAYA, headers=headers)
        assert refused.status_code == 403
        assert refused.json()["code"] == "role_required"
    async with in_console(account, account_id=None) as maya:
        assert (await maya.read("/console/accounts/hp")).status == 200


async def test_making_a_link_is_audited_and_its_token_is_stored_nowhere(account: World):
    url = await console_link(account)
    entries = [entry async for entry in account.all("audit")]
    made = [entry for entry in entries if entry["action"] == "console_link.created"]
    assert [entry["subject"] for entry in made] == ["u_maya"]
    assert url.rsplit("/", 1)[1] not in str(entries)
