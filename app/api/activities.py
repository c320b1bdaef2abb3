"""Activities: accept one for write-back, read its status, retry it, cancel it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.api import idempotency, schemas
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.audience import AudienceDep, WriterAudience, WriterAudienceBeforehand
from app.api.audit_log import AuditLog, AuditLogDep
from app.api.deps import NO_NUL, ActivityId, ServicesDep
from app.api.idempotency import IdempotencyKey
from app.api.pagination import ListDep
from app.api.problems import problems
from app.db.accounts.accounts import Account
from app.db.accounts.audit import AuditAction
from app.db.accounts.idempotency import Erased
from app.db.mirror.audience import Audience
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
from app.db.session import transaction
from app.errors import AppError
from app.sync.connections import IntegrationNotEnabled
from app.sync.services import clio_web_origin
from app.sync.writeback import ActivityRequest, accept_activity, format_text

router = APIRouter(
    prefix="/v1/accounts/{account_id}/activities",
    tags=["activities"],
)


class UnknownKind(AppError):
    """Levitate has kinds of activities that are not written to Clio [WB-1]."""

    status = 422
    code = "unknown_activity_kind"
    title = "kind must be one of email, note, phone_call, handwritten_card, text_message"


async def get_filter(
    contact_id: Annotated[
        str | None,
        Query(
            max_length=200,
            pattern=NO_NUL,
            description="Only activities of this contact: our id (`con_…`).",
        ),
    ] = None,
    status: Annotated[
        Literal["queued", "sending", "written", "skipped", "blocked", "failed", "cancelled"] | None,
        Query(description="Only activities with this status."),
    ] = None,
    kind: Annotated[
        Literal["email", "note", "phone_call", "handwritten_card", "text_message"] | None,
        Query(description="Only activities of this kind."),
    ] = None,
    user_id: Annotated[
        str | None,
        Query(
            max_length=128,
            pattern=NO_NUL,
            description="Only activities of this Levitate user, who is their author.",
        ),
    ] = None,
) -> ActivityFilter:
    """Return the filter of the list of activities."""
    return ActivityFilter(contact_id, status, kind, user_id)


@dataclass(frozen=True)
class Recorder:
    """Who records an activity in an account, and whose contacts may be named."""

    account: Account
    audience: Audience
    log: AuditLog


async def get_recorder(
    account: AccountWithoutSession, audience: WriterAudienceBeforehand, log: AuditLogDep
) -> Recorder:
    """Return who records an activity."""
    return Recorder(account, audience, log)


@router.post(
    "",
    status_code=202,
    responses={
        200: {
            "model": schemas.Activity,
            "description": "Skipped: the settings exclude this kind, or the contact is not linked to Clio",
        },
        **problems(
            ActivityNotFound, IntegrationNotEnabled, UnknownKind, Erased, *idempotency.ERRORS
        ),
    },
)
async def write_back(
    body: schemas.ActivityIn,
    recorder: Annotated[Recorder, Depends(get_recorder)],
    services: ServicesDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Activity:
    """Record an activity in Clio once, as the user who did it. The same key and body return the same activity again.

    If it was erased since, a repeated request gets 410.

    The status code is 202 for an activity that is queued or blocked (the user has no working login), and 200 for one
    that is skipped. Send each activity when it happens: an activity that the settings exclude is never written later.
    """
    account, now = recorder.account, services.now()
    request = idempotency.identify(account.account_id, "write_back", idempotency_key, body)
    if body.kind not in set(Kind):
        raise UnknownKind
    wanted = _activity_request(body, recorder.audience)
    text = await format_text(wanted)
    async with transaction(services.database, account.account_id) as session:

        async def create() -> str:
            if not account.fields.enabled:
                raise IntegrationNotEnabled
            created = await accept_activity(session, account, wanted, text, now=now)
            action = AuditAction("activity.created", created.activity_id, {"kind": body.kind})
            await recorder.log.add(session, action)
            return created.activity_id

        activity_id = await idempotency.create_once(session, request, create, now=now)
        activity = await outbox.get_activity(session, account.account_id, activity_id)
    response.status_code = 200 if activity.status is Status.SKIPPED else 202
    return _body(activity, clio_web_origin(services, account))


@router.get("")
async def list_activities(
    account: AccountDep,
    audience: AudienceDep,
    services: ServicesDep,
    session: SessionDep,
    asked: ListDep,
    wanted: Annotated[ActivityFilter, Depends(get_filter)],
) -> schemas.Page[schemas.Activity]:
    """Return the activities. Their time is `created_at`."""
    query = asked.by_id("activities", account.account_id, wanted)
    found = await outbox.list_activities(session, account.account_id, wanted, audience, query.page)
    rows = query.rows(found, key=lambda activity: activity.activity_id)
    origin = clio_web_origin(services, account)
    return rows.page(_body(activity, origin) for activity in rows.items)


@router.get("/{activity_id}", responses=problems(ActivityNotFound))
async def get_activity(
    activity_id: ActivityId,
    account: AccountDep,
    audience: AudienceDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Activity:
    """Return one activity: its status, the number of attempts, and its record in Clio."""
    found = await outbox.get_activity(session, account.account_id, activity_id, audience)
    return _body(found, clio_web_origin(services, account))


@router.post(
    "/{activity_id}/retry", status_code=202, responses=problems(ActivityNotFound, NotRetryable)
)
async def retry_activity(
    activity_id: ActivityId,
    account: AccountDep,
    log: AuditLogDep,
    audience: WriterAudience,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Activity:
    """Try a failed or blocked activity again. If Clio may already have it, the service first looks for it there."""
    found = await outbox.retry(session, account.account_id, activity_id, audience)
    await log.add(session, AuditAction("activity.retried", activity_id))
    return _body(found, clio_web_origin(services, account))


@router.post("/{activity_id}/cancel", responses=problems(ActivityNotFound, NotCancellable))
async def cancel_activity(
    activity_id: ActivityId,
    account: AccountDep,
    log: AuditLogDep,
    audience: WriterAudience,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Activity:
    """Cancel an activity that is certainly not in Clio yet. Cancelling it again has no effect."""
    before = await outbox.get_activity(session, account.account_id, activity_id, audience)
    found = await outbox.cancel(session, account.account_id, activity_id, audience)
    if before.status is not Status.CANCELLED:
        await log.add(session, AuditAction("activity.cancelled", activity_id))
    return _body(found, clio_web_origin(services, account))


def _activity_request(body: schemas.ActivityIn, audience: Audience) -> ActivityRequest:
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
        audience=audience,
    )


def _body(activity: Activity, clio_origin: str) -> schemas.Activity:
    contact = activity.clio_contact_id
    return schemas.Activity(
        id=activity.activity_id,
        kind=activity.kind.value,
        status=activity.status.value,
        reason=activity.reason,
        attempts=activity.attempts,
        clio=_clio_record(activity, clio_origin),
        problem=schemas.CodeDetail(code=activity.reason, detail=activity.problem)
        if activity.reason and activity.problem
        else None,
        created_at=activity.created_at,
        written_at=activity.written_at,
        user_id=activity.user_id,
        contact_id=activity.contact_id,
        clio_contact_id=None if contact is None else str(contact),
    )


def _clio_record(activity: Activity, clio_origin: str) -> schemas.InClio | None:
    """Return the note or communication in Clio, or None before it is written."""
    if activity.status is not Status.WRITTEN or activity.clio_id is None:
        return None
    return schemas.InClio(
        type="communication" if activity.kind is Kind.TEXT_MESSAGE else "note",
        id=str(activity.clio_id),
        url=f"{clio_origin}/nc/#/contacts/{activity.clio_contact_id}",
    )
