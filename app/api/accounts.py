"""Accounts, their Levitate users, their attorneys, their state of health."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Response

from app.api import cursors, schemas
from app.api.deps import (
    AccountDep,
    AccountId,
    ActorDep,
    CallerDep,
    Cursor,
    Limit,
    RequireRole,
    RoleRequired,
    ServicesDep,
    SessionDep,
)
from app.api.problems import problems
from app.api.runs import run_out
from app.db import issues
from app.db.accounts import accounts, audit
from app.db.accounts.accounts import Account, AccountFields, AccountNotFound, Attorney
from app.db.accounts.audit import AuditAction
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.contacts import contacts
from app.db.runs import checkpoints, runs
from app.db.runs.runs import Kind, Run, RunRequest, Trigger
from app.db.session import Session
from app.rules.attorneys import LevitateUser
from app.sync import scheduler
from app.sync.erasure import erase_account
from app.sync.services import Services

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

ClioUserId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Clio's id of the user")]


@router.get("")
async def list_accounts(
    caller: CallerDep, session: SessionDep, cursor: Cursor = None, limit: Limit = 50
) -> schemas.Page[schemas.Account]:
    """The accounts of the token."""
    after = cursors.after_id(cursor, "accounts")
    found = await accounts.list_accounts(
        session, only=caller.account_ids, after=after, limit=limit + 1
    )
    page = found[:limit]
    more = len(found) > limit
    return schemas.Page(
        data=[account_out(account) for account in page],
        next_cursor=cursors.encode(page[-1].account_id, "accounts") if more else None,
        has_more=more,
    )


@router.put("/{account_id}", dependencies=[RequireRole], responses=problems(RoleRequired))
async def put_account(
    account_id: AccountId,
    body: schemas.AccountIn,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Account:
    """Create or change an account. Switching it off stops schedules and keeps the data.

    Another country or primary user judges all contacts anew, without asking Clio.
    """
    if not caller.may_see(account_id):
        raise AccountNotFound
    now = services.now()
    fields = AccountFields(**body.model_dump())
    before = await accounts.put_account(session, account_id, fields, now=now)
    action = _account_action(before.fields if before else None, fields)
    if action is not None:
        await audit.record(session, account_id, actor, action, now=now)
    if before is not None:
        old = before.fields
        if (old.country, old.primary_user_id) != (fields.country, fields.primary_user_id):
            await _rederive(services, session, account_id)
        if old.enabled and not fields.enabled:
            await runs.cancel_waiting(session, account_id, now=now)
    return account_out(await accounts.get_account(session, account_id))


@router.get("/{account_id}")
async def get_account(account: AccountDep) -> schemas.Account:
    """One account."""
    return account_out(account)


@router.delete(
    "/{account_id}",
    status_code=202,
    response_class=Response,
    dependencies=[RequireRole],
    responses=problems(RoleRequired),
)
async def delete_account(account: AccountDep, actor: ActorDep, services: ServicesDep) -> None:
    """Erase everything of the account; its Clio logins are deauthorised at Clio."""
    await erase_account(services, account.account_id, actor=actor)


@router.get("/{account_id}/users")
async def get_users(account: AccountDep, session: SessionDep) -> schemas.Users:
    """The directory of the firm's Levitate users."""
    return await _users_out(session, account.account_id)


