"""Pages of the console that say what is wrong, why, and what to do: signed out, no access, no such page, failed."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from typing_extensions import override

from app.api.acting_user import RoleRequired
from app.console import rendering
from app.console.forms import check_form
from app.errors import AppError, DatabaseUnavailable
from app.pages.rendering import PageInvalid, PageRoute, way_back
from app.sync.console_sessions import ConsoleLinkExpired, ConsoleLinkUnknown, ConsoleLinkUsed

SIGNED_OUT = "/console/signed-out"


class SignedOut(AppError):
    """The browser has no session, or its session has ended."""

    status = 401
    code = "console_signed_out"
    title = "Sessions of the console end after 8 hours, or when you sign out"
    next_step = "open the console again from Levitate; nothing that you saved is lost"


class NoChange(AppError):
    """A user of the firm may read, and somebody with a role must change."""

    status = 403
    code = "console_change_not_allowed"
    title = "Your firm's administrator or your Success Manager can change this"
    next_step = "send them a message and say what you would like to change"


class NotHere(AppError):
    """There is no such page, or the session may not see it."""

    status = 404
    code = "console_page_not_found"
    title = "The address may be wrong, or it belongs to a firm that your session cannot open"
    next_step = "go to the overview and look for it there"


_HEADINGS = {
    SignedOut.code: "You are signed out",
    ConsoleLinkUnknown.code: "This link does not work",
    ConsoleLinkUsed.code: "This link was already used",
    ConsoleLinkExpired.code: "This link has expired",
    NoChange.code: "You can read this, but not change it",
    DatabaseUnavailable.code: "This page cannot be shown now",
    PageInvalid.code: "This form could not be used",
}


def error_page(request: Request, error: AppError) -> Response:
    """Return the page of an error; its code is logged with the request."""
    request.state.reason = error.code
    shown = _in_words(error)
    heading = _HEADINGS.get(shown.code) or _heading_of(shown)
    if request.headers.get("hx-request") and isinstance(error, SignedOut):
        return HTMLResponse("", status_code=401, headers={"HX-Redirect": SIGNED_OUT})
    answer = rendering.plain_page(
        "error.html",
        status=shown.status,
        heading=heading,
        detail=shown.detail,
        way_back=way_back(request),
        overview=rendering.overview_of(request),
        reference=request.state.request_id if shown.status >= 500 else None,
    )
    answer.headers.update({"HX-Retarget": "body", "HX-Reswap": "innerHTML"})
    answer.headers.update(shown.headers or {})
    return answer


def _in_words(error: AppError) -> AppError:
    if isinstance(error, RoleRequired):
        return NoChange()
    return NotHere() if error.status == 404 and not _is_of_link(error) else error


def _is_of_link(error: AppError) -> bool:
    return error.code == ConsoleLinkUnknown.code


def _heading_of(error: AppError) -> str:
    if error.status == 404:
        return "This page does not exist"
    return "Something failed on our side" if error.status >= 500 else "This was not done"


class ConsoleRoute(PageRoute):
    """A route of the console. It refuses a form that another site sent, and its errors are pages of the console."""

    @override
    async def check(self, request: Request) -> None:
        await check_form(request)

    @override
    def error_page(self, request: Request, error: AppError) -> Response:
        return error_page(request, error)
