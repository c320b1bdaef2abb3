"""Into the console and out of it: a link that works once begins the session in a cookie, signing out ends it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.api.deps import NO_NUL, ServicesDep
from app.console.errors import SIGNED_OUT, ConsoleRoute, NotHere, SignedOut, error_page
from app.console.sessions import COOKIE, cookie_of
from app.pages.browsers import set_host_cookie
from app.pages.rendering import redirect
from app.sync.console_sessions import SESSION_LIFE, open_console, sign_out

router = APIRouter(prefix="/console", include_in_schema=False, route_class=ConsoleRoute)
no_page = APIRouter(include_in_schema=False, route_class=ConsoleRoute)

LinkToken = Annotated[str, Path(max_length=128, pattern=NO_NUL)]


@router.get("/open/{token}")
async def open_link(token: LinkToken, services: ServicesDep) -> Response:
    """Use the link up, set the cookie of the session, and go to its first page. A HEAD request uses nothing up."""
    opened = await open_console(services, token)
    answer = redirect("/console/")
    set_host_cookie(answer, services, COOKIE, opened.cookie, life=SESSION_LIFE)
    return answer


@router.post("/sign-out")
async def end_session(request: Request, services: ServicesDep) -> Response:
    """End the session and forget its cookie."""
    await sign_out(services, cookie_of(request))
    answer = redirect(SIGNED_OUT)
    set_host_cookie(answer, services, COOKIE, "", life=timedelta(0))
    return answer


@router.get("/signed-out")
async def signed_out(request: Request) -> Response:
    """Say that there is no session any more, and where a new one begins."""
    return error_page(request, SignedOut())


@no_page.api_route("/console", methods=["GET", "HEAD"])
async def to_first_page() -> Response:
    """Go to the first page of the session."""
    return redirect("/console/")


@no_page.api_route("/console/{rest:path}", methods=["GET", "HEAD", "POST"])
async def find_no_page() -> Response:
    """Say that there is no such page. A HEAD request of a link scanner at a link ends here, too."""
    raise NotHere
