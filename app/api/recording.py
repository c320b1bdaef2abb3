"""Checks one activity, records it once and answers, for `POST …/activities` and for each of a batch."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Depends, Response
from pydantic import ValidationError
from starlette.types import Scope

from app.api import advice, idempotency, problems, schemas
from app.api.account_access import AccountWithoutSession
from app.api.audience import WriterAudienceBeforehand
from app.api.audit_log import AuditLog, AuditLogDep
from app.api.deps import ServicesDep
from app.api.schemas.base import Schema
from app.db.accounts.accounts import Account
from app.db.accounts.audit import AuditAction
from app.db.accounts.idempotency import Erased, IdempotentRequest, SentAnswer
from app.db.mirror.audience import Audience
from app.db.outbox import outbox
from app.db.outbox.activities import Activity, ActivityNotFound, Kind, Status
from app.db.session import Session, transaction
from app.errors import AppError, InvalidRequest
from app.sync.connections import IntegrationNotEnabled
from app.sync.services import Services, clio_web_origin
from app.sync.writeback import ActivityRequest, ContactMismatch, accept_activity, format_text

MOST_AHEAD = timedelta(hours=24)
TOO_LATE = "must not be more than 24 hours ahead; send the activity when it has happened"


class UnknownKind(AppError):
    """Levitate has kinds of activities that are not written to Clio [WB-1]."""

    status = 422
    code = "unknown_activity_kind"
    title = "kind is not one that is written to Clio"
    next_step = "send one of email, note, phone_call, handwritten_card, text_message"


ERRORS = (
    *(ActivityNotFound, IntegrationNotEnabled, UnknownKind, ContactMismatch),
    *idempotency.ERRORS,
)


class RecordedOne(Schema):
    """The answer to one activity of a batch that was recorded."""

    status: Literal[200, 202]
    """The status that `POST …/activities` would have: 202 if it is queued or blocked, 200 if it is skipped."""

    activity: schemas.Activity
    """The activity, as it was when it was recorded."""


class RefusedOne(Schema):
    """The answer to one activity of a batch that was not recorded."""

    status: int
    """The status that `POST …/activities` would have, for example 422, or 410 if the activity was erased since."""

    problem: problems.Problem
    """What is wrong with it, and what to do about it."""


class ActivityBatchAnswer(Schema):
    """The answers to the activities of a batch, in their order."""

    data: list[RecordedOne | RefusedOne]
    """One answer for each activity of the request, in the same order."""


@dataclass(frozen=True)
class Recorder:
    """A caller who records activities in an account, with the audience whose contacts may be named."""

    account: Account
    audience: Audience
    log: AuditLog
    services: Services

    async def record(self, body: schemas.ActivityIn, request: IdempotentRequest) -> SentAnswer:
        """Record an activity once and return the answer, the same for each repetition; raises one of ERRORS."""
        if body.kind not in set(Kind):
            raise UnknownKind
        account_id, now = self.account.account_id, self.services.now()
        wanted = _activity_request(body, self.audience)
        text = await format_text(wanted)
        async with transaction(self.services.database, account_id) as session:

            async def create() -> str:
                return await self._create(session, wanted, text, now=now)

            async def answer(activity_id: str) -> SentAnswer:
                found = await outbox.get_activity(session, account_id, activity_id)
                return self._answer(found)

            return await idempotency.answer_once(session, request, create, answer, now=now)

    async def record_one_of_batch(
        self, scope: Scope, batch: IdempotentRequest, place: int, posted: object
    ) -> SentAnswer:
        """Record an activity of a batch once, and return its answer, or the problem that keeps it from being recorded.

        Each one has a key of its own, so a batch that was cut off goes on where it ended. Raises IdempotencyKeyReused
        and RequestInProgress, which concern the whole batch.
        """
        request = replace(batch, key=f"{place}/{batch.key}")
        try:
            return await self.record(_activity_of(posted), request)
        except Erased as error:
            return _refusal(problems.response_to(scope, error))
        except ValidationError as error:
            refusal = _refusal(problems.invalid_body(scope, error.errors()))
        except (UnknownKind, InvalidRequest, ContactMismatch, IntegrationNotEnabled) as error:
            refusal = _refusal(problems.response_to(scope, error))
        return await self._store_refusal(request, refusal)

    async def _store_refusal(self, request: IdempotentRequest, refusal: SentAnswer) -> SentAnswer:
        """Store a problem as the answer for each repetition; return what is stored."""

        async def create() -> str:
            return ""

        async def answer(_: str) -> SentAnswer:
            return refusal

        async with transaction(self.services.database, request.account_id) as session:
            now = self.services.now()
            return await idempotency.answer_once(session, request, create, answer, now=now)

    async def _create(
        self, session: Session, wanted: ActivityRequest, text: str, *, now: datetime
    ) -> str:
        if not self.account.fields.enabled:
            raise IntegrationNotEnabled
        if wanted.occurred_at > now + MOST_AHEAD:
            raise InvalidRequest(errors=[("/occurred_at", TOO_LATE)])
        created = await accept_activity(session, self.account, wanted, text, now=now)
        action = AuditAction("activity.created", created.activity_id, {"kind": wanted.kind})
        await self.log.add(session, action)
        return created.activity_id

    def _answer(self, activity: Activity) -> SentAnswer:
        is_skipped = activity.status is Status.SKIPPED
        body = activity_body(activity, clio_web_origin(self.services, self.account))
        place = f"/v1/accounts/{self.account.account_id}/activities/{activity.activity_id}"
        return idempotency.sent_answer(200 if is_skipped else 202, body, place)


async def get_recorder(
    account: AccountWithoutSession,
    audience: WriterAudienceBeforehand,
    log: AuditLogDep,
    services: ServicesDep,
) -> Recorder:
    """Return who records activities."""
    return Recorder(account, audience, log, services)


def _activity_of(posted: object) -> schemas.ActivityIn:
    """Return the body; raises InvalidRequest and ValidationError, as FastAPI does: `null` counts as missing."""
    if posted is None:
        raise InvalidRequest(errors=[("", advice.of({"type": "missing"}))])
    return schemas.ActivityIn.model_validate(posted)


def _refusal(response: Response) -> SentAnswer:
    return SentAnswer(response.status_code, bytes(response.body).decode())


RecorderDep = Annotated[Recorder, Depends(get_recorder)]


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


def activity_body(activity: Activity, clio_origin: str) -> schemas.Activity:
    """Return an activity as the API shows it."""
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


def _clio_record(activity: Activity, clio_origin: str) -> schemas.ClioRecord | None:
    """Return the note or communication in Clio, or None before it is written."""
    if activity.status is not Status.WRITTEN or activity.clio_id is None:
        return None
    return schemas.ClioRecord(
        type="communication" if activity.kind is Kind.TEXT_MESSAGE else "note",
        id=str(activity.clio_id),
        url=f"{clio_origin}/nc/#/contacts/{activity.clio_contact_id}",
    )
