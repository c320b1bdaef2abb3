"""Issues and holds: what somebody should know, and what waits for a person's decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app.api import cursors, schemas
from app.api.deps import (
    AccountDep,
    ActorDep,
    Cursor,
    Limit,
    OurId,
    RequireRole,
    RoleRequired,
    ServicesDep,
    SessionDep,
)
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

NAMED = 100  # contacts that a hold names


@router.get("/issues")
async def list_issues(
    account: AccountDep,
    session: SessionDep,
    status: Annotated[Literal["open", "resolved"] | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.Page[schemas.Issue]:
    """The account's issues, oldest first; open and resolved ones unless a status is named."""
    asked = ("issues", account.account_id, status)
    after = cursors.after_id(cursor, *asked)
    found = await issues.list_issues(
        session,
        account.account_id,
        is_open=None if status is None else status == "open",
        after=after,
        limit=limit + 1,
    )
    page, more = found[:limit], len(found) > limit
    return schemas.Page(
        data=[issue_out(issue) for issue in page],
        next_cursor=cursors.encode(page[-1].issue_id, *asked) if more else None,
        has_more=more,
    )


@router.post(
    "/issues/{issue_id}/resolve",
    dependencies=[RequireRole],
    responses=problems(IssueNotFound, RoleRequired),
)
async def resolve_issue(
    issue_id: OurId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    actor: ActorDep,
) -> schemas.Issue:
    """Say that an issue is over. One whose cause lasts opens anew when it is found again."""
    now = services.now()
    issue = await issues.resolve_issue(session, account.account_id, issue_id, now=now)
    await audit.record(
        session, account.account_id, actor, AuditAction("issue.resolved", issue_id), now=now
    )
    return issue_out(issue)


@router.get("/holds")
async def list_holds(
    account: AccountDep,
    session: SessionDep,
    status: Annotated[Literal["open", "released", "discarded"] | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.Page[schemas.Hold]:
    """Withdrawals and announcements that wait for a person, and what was decided."""
    asked = ("holds", account.account_id, status)
    after = cursors.after_id(cursor, *asked)
    wanted = HoldStatus(status) if status else None
    found = await holds.list_holds(
        session, account.account_id, status=wanted, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    return schemas.Page(
        data=await _holds_out(session, account.account_id, page),
        next_cursor=cursors.encode(page[-1].hold_id, *asked) if more else None,
        has_more=more,
    )


@router.post(
    "/holds/{hold_id}/release",
    dependencies=[RequireRole],
    responses=problems(HoldNotFound, HoldDecided, RoleRequired),
)
async def release_hold(
    hold_id: OurId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    actor: ActorDep,
) -> schemas.Hold:
    """Let what waits happen: withdrawals in a run that asks Clio nothing and starts at once, announcements now.

    Of more than 500 announcements the rest follow within a minute.
    """
    by, now = actor.user_id or "", services.now()
    hold = await assess.release_hold(session, account.account_id, hold_id, by=by, now=now)
    await audit.record(
        session, account.account_id, actor, AuditAction("hold.released", hold_id), now=now
    )
    return (await _holds_out(session, account.account_id, [hold]))[0]


@router.post(
    "/holds/{hold_id}/discard",
    dependencies=[RequireRole],
    responses=problems(HoldNotFound, HoldDecided, RoleRequired),
)
async def discard_hold(
    hold_id: OurId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    actor: ActorDep,
) -> schemas.Hold:
    """Nothing of what waits happens: contacts stay as they are until they change in Clio, new clients unannounced."""
    by, now = actor.user_id or "", services.now()
    hold = await assess.discard_hold(session, account.account_id, hold_id, by=by, now=now)
    await audit.record(
        session, account.account_id, actor, AuditAction("hold.discarded", hold_id), now=now
    )
    return (await _holds_out(session, account.account_id, [hold]))[0]


def issue_out(issue: Issue) -> schemas.Issue:
    """An issue in the words of the contract."""
    return schemas.Issue(
        id=issue.issue_id,
        code=issue.code,
        severity=issue.severity,
        detail=issue.detail,
        subject=schemas.Subject(kind=issue.subject.kind, id=issue.subject.id),
        opened_at=issue.opened_at,
        resolved_at=issue.resolved_at,
    )


async def _holds_out(session: Session, account_id: str, found: list[Hold]) -> list[schemas.Hold]:
    named = await holds.list_contacts(
        session, account_id, [hold.hold_id for hold in found], limit=NAMED
    )
    return [
        schemas.Hold(
            id=hold.hold_id,
            kind=hold.kind.value,
            status=hold.status.value,
            run_id=hold.run_id,
            count=hold.count,
            contact_clio_ids=[str(clio_id) for clio_id in named[hold.hold_id]],
            opened_at=hold.opened_at,
            decided_at=hold.decided_at,
            decided_by=hold.decided_by or None,
        )
        for hold in found
    ]
