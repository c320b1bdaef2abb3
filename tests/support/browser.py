"""What a browser does with a page that has one form: it submits the form. Cookies and redirects are httpx's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
from fastapi import FastAPI
from typing_extensions import override


@dataclass
class FoundForm(HTMLParser):
    """The first form of a page: its address and its hidden fields."""

    action: str | None = None
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action = found.get("action", "")
        if tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"]] = found["value"]


def form_in(text: str) -> FoundForm:
    """Return the form of a page; its `action` is None if there is none."""
    form = FoundForm()
    form.feed(text)
    return form


async def submit_form(
    browser: httpx.AsyncClient, page: httpx.Response, chosen: Mapping[str, str]
) -> httpx.Response:
    """Submit the form of a page with these values and return the answer; return what is no page as it is."""
    if page.status_code != 200:
        return page
    form = form_in(page.text)
    assert form.action is not None, page.text
    address = urljoin(str(page.url), form.action)
    return await browser.post(address, data={**form.fields, **chosen})


def approve_login(authorize_url: str, user: int | None = None) -> httpx.Response:
    """Connect over the network as a browser does, as this user of the simulated Clio; return the last answer.

    That is the redirect to the return address. A page that asks whose login it is gets a yes. The address may be that
    of a previous release, which was Clio's own.
    """
    with httpx.Client(trust_env=False, timeout=60) as browser:
        clio = authorize_url
        if "/oauth/clio/start/" in authorize_url:
            clio = browser.get(authorize_url).headers["location"]
        chosen = "" if user is None else f"&as_user={user}"
        answer = browser.get(browser.get(f"{clio}{chosen}").headers["location"])
        if answer.status_code != 200:
            return answer
        form = form_in(answer.text)
        address = urljoin(str(answer.url), form.action or "")
        return browser.post(address, data={**form.fields, "answer": "yes"})


def new_browser(app: FastAPI, base_url: str = "http://service.test") -> httpx.AsyncClient:
    """Return a browser that has visited nothing yet. It keeps cookies and sends no service token."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base_url, timeout=60)
