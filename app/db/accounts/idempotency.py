"""Idempotency keys: the responses to requests that must not be carried out twice.

A response is stored in the transaction that carries out the request. If two equal requests arrive at the same time,
the second one fails to store its response and is rolled back.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Text, cast, select, update
from sqlalchemy.dialects.postgresql import insert

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
    title = "This Idempotency-Key was used with another body; use a new key for a new request"


class RequestInProgress(AppError):
    """The same request is being processed right now."""

    status = 409
    code = "request_in_progress"
    title = "The same request is still being processed; send it again in a moment"


class Erased(AppError):
    """What the request was about was erased since it was carried out."""

    status = 410
    code = "erased"
    title = "What this request was about was erased since; it is not carried out again"


@dataclass(frozen=True)
class IdempotentRequest:
    """A request that must not be carried out twice: its operation, its key and a fingerprint of its body."""

    account_id: str
    operation: str
    key: str
    fingerprint: str


async def find_response(session: Session, request: IdempotentRequest) -> Any | None:
    """Return the stored response to the same request, or None.

    Raises IdempotencyKeyReused for another body, and Erased if what the request was about is no longer there.
    """
    row = (
        await session.execute(
            select(_keys.c.fingerprint, _keys.c.answer).where(
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
    return row.answer


async def store_response(
    session: Session, request: IdempotentRequest, response: Any, *, now: datetime
) -> None:
    """Store a response for a repeated request; raises RequestInProgress if an equal request stored one first."""
    statement = insert(_keys).values(**asdict(request), answer=response, created_at=now)
    stored = await session.execute(statement.on_conflict_do_nothing().returning(_keys.c.key))
    if stored.one_or_none() is None:
        raise RequestInProgress


async def mark_erased(session: Session, account_id: str, created: Collection[str]) -> None:
    """Forget the responses to the requests that created these, and the digests of their bodies."""
    own = _keys.c.account_id == account_id
    ids = [to_json(one).decode() for one in created]
    if ids:
        await session.execute(
            update(_keys)
            .where(own, any_of(cast(_keys.c.answer, Text), ids))
            .values(fingerprint="", answer=_ERASED)
        )
