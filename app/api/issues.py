"""Issues, and holds that wait for a person's decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app.api import schemas
from app.api.account_access import AccountDep
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.deps import HoldId, IssueId, ServicesDep, SessionDep
from app.api.pagination import PageDep
from app.api.problems import problems
from app.db import issues
from app.db.accounts import audit
from app.db.accounts.audit import AuditAction
from app.db.contacts import holds
from app.db.contacts.holds import Hold, HoldDecided, HoldNotFound, HoldStatus
from app.db.issues import Issue, IssueNotFound
from app.db.session import Session
from app.sync import assess

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["issues"],
)

CONTACTS_SHOWN = 100  # the number of contacts that the response lists for each hold


@router.get("/issues")
async def list_issues(
    account: AccountDep,
    session: SessionDep,
    page: PageDep,
    status: Annotated[
        Literal["open", "resolved"] | None, Query(description="Only open or only resolved issues.")
    ] = None,
) -> schemas.Page[schemas.Issue]:
    """Return the account's issues, oldest first, open and resolved ones unless `status` is given."""
    query = page.by_id("issues", account.account_id, status)
    found = await issues.list_issues(
        session,
        account.account_id,
        is_open=None if status is None else status == "open",
        after=query.after,
        limit=query.fetch,
    )
    rows = query.rows(found, key=lambda issue: issue.issue_id)
    return rows.page(map(_issue_body, rows.items))


@router.post(
    "/issues/{issue_id}/resolve",
    dependencies=[RequireRole],
    responses=problems(IssueNotFound, RoleRequired),
)
async def resolve_issue(
    issue_id: IssueId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    actor: ActorDep,
) -> schemas.Issue:
    """Mark an issue as resolved. If its cause is found again, a new issue is opened."""
    now = services.now()
    issue = await issues.resolve_issue(session, account.account_id, issue_id, now=now)
    await audit.record(
        session, account.account_id, actor, AuditAction("issue.resolved", issue_id), now=now
    )
    return _issue_body(issue)


@router.get("/holds")
async def list_holds(
    account: AccountDep,
    session: SessionDep,
    page: PageDep,
    status: Annotated[
        Literal["open", "released", "discarded"] | None,
        Query(description="Only holds with this status."),
    ] = None,
) -> schemas.Page[schemas.Hold]:
    """Return the holds: removals and announcements that wait for a person's decision, and those already decided."""
    query = page.by_id("holds", account.account_id, status)
    found = await holds.list_holds(
        session,
        account.account_id,
        status=HoldStatus(status) if status else None,
        after=query.after,
        limit=query.fetch,
    )
    rows = query.rows(found, key=lambda hold: hold.hold_id)
    return rows.page(await _hold_bodies(session, account.account_id, rows.items))


@router.post(
    "/holds/{hold_id}/release",
    dependencies=[RequireRole],
    responses=problems(HoldNotFound, HoldDecided, RoleRequired),
)
async def release_hold(
    hold_id: HoldId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    actor: ActorDep,
) -> schemas.Hold:
    """Carry out what waits: removals in a run that starts at once and does not read Clio, announcements immediately.

    If more than 500 announcements wait, the rest follow within a minute.
    """
    by, now = actor.user_id or "", services.now()
    hold = await assess.release_hold(session, account.account_id, hold_id, by=by, now=now)
    await audit.record(
        session, account.account_id, actor, AuditAction("hold.released", hold_id), now=now
    )
    return (await _hold_bodies(session, account.account_id, [hold]))[0]


@router.post(
    "/holds/{hold_id}/discard",
    dependencies=[RequireRole],
    responses=problems(HoldNotFound, HoldDecided, RoleRequired),
)
async def discard_hold(
    hold_id: HoldId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    actor: ActorDep,
) -> schemas.Hold:
    """Cancel what waits: the contacts stay as they are until they change in Clio; new clients are not announced."""
    by, now = actor.user_id or "", services.now()
    hold = await assess.discard_hold(session, account.account_id, hold_id, by=by, now=now)
    await audit.record(
        session, account.account_id, actor, AuditAction("hold.discarded", hold_id), now=now
    )
    return (await _hold_bodies(session, account.account_id, [hold]))[0]


def _issue_body(issue: Issue) -> schemas.Issue:
    return schemas.Issue(
        id=issue.issue_id,
        code=issue.code,
        severity=issue.severity,
        detail=issue.detail,
        subject=schemas.Subject(kind=issue.subject.kind, id=issue.subject.id),
        opened_at=issue.opened_at,
        resolved_at=issue.resolved_at,
    )


async def _hold_bodies(session: Session, account_id: str, found: list[Hold]) -> list[schemas.Hold]:
    contacts = await holds.list_contacts(
        session, account_id, [hold.hold_id for hold in found], limit=CONTACTS_SHOWN
    )
    return [
        schemas.Hold(
            id=hold.hold_id,
            kind=hold.kind.value,
            status=hold.status.value,
            run_id=hold.run_id,
            count=hold.count,
            contact_clio_ids=[str(clio_id) for clio_id in contacts[hold.hold_id]],
            opened_at=hold.opened_at,
            decided_at=hold.decided_at,
            decided_by=hold.decided_by or None,
        )
        for hold in found
    ]
