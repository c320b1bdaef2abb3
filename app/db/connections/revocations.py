"""Revocations that are owed to Clio: sealed tokens that nobody here uses any more, and when Clio is told next.

A row is written before the tokens are given up and deleted when Clio has been told, so no token is forgotten. It holds
ids and no client data, and it outlives its account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import job_queue
from app.db.connections import stored_tokens, tables
from app.db.connections.connections import Connection, connection_of
from app.db.ids import new_id
from app.db.session import Session
from app.lanes import DEAUTHORISATION, Lane, housekeeping_key

_table, _logins = tables.revocations, tables.connections

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
LATER_RETRIES = timedelta(hours=1)
KEPT_FOR = timedelta(days=7)  # then the tokens are destroyed, whether Clio was told or not


@dataclass(frozen=True)
class Revocation:
    """Tokens of an ended login that Clio must be told to revoke. `attempts` counts this one, once it was claimed."""

    account_id: str
    revocation_id: str
    connection_id: str
    user_id: str
    region: str
    clio_user_id: int | None
    hook_ids: tuple[int, ...]
    sealed_tokens: str
    attempts: int
    owed_since: datetime
    due_at: datetime

    def is_last_attempt(self, now: datetime) -> bool:
        """Return whether the tokens have been kept as long as they may."""
        return now - self.owed_since >= KEPT_FOR


async def take_tokens(
    session: Session, account_id: str, *, connection_id: str | None = None, limit: int
) -> list[tuple[Connection, str]]:
    """Delete the sealed tokens of some logins, or of one, and return them: the caller must `owe` their revocation."""
    held = (_logins.c.account_id == account_id) & _logins.c.sealed_tokens.is_not(None)
    if connection_id is not None:
        held &= _logins.c.connection_id == connection_id
    query = select(_logins).where(held).order_by(_logins.c.connection_id).limit(limit)
    rows = (await session.execute(query.with_for_update())).all()
    taken = [(connection_of(row), row.sealed_tokens) for row in rows]
    for connection, _ in taken:
        await stored_tokens.delete_tokens(session, connection)
    return taken


async def owe(
    session: Session,
    connection: Connection,
    sealed_tokens: str,
    *,
    hook_ids: Sequence[int] = (),
    now: datetime,
    after: timedelta = timedelta(0),
) -> Revocation:
    """Store tokens of a connection that Clio must be told to revoke, after a time, and return the revocation.

    If that is now, its job is queued.
    """
    owed = Revocation(
        account_id=connection.account_id,
        revocation_id=new_id("rvk", now),
        connection_id=connection.connection_id,
        user_id=connection.user_id,
        region=connection.region,
        clio_user_id=connection.login.clio_user_id if connection.login else None,
        hook_ids=tuple(hook_ids),
        sealed_tokens=sealed_tokens,
        attempts=0,
        owed_since=now,
        due_at=now + after,
    )
    values = {name: getattr(owed, name) for name in Revocation.__dataclass_fields__}
    await session.execute(insert(_table).values({**values, "hook_ids": list(hook_ids)}))
    if not after:
        await _want(session, owed.account_id)
    return owed


async def bring_forward(session: Session, owed: Revocation, *, now: datetime) -> None:
    """Have Clio told of a revocation now, unless it was told already."""
    untried = _is(owed) & (_table.c.attempts == 0)
    await session.execute(update(_table).where(untried).values(due_at=now))
    await _want(session, owed.account_id)


async def postpone(session: Session, owed: Revocation, *, until: datetime) -> None:
    """Have Clio told of a revocation at another time, unless it was told already."""
    untried = _is(owed) & (_table.c.attempts == 0)
    await session.execute(update(_table).where(untried).values(due_at=until))


async def find_owed(session: Session, account_id: str, revocation_id: str) -> Revocation | None:
    """Return a revocation, None if Clio has been told and it is settled."""
    own = (_table.c.account_id == account_id) & (_table.c.revocation_id == revocation_id)
    row = (await session.execute(select(_table).where(own))).one_or_none()
    return None if row is None else _revocation(row)


async def _want(session: Session, account_id: str) -> None:
    key = housekeeping_key(DEAUTHORISATION, account_id)
    await job_queue.want(session, Lane.HOUSEKEEPING, key)


async def take_back(session: Session, owed: Revocation) -> bool:
    """Delete a revocation because the login works; return False if Clio was asked to revoke its tokens meanwhile."""
    gone = await session.execute(
        delete(_table).where(_is(owed), _table.c.attempts == 0).returning(_table.c.revocation_id)
    )
    return gone.one_or_none() is not None


async def claim_due(
    session: Session, account_id: str, *, limit: int, now: datetime
) -> list[Revocation]:
    """Return revocations of which Clio must be told now, the oldest first, and set the time of their next attempt."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.due_at <= now)
        .order_by(_table.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = [_revocation(row, attempts=row.attempts + 1) for row in rows]
    for one in claimed:
        due_at = next_attempt(one, now=now)
        await _set(session, one, attempts=one.attempts, due_at=due_at)
    return claimed


def next_attempt(claimed: Revocation, *, now: datetime) -> datetime:
    """Return when Clio is told again if this attempt fails: never later than the end of the tokens' time."""
    waits = dict(enumerate(RETRY_AFTER, start=1))
    again = now + waits.get(claimed.attempts, LATER_RETRIES)
    end = claimed.owed_since + KEPT_FOR
    return min(again, end) if now < end else again


async def next_due(session: Session, account_id: str) -> datetime | None:
    """Return when Clio must be told of the account's next revocation, or None."""
    query = select(func.min(_table.c.due_at)).where(_table.c.account_id == account_id)
    found: datetime | None = (await session.execute(query)).scalar_one()
    return found


async def replace_tokens(session: Session, owed: Revocation, sealed_tokens: str) -> None:
    """Store refreshed tokens, so that Clio can be told to revoke these."""
    await _set(session, owed, sealed_tokens=sealed_tokens)


async def destroy(session: Session, owed: Revocation) -> None:
    """Delete the revocation with its tokens."""
    await session.execute(delete(_table).where(_is(owed)))


async def list_owed(session: Session, account_id: str, *, limit: int) -> list[Revocation]:
    """Return the account's revocations, the oldest first."""
    own = select(_table).where(_table.c.account_id == account_id)
    rows = await session.execute(own.order_by(_table.c.revocation_id).limit(limit))
    return [_revocation(row) for row in rows]


async def _set(session: Session, one: Revocation, **values: Any) -> None:
    await session.execute(update(_table).where(_is(one)).values(values))


def _is(one: Revocation) -> ColumnElement[bool]:
    return (_table.c.account_id == one.account_id) & (_table.c.revocation_id == one.revocation_id)


def _revocation(row: Any, **changed: Any) -> Revocation:
    values = {name: row._mapping[name] for name in Revocation.__dataclass_fields__}
    return Revocation(**{**values, "hook_ids": tuple(row.hook_ids), **changed})
