"""How a page becomes a response: templates that escape what they insert, its policy, and error pages.

The headers that all responses have are in `app/api/response_headers.py`.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from typing_extensions import override

from app.errors import AppError, DatabaseUnavailable
from app.sync.connections import StillConnecting
from app.sync.services import Services


def templates_of(package: str) -> Environment:
    """Return the templates of a package. They escape what they insert, and an unknown name is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_templates = templates_of("app.pages")
_HEADINGS = {
    DatabaseUnavailable.code: "This page cannot be shown now",
    StillConnecting.code: "Connecting to Clio",
}
_RELOADED = (StillConnecting.code, DatabaseUnavailable.code)

log = structlog.get_logger(__name__)


class PageInvalid(AppError):
    """The address or the form has a value that cannot be used."""

    status = 400
    code = "page_invalid"
    title = "This address or form is not complete"
    next_step = "go back to Levitate and begin again"


class PageNotFound(AppError):
    """There is no such page."""

    status = 404
    code = "page_not_found"
    title = "There is no page at this address"
    next_step = "check that it is complete, or go back to Levitate"


class PageFailed(AppError):
    """Something failed that nobody expected."""

    title = "This service had an internal error, which was logged"
    next_step = "try again later, or give the reference to support"


def page(
    template: str, *, status: int = 200, form_origins: Sequence[str] = (), **values: Any
) -> HTMLResponse:
    """Return a page. Its forms may lead to this service, to https, and to plain http at `form_origins` only.

    Browsers hold the redirects after a form to this too, and the last one goes to an address of Levitate or Clio.
    """
    plain = [origin for origin in form_origins if origin.startswith("http://")]
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "
        + " ".join(("'self'", "https:", *plain))
    )
    text = _templates.get_template(template).render(values)
    headers = {"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin"}
    return HTMLResponse(text, status_code=status, headers=headers)


def redirect(address: str) -> RedirectResponse:
    """Return a redirect that the browser follows by GET."""
    return RedirectResponse(address, status_code=303)


def error_page(request: Request, error: AppError) -> HTMLResponse:
    """Return the page that says what is wrong and what to do next; its code is logged with the request."""
    request.state.reason = error.code
    answer = page(
        "message.html",
        status=error.status,
        heading=_HEADINGS.get(error.code, "This did not work"),
        detail=error.detail,
        way_back=way_back(request),
        reload_after=2 if error.code == StillConnecting.code else None,
        can_reload=error.code in _RELOADED,
        reference=request.state.request_id if error.status >= 500 else None,
    )
    answer.headers.update(error.headers or {})
    return answer


def way_back(request: Request) -> str | None:
    """Return Levitate's origin, unless several are configured."""
    services: Services | None = getattr(request.app.state, "services", None)
    origins = services.return_origins if services else ()
    return next(iter(origins)) if len(origins) == 1 else None


class PageRoute(APIRoute):
    """A route whose errors are pages, because a person sees them. A subclass can have pages and checks of its own."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_for_person(request: Request) -> Response:
            try:
                await self.check(request)
                return await handle(request)
            except AppError as error:
                return self.error_page(request, error)
            except (RequestValidationError, HTTPException):
                return self.error_page(request, PageInvalid())
            except Exception:  # a person sees the answer
                log.exception("request_failed")
                return self.error_page(request, PageFailed())

        return handle_for_person

    async def check(self, request: Request) -> None:
        """Raise AppError for a request that is refused before anything of it is used."""

    def error_page(self, request: Request, error: AppError) -> Response:
        """Return the page of an error."""
        return error_page(request, error)
