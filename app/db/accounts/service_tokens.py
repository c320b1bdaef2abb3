"""Service tokens of Levitate's backend, stored as hashes. Each process holds the valid ones in memory.

Every change sends a notification, so that the processes load them again at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import notifications
from app.db.accounts import tables
from app.db.notifications import Channel
from app.db.session import Session

_tokens = tables.service_tokens


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
    """Store a new token with the hash of its secret."""
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
    await notifications.notify(session, Channel.SERVICE_TOKENS)


async def list_valid(session: Session) -> list[ServiceToken]:
    """Return the tokens that are not revoked."""
    rows = await session.execute(select(_tokens).where(_tokens.c.revoked_at.is_(None)))
    return [_token(row) for row in rows]


async def list_tokens(session: Session) -> list[ServiceToken]:
    """Return all tokens, oldest first."""
    rows = await session.execute(select(_tokens).order_by(_tokens.c.created_at, _tokens.c.token_id))
    return [_token(row) for row in rows]


async def revoke_token(session: Session, token_id: str, *, now: datetime) -> bool:
    """Revoke a token; return whether there was an active one with this id."""
    revoked = await session.execute(
        update(_tokens)
        .where(_tokens.c.token_id == token_id, _tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_tokens.c.token_id)
    )
    await notifications.notify(session, Channel.SERVICE_TOKENS)
    return revoked.one_or_none() is not None


def _token(row: Any) -> ServiceToken:
    return ServiceToken(
        token_id=row.token_id,
        name=row.name,
        secret_hash=row.secret_hash,
        account_ids=None if row.account_ids is None else tuple(row.account_ids),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