@router.put("/{account_id}/users", responses=problems(RoleRequired), dependencies=[RequireRole])
async def put_users(
    body: schemas.UsersIn,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Users:
    """Replace the directory. Contacts are judged anew, without asking Clio."""
    await accounts.lock_account(session, account.account_id)
    users = {
        user.id: LevitateUser(user.id, user.name, user.email, user.active) for user in body.users
    }
    if await accounts.replace_users(session, account.account_id, list(users.values())):
        action = AuditAction("users.replaced", details={"users": len(users)})
        await audit.record(session, account.account_id, actor, action, now=services.now())
        await _rederive(services, session, account.account_id)
    return await _users_out(session, account.account_id)


@router.get("/{account_id}/attorneys")
async def list_attorneys(account: AccountDep, session: SessionDep) -> schemas.Attorneys:
    """The firm's Clio users and who they are here: by hand, by connection or by e-mail."""
    found = await accounts.list_attorneys(session, account.account_id)
    return schemas.Attorneys(data=[_attorney_out(attorney) for attorney in found])


@router.put(
    "/{account_id}/attorneys/{clio_user_id}",
    dependencies=[RequireRole],
    responses=problems(RoleRequired),
)
async def map_attorney(
    clio_user_id: ClioUserId,
    body: schemas.AttorneyIn,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Attorney:
    """Say by hand who a Clio user is here; null says: nobody. Contacts are judged anew."""
    await accounts.lock_account(session, account.account_id)
    if await accounts.set_attorney_mapping(session, account.account_id, clio_user_id, body.user_id):
        action = AuditAction("attorney.mapped", str(clio_user_id), {"user_id": body.user_id})
        await audit.record(session, account.account_id, actor, action, now=services.now())
        await _rederive(services, session, account.account_id)
    return _attorney_out(await accounts.get_attorney(session, account.account_id, clio_user_id))


@router.delete(
    "/{account_id}/attorneys/{clio_user_id}",
    status_code=204,
    dependencies=[RequireRole],
    responses=problems(RoleRequired),
)
async def unmap_attorney(
    clio_user_id: ClioUserId,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> None:
    """Forget what was said by hand: the Clio user is mapped automatically again."""
    await accounts.lock_account(session, account.account_id)
    if await accounts.delete_attorney_mapping(session, account.account_id, clio_user_id):
        action = AuditAction("attorney.unmapped", str(clio_user_id))
        await audit.record(session, account.account_id, actor, action, now=services.now())
        await _rederive(services, session, account.account_id)


@router.get("/{account_id}/status")
async def get_status(
    account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Status:
    """How the account fares: logins, contacts, the run in flight or the last one, when the next is due."""
    account_id = account.account_id
    logins = await connections.list_all(session, account_id)
    newest = await runs.newest_run(session, account_id)
    succeeded = await runs.newest_run(session, account_id, status=runs.Status.SUCCEEDED)
    works = account.fields.enabled and any(
        login.status is connections.Status.CONNECTED for login in logins
    )
    zone = ZoneInfo(account.fields.time_zone)
    found = await issues.count_open(session, account_id)
    return schemas.Status(
        health=_health(account, logins, found),
        last_successful_run_at=succeeded.finished_at if succeeded else None,
        next_run_at=scheduler.next_due(services.now(), zone, services.timing, account_id)
        if works
        else None,
        connections=schemas.StatusConnections(**connections.count_by_status(logins)),
        contacts=schemas.StatusContacts(**await contacts.count_by_state(session, account_id)),
        run=await _run_out(services, session, newest),
        open_issues=sum(found.values()),
        coverage=[_coverage(login) for login in logins if login.login is not None],
    )


def account_out(account: Account) -> schemas.Account:
    """An account in the words of the contract."""
    fields = account.fields
    clio = account.clio
    return schemas.Account(
        id=account.account_id,
        name=fields.name,
        time_zone=fields.time_zone,
        country=fields.country,
        primary_user_id=fields.primary_user_id,
        enabled=fields.enabled,
        clio=clio
        and schemas.ClioFirm(region=clio.region, account_id=str(clio.account_id), name=clio.name),
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


def _account_action(before: AccountFields | None, after: AccountFields) -> AuditAction | None:
    """What putting an account did; None when it is as it was."""
    if before is None:
        return AuditAction("account.created")
    pointers = [f"/{name}" for name, old in asdict(before).items() if getattr(after, name) != old]
    return AuditAction("account.changed", details={"pointers": pointers}) if pointers else None


def _health(account: Account, logins: list[Connection], found: Mapping[str, int]) -> str:
    """`needs_attention` when nothing can go on without somebody; `degraded` when something is lacking."""
    statuses = {login.status for login in logins}
    if not account.fields.enabled:
        return "disabled"
    if connections.Status.CONNECTED not in statuses:
        return "needs_attention"
    if found.get("error"):
        return "needs_attention"
    return "degraded" if found.get("warning") else "ok"


async def _run_out(services: Services, session: Session, run: Run | None) -> schemas.Run | None:
    if run is None:
        return None
    found = await checkpoints.list_pulls(session, run.account_id, [run.run_id])
    return run_out(run, found[run.run_id], now=services.now())


def _coverage(login: Connection) -> schemas.Coverage:
    return schemas.Coverage(
        connection_id=login.connection_id,
        user_id=login.user_id,
        full_view=login.login is not None and login.login.full_view,
        last_sync_at=login.last_sync_at,
    )


async def _users_out(session: Session, account_id: str) -> schemas.Users:
    found = await accounts.list_users(session, account_id)
    return schemas.Users(
        users=[
            schemas.User(id=user.user_id, name=user.name, email=user.email, active=user.active)
            for user in found
        ]
    )


def _attorney_out(attorney: Attorney) -> schemas.Attorney:
    clio_user, mapped = attorney.clio_user, attorney.mapped
    return schemas.Attorney(
        clio_user_id=str(clio_user.clio_user_id),
        name=clio_user.name,
        email=clio_user.email,
        enabled=clio_user.enabled,
        user_id=mapped.user_id if mapped else None,
        mapped_by=mapped.by if mapped else None,
    )


async def _rederive(services: Services, session: Session, account_id: str) -> None:
    """Judge all contacts anew, if any were ever pulled."""
    if await runs.has_initial(session, account_id):
        wish = RunRequest(Kind.REDERIVE, Trigger.USERS)
        await runs.request_run(session, account_id, wish, now=services.now())
