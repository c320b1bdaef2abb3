"""The audit log: who changed what, and when."""

from fastapi import APIRouter

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.pagination import PageDep
from app.db.accounts import audit
from app.db.accounts.audit import AuditEntry

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["operations"],
)


@router.get("/audit")
async def list_audit(
    account: AccountDep, session: SessionDep, page: PageDep
) -> schemas.Page[schemas.AuditEntry]:
    """Return the audit log, oldest entry first. It has ids, versions and JSON pointers, never client data."""
    query = page.by_id("audit", account.account_id)
    found = await audit.list_entries(
        session, account.account_id, after=query.after, limit=query.fetch
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
        action=entry.action.name,
        subject=entry.action.subject,
        details=dict(entry.action.details),
    )
