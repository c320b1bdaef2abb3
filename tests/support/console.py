"""A person in the console, without a script: opens a link, reads pages, follows links, sends forms.

Pages are read by their text and their links, as a person does, not by their markup.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx
from lxml import html

from tests.support.browser import new_browser
from tests.support.world import World

MAYA = {"user_id": "u_maya", "name": "Maya Lind"}


@dataclass(frozen=True)
class ShownPage:
    """A page as it came, and its elements."""

    answer: httpx.Response
    document: Any

    @classmethod
    def of(cls, answer: httpx.Response) -> Self:
        """Return the page of a response."""
        return cls(answer, html.fromstring(answer.text or "<html></html>"))

    @property
    def status(self) -> int:
        """The status code."""
        return self.answer.status_code

    @property
    def words(self) -> str:
        """The text of what is inside `main`, with single spaces."""
        return self.words_in("//main")

    def words_in(self, xpath: str) -> str:
        """Return the text of the elements at an XPath, with single spaces."""
        found = " ".join(" ".join(one.itertext()) for one in self.document.xpath(xpath))
        return re.sub(r"\s+([.,:;])", r"\1", re.sub(r"\s+", " ", found)).strip()

    def panel(self, heading: str) -> str:
        """Return the text of the panel whose heading begins with these words."""
        headings = "self::h1 or self::h2 or self::h3"
        begins = f"starts-with(normalize-space(), {heading!r})"
        return self.words_in(f"//*[contains(@class, 'panel')][.//*[{headings}][{begins}]]")

    @property
    def links(self) -> dict[str, str]:
        """The addresses of the links, by their text."""
        return {
            re.sub(r"\s+", " ", one.text_content()).strip(): one.get("href")
            for one in self.document.xpath("//a[@href]")
        }

    def form(self, button: str) -> Any:
        """Return the form that has a button with this text."""
        found = self.document.xpath(f"//form[.//button[normalize-space()={button!r}]]")
        assert found, f"no button {button!r} in: {self.words[:2000]}"
        return found[0]

    @property
    def buttons(self) -> list[str]:
        """The texts of the buttons inside `main`."""
        return [
            re.sub(r"\s+", " ", one.text_content()).strip()
            for one in self.document.xpath("//main//button")
        ]


class Person:
    """A browser with a session of the console."""

    def __init__(self, browser: httpx.AsyncClient, account_id: str | None) -> None:
        self.browser = browser
        self._base = f"/console/accounts/{account_id}" if account_id else "/console"

    async def read(self, page: str = "", **query: Any) -> ShownPage:
        """Read a page of the account, named as in its address."""
        url = page if page.startswith("/") else f"{self._base}/{page}".rstrip("/")
        return ShownPage.of(
            await self.browser.get(url, params=query or None, follow_redirects=True)
        )

    async def press(self, page: ShownPage, button: str, **values: Any) -> ShownPage:
        """Send the form that has this button, with these values in place of its own; follow the redirect."""
        form = page.form(button)
        pressed = form.xpath(f".//button[normalize-space()={button!r}]")[0]
        data: dict[str, list[str]] = {}
        for name, value in form.form_values():
            data.setdefault(name, []).append(value)
        if pressed.get("name"):
            data[pressed.get("name")] = [pressed.get("value", "")]
        for name, value in values.items():
            data[name] = value if isinstance(value, list) else [value]
        address = pressed.get("formaction") or form.get("action") or str(page.answer.url)
        target = httpx.URL(str(page.answer.url)).join(address)
        if (form.get("method") or "get").lower() == "get":
            return ShownPage.of(await self.browser.get(target, params=data))
        return ShownPage.of(await self.browser.post(target, data=data, follow_redirects=True))


async def console_link(
    world: World, role: str = "success_manager", account_id: str | None = "hp", **person: str
) -> str:
    """Return a new link to the console, as Levitate's backend asks for it; without an account, for all firms."""
    body = person or ({"user_id": "u_ann"} if role == "user" else MAYA)
    path = f"/v1/accounts/{account_id}/console-links" if account_id else "/v1/console-links"
    answer = await world.api.post(path, json=body if account_id is None else {**body, "role": role})
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url


@asynccontextmanager
async def in_console(
    world: World, role: str = "success_manager", account_id: str | None = "hp", **person: str
) -> AsyncIterator[Person]:
    """Open the console in a new browser."""
    url = await console_link(world, role, account_id, **person)
    async with new_browser(world.app) as browser:
        opened = await browser.get(url)
        assert opened.status_code == 303, opened.text
        yield Person(browser, account_id)
