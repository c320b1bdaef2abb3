"""Idempotency keys: the responses to requests that must not be carried out twice.

A response is stored in the transaction that carries out the request. If two equal requests arrive at the same time,
the second one fails to store its response and is rolled back.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Text, cast, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.db.accounts import tables
from app.db.session import Session, any_of
from app.errors import AppError

_keys = tables.idempotency_keys

KEY_LIFETIME = timedelta(days=7)
_ERASED = {"erased": True}  # in place of a response


class IdempotencyKeyReused(AppError):
    """The key was used with another body."""

    status = 422
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used with another body"
    next_step = "use a new key for a new request"


class RequestInProgress(AppError):
    """The same request is being processed right now."""

    status = 409
    code = "request_in_progress"
    title = "The same request is still being processed"
    next_step = "send it again in a moment"


class Erased(AppError):
    """What the request was about was erased since it was carried out."""

    status = 410
    code = "erased"
    title = "What this request was about was erased since"
    next_step = "it is not carried out again"


@dataclass(frozen=True)
class IdempotentRequest:
    """A request that must not be carried out twice: its operation, its key and a fingerprint of its body."""

    account_id: str
    operation: str
    key: str
    fingerprint: str


@dataclass(frozen=True)
class SentAnswer:
    """An answer as it was sent: the same bytes are sent again.

    `about` are the ids of contacts and new clients that the request or the answer names, beside what was created.
    """

    status: int
    body: str
    location: str | None = None
    about: Sequence[str] = ()


@dataclass(frozen=True)
class StoredResult:
    """The id of what a request created, and the answer; None if the previous release answered it."""

    created: Any
    answer: SentAnswer | None


async def find_response(session: Session, request: IdempotentRequest) -> StoredResult | None:
    """Return the stored result of the same request, or None.

    Raises IdempotencyKeyReused for another body, and Erased if what the request was about is no longer there.
    """
    row = (
        await session.execute(
            select(_keys).where(
                _keys.c.account_id == request.account_id,
                _keys.c.operation == request.operation,
                _keys.c.key == request.key,
            )
        )
    ).one_or_none()
    if row is None:
        return None
    if row.answer == _ERASED:
        raise Erased
    if row.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    is_stored = row.sent_body is not None
    sent = SentAnswer(row.sent_status, row.sent_body, row.sent_location) if is_stored else None
    return StoredResult(row.answer, sent)


async def store_response(
    session: Session, request: IdempotentRequest, result: StoredResult, *, now: datetime
) -> None:
    """Store the result for a repeated request; raises RequestInProgress if an equal request stored one first."""
    values = {"answer": result.created, "created_at": now}
    if sent := result.answer:
        values |= {"sent_status": sent.status, "sent_body": sent.body}
        values |= {"sent_location": sent.location, "about": list(sent.about) or None}
    statement = insert(_keys).values(**asdict(request), **values)
    stored = await session.execute(statement.on_conflict_do_nothing().returning(_keys.c.key))
    if stored.one_or_none() is None:
        raise RequestInProgress


async def mark_erased(
    session: Session, account_id: str, created: Collection[str], about: Collection[str]
) -> None:
    """Forget the answers to requests that created these or are about these, and the digests of their bodies."""
    ids = [to_json(one).decode() for one in created]
    is_about = _keys.c.about.overlap(cast(list(about), ARRAY(Text)))
    await session.execute(
        update(_keys)
        .where(_keys.c.account_id == account_id)
        .where(any_of(cast(_keys.c.answer, Text), ids) | is_about)
        .values(fingerprint="", answer=_ERASED, about=None, sent_body=None, sent_location=None)
    )
