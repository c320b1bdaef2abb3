"""Authentication by service token, the check of its scope, and the rate limit of each token.

The tokens are held in memory: an unknown one costs no access to the database. Nothing is limited by address.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, TypeVar

from aiolimiter import AsyncLimiter
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from app.api import problems, scopes
from app.api.repeated_values import check_values
from app.crypto import hash_secret, split_service_token
from app.db.accounts.service_tokens import BOOTSTRAP_ID, Scope
from app.errors import AppError
from app.sync.request_checks import RequestChecks
from app.sync.services import Services

T = TypeVar("T")
PROTECTED = "/v1/"  # the beginning of every path that needs a token
BURST_SECONDS = 4  # a token may send the requests of so many seconds at once


class InvalidToken(AppError):
    """The token is missing, unknown, revoked or expired."""

    status = 401
    code = "invalid_token"
    title = "The service token is missing, unknown, revoked or has expired"
    next_step = "send a valid one: Authorization: Bearer <token>"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class TooManyRequests(AppError):
    """The token has sent more requests than its rate limit allows."""

    status = 429
    code = "rate_limited"
    title = "Too many requests with this token"
    next_step = "wait as many seconds as the header Retry-After says"


@dataclass(frozen=True)
class Caller:
    """The service token of a request, the ids of the accounts it may see (None: all), and what it may do there."""

    token_id: str
    account_ids: frozenset[str] | None
    scope: Scope = Scope.ADMIN

    def may_see(self, account_id: str) -> bool:
        """Return whether the token is for this account."""
        return self.account_ids is None or account_id in self.account_ids


@dataclass(frozen=True)
class ApiAuth:
    """The hash of the bootstrap token, the rate limit in requests per second (0 for none), and each token's limiter."""

    bootstrap_hash: str | None = field(repr=False)
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
    """Middleware that refuses a request without a valid token, or with two values for one, before its body is read.

    FastAPI reads and parses a body before it calls a dependency, so a dependency would come too late.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            try:
                check_values(scope)
                scope["state"]["caller"] = await _authenticate(scope)
            except AppError as error:
                app = problems.response_to(scope, error)
        await app(scope, receive, send)


async def _authenticate(scope: AsgiScope) -> Caller:
    state = scope["app"].state
    auth: ApiAuth = state.auth
    scheme, token = get_authorization_scheme_param(Headers(scope=scope).get("authorization"))
    services: Services = state.services
    caller = _find_caller(
        services.request_checks,
        auth,
        token if scheme.lower() == "bearer" else "",
        now=services.now(),
    )
    await auth.check_rate(caller.token_id)
    return caller


def _find_caller(checks: RequestChecks, auth: ApiAuth, token: str, *, now: datetime) -> Caller:
    if auth.bootstrap_hash and hmac.compare_digest(hash_secret(token), auth.bootstrap_hash):
        if not checks.is_valid(BOOTSTRAP_ID, now=now):
            raise InvalidToken
        return Caller(BOOTSTRAP_ID, None)
    parts = split_service_token(token)
    if parts is None:
        raise InvalidToken
    token_id, secret_hash = parts
    found = checks.find_token(token_id)
    # The hashes are compared for an unknown token too: the response time must not show whether a token exists [T14].
    is_equal = hmac.compare_digest(found.secret_hash if found else "", secret_hash)
    if found is None or not is_equal or not checks.is_valid(token_id, now=now):
        raise InvalidToken
    checks.note_use(token_id, now=now)
    account_ids = None if found.account_ids is None else frozenset(found.account_ids)
    return Caller(token_id, account_ids, found.scope)


_bearer = HTTPBearer(auto_error=False, description="A service token of Levitate's backend.")


async def get_caller(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Return the caller, whom `Authentication` has found; raises ScopeRequired if the token may not do the operation.

    The parameter documents that the operation needs a token.
    """
    caller: Caller = request.state.caller
    scopes.check_scope(caller.scope, request.scope["route"].name)
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


async def while_valid(
    services: Services, caller: Caller, parts: AsyncIterator[T]
) -> AsyncIterator[T]:
    """Yield the parts of a response. Raises InvalidToken when the token has ended: a part must not look complete."""
    async for part in parts:
        if not services.request_checks.is_valid(caller.token_id, now=services.now()):
            raise InvalidToken
        yield part
