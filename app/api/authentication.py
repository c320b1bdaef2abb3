"""Authentication by service token, and the rate limit of each token.

The tokens are held in memory: an unknown one costs no access to the database. Nothing is limited by address.
"""

import hmac
from dataclasses import dataclass
from typing import Annotated

from aiolimiter import AsyncLimiter
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import problems
from app.crypto import hash_secret, split_service_token
from app.errors import AppError
from app.sync.request_checks import RequestChecks

PROTECTED = "/v1/"  # the beginning of every path that needs a token
BURST_SECONDS = 4  # a token may send the requests of so many seconds at once


class InvalidToken(AppError):
    """The token is missing, unknown or revoked."""

    status = 401
    code = "invalid_token"
    title = "Send a valid service token: Authorization: Bearer <token>"


class TooManyRequests(AppError):
    """The token has sent more requests than its rate limit allows."""

    status = 429
    code = "rate_limited"
    title = "Too many requests with this token; wait as many seconds as the header Retry-After says"


@dataclass(frozen=True)
class Caller:
    """The service token of a request, and the ids of the accounts it may see; None means all accounts."""

    token_id: str
    account_ids: frozenset[str] | None

    def may_see(self, account_id: str) -> bool:
        """Return whether the token is for this account."""
        return self.account_ids is None or account_id in self.account_ids


@dataclass(frozen=True)
class ApiAuth:
    """The hash of the bootstrap token, the rate limit in requests per second (0 for none), and each token's limiter."""

    bootstrap_hash: str | None
    rate: int
    limiters: dict[str, AsyncLimiter]

    async def check_rate(self, token_id: str) -> None:
        """Count a request; raises TooManyRequests above the rate limit."""
        if not self.rate:
            return
        limiter = self.limiters.setdefault(
            token_id, AsyncLimiter(self.rate * BURST_SECONDS, BURST_SECONDS)
        )
        if not limiter.has_capacity():
            raise TooManyRequests(headers={"Retry-After": "1"})
        await limiter.acquire()


class Authentication:
    """Middleware that refuses a request without a valid token before anything of its body is read.

    FastAPI reads and parses a body before it calls a dependency, so a dependency would come too late.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            try:
                scope["state"]["caller"] = await _authenticate(scope)
            except AppError as error:
                app = problems.response_to(scope, error)
        await app(scope, receive, send)


async def _authenticate(scope: Scope) -> Caller:
    state = scope["app"].state
    auth: ApiAuth = state.auth
    scheme, token = get_authorization_scheme_param(Headers(scope=scope).get("authorization"))
    caller = _find_caller(
        state.services.request_checks, auth, token if scheme.lower() == "bearer" else ""
    )
    await auth.check_rate(caller.token_id)
    return caller


def _find_caller(checks: RequestChecks, auth: ApiAuth, token: str) -> Caller:
    if auth.bootstrap_hash and hmac.compare_digest(hash_secret(token), auth.bootstrap_hash):
        return Caller("bootstrap", None)
    parts = split_service_token(token)
    if parts is None:
        raise InvalidToken(headers={"WWW-Authenticate": "Bearer"})
    token_id, secret_hash = parts
    found = checks.find_token(token_id)
    # The hashes are compared for an unknown token too: the response time must not show whether a token exists [T14].
    is_equal = hmac.compare_digest(found.secret_hash if found else "", secret_hash)
    if found is None or not is_equal:
        raise InvalidToken(headers={"WWW-Authenticate": "Bearer"})
    return Caller(token_id, None if found.account_ids is None else frozenset(found.account_ids))


_bearer = HTTPBearer(auto_error=False, description="A service token of Levitate's backend.")


async def get_caller(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Return the caller, whom `Authentication` has found. The parameter documents that the operation needs a token."""
    caller: Caller = request.state.caller
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]
