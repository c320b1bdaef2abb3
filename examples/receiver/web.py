"""The addresses of the receiver: `/webhook` for the service, and `/held` for people, as a page and as JSON."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from levitate_clio import ClioError, InvalidSignature, webhooks
from pydantic import BaseModel

from receiver.held import Decision, Desk

LARGEST_BODY = 65_536  # bytes; an event has some hundred
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
HEADINGS = {
    "new_clients": "New clients who are not announced",
    "removals": "Contacts who would leave",
    "first_publication": "People who were never published",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)

router = APIRouter()


@dataclass(frozen=True)
class Web:
    """What the addresses use. They set `changed` after each transaction."""

    desk: Desk
    webhook_secrets: Sequence[str]  # two while one is being replaced
    password: str
    changed: asyncio.Event


class DecisionBody(BaseModel):
    """A decision about new clients. Each has another `request_id`; one that is sent again keeps it."""

    decision: Decision
    ids: list[str]
    request_id: str


def create_app(web: Web) -> FastAPI:
    """Return the application."""
    app = FastAPI(openapi_url=None)
    app.state.web = web
    app.include_router(router)
    app.add_exception_handler(ClioError, refused)
    return app


def refused(_request: Request, error: Exception) -> PlainTextResponse:
    """Show why the service refused: its texts name the next step."""
    text = getattr(error, "detail", "The service cannot be reached now. Try again later.")
    return PlainTextResponse(text, status_code=getattr(error, "status", 503))


def web_of(request: Request) -> Web:
    """Return what the addresses use."""
    web: Web = request.app.state.web
    return web


WebDep = Annotated[Web, Depends(web_of)]


def user_of(
    request: Request, web: WebDep, given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]
) -> str:
    """Return Levitate's id of the user. Put your own sign-in in its place; here all users share a password.

    A form of another site is refused, because the browser would add the password to it.
    """
    if not secrets.compare_digest(given.password.encode(), web.password.encode()):
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})
    site = request.headers.get("sec-fetch-site", "none")
    if request.method == "POST" and site not in ("same-origin", "none"):
        raise HTTPException(403, "Open the page itself, and decide there.")
    return given.username


UserDep = Annotated[str, Depends(user_of)]


@router.post("/webhook")
async def receive(request: Request, web: WebDep) -> Response:
    """Handle an event. 204 says that it is stored: until then the service sends it again."""
    body = await _body(request)  # the bytes: JSON that is written again has another signature
    try:
        event = webhooks.verify(body, request.headers, web.webhook_secrets)
    except InvalidSignature as error:
        raise HTTPException(400, str(error)) from error
    if event.data.get("account_id") == web.desk.account:  # the token may be for more firms
        web.desk.store.apply_webhook(event)
        web.changed.set()
    return Response(status_code=204)


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise HTTPException(413)
    return body


@router.get("/held", dependencies=[Depends(user_of)])
async def show(web: WebDep) -> HTMLResponse:
    """Show who waits for a decision."""
    page = TEMPLATES.get_template("held.html").render(
        groups=await web.desk.groups(), headings=HEADINGS, form_id=secrets.token_urlsafe()
    )
    return HTMLResponse(page, headers=PAGE_HEADERS)


@router.post("/held/new-clients")
async def decide_new_clients(
    web: WebDep,
    user: UserDep,
    decision: Annotated[Decision, Form()],
    ids: Annotated[list[str], Form()],
    form_id: Annotated[str, Form()],
) -> RedirectResponse:
    """Announce the selected new clients, or never announce them."""
    await web.desk.decide_new_clients(user, decision, ids, form_id)
    return RedirectResponse("/held", status_code=303)


@router.post("/held/holds/{hold_id}")
async def decide_hold(
    web: WebDep,
    user: UserDep,
    hold_id: str,
    decision: Annotated[Decision, Form()],
    ids: Annotated[list[str] | None, Form()] = None,
) -> RedirectResponse:
    """Let the selected changes of a hold happen, or drop them. Nothing selected means all."""
    await web.desk.decide_hold(user, decision, hold_id, ids or [])
    return RedirectResponse("/held", status_code=303)


@router.get("/held.json", dependencies=[Depends(user_of)])
async def show_json(web: WebDep) -> list[dict[str, Any]]:
    """Return who waits for a decision."""
    return [asdict(group) for group in await web.desk.groups()]


@router.post("/held.json")
async def decide_json(web: WebDep, user: UserDep, body: DecisionBody) -> dict[str, int]:
    """Announce new clients, or never announce them; return how many."""
    done = await web.desk.decide_new_clients(user, body.decision, body.ids, body.request_id)
    return {"done": done}
