"""Each page of the console in Chromium, with the service and the simulated Clio of the demonstration behind it.

No page has an error, asks another origin, shifts, is wider than the window, or has a serious finding of axe.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.support.chromium import NARROW, WIDE, Visitor, chromium, findings, overflow, shifts
from tests.support.demo import Demo, demonstrations

MOST_SHIFTS = 0.05
ACCOUNT = "/console/accounts/demo"
REVIEW = "/console/accounts/harlow-review"


@dataclass(frozen=True)
class Shown:
    """The demonstration: where the service and its first page are, and a client of the API."""

    service: str
    front: str
    api: httpx.Client

    def link(self, role: str) -> str:
        """Return a new link to the console for a role; `all_firms` is a Success Manager's for all accounts."""
        if role == "all_firms":
            body = {"user_id": "u_maya", "name": "Maya Lind"}
            answer = self.api.post("/v1/console-links", json=body)
        else:
            body = {"user_id": "u_601", "role": role}
            answer = self.api.post("/v1/accounts/demo/console-links", json=body)
        url: str = answer.raise_for_status().json()["url"]
        return url

    def first(self, what: str, **query: str) -> dict[str, Any]:
        """Return the first item of a list of the account."""
        answer = self.api.get(f"/v1/accounts/demo/{what}", params=query)
        item: dict[str, Any] = answer.raise_for_status().json()["data"][0]
        return item

    def pages(self) -> list[str]:
        """Return the address of each page."""
        person = self.first("contacts", tag="Past Client")["id"]
        hold, run = self.first("holds", status="open")["id"], self.first("runs")["id"]
        outside = next(
            one["clio_id"]
            for one in self.api.get(
                "/v1/accounts/demo/clio-contacts", params={"limit": "100"}
            ).json()["data"]
            if one["contact_id"] is None and one["type"] == "person"
        )
        names = [
            "",
            "first-sync",
            "people",
            "people?show=out",
            "holds",
            "writebacks",
            "attorneys",
            "activity",
        ]
        names += ["activity/syncs", f"activity/syncs/{run}", f"holds/{hold}", f"people/{person}"]
        names += [f"people/{person}/erase", f"people/clio/{outside}"]
        return [f"{ACCOUNT}/{name}".rstrip("/") for name in names]


@pytest.fixture(scope="module")
def demo() -> Iterator[Shown]:
    with demonstrations() as start:
        running: Demo = start("--rate-limit=1000")
        running.wait_for(lambda one: "Press Ctrl-C to stop everything." in one.output())
        text = running.output()
        service, token, front = (
            found[0]
            for found in map(
                re.findall, (r"SERVICE=(\S+)", r"TOKEN=(\S+)", r"http://\S+/demo"), [text] * 3
            )
        )
        headers = {"Authorization": f"Bearer {token}", "Levitate-Role": "success_manager"}
        with httpx.Client(base_url=service, headers=headers, timeout=60, trust_env=False) as api:
            yield Shown(service, front, api)
        running.interrupt()
        assert running.ended() == 130


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


def look(page: Page, url: str) -> list[str]:
    """Open a page and return what is wrong with it."""
    answer = page.goto(url)
    assert answer is not None
    wrong = [] if answer.status == 200 else [f"status {answer.status}"]
    wrong += findings(page)
    if (shifted := shifts(page)) > MOST_SHIFTS:
        wrong.append(f"the layout shifts by {shifted}")
    if (wider := overflow(page)) > 0:
        wrong.append(f"{wider} pixels wider than the window")
    return [f"{url}: {one}" for one in wrong]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_each_page_is_readable_for_everybody(
    demo: Shown, browser: Browser, width: int, scheme: str
):
    visitor = Visitor(browser, demo.service, width, scheme)
    wrong = []
    with visitor.page() as page:
        page.goto(demo.link("all_firms"))
        for path in ("/console/", *demo.pages(), f"{REVIEW}/first-sync", f"{REVIEW}"):
            wrong += look(page, demo.service + path)
    assert wrong + visitor.faults == []


@pytest.mark.parametrize("role", ["account_admin", "user"])
def test_each_role_reads_its_pages(demo: Shown, browser: Browser, role: str):
    visitor = Visitor(browser, demo.service)
    wrong = []
    with visitor.page() as page:
        page.goto(demo.link(role))
        for path in demo.pages():
            if role == "user" and ("erase" in path or "/clio/" in path):
                continue  # they need a role
            wrong += look(page, demo.service + path)
        assert page.locator("main button", has_text="Sync now").count() == 0
    assert wrong + visitor.faults == []


def test_a_stranger_sees_nothing(demo: Shown, browser: Browser):
    with Visitor(browser, demo.service).page() as page:
        for path in ("/console/", *demo.pages()):
            answer = page.goto(demo.service + path)
            assert answer is not None
            assert answer.status == 401, path
            assert page.locator("h1").inner_text() == "You are signed out"


def test_every_page_can_be_read_without_a_script(demo: Shown, browser: Browser):
    with Visitor(browser, demo.service).page(scripts=False) as page:
        page.goto(demo.link("all_firms"))
        for path in ("/console/", *demo.pages(), f"{REVIEW}/first-sync"):
            page.goto(demo.service + path)
            assert page.locator("h1").count() == 1, path


def test_the_keyboard_alone_finds_a_person(demo: Shown, browser: Browser):
    visitor = Visitor(browser, demo.service)
    name = demo.first("contacts", tag="Active Client")["last_name"]
    with visitor.page() as page:
        page.goto(demo.link("all_firms"))
        page.goto(f"{demo.service}{ACCOUNT}/people")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to content"
        page.locator("#q").focus()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        page.wait_for_url("**/people/search")
        page.locator("tbody a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#tags-h")
        assert name in page.locator("h1").inner_text()
    assert visitor.faults == []


def test_the_demonstration_begins_at_a_page_that_opens_the_console(demo: Shown, browser: Browser):
    with browser.new_context() as context:
        page = context.new_page()
        for who, heading in (
            ("Maya Lind", "All firms"),
            ("Margaret Ashdown", "Seeded & Simulated LLP"),
            ("Rosa Marín", "Seeded & Simulated LLP"),
        ):
            page.goto(demo.front)
            page.click(f"text=Open as {who}")
            page.wait_for_selector("main h1")
            assert page.locator("h1").inner_text() == heading


def test_a_sync_that_runs_moves_by_itself_and_says_when_it_has_ended(demo: Shown, browser: Browser):
    visitor = Visitor(browser, demo.service)
    with visitor.page() as page:
        page.goto(demo.link("account_admin"))
        demo.api.post(
            "/v1/accounts/demo/runs", json={"kind": "full"}, headers={"Idempotency-Key": "browser"}
        ).raise_for_status()
        page.goto(demo.service + ACCOUNT)
        page.wait_for_selector("#progress :text('The sync has ended.')", timeout=60_000)
    assert visitor.faults == []
