"""The session of a request below `/console/`: the cookie stands for a service token, a user and a role.

`ConsoleSessions` puts them where the functions of `app/api` look for them, so that these need to know nothing of
cookies: the caller beside the request, the user and the role in the headers that Levitate's backend would send.
"""

from typing import cast
from urllib.parse import quote

from fastapi import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from app.api.acting_user import HEADER
from app.api.authentication import ApiAuth, Caller
from app.console.errors import SignedOut, error_page
from app.db.accounts.console_sessions import ConsoleSession
from app.db.accounts.service_tokens import BOOTSTRAP_ID
from app.errors import AppError
from app.pages.browsers import host_cookie
from app.sync.console_sessions import find_session
from app.sync.services import Services

PREFIX = "/console"
COOKIE = "clio-console"
PUBLIC = ("/console/open/", "/console/signed-out")  # the beginnings of paths without a session
_ACTING = (HEADER.lower().encode(), b"levitate-role")


class ConsoleSessions:
    """Middleware that finds the session of a request, and answers one without a session that needs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and needs_session(scope["path"]):
            try:
                await _begin(scope)
            except AppError as error:
                app = error_page(Request(scope, receive), error)
        await app(scope, receive, send)


def needs_session(path: str) -> bool:
    """Return whether a path is one of the console that needs a session."""
    return path == PREFIX or (path.startswith(f"{PREFIX}/") and not path.startswith(PUBLIC))


async def _begin(scope: AsgiScope) -> None:
    """Set the caller and the acting user of a request. Raises SignedOut without a session that works."""
    request = Request(scope)
    services: Services = request.app.state.services
    found = await find_session(services, cookie_of(request))
    if found is None:
        raise SignedOut
    auth: ApiAuth = request.app.state.auth
    await auth.check_rate(found.token_id)
    scope["state"]["console_session"] = found
    scope["state"]["caller"] = Caller(found.token_id, _account_ids(services, found))
    acting = (quote(found.user_id).encode(), found.role.encode())
    sent = [(name, value) for name, value in scope["headers"] if name not in _ACTING]
    scope["headers"] = [*sent, *zip(_ACTING, acting, strict=True)]


def _account_ids(services: Services, found: ConsoleSession) -> frozenset[str] | None:
    """Return the accounts of a session: its own one, or all of its token, and never more than the token's now."""
    token = services.request_checks.find_token(found.token_id)
    is_for_all = found.token_id == BOOTSTRAP_ID or (token is not None and token.account_ids is None)
    of_token = None if is_for_all else frozenset(token.account_ids or () if token else ())
    if found.only_account_id is None:
        return of_token
    own = frozenset({found.only_account_id})
    return own if of_token is None else own & of_token


def session_of(request: Request) -> ConsoleSession:
    """Return the session of a request that needs one."""
    return cast("ConsoleSession", request.state.console_session)


def cookie_of(request: Request) -> str:
    """Return what the cookie of a request contains, empty without one."""
    services: Services = request.app.state.services
    return request.cookies.get(host_cookie(services, COOKIE), "")
