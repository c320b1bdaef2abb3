"""The pages for people: headers, and errors in words instead of JSON (ASVS 3.4, T11)."""

import html
import re
from dataclasses import replace

import httpx
import pytest

from app.db.connection import Address
from app.db.session import open_database
from app.pages import connecting
from app.sync import checked_tokens
from app.sync.checked_tokens import Purpose
from tests.support.browser import new_browser
from tests.support.world import World


def check_page(answer: httpx.Response) -> str:
    """Check what every page has, and return its words."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert '<html lang="en">' in answer.text
    assert re.search(r"<title>[^<]+ – Levitate</title>", answer.text)
    assert answer.text.count("<h1>") == 1
    assert not re.search(r"<script|style=| on\w+=", answer.text)
    return html.unescape(re.sub(r"<[^>]+>", "", answer.text))


async def test_every_page_has_its_headers_and_words(world: World):
    await world.create_account()
    body = {"user_id": "u_ann", "region": "us", "return_url": "https://levitate.test/done"}
    link = (await world.api.post("/v1/accounts/hp/connect-links", json=body)).json()["url"]
    question = await world.api.get(await world.approve(await world.start("u_ben"), 501))
    async with new_browser(world.app) as browser:
        check_page(question)
        check_page(await browser.get(link))
        for address, status in (
            ("/oauth/clio/start/unknown", 400),
            ("/oauth/clio/callback", 400),
            ("/oauth/clio/callback?state=a&state=b", 400),
            (f"/oauth/clio/callback?state={'x' * 3000}", 400),
            (f"/oauth/links/{'x' * 200}", 400),
            ("/oauth/links/unknown", 404),
            ("/oauth/unknown", 404),
        ):
            answer = await browser.get(address)
            assert answer.status_code == status, address
            assert "Back to Levitate" in check_page(answer)
        for form in ({}, {"state": "x", "token": "y", "answer": "yes"}):
            assert (await browser.post("/oauth/clio/confirm", data=form)).status_code == 400


async def test_a_redirect_is_not_stored_and_tells_no_other_host_where_it_came_from(world: World):
    await world.create_account()
    address = await world.start("u_ann")
    callback = await world.approve(address, 501)
    for answer in (await world.api.get(address), await world.api.get(callback)):
        assert answer.status_code == 303
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_without_the_database_a_page_says_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    services = world.app.state.services
    away = replace(services, database=open_database(Address("postgresql://x@127.0.0.1:1/none")))
    monkeypatch.setattr(world.app.state, "services", away)
    state = checked_tokens.new_token(services, Purpose.STATE)
    answer = await world.api.get(f"/oauth/clio/start/{state}")
    said = check_page(answer)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The database is not available; try again in a moment" in said
    assert "Load this page again" in said
    assert answer.headers["x-request-id"] in said


async def test_before_the_database_is_prepared_a_page_says_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(world.app.state.background, "prepared", False)
    answer = await world.api.get("/oauth/links/x")
    assert answer.status_code == 503
    assert "Load this page again" in check_page(answer)


async def test_an_unexpected_error_is_a_page_with_a_reference(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    async def fail(*_: object) -> None:
        raise RuntimeError("with the secret 4711")

    monkeypatch.setattr(connecting, "open_link", fail)
    answer = await world.api.get("/oauth/links/x")
    said = check_page(answer)
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in said
    assert "4711" not in said


async def test_several_levitates_have_no_single_way_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    origins = frozenset({"https://levitate.test", "https://other.test"})
    services = replace(world.app.state.services, return_origins=origins)
    monkeypatch.setattr(world.app.state, "services", services)
    assert "Back to Levitate" not in check_page(await world.api.get("/oauth/unknown"))


async def test_the_folder_of_the_stylesheet_is_not_listed_and_nothing_beside_it_is_served(
    world: World,
):
    # ASVS V13.4.3
    for path in ("/static", "/static/", "/static//", "/static/none.css"):
        answer = await world.api.get(path)
        assert answer.status_code == 404, path
        assert "pages.css" not in answer.text.replace(path, ""), path
    beside = ("rendering.py", "templates/base.html", "config.py")
    for path in (*beside, *(f"..%2f{one}" for one in beside), "%2e%2e/templates/base.html"):
        assert (await world.api.get(f"/static/{path}")).status_code == 404, path


async def test_the_stylesheet_is_served(world: World):
    answer = await world.api.get("/static/pages.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert (await world.api.get("/static/../rendering.py")).status_code == 404
    assert (await world.api.get("/static/..%2frendering.py")).status_code == 404
