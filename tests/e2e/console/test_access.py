"""Every page and form of the console: another account is unknown, and a user changes nothing (T2, EN-2)."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from app.console.pages import router
from tests.support.console import Person, ShownPage, in_console
from tests.support.world import World

# Forms that everybody may send: they change nothing of the firm.
FOR_EVERYBODY = {"search_people", "preview_form"}
# Pages that need a role, as their operations of the API do.
PAGES_WITH_ROLE = {"export_person", "confirm_erasure", "show_clio_person"}


def routes() -> list[tuple[str, APIRoute]]:
    """Return the routes of accounts with their methods."""
    groups: Any = router.routes
    found = [route for group in groups for route in group.original_router.routes]
    return [
        (method, route)
        for route in found
        if route.path.startswith("/accounts/{account_id}")
        for method in route.methods
    ]


async def ids(world: World) -> dict[str, str]:
    """Return an id for each parameter of a path, of what the account has."""
    contact = next(iter((await world.contacts()).values()))
    runs = await world.runs()
    return {
        "contact_id": contact["id"],
        "clio_id": "1005",
        "run_id": runs[0]["id"],
        "clio_user_id": "501",
        "hold_id": "hld_0",
        "new_client_id": "ncl_0",
        "activity_id": "act_0",
        "issue_id": "iss_0",
    }


def address(route: APIRoute, account_id: str, known: dict[str, str]) -> str:
    filled = {**known, "account_id": account_id}
    return "/console" + re.sub(r"\{(\w+)\}", lambda found: filled[found[1]], route.path)


async def send(person: Person, method: str, url: str) -> ShownPage:
    """Read a page, or send a form with the token of the session and nothing else."""
    if method == "GET":
        return await person.read(url)
    form = dict((await person.read()).form("Sign out").form_values())
    return ShownPage.of(await person.browser.post(url, data=form))


@pytest.fixture
async def user(pulled: World) -> AsyncIterator[Person]:
    async with in_console(pulled, "user") as ann:
        yield ann


def test_the_console_has_pages_and_forms():
    methods = [method for method, _ in routes()]
    assert methods.count("GET") > 12
    assert methods.count("POST") > 12


async def test_another_account_looks_like_one_that_does_not_exist(pulled: World):
    await pulled.create_account("hq")
    known = await ids(pulled)
    async with in_console(pulled, account_id="hq") as maya:
        for method, route in routes():
            answers = [
                await send(maya, method, address(route, one, known)) for one in ("hp", "nobody")
            ]
            assert [page.status for page in answers] == [404, 404] or {
                page.status for page in answers
            } == {400}, route.path
            assert answers[0].words == answers[1].words, route.path


async def test_a_user_without_a_role_changes_nothing(user: Person, pulled: World):
    known = await ids(pulled)
    before = [entry["id"] async for entry in pulled.all("audit")]
    for method, route in routes():
        if method == "POST" and route.name not in FOR_EVERYBODY:
            page = await send(user, method, address(route, "hp", known))
            assert page.status == 403, route.path
            assert "You can read this, but not change it" in page.words, route.path
    assert [entry["id"] async for entry in pulled.all("audit")] == before


async def test_a_user_reads_every_other_page(user: Person, pulled: World):
    known = await ids(pulled)
    for method, route in routes():
        if method != "GET" or "hold_id" in route.path or route.name == "follow_progress":
            continue
        page = await send(user, method, address(route, "hp", known))
        assert page.status == (403 if route.name in PAGES_WITH_ROLE else 200), route.path


async def test_without_a_session_every_page_says_that_one_is_signed_out(pulled: World):
    known = await ids(pulled)
    async with in_console(pulled) as maya:
        maya.browser.cookies.clear()
        for method, route in routes():
            answer = await maya.browser.request(method, address(route, "hp", known))
            assert answer.status_code == 401, route.path
            assert "You are signed out" in answer.text, route.path
