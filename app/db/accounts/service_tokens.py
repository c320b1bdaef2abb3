"""Who may call: service tokens, stored hashed; and requests that must not happen twice."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import tables
from app.db.session import Session
from app.errors import AppError

_tokens = tables.service_tokens
_keys = tables.idempotency_keys

KEY_LIFE = timedelta(days=7)


class KeyReused(AppError):
    """The key was used with another body."""

    status = 422
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used with another body; use a new key for a new request"


class RequestInProgress(AppError):
    """The same request is being worked on right now."""

    status = 409
    code = "request_in_progress"
    title = "The same request is still being worked on; send it again in a moment"


@dataclass(frozen=True)
class Request:
    """A request that must not happen twice: its operation, its key and a fingerprint of its body."""

    account_id: str
    operation: str
    key: str
    fingerprint: str


@dataclass(frozen=True)
class ServiceToken:
    """A token of Levitate's backend; `account_ids` None means all accounts."""

    token_id: str
    name: str
    secret_hash: str
    account_ids: tuple[str, ...] | None
    created_at: datetime
    revoked_at: datetime | None


async def add_token(session: Session, token: ServiceToken) -> None:
    """Store a new token: of its secret only the hash."""
    account_ids = None if token.account_ids is None else list(token.account_ids)
    await session.execute(
        insert(_tokens).values(
            token_id=token.token_id,
            name=token.name,
            secret_hash=token.secret_hash,
            account_ids=account_ids,
            created_at=token.created_at,
        )
    )


async def find_token(session: Session, token_id: str) -> ServiceToken | None:
    """The token of this public id, revoked or not, or None."""
    row = (
        await session.execute(select(_tokens).where(_tokens.c.token_id == token_id))
    ).one_or_none()
    return _token(row) if row else None


async def list_tokens(session: Session) -> list[ServiceToken]:
    """All tokens, oldest first."""
    rows = await session.execute(select(_tokens).order_by(_tokens.c.created_at, _tokens.c.token_id))
    return [_token(row) for row in rows]


async def revoke_token(session: Session, token_id: str, *, now: datetime) -> bool:
    """Revoke a token; answers whether there was a live one of this id."""
    revoked = await session.execute(
        update(_tokens)
        .where(_tokens.c.token_id == token_id, _tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_tokens.c.token_id)
    )
    return revoked.one_or_none() is not None


async def earlier_answer(session: Session, request: Request) -> Any | None:
    """What the same request was answered before, or None; raises KeyReused for another body."""
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
    if row.fingerprint != request.fingerprint:
        raise KeyReused
    return row.answer


async def remember_answer(
    session: Session, request: Request, answer: Any, *, now: datetime
) -> None:
    """Keep an answer for whoever sends the key again; raises RequestInProgress when its twin was faster."""
    statement = insert(_keys).values(**asdict(request), answer=answer, created_at=now)
    kept = await session.execute(statement.on_conflict_do_nothing().returning(_keys.c.key))
    if kept.one_or_none() is None:
        raise RequestInProgress


async def forget_keys(session: Session, *, now: datetime) -> None:
    """Drop keys that are older than their life."""
    await session.execute(delete(_keys).where(_keys.c.created_at < now - KEY_LIFE))


def _token(row: Any) -> ServiceToken:
    return ServiceToken(
        token_id=row.token_id,
        name=row.name,
        secret_hash=row.secret_hash,
        account_ids=None if row.account_ids is None else tuple(row.account_ids),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
