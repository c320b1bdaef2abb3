"""Authentication by service token, and the rate limit of each token."""

import hmac
from dataclasses import dataclass
from typing import Annotated

from aiolimiter import AsyncLimiter
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.deps import ServicesDep
from app.crypto import hash_secret, split_service_token
from app.db.accounts import service_tokens
from app.db.session import transaction
from app.errors import AppError
from app.sync.services import Services

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


_bearer = HTTPBearer(auto_error=False, description="A service token of Levitate's backend.")


async def get_caller(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Return the caller; raises InvalidToken or TooManyRequests."""
    auth: ApiAuth = request.app.state.auth
    caller = await _authenticate(services, auth, credentials.credentials if credentials else "")
    await auth.check_rate(caller.token_id)
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


async def _authenticate(services: Services, auth: ApiAuth, token: str) -> Caller:
    if auth.bootstrap_hash and hmac.compare_digest(hash_secret(token), auth.bootstrap_hash):
        return Caller("bootstrap", None)
    parts = split_service_token(token)
    if parts is None:
        raise InvalidToken(headers={"WWW-Authenticate": "Bearer"})
    token_id, secret_hash = parts
    async with transaction(services.database) as session:
        found = await service_tokens.find_token(session, token_id)
    is_live = found is not None and found.revoked_at is None
    # The hashes are compared for an unknown token too: the response time must not show whether a token exists [T14].
    is_equal = hmac.compare_digest(found.secret_hash if found else "", secret_hash)
    if found is None or not is_live or not is_equal:
        raise InvalidToken(headers={"WWW-Authenticate": "Bearer"})
    return Caller(token_id, None if found.account_ids is None else frozenset(found.account_ids))
