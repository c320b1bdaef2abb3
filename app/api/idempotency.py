"""The `Idempotency-Key` header: a request that starts something is carried out once, however often it is sent."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from app.db.accounts import idempotency
from app.db.accounts.idempotency import IdempotencyKeyReused, IdempotentRequest, RequestInProgress
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
    title = (
        "Send an Idempotency-Key header: a string of your choice that is new for each new request"
    )


ERRORS = (IdempotencyKeyRequired, IdempotencyKeyReused, RequestInProgress)


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


async def create_once(
    session: Session,
    request: IdempotentRequest,
    create: Callable[[], Awaitable[str]],
    *,
    now: datetime,
) -> str:
    """Return the id that `create` returned for this request, now or when it was sent before.

    Raises IdempotencyKeyReused if the key was used with another body, and RequestInProgress if an equal request
    is being processed.
    """
    stored: str | None = await idempotency.find_response(session, request)
    if stored is not None:
        return stored
    created = await create()
    await idempotency.store_response(session, request, created, now=now)
    return created
