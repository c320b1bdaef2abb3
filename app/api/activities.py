"""Activities: accept one for write-back, see where it stands, try it again, take it back."""

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import cursors, schemas
from app.api.deps import NO_NUL, AccountDep, OurId, ServicesDep, SessionDep
from app.api.problems import problems
from app.api.runs import IdempotencyKey, IdempotencyKeyRequired
from app.db.accounts import idempotency
from app.db.accounts.idempotency import IdempotencyKeyReused, IdempotentRequest, RequestInProgress
from app.db.outbox import outbox
from app.db.outbox.activities import (
    Activity,
    ActivityFilter,
    ActivityNotFound,
    Kind,
    NotCancellable,
    NotRetryable,
    Status,
)
from app.errors import AppError
from app.sync.connections import IntegrationNotEnabled
from app.sync.services import clio_web_origin
from app.sync.writeback import ActivityRequest, accept_activity

router = APIRouter(
    prefix="/v1/accounts/{account_id}/activities",
    tags=["activities"],
)


class UnknownKind(AppError):
    """Levitate has kinds of activities that have no place in Clio [WB-1]."""

    status = 422
    code = "unknown_activity_kind"
    title = "kind must be one of email, note, phone_call, handwritten_card, text_message"


class ActivityQuery(BaseModel):
    """Which activities, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    contact_id: Annotated[str, Field(max_length=200, pattern=NO_NUL)] | None = None
    status: (
        Literal["queued", "sending", "written", "skipped", "blocked", "failed", "cancelled"] | None
    ) = None
    kind: Literal["email", "note", "phone_call", "handwritten_card", "text_message"] | None = None
    cursor: Annotated[str, Field(max_length=512)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.post(
    "",
    status_code=202,
    responses={
        200: {
            "model": schemas.Activity,
            "description": "Skipped: switched off for this kind, or the contact is not linked to Clio",
        },
        **problems(
            ActivityNotFound,
            IdempotencyKeyRequired,
            IntegrationNotEnabled,
            IdempotencyKeyReused,
            RequestInProgress,
            UnknownKind,
        ),
    },
)
async def write_back(
    body: schemas.ActivityIn,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Activity:
    """Record an activity in Clio, once, as the user who did it. The same key again answers the same activity.

    Queued or blocked (the user has no working login) answers 202; skipped answers 200. Post each activity when it
    happens: what the account has switched off is skipped for good.
    """
    if not idempotency_key:
        raise IdempotencyKeyRequired
    if body.kind not in set(Kind):
        raise UnknownKind
    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    request = IdempotentRequest(account.account_id, "write_back", idempotency_key, fingerprint)
    activity_id = await idempotency.find_response(session, request)
    if activity_id is None:
        if not account.fields.enabled:
            raise IntegrationNotEnabled
        made = await accept_activity(session, account, _told(body), now=services.now())
        activity_id = made.activity_id
        await idempotency.store_response(session, request, activity_id, now=services.now())
    activity = await outbox.get_activity(session, account.account_id, activity_id)
    response.status_code = 200 if activity.status is Status.SKIPPED else 202
    return _out(activity, clio_web_origin(services, account))


@router.get("")
async def list_activities(
    query: Annotated[ActivityQuery, Query()],
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Page[schemas.Activity]:
    """Activities, oldest first, of one contact, status or kind if one is asked for."""
    wanted = ActivityFilter(contact_id=query.contact_id, status=query.status, kind=query.kind)
    asked, limit = ("activities", account.account_id, wanted), query.limit
    after = cursors.after_id(query.cursor, *asked)
    found = await outbox.list_activities(
        session, account.account_id, wanted, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    origin = clio_web_origin(services, account)
    return schemas.Page(
        data=[_out(activity, origin) for activity in page],
        next_cursor=cursors.encode(page[-1].activity_id, *asked) if more else None,
        has_more=more,
    )


@router.get("/{activity_id}", responses=problems(ActivityNotFound))
async def get_activity(
    activity_id: OurId, account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Activity:
    """One activity: where it stands, how often it was tried, its record in Clio."""
    found = await outbox.get_activity(session, account.account_id, activity_id)
    return _out(found, clio_web_origin(services, account))


@router.post(
    "/{activity_id}/retry", status_code=202, responses=problems(ActivityNotFound, NotRetryable)
)
async def retry_activity(
    activity_id: OurId, account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Activity:
    """Try a failed or blocked activity again. If Clio may have it, it is looked for before it is sent."""
    found = await outbox.retry(session, account.account_id, activity_id)
    return _out(found, clio_web_origin(services, account))


@router.post("/{activity_id}/cancel", responses=problems(ActivityNotFound, NotCancellable))
async def cancel_activity(
    activity_id: OurId, account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Activity:
    """Take back an activity that certainly is not in Clio yet; doing it twice is harmless."""
    found = await outbox.cancel(session, account.account_id, activity_id)
    return _out(found, clio_web_origin(services, account))


def _told(body: schemas.ActivityIn) -> ActivityRequest:
    clio_id = body.clio_contact_id
    return ActivityRequest(
        kind=Kind(body.kind),
        user_id=body.user_id,
        contact_id=body.contact_id,
        clio_contact_id=int(clio_id) if clio_id else None,
        occurred_at=body.occurred_at,
        subject=body.subject,
        body=body.body,
        body_format=body.body_format,
        direction=body.direction,
        conversation_id=body.conversation_id,
    )


def _out(activity: Activity, origin: str) -> schemas.Activity:
    """An activity in the words of the contract."""
    text = activity.kind is Kind.TEXT_MESSAGE
    written = activity.status is Status.WRITTEN and activity.clio_id is not None
    contact = activity.clio_contact_id
    return schemas.Activity(
        id=activity.activity_id,
        kind=activity.kind.value,
        status=activity.status.value,
        reason=activity.reason,
        attempts=activity.attempts,
        clio=schemas.InClio(
            type="communication" if text else "note",
            id=str(activity.clio_id),
            url=f"{origin}/nc/#/contacts/{contact}",
        )
        if written
        else None,
        problem=schemas.CodeDetail(code=activity.reason, detail=activity.problem)
        if activity.reason and activity.problem
        else None,
        created_at=activity.created_at,
        written_at=activity.written_at,
        user_id=activity.user_id,
        contact_id=activity.contact_id,
        clio_contact_id=None if contact is None else str(contact),
    )
