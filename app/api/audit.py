"""The audit: who did what when."""

from fastapi import APIRouter

from app.api import cursors, schemas
from app.api.deps import AccountDep, Cursor, Limit, SessionDep
from app.db.accounts import audit
from app.db.accounts.audit import AuditEntry

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["operations"],
)


@router.get("/audit")
async def list_audit(
    account: AccountDep, session: SessionDep, cursor: Cursor = None, limit: Limit = 50
) -> schemas.Page[schemas.AuditEntry]:
    """Who changed what when, oldest first: ids, versions and pointers, never client data."""
    asked = ("audit", account.account_id)
    after = cursors.after_id(cursor, *asked)
    found = await audit.list_entries(session, account.account_id, after=after, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    return schemas.Page(
        data=[_out(entry) for entry in page],
        next_cursor=cursors.encode(page[-1].entry_id, *asked) if more else None,
        has_more=more,
    )


def _out(entry: AuditEntry) -> schemas.AuditEntry:
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
