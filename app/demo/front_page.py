"""The first page of the demonstration: it opens the console as somebody, and leads to the sandbox and the API.

It belongs to the demonstration, not to the service: it has the service token, and gives a session to whoever presses a
button. So it listens on this machine only, and answers only pages of its own.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.demo.processes import DemoProcesses
from app.demo.scene import ACCOUNT, MANAGER
from app.pages.browsers import is_from_own_page

HOST = "127.0.0.1"
STOP_SECONDS = 10.0
_templates = Environment(
    loader=PackageLoader("app.demo"), autoescape=True, undefined=StrictUndefined
)


@dataclass(frozen=True)
class Character:
    """Somebody as whom the console can be opened, and what this person does there."""

    key: str
    title: str
    name: str
    text: str
    path: str
    body: dict[str, str]


CHARACTERS = (
    Character(
        "success_manager",
        "Success Manager",
        MANAGER["name"],
        "Looks after all firms: who needs somebody today, what waits for a decision, and why.",
        "/v1/console-links",
        MANAGER,
    ),
    Character(
        "account_admin",
        "Administrator of the firm",
        "Margaret Ashdown",
        "Sees and changes everything of one firm.",
        f"/v1/accounts/{ACCOUNT}/console-links",
        {"user_id": "u_601", "role": "account_admin"},
    ),
    Character(
        "user",
        "User of the firm",
        "Rosa Marín",
        "Reads, and changes nothing.",
        f"/v1/accounts/{ACCOUNT}/console-links",
        {"user_id": "u_607", "role": "user"},
    ),
)


def build_page(demo: DemoProcesses) -> FastAPI:
    """Return the page as an application."""
    page = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    page.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    headers = {
        "Content-Security-Policy": f"default-src 'none'; img-src data:; style-src {demo.service}; base-uri 'none';"
        f" frame-ancestors 'none'; form-action 'self' {demo.service}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    @page.get("/demo")
    def show() -> HTMLResponse:
        template = _templates.get_template("demo.html")
        return HTMLResponse(template.render(demo=demo, characters=CHARACTERS), headers=headers)

    @page.post("/demo")
    def open_console(request: Request, as_: Annotated[str, Form(alias="as")]) -> RedirectResponse:
        if not is_from_own_page(request):
            raise HTTPException(403, "A page of another site may not open the console")
        found = next((one for one in CHARACTERS if one.key == as_), None)
        if found is None:
            raise HTTPException(404, "There is nobody of this name")
        return RedirectResponse(_make_link(demo, found), 303, headers=headers)

    return page


def _make_link(demo: DemoProcesses, who: Character) -> str:
    headers = {"Authorization": f"Bearer {demo.token}", "Levitate-Role": "success_manager"}
    answer = httpx.post(
        f"{demo.service}{who.path}", headers=headers, json=who.body, timeout=30, trust_env=False
    )
    answer.raise_for_status()
    url: str = answer.json()["url"]
    return url


@contextmanager
def serving_front_page(demo: DemoProcesses, port: int) -> Iterator[str]:
    """Serve the page until the block ends, and yield its address."""
    config = uvicorn.Config(build_page(demo), HOST, port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{port}/demo"
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
