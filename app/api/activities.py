"""Activities: accept one for write-back, read its status, retry it, cancel it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import idempotency, recording, schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.audience import AudienceDep, WriterAudience
from app.api.audit_log import AuditLogDep
from app.api.deps import NO_NUL, ActivityId, ServicesDep
from app.api.idempotency import IdempotencyKey
from app.api.pagination import ListDep
from app.api.problems import problems
from app.api.recording import RecorderDep, activity_body
from app.db.accounts.accounts import Account
from app.db.accounts.audit import AuditAction
from app.db.accounts.idempotency import SentAnswer
from app.db.mirror.audience import Audience
from app.db.outbox import outbox
from app.db.outbox.activities import (
    ActivityFilter,
    ActivityNotFound,
    NotCancellable,
    NotRetryable,
    Status,
)
from app.sync.services import clio_web_origin

router = APIRouter(
    prefix="/v1/accounts/{account_id}/activities",
    tags=["activities"],
)


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


@router.post(
    "",
    status_code=202,
    response_model=schemas.Activity,
    responses={
        200: {
            "model": schemas.Activity,
            "description": "Skipped: the settings exclude this kind, or the contact is not linked to Clio",
        },
        **problems(*recording.ERRORS),
    },
)
async def create_activity(
    body: schemas.ActivityIn, recorder: RecorderDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Record an activity in Clio once, as the user who did it.

    The same key and body get the same answer again, which is older then: read the activity at `Location`. If it was
    erased since, they get 410.

    The status code is 202 for an activity that is queued or blocked, and 200 for one that is skipped. It is blocked
    while the user has no working login, and while the user is not in the directory (`user_unknown`). Send each activity
    when it happens: an activity that the settings exclude is never written later.
    """
    account_id = recorder.account.account_id
    request = idempotency.identify(account_id, "write_back", idempotency_key, body)
    return idempotency.response_of(await recorder.record(body, request))


@router.post(
    "/batch",
    response_model=recording.ActivityBatchAnswer,
    responses=problems(*idempotency.REPETITION_ERRORS),
)
async def create_activities(
    body: schemas.ActivityBatch,
    recorder: RecorderDep,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Record up to 100 activities, one after another.

    Each gets the status and the answer that `POST …/activities` would give it, also if another one is refused. The same
    key and body get the same answer again. If the request was cut off, send it again: what was recorded is not recorded
    twice, and the others follow. An activity that was erased since gets 410.
    """
    batch = idempotency.identify(
        recorder.account.account_id, "write_back_batch", idempotency_key, body
    )
    answers = [
        await recorder.record_one_of_batch(request.scope, batch, place, posted)
        for place, posted in enumerate(body.activities)
    ]
    data = ",".join(map(_item_of_batch, answers))
    return Response(f'{{"data":[{data}]}}', media_type="application/json")


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
    return rows.page(activity_body(activity, origin) for activity in rows.items)


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
    return activity_body(found, clio_web_origin(services, account))


@dataclass(frozen=True)
class AskedActivity:
    """The activity in the path, for a change by somebody."""

    account: Account
    activity_id: str
    audience: Audience


async def get_asked_activity(
    activity_id: ActivityId, account: AccountDep, audience: WriterAudience
) -> AskedActivity:
    """Return the activity in the path."""
    return AskedActivity(account, activity_id, audience)


@router.post(
    "/{activity_id}/retry", status_code=202, responses=problems(ActivityNotFound, NotRetryable)
)
async def retry_activity(
    asked: Annotated[AskedActivity, Depends(get_asked_activity)],
    log: AuditLogDep,
    services: ServicesDep,
    session: SessionDep,
    response: Response,
) -> schemas.Activity:
    """Try a failed or blocked activity again. If Clio may already have it, the service first looks for it there."""
    account_id, activity_id = asked.account.account_id, asked.activity_id
    found = await outbox.retry(session, account_id, activity_id, asked.audience)
    await log.add(session, AuditAction("activity.retried", activity_id))
    response.headers["Location"] = f"/v1/accounts/{account_id}/activities/{activity_id}"
    return activity_body(found, clio_web_origin(services, asked.account))


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
    return activity_body(found, clio_web_origin(services, account))


def _item_of_batch(answer: SentAnswer) -> str:
    """Return the answer to one activity of a batch, with the very bytes that are stored."""
    name = "problem" if answer.status >= HTTPStatus.BAD_REQUEST else "activity"
    return f'{{"status":{answer.status},"{name}":{answer.body}}}'
