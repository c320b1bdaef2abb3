"""What endpoints ask for: the services, the caller, the account, a page's limits."""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import structlog
from aiolimiter import AsyncLimiter
from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.crypto import hash_secret, split_service_token
from app.db.accounts import accounts, service_tokens
from app.db.accounts.accounts import Account, AccountNotFound
from app.db.accounts.audit import Actor
from app.db.session import Session, transaction
from app.errors import AppError
from app.sync.services import Services

BURST = 4  # seconds of the rate that may come at once


class InvalidToken(AppError):
    """No token, an unknown one or a revoked one."""

    status = 401
    code = "invalid_token"
    title = "Send a valid service token: Authorization: Bearer <token>"


class RoleRequired(AppError):
    """The acting user's role does not suffice."""

    status = 403
    code = "role_required"
    title = "This needs Levitate-Role: success_manager or account_admin"


class TooManyRequests(AppError):
    """More requests than the token's rate."""

    status = 429
    code = "rate_limited"
    title = "Too many requests with this token; wait as Retry-After says"


class Role(StrEnum):
    """The acting user's role, asserted by Levitate's backend."""

    USER = "user"
    ACCOUNT_ADMIN = "account_admin"
    SUCCESS_MANAGER = "success_manager"


@dataclass(frozen=True)
class Caller:
    """Who calls, and for which accounts: None means all."""

    token_id: str
    account_ids: frozenset[str] | None

    def may_see(self, account_id: str) -> bool:
        """Whether the token is for this account."""
        return self.account_ids is None or account_id in self.account_ids


@dataclass(frozen=True)
class Door:
    """How callers are let in: the bootstrap token's hash, and a limiter for each token."""

    bootstrap_hash: str | None
    rate: int
    limiters: dict[str, AsyncLimiter]

    async def check_rate(self, token_id: str) -> None:
        """Count a request; raises TooManyRequests above the rate."""
        if not self.rate:
            return
        limiter = self.limiters.setdefault(token_id, AsyncLimiter(self.rate * BURST, BURST))
        if not limiter.has_capacity():
            raise TooManyRequests(headers={"Retry-After": "1"})
        await limiter.acquire()


def get_services(request: Request) -> Services:
    """The services that main built."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_session(services: ServicesDep) -> AsyncIterator[Session]:
    """One transaction for the whole request, committed before the answer is sent."""
    async with transaction(services.database) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]

_bearer = HTTPBearer(auto_error=False, description="A service token of Levitate's backend")


async def get_caller(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Who calls; raises InvalidToken or TooManyRequests."""
    door: Door = request.app.state.door
    caller = await _caller(services, door, credentials.credentials if credentials else "")
    await door.check_rate(caller.token_id)
    return caller


async def _caller(services: Services, door: Door, token: str) -> Caller:
    if door.bootstrap_hash and hmac.compare_digest(hash_secret(token), door.bootstrap_hash):
        return Caller("bootstrap", None)
    parts = split_service_token(token)
    if parts is None:
        raise InvalidToken(headers={"WWW-Authenticate": "Bearer"})
    token_id, secret_hash = parts
    async with transaction(services.database) as session:
        found = await service_tokens.find_token(session, token_id)
    known = found is not None and found.revoked_at is None
    # Compared also when the token is unknown, so that the time taken tells nothing (T14).
    same = hmac.compare_digest(found.secret_hash if found else "", secret_hash)
    if found is None or not known or not same:
        raise InvalidToken(headers={"WWW-Authenticate": "Bearer"})
    return Caller(token_id, None if found.account_ids is None else frozenset(found.account_ids))


CallerDep = Annotated[Caller, Depends(get_caller)]

AccountId = Annotated[
    str,
    Path(
        description="Levitate's id of the account",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        examples=["hp"],
    ),
]


async def get_account(account_id: AccountId, caller: CallerDep, services: ServicesDep) -> Account:
    """The account of the path; a foreign one answers as an unknown one does."""
    if not caller.may_see(account_id):
        raise AccountNotFound
    structlog.contextvars.bind_contextvars(account_id=account_id)
    async with transaction(services.database) as session:
        return await accounts.get_account(session, account_id)


AccountDep = Annotated[Account, Depends(get_account)]


async def require_role(
    role: Annotated[Role, Header(alias="Levitate-Role")] = Role.USER,
) -> None:
    """Only for those who may change an account [EN-2]."""
    if role is Role.USER:
        raise RoleRequired


RequireRole = Depends(require_role)


async def get_actor(
    caller: CallerDep,
    role: Annotated[Role, Header(alias="Levitate-Role")] = Role.USER,
    user_id: Annotated[
        str | None, Header(alias="Levitate-User", max_length=128, pattern=r"^[\w.@:-]+$")
    ] = None,
) -> Actor:
    """Who acts, for the audit: as Levitate's backend asserts."""
    return Actor(caller.token_id, user_id, role)


ActorDep = Annotated[Actor, Depends(get_actor)]

NO_NUL = r"^[^\x00]*$"  # PostgreSQL holds no such character
OurId = Annotated[str, Path(max_length=64, pattern=NO_NUL)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before", max_length=512)
]
