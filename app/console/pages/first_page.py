"""The first page of a session: the overview of its account, or All firms."""

from fastapi import APIRouter, Request, Response

from app.console.errors import ConsoleRoute
from app.console.sessions import session_of
from app.pages.rendering import redirect

router = APIRouter(route_class=ConsoleRoute)


@router.get("/")
async def to_first_page(request: Request) -> Response:
    """Go to the overview of the session's account."""
    account_id = session_of(request).account_id
    return redirect(f"/console/accounts/{account_id}")
