"""The audit logs: who changed what, when, and from where."""

from fastapi import APIRouter

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.acting_user import Role, RoleHeader, RoleRequired
from app.api.audience import AudienceDep
from app.api.authentication import CallerDep
from app.api.pagination import PageDep
from app.api.problems import problems
from app.api.system_session import SystemSessionDep
from app.db.accounts import audit
from app.db.accounts.audit import AuditEntry

router = APIRouter(tags=["operations"])


@router.get("/v1/accounts/{account_id}/audit")
async def list_audit(
    account: AccountDep, audience: AudienceDep, session: SessionDep, page: PageDep
) -> schemas.Page[schemas.AuditEntry]:
    """Return the audit log of the account, oldest entry first.

    It has ids, versions and JSON pointers, never client data.
    """
    query = page.by_id("audit", account.account_id)
    found = await audit.list_entries(
        session, account.account_id, audience, after=query.after, limit=query.fetch
    )
    rows = query.rows(found, key=lambda entry: entry.entry_id)
    return rows.page(map(_body, rows.items))


@router.get("/v1/audit", responses=problems(RoleRequired))
async def list_service_audit(
    caller: CallerDep, session: SystemSessionDep, page: PageDep, role: RoleHeader = Role.USER
) -> schemas.Page[schemas.AuditEntry]:
    """Return the audit log of what is of no single account, oldest entry first.

    It has what was done to webhook endpoints, service tokens and keys, and the erasure of accounts, and it outlives
    them. It needs the role `success_manager`. A token for some accounts sees only what was done with itself.
    """
    if role is not Role.SUCCESS_MANAGER:
        raise RoleRequired
    query = page.by_id("service-audit", caller.token_id)
    token_id = None if caller.account_ids is None else caller.token_id
    found = await audit.list_entries_of_service(
        session, token_id=token_id, after=query.after, limit=query.fetch
    )
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
