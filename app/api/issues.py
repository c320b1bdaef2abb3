"""Issues, and holds that wait for a person's decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Response
from fastapi.responses import JSONResponse

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.audience import AudienceDep, WriterAudience
from app.api.deps import NO_NUL, HoldId, IssueId, ServicesDep
from app.api.pagination import ListDep, PageDep
from app.api.problems import problems
from app.db import issues
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.contacts import holds, new_client_holds, visible_holds
from app.db.contacts.holds import (
    Hold,
    HoldDecided,
    HoldFilter,
    HoldKind,
    HoldNotFound,
    HoldStatus,
)
from app.db.issues import Issue, IssueFilter, IssueNotFound
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.rules.settings import InitialSync
from app.sync import assess

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["issues"],
)

DecisionBody = Annotated[
    schemas.HoldDecision | None,
    Body(examples=[{"ids": ["itm_0192f0c45f7a5d438c526d6c6bb1a7d1_1001"]}]),
]
ReleaseBody = Annotated[
    schemas.ReleaseDecision | None,
    Body(
        examples=[{"ids": ["itm_0192f0c45f7a5d438c526d6c6bb1a7d1_1001"]}, {"new_clients": "hold"}]
    ),
]
CONTACTS_SHOWN = 100  # the number of contacts that the response lists for each hold


async def get_issue_filter(
    code: Annotated[
        str | None,
        Query(max_length=100, pattern=NO_NUL, description="Only issues with this code."),
    ] = None,
    severity: Annotated[
        Literal["info", "warning", "error"] | None,
        Query(description="Only issues of this severity."),
    ] = None,
) -> IssueFilter:
    """Return the filter of the list of issues."""
    return IssueFilter(code, severity)


@router.get("/issues")
async def list_issues(
    account: AccountDep,
    audience: AudienceDep,
    session: SessionDep,
    asked: ListDep,
    wanted: Annotated[IssueFilter, Depends(get_issue_filter)],
    status: Annotated[
        Literal["open", "resolved"] | None, Query(description="Only open or only resolved issues.")
    ] = None,
) -> schemas.Page[schemas.Issue]:
    """Return the account's issues, open and resolved ones unless `status` is given. Their time is `opened_at`."""
    account_id = account.account_id
    query = asked.by_id("issues", account_id, status, chosen=wanted)
    is_open = None if status is None else status == "open"
    found = await issues.list_issues(
        session, account_id, audience, wanted, query.page, is_open=is_open
    )
    rows = query.rows(found, key=lambda issue: issue.issue_id)
    return rows.page(_issue_body(issue, audience) for issue in rows.items)


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
    audience: WriterAudience,
) -> schemas.Issue:
    """Mark an issue as resolved. If its cause is found again, a new issue is opened."""
    now = services.now()
    issue = await issues.resolve_issue(
        session, account.account_id, issue_id, audience=audience, now=now
    )
    await audit.record(
        session, account.account_id, actor, AuditAction("issue.resolved", issue_id), now=now
    )
    return _issue_body(issue, audience)


@router.get("/holds")
async def list_holds(
    account: AccountDep,
    audience: AudienceDep,
    session: SessionDep,
    asked: ListDep,
    status: Annotated[
        Literal["open", "released", "discarded"] | None,
        Query(description="Only holds with this status."),
    ] = None,
) -> schemas.Page[schemas.Hold]:
    """Return the holds: removals and announcements that wait for a person's decision, and those already decided.

    Their time is `opened_at`.
    """
    query = asked.by_time("holds", account.account_id, status)
    wanted = HoldFilter(HoldStatus(status) if status else None)
    found = await holds.list_holds(session, account.account_id, wanted, query.page)
    rows = query.rows(found, key=lambda hold: (hold.opened_at, hold.hold_id))
    return rows.page(await _hold_bodies(session, account.account_id, audience, rows.items))


async def get_asked_items(
    hold_id: HoldId, account: AccountDep, audience: AudienceDep
) -> assess.AskedItems:
    """Return the items of the hold in the path that may be shown."""
    return assess.AskedItems(account.account_id, hold_id, audience)


@router.get(
    "/holds/{hold_id}/items",
    response_model=schemas.Page[schemas.HoldItem],
    responses=problems(HoldNotFound),
)
async def list_hold_items(
    asked: Annotated[assess.AskedItems, Depends(get_asked_items)],
    services: ServicesDep,
    session: SessionDep,
    page: PageDep,
) -> Response:
    """Return who waits in the hold, and the change of each, ordered by Clio's id. Decided items are not listed."""
    query = page.by_number("hold-items", asked.account_id, asked.hold_id)
    found = await assess.list_hold_items(
        services, session, asked, after=query.after, limit=query.fetch
    )
    rows = query.rows(found, key=lambda item: item.clio_id)
    return JSONResponse(
        {
            "data": [_item_document(item) for item in rows.items],
            "next_cursor": rows.next_cursor,
            "has_more": rows.next_cursor is not None,
        }
    )


