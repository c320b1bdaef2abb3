"""Accounts, their Levitate users, their attorneys, and their status. Changing an account is in `account_changes`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from app.api import schemas
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.account_changes import account_with_etag
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.audience import AudienceDep
from app.api.deps import IN_THE_DOCUMENT, ServicesDep
from app.api.erasures import erasure_url
from app.api.pagination import PageDep
from app.api.problems import problems
from app.api.runs import load_run_body
from app.db import issues
from app.db.accounts import accounts, attorneys, audit, health, looks
from app.db.accounts.attorneys import Attorney
from app.db.accounts.audit import AuditAction
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.contacts import contacts
from app.db.runs import rederivations, runs
from app.db.session import Session
from app.errors import AppError
from app.rules.attorneys import LevitateUser
from app.sync import slot_times
from app.sync.account_erasure import start_account_erasure
from app.sync.health import current_health

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

ClioUserId = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="Clio's id of the user."), IN_THE_DOCUMENT
]


@router.get("/{account_id}")
async def get_account(account: AccountDep, response: Response) -> schemas.Account:
    """Return one account, with its `ETag` in the header."""
    return account_with_etag(account, response)


@router.delete(
    "/{account_id}",
    status_code=202,
    response_class=Response,
    dependencies=[RequireRole],
    responses=problems(RoleRequired),
)
async def delete_account(
    account: AccountWithoutSession, actor: ActorDep, services: ServicesDep, response: Response
) -> None:
    """Erase all data of the account, and revoke the access of its Clio logins at Clio.

    From now on the account does not exist. The erasure goes on in the background. The header `Location` has the address
    of its receipt.
    """
    erasure_id = await start_account_erasure(services, account.account_id, actor=actor)
    response.headers["Location"] = erasure_url(erasure_id)


@router.get("/{account_id}/users")
async def get_users(account: AccountDep, session: SessionDep) -> schemas.UserList:
    """Return the firm's Levitate users."""
    return await _users_body(session, account.account_id)


class WouldRemove(AppError):
    """A request would remove all users, and does not say that this is meant."""

    status = 409
    code = "would_remove"
    title = "The list is empty, and the account has users"
    next_step = "send the complete list, or add ?confirm=replace to remove all users"


@router.put(
    "/{account_id}/users",
    responses=problems(RoleRequired, WouldRemove),
    dependencies=[RequireRole],
)
async def put_users(
    body: schemas.UsersIn,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
    confirm: Annotated[
        Literal["replace"] | None,
        Query(description="`replace`: an empty list is meant, and removes all users."),
    ] = None,
) -> schemas.UserList:
    """Replace the list of Levitate users.

    If that changes who is active, or whom a Clio user stands for, all contacts are assessed again, without requests to
    Clio. An empty list needs `confirm=replace` if there are users.
    """
    account_id, now = account.account_id, services.now()
    await accounts.lock_account(session, account_id)
    users = {
        user.id: LevitateUser(user.id, user.name, user.email, user.active) for user in body.users
    }
    known = len(await accounts.list_users(session, account_id))
    if known and not users and confirm is None:
        raise WouldRemove(
            f"This would remove all {known} users of the account; send the complete list, or add ?confirm=replace"
        )
    async with rederivations.after_change(session, account_id, now=now):
        changed = await accounts.replace_users(session, account_id, list(users.values()))
    if changed:
        await looks.look_now(session, looks.Task.OUTBOX, account_id, now=now)
        action = AuditAction("users.replaced", details={"users": len(users)})
        await audit.record(session, account_id, actor, action, now=now)
    return await _users_body(session, account.account_id)


