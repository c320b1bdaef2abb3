"""The `Idempotency-Key` header: a request that starts something is carried out once, however often it is sent."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Header, Response
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from app.db.accounts import idempotency
from app.db.accounts.idempotency import (
    Erased,
    IdempotencyKeyReused,
    IdempotentRequest,
    RequestInProgress,
    SentAnswer,
    StoredResult,
)
from app.db.session import Session
from app.errors import AppError

IdempotencyKey = Annotated[
    str | None,
    Header(max_length=255, description="A string of your choice that is new for each new request."),
]


class IdempotencyKeyRequired(AppError):
    """A request that starts something needs an idempotency key."""

    status = 400
    code = "idempotency_key_required"
    title = "The Idempotency-Key header is missing"
    next_step = "send one: a string of your choice that is new for each new request"


REPETITION_ERRORS = (IdempotencyKeyRequired, IdempotencyKeyReused, RequestInProgress)
ERRORS = (*REPETITION_ERRORS, Erased)


def identify(
    account_id: str, operation: str, key: str | None, body: BaseModel
) -> IdempotentRequest:
    """Return what identifies the request; raises IdempotencyKeyRequired without a key.

    The operation and the digest of the body are stored with the key for 7 days: do not change how they are made.
    """
    if not key:
        raise IdempotencyKeyRequired
    digest = hashlib.sha256(_as_posted(body).encode()).hexdigest()
    return IdempotentRequest(account_id, operation, key, digest)


def _as_posted(body: BaseModel) -> str:
    """Return the body as JSON, before anything in it is cleaned."""
    try:
        return body.model_dump_json()
    except PydanticSerializationError:  # half a character is no UTF-8; escaped it can be compared
        return json.dumps(body.model_dump(mode="json"))


def sent_answer(
    status: int, body: BaseModel, location: str | None = None, *, about: Sequence[str] = ()
) -> SentAnswer:
    """Return an answer with this body, as it is sent and stored.

    `about` are ids of contacts and new clients that the request or the answer names.
    """
    return SentAnswer(status, body.model_dump_json(by_alias=True), location, about)


def response_of(answer: SentAnswer) -> Response:
    """Return the HTTP response of an answer."""
    headers = {"Location": answer.location} if answer.location else None
    return Response(answer.body, answer.status, headers, media_type="application/json")


async def answer_once(
    session: Session,
    request: IdempotentRequest,
    create: Callable[[], Awaitable[str]],
    answer: Callable[[str], Awaitable[SentAnswer]],
    *,
    now: datetime,
) -> SentAnswer:
    """Return the answer to this request: it is created now, or it is what was sent before, byte for byte.

    `create` carries the request out and returns the id of what it created, `answer` makes the answer of that id.
    Raises IdempotencyKeyReused if the key was used with another body, RequestInProgress if an equal request is being
    processed, and Erased if what was created or named was erased since.
    """
    stored = await idempotency.find_response(session, request)
    if stored is not None:
        return stored.answer or await answer(stored.created)
    created = await create()
    sent = await answer(created)
    await idempotency.store_response(session, request, StoredResult(created, sent), now=now)
    return sent
