"""Debian's Chromium, driven by playwright: what goes wrong on a page, findings of axe, shifts of the layout."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.debian import unpack

WIDE, NARROW = 1440, 360  # the widths of a desktop and of a phone
GRAVE = ("serious", "critical")
# Sums the shifts that no input has caused (web.dev/articles/cls).
_SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value;
  }).observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start Chromium; one that the machine lacks is unpacked into the folder."""
    program, environment = shutil.which("chromium"), {}
    if program is None:
        environment = dict(unpack("chromium", folder))
        program = str(folder / "usr/lib/chromium/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox"],
            env={**os.environ, **environment},  # noqa: TID251  # of a child
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at a browser: its pages are of one origin, and what they complain about is remembered."""

    browser: Browser
    origin: str
    width: int = WIDE
    scheme: str = "light"
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def page(self, *, scripts: bool = True) -> Iterator[Page]:
        """Open a page whose errors, and requests to other origins, are remembered in `faults`."""
        options: Any = {
            "viewport": {"width": self.width, "height": 900},
            "color_scheme": self.scheme,
        }
        context = self.browser.new_context(java_script_enabled=scripts, **options)
        page = context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", lambda request: self._check(request.url))
        yield page
        context.close()

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(f"{kind}: {text}")

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.faults.append(f"request to another origin: {url}")


def findings(page: Page) -> list[str]:
    """Return what axe finds on a page that is serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE
    ]


def shifts(page: Page) -> float:
    """Return the sum of the layout's shifts since the page was opened."""
    return float(page.evaluate(_SHIFTS))


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate(_WIDER))
