"""Those for whom an endpoint shows people: each one that shows a person asks for one of these values [API-30, T10].

`AudienceDep` is for a read, `WriterAudience` for a change that names a person or whose response shows one; both have a
variant for endpoints that open transactions themselves. While the setting `privacy.respect_visibility` is off, all are
everybody, and nothing more is read.
"""

from typing import Annotated

from fastapi import Depends, Request

from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.acting_user import ActorDep, Role, RoleHeader, RoleRequired
from app.api.deps import ServicesDep
from app.db.accounts import audit
from app.db.accounts.accounts import Account
from app.db.accounts.audit import Actor, AuditAction
from app.db.mirror.audience import EVERYBODY, Audience, load_audience
from app.db.session import Session, transaction
from app.errors import AppError
from app.sync.services import Services


class ActingUserRequired(AppError):
    """The account shows people only to users, and the request names none."""

    status = 400
    code = "acting_user_required"
    title = "This account shows each user only what the user sees in Clio"
    next_step = "send Levitate-User with the user for whom you read"


async def get_audience(
    request: Request,
    account: AccountDep,
    session: SessionDep,
    actor: ActorDep,
    services: ServicesDep,
) -> Audience:
    """Return for whom a read is; raises ActingUserRequired. What a Success Manager reads is audited."""
    return await _reading(request, account, session, actor, services)


async def get_audience_beforehand(
    request: Request, account: AccountWithoutSession, actor: ActorDep, services: ServicesDep
) -> Audience:
    """Return for whom a read is, in a transaction that has ended; raises ActingUserRequired."""
    if not account.respects_visibility:
        return EVERYBODY
    async with transaction(services.database, account.account_id) as session:
        return await _reading(request, account, session, actor, services)


async def get_writer_audience(
    account: AccountDep, session: SessionDep, actor: ActorDep
) -> Audience:
    """Return for whom a change is. One without a user is the backend's own, which knows everybody."""
    user_id = _limited_user(account, actor)
    return await load_audience(session, account.account_id, user_id) if user_id else EVERYBODY


async def get_writer_audience_beforehand(
    account: AccountWithoutSession, actor: ActorDep, services: ServicesDep
) -> Audience:
    """Return for whom a change is, in a transaction that has ended."""
    user_id = _limited_user(account, actor)
    if user_id is None:
        return EVERYBODY
    async with transaction(services.database, account.account_id) as session:
        return await load_audience(session, account.account_id, user_id)


async def require_role_for_all(account: AccountDep, role: RoleHeader = Role.USER) -> None:
    """Raise RoleRequired for a user of an account that limits what users are shown: this endpoint shows all."""
    _check_role(account, role)


async def require_role_beforehand(
    account: AccountWithoutSession, role: RoleHeader = Role.USER
) -> None:
    """Do the same for an endpoint that opens transactions itself."""
    _check_role(account, role)


AudienceDep = Annotated[Audience, Depends(get_audience)]
AudienceBeforehand = Annotated[Audience, Depends(get_audience_beforehand)]
WriterAudience = Annotated[Audience, Depends(get_writer_audience)]
WriterAudienceBeforehand = Annotated[Audience, Depends(get_writer_audience_beforehand)]
RequireRoleForAll = Depends(require_role_for_all)
RequireRoleBeforehand = Depends(require_role_beforehand)


def _check_role(account: Account, role: Role) -> None:
    if account.respects_visibility and role is Role.USER:
        raise RoleRequired


def _limited_user(account: Account, actor: Actor) -> str | None:
    """Return the user whose login limits a change, or None."""
    return actor.user_id if account.respects_visibility and not _sees_all(actor) else None


def _sees_all(actor: Actor) -> bool:
    return actor.role == Role.SUCCESS_MANAGER


async def _reading(
    request: Request, account: Account, session: Session, actor: Actor, services: Services
) -> Audience:
    if not account.respects_visibility:
        return EVERYBODY
    if actor.user_id is None:
        raise ActingUserRequired
    if not _sees_all(actor):
        return await load_audience(session, account.account_id, actor.user_id)
    await audit.record(session, account.account_id, actor, _read(request), now=services.now())
    return EVERYBODY


def _read(request: Request) -> AuditAction:
    """Return what is read: the operation, and the id in the path below the account."""
    ids = [value for name, value in request.path_params.items() if name != "account_id"]
    operation = request.scope["route"].operation_id or request.scope["route"].name
    return AuditAction("people.read", ids[0] if ids else None, {"operation": operation})