@dataclass(frozen=True)
class HoldRequest:
    """A request of a person to decide about the hold in the path."""

    hold_id: str
    account_id: str
    actor: Actor
    audience: Audience
    now: datetime

    async def decide(
        self,
        session: Session,
        status: HoldStatus,
        ids: Sequence[str] | None,
        new_clients: InitialSync | None = None,
    ) -> schemas.Hold:
        """Decide about the hold or about some of its items, and audit it; return the hold."""
        by, audience = self.actor.user_id or "", self.audience
        decision = assess.Decision(status, by, ids, new_clients, audience)
        hold = await assess.decide_hold(
            session, self.account_id, self.hold_id, decision, now=self.now
        )
        details: dict[str, Any] = {"items": len(set(ids))} if ids else {}
        if new_clients:
            details["new_clients"] = new_clients
        action = AuditAction(f"hold.{status}", self.hold_id, details)
        await audit.record(session, self.account_id, self.actor, action, now=self.now)
        return (await _hold_bodies(session, self.account_id, audience, [hold]))[0]


async def get_hold_request(
    hold_id: HoldId,
    account: AccountDep,
    actor: ActorDep,
    audience: WriterAudience,
    services: ServicesDep,
) -> HoldRequest:
    """Return the request to decide about the hold in the path."""
    return HoldRequest(hold_id, account.account_id, actor, audience, services.now())


HoldRequestDep = Annotated[HoldRequest, Depends(get_hold_request)]


@router.post(
    "/holds/{hold_id}/release",
    dependencies=[RequireRole],
    responses=problems(HoldNotFound, HoldDecided, RoleRequired),
)
async def release_hold(
    request: HoldRequestDep, session: SessionDep, body: ReleaseBody = None
) -> schemas.Hold:
    """Carry out what waits: new clients are announced at once, everything else is done by a run that starts now.

    The run does not read Clio. The set is fixed now: what is found later is not decided by this. Of more than 500 items
    the rest follow within a minute. If the body names items, the others wait on. The review of a first publication
    lasts until a release without `ids`.
    """
    choice = body.new_clients if body else None
    return await request.decide(session, HoldStatus.RELEASED, body.ids if body else None, choice)


@router.post(
    "/holds/{hold_id}/discard",
    dependencies=[RequireRole],
    responses=problems(HoldNotFound, HoldDecided, RoleRequired),
)
async def discard_hold(
    request: HoldRequestDep, session: SessionDep, body: DecisionBody = None
) -> schemas.Hold:
    """Cancel what waits: the contacts stay as they are until they change in Clio; new clients are not announced.

    The set is fixed now. Of more than 500 items the rest follow within a minute. If the body names items, the others
    wait on. A first publication can only be discarded as a whole: nobody is published, and the next successful run
    opens another hold of it.
    """
    return await request.decide(session, HoldStatus.DISCARDED, body.ids if body else None)


def _item_document(item: assess.HoldItem) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "clio_id": str(item.clio_id),
        "contact_id": item.contact_id,
        "name": item.name,
        "new_client": item.new_client,
        "change": item.change and {"seq": None, **item.change, "run_id": None},
    }


def _issue_body(issue: Issue, audience: Audience) -> schemas.Issue:
    return schemas.Issue(
        id=issue.issue_id,
        code=issue.code,
        severity=issue.severity,
        detail=issues.detail_for(audience, issue.code, issue.detail),
        subject=schemas.IssueSubject(kind=issue.subject.kind, id=issue.subject.id),
        opened_at=issue.opened_at,
        resolved_at=issue.resolved_at,
    )


async def _hold_bodies(
    session: Session, account_id: str, audience: Audience, found: list[Hold]
) -> list[schemas.Hold]:
    ids = [hold.hold_id for hold in found]
    contacts = await visible_holds.list_contacts(
        session, account_id, audience, ids, limit=CONTACTS_SHOWN
    )
    counts = {hold.hold_id: hold.count for hold in found}
    if audience.login is not None:
        counts = await visible_holds.count_items(session, account_id, audience, ids)
    summaries = await _summaries(session, account_id, audience, found)
    return [
        schemas.Hold(
            id=hold.hold_id,
            kind=hold.kind.value,
            status=hold.status.value,
            run_id=hold.run_id,
            count=counts[hold.hold_id],
            contact_clio_ids=[str(clio_id) for clio_id in contacts[hold.hold_id]],
            summary=summaries.get(hold.hold_id),
            opened_at=hold.opened_at,
            decided_at=hold.decided_at,
            decided_by=hold.decided_by or None,
        )
        for hold in found
    ]


async def _summaries(
    session: Session, account_id: str, audience: Audience, found: Sequence[Hold]
) -> dict[str, schemas.NewClientsSummary | schemas.PreviewSummary]:
    """Return the summaries of those of these holds that are open and have one, by the hold's id.

    That of a first publication is a preview, which is not made for what one login sees.
    """
    waiting = {hold.hold_id: hold.kind for hold in found if hold.status is HoldStatus.OPEN}
    of_clients = [key for key, kind in waiting.items() if kind is HoldKind.NEW_CLIENTS]
    clients = await new_client_holds.summarize(session, account_id, of_clients, audience)
    return {
        key: schemas.NewClientsSummary.model_validate(summary, from_attributes=True)
        for key, summary in clients.items()
    } | {
        key: schemas.PreviewSummary.model_validate(
            await assess.summarize_review(session, account_id, key), from_attributes=True
        )
        for key, kind in waiting.items()
        if kind is HoldKind.FIRST_PUBLICATION and audience.login is None
    }