@router.get("/{account_id}/attorneys")
async def list_attorneys(
    account: AccountDep,
    session: SessionDep,
    page: PageDep,
    unmapped: Annotated[
        bool,
        Query(
            description="Only Clio users without a mapping. One to nobody, by hand, is a mapping."
        ),
    ] = False,
) -> schemas.Page[schemas.Attorney]:
    """Return the firm's Clio users by Clio's id, as of the last run.

    Each has its Levitate user, who is mapped by hand, by connection or by email address.
    """
    query = page.by_number("attorneys", account.account_id, unmapped)
    found = await attorneys.list_attorneys(
        session, account.account_id, unmapped=unmapped, after=query.after, limit=query.fetch
    )
    rows = query.rows(found, key=lambda attorney: attorney.clio_user.clio_user_id)
    return rows.page(map(_attorney_body, rows.items))


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
    """Map a Clio user to a Levitate user by hand; null means no user.

    If that changes whom the Clio user stands for, all contacts are assessed again.
    """
    account_id, now, user_id = account.account_id, services.now(), body.user_id
    await accounts.lock_account(session, account_id)
    async with rederivations.after_change(session, account_id, now=now):
        changed = await attorneys.set_attorney_mapping(session, account_id, clio_user_id, user_id)
    if changed:
        action = AuditAction("attorney.mapped", str(clio_user_id), {"user_id": user_id})
        await audit.record(session, account_id, actor, action, now=now)
    return _attorney_body(await attorneys.get_attorney(session, account_id, clio_user_id))


@router.delete(
    "/{account_id}/attorneys/{clio_user_id}",
    status_code=204,
    response_class=Response,
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
    """Remove the mapping by hand: the Clio user is mapped automatically again.

    If that changes whom the Clio user stands for, all contacts are assessed again.
    """
    account_id, now = account.account_id, services.now()
    await accounts.lock_account(session, account_id)
    async with rederivations.after_change(session, account_id, now=now):
        changed = await attorneys.delete_attorney_mapping(session, account_id, clio_user_id)
    if changed:
        action = AuditAction("attorney.unmapped", str(clio_user_id))
        await audit.record(session, account_id, actor, action, now=now)


@router.get("/{account_id}/status")
async def get_status(
    account: AccountDep, audience: AudienceDep, services: ServicesDep, session: SessionDep
) -> schemas.Status:
    """Return the account's health, its connections and contacts, its newest run, and when the next run is due."""
    account_id, now = account.account_id, services.now()
    logins = await connections.list_all(session, account_id)
    newest = await runs.newest_run(session, account_id)
    facts = await health.load_facts(session, account_id)
    found = current_health(facts, services.timing, account_id, now=now)
    zone = slot_times.zone_of(account.fields.time_zone)
    return schemas.Status(
        health=found.value.value,
        health_reasons=[
            schemas.HealthReason(
                code=one.code, detail=issues.detail_for(audience, one.code, one.detail)
            )
            for one in found.reasons
        ],
        last_successful_run_at=facts.synced_at,
        next_run_at=slot_times.next_due(now, zone, services.timing, account_id)
        if account.fields.enabled and facts.working_logins
        else None,
        connections=schemas.StatusConnections(**connections.count_by_status(logins)),
        contacts=schemas.StatusContacts(
            **await contacts.count_by_state(session, account_id, audience)
        ),
        run=await load_run_body(session, newest, now=now) if newest else None,
        open_issues=await issues.count_open(session, account_id, audience),
        coverage=[_coverage(login) for login in logins if login.login is not None],
    )


def _coverage(login: Connection) -> schemas.Coverage:
    return schemas.Coverage(
        connection_id=login.connection_id,
        user_id=login.user_id,
        full_view=login.login is not None and login.login.full_view,
        last_sync_at=login.last_sync_at,
    )


async def _users_body(session: Session, account_id: str) -> schemas.UserList:
    found = await accounts.list_users(session, account_id)
    return schemas.UserList(
        users=[
            schemas.User(id=user.user_id, name=user.name, email=user.email, active=user.active)
            for user in found
        ]
    )


def _attorney_body(attorney: Attorney) -> schemas.Attorney:
    clio_user, mapped = attorney.clio_user, attorney.mapped
    return schemas.Attorney(
        clio_user_id=str(clio_user.clio_user_id),
        name=clio_user.name,
        email=clio_user.email,
        enabled=clio_user.enabled,
        user_id=mapped.user_id if mapped else None,
        mapped_by=mapped.by if mapped else None,
        contacts=attorney.contacts,
    )
