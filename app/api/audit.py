"""The audit logs: who changed what, when, and from where."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.acting_user import Role, RoleHeader, RoleRequired
from app.api.audience import AudienceDep
from app.api.authentication import CallerDep
from app.api.deps import NO_NUL
from app.api.pagination import ListDep
from app.api.problems import problems
from app.api.system_session import SystemSessionDep
from app.db.accounts import audit
from app.db.accounts.audit import AuditEntry, AuditFilter

router = APIRouter(tags=["operations"])


async def get_filter(
    actor: Annotated[
        str | None,
        Query(
            max_length=128,
            pattern=NO_NUL,
            description="Only what this Levitate user did: the user's id, as in `user_id`.",
        ),
    ] = None,
    action: Annotated[
        str | None,
        Query(
            max_length=100, pattern=NO_NUL, description="Only this action, such as `hold.released`."
        ),
    ] = None,
) -> AuditFilter:
    """Return the filter of an audit log."""
    return AuditFilter(actor, action)


AuditFilterDep = Annotated[AuditFilter, Depends(get_filter)]


@router.get("/v1/accounts/{account_id}/audit")
async def list_audit(
    account: AccountDep,
    audience: AudienceDep,
    session: SessionDep,
    asked: ListDep,
    wanted: AuditFilterDep,
) -> schemas.Page[schemas.AuditEntry]:
    """Return the audit log of the account. The time of an entry is `at`.

    It has ids, versions and JSON pointers, never client data.
    """
    query = asked.by_id("audit", account.account_id, chosen=wanted)
    found = await audit.list_entries(session, account.account_id, audience, wanted, query.page)
    rows = query.rows(found, key=lambda entry: entry.entry_id)
    return rows.page(map(_body, rows.items))


@router.get("/v1/audit", responses=problems(RoleRequired))
async def list_service_audit(
    caller: CallerDep,
    session: SystemSessionDep,
    asked: ListDep,
    wanted: AuditFilterDep,
    role: RoleHeader = Role.USER,
) -> schemas.Page[schemas.AuditEntry]:
    """Return the audit log of what is of no single account. The time of an entry is `at`.

    It has what was done to webhook endpoints, service tokens and keys, and the erasure of accounts, and it outlives
    them. It needs the role `success_manager`. A token for some accounts sees only what was done with itself.
    """
    if role is not Role.SUCCESS_MANAGER:
        raise RoleRequired
    query = asked.by_id("service-audit", caller.token_id, chosen=wanted)
    token_id = None if caller.account_ids is None else caller.token_id
    found = await audit.list_entries_of_service(session, wanted, query.page, token_id=token_id)
    rows = query.rows(found, key=lambda entry: entry.entry_id)
    return rows.page(map(_body, rows.items))


def _body(entry: AuditEntry) -> schemas.AuditEntry:
    return schemas.AuditEntry(
        id=entry.entry_id,
        at=entry.at,
        user_id=entry.actor.user_id,
        role=entry.actor.role,
        token_id=entry.actor.token_id,
        request_id=entry.actor.request_id,
        source_address=entry.actor.source_address,
        action=entry.action.name,
        subject=entry.action.subject,
        details=dict(entry.action.details),
    )
