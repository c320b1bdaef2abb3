"""OAuth attempts: what the callback needs of an attempt to connect, each used once."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import receipts
from app.db.connections import tables
from app.db.connections.connections import OAuthAttempt
from app.db.session import Session

_attempts = tables.authorizations


async def store_attempt(session: Session, attempt: OAuthAttempt, *, state_hash: str) -> None:
    """Store the data that the OAuth callback needs; of the state only its hash."""
    await session.execute(
        insert(_attempts).values(state_hash=state_hash, used_at=None, **_kept(attempt))
    )


async def use_attempt(session: Session, state_hash: str, *, now: datetime) -> OAuthAttempt | None:
    """Return the attempt of this state and mark it as used; its `used_at` is set if it was used before.

    Only the state identifies the account: Clio sends the browser back with nothing else.
    """
    visible = ~receipts.is_being_erased(_attempts.c.account_id)
    found = select(_attempts).where(_attempts.c.state_hash == state_hash, visible)
    row = (await session.execute(found.with_for_update())).one_or_none()
    if row is None:
        return None
    own = (_attempts.c.account_id == row.account_id) & (_attempts.c.state_hash == state_hash)
    await session.execute(
        update(_attempts).where(own, _attempts.c.used_at.is_(None)).values(used_at=now)
    )
    return OAuthAttempt(**{name: row._mapping[name] for name in OAuthAttempt.__dataclass_fields__})


def _kept(attempt: OAuthAttempt) -> dict[str, Any]:
    return {name: value for name, value in asdict(attempt).items() if name != "used_at"}
