"""Service tokens of Levitate's backend, stored as hashes. Each process holds the valid ones in memory.

Every change sends a notification, so that the processes load them again at once. The bootstrap token of the
configuration has a row only after it was revoked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db import notifications
from app.db.accounts import tables
from app.db.notifications import Channel
from app.db.session import Session

_tokens = tables.service_tokens

BOOTSTRAP_ID = "bootstrap"  # the id of the configured token; those of others are hexadecimal


class Scope(StrEnum):
    """What a token may do, from the smallest to the largest: `app/api/scopes.py` has the operations."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Return whether this scope allows all that the other one allows."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class ServiceToken:
    """A token of Levitate's backend; `account_ids` None means all accounts.

    It is valid until `expires_at`, for ever without it. `last_used_at` is exact to the minute.
    """

    token_id: str
    name: str
    secret_hash: str = field(repr=False)
    account_ids: tuple[str, ...] | None
    created_at: datetime
    revoked_at: datetime | None
    scope: Scope = Scope.ADMIN
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class ValidTokens:
    """The tokens that are not revoked, and whether the bootstrap token is one of those that are."""

    tokens: tuple[ServiceToken, ...]
    bootstrap_is_revoked: bool


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
            scope=token.scope,
            expires_at=token.expires_at,
        )
    )
    await notifications.notify(session, Channel.SERVICE_TOKENS)


async def read_valid(session: Session) -> ValidTokens:
    """Return the tokens that are not revoked, also those whose time is over."""
    is_held = or_(_tokens.c.revoked_at.is_(None), _tokens.c.token_id == BOOTSTRAP_ID)
    held = [_token(row) for row in await session.execute(select(_tokens).where(is_held))]
    others = tuple(token for token in held if token.token_id != BOOTSTRAP_ID)
    return ValidTokens(others, bootstrap_is_revoked=len(others) < len(held))


async def list_tokens(session: Session) -> list[ServiceToken]:
    """Return all tokens, oldest first."""
    rows = await session.execute(select(_tokens).order_by(_tokens.c.created_at, _tokens.c.token_id))
    return [_token(row) for row in rows]


async def revoke_token(session: Session, token_id: str, *, now: datetime) -> bool:
    """Revoke a token for ever; return whether there was a valid one with this id.

    What it made, such as webhook endpoints, ends with it.
    """
    if token_id == BOOTSTRAP_ID:
        return await _revoke_bootstrap(session, now=now)
    revoked = await session.execute(
        update(_tokens)
        .where(_tokens.c.token_id == token_id, _tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_tokens.c.token_id)
    )
    await notifications.notify(session, Channel.SERVICE_TOKENS)
    return revoked.one_or_none() is not None


async def _revoke_bootstrap(session: Session, *, now: datetime) -> bool:
    row = insert(_tokens).values(
        token_id=BOOTSTRAP_ID, name=BOOTSTRAP_ID, secret_hash="", created_at=now, revoked_at=now
    )
    added = await session.execute(row.on_conflict_do_nothing().returning(_tokens.c.token_id))
    await notifications.notify(session, Channel.SERVICE_TOKENS)
    return added.one_or_none() is not None


async def revoke_expired(session: Session, *, now: datetime) -> None:
    """Revoke the tokens whose time is over, so that what they made ends too."""
    revoked = await session.execute(
        update(_tokens)
        .where(_tokens.c.revoked_at.is_(None), _tokens.c.expires_at <= now)
        .values(revoked_at=_tokens.c.expires_at)
    )
    if revoked.rowcount:
        await notifications.notify(session, Channel.SERVICE_TOKENS)


_STORE_USES = text("""
    with used as (
      select token_id, at from unnest(cast(:ids as text[]), cast(:times as timestamptz[])) u (token_id, at)),
    locked as (select token_id from service_tokens where token_id = any(:ids) order by token_id for no key update)
    update service_tokens t set last_used_at = greatest(t.last_used_at, used.at)
    from used join locked using (token_id) where t.token_id = used.token_id
""")


async def store_uses(session: Session, uses: Mapping[str, datetime]) -> None:
    """Store when tokens were used; a later time that another process has stored stays."""
    await session.execute(_STORE_USES, {"ids": list(uses), "times": list(uses.values())})


def _token(row: Any) -> ServiceToken:
    return ServiceToken(
        token_id=row.token_id,
        name=row.name,
        secret_hash=row.secret_hash,
        account_ids=None if row.account_ids is None else tuple(row.account_ids),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        scope=Scope(row.scope),
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
