"""OAuth attempts: what each step of an attempt to connect needs, from its start to its end.

An attempt is used once, by the browser that comes back from Clio. If a person must confirm the login, the attempt waits
for an answer. It ends once, with the outcome that the browser gets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import receipts
from app.db.connections import tables
from app.db.session import Session

_attempts = tables.authorizations


@dataclass(frozen=True)
class OAuthAttempt:
    """One attempt to connect, identified by the hash of its OAuth state.

    `browser_hash` says which browser has used it. `sealed_login` and `revocation_id` are set while it waits for an
    answer, until `answer_until`.
    """

    account_id: str
    state_hash: str
    connection_id: str
    region: str
    return_url: str
    sealed_verifier: str
    expires_at: datetime
    used_at: datetime | None = None
    browser_hash: str | None = None
    sealed_login: str | None = None
    revocation_id: str | None = None
    answer_until: datetime | None = None
    outcome: str | None = None
    ended_at: datetime | None = None


async def store_attempt(session: Session, attempt: OAuthAttempt) -> None:
    """Store a new attempt; of the state only its hash."""
    values = {name: getattr(attempt, name) for name in OAuthAttempt.__dataclass_fields__}
    await session.execute(insert(_attempts).values(values))


async def find_attempt(session: Session, state_hash: str) -> OAuthAttempt | None:
    """Return the attempt of this state, or None.

    Only the state identifies the account: Clio sends the browser back with nothing else.
    """
    return _attempt((await session.execute(_with_state(state_hash))).one_or_none())


async def use_attempt(
    session: Session, state_hash: str, *, browser_hash: str, now: datetime
) -> OAuthAttempt | None:
    """Return the attempt of this state and mark it as used by a browser; `used_at` is set if it was used before."""
    found = _with_state(state_hash).with_for_update()
    attempt = _attempt((await session.execute(found)).one_or_none())
    if attempt is not None:
        unused = _is(attempt) & _attempts.c.used_at.is_(None)
        await session.execute(
            update(_attempts).where(unused).values(used_at=now, browser_hash=browser_hash)
        )
    return attempt


async def wait_for_answer(
    session: Session,
    attempt: OAuthAttempt,
    sealed_login: str,
    *,
    revocation_id: str,
    until: datetime,
) -> None:
    """Store the login that a person must confirm."""
    waiting = {
        "sealed_login": sealed_login,
        "revocation_id": revocation_id,
        "answer_until": until,
    }
    await session.execute(update(_attempts).where(_is(attempt)).values(waiting))


async def end_attempt(
    session: Session, attempt: OAuthAttempt, outcome: str, *, now: datetime
) -> bool:
    """Store the outcome, and delete the login that waited for an answer; return False if the attempt has ended before.

    Who calls it at the same time waits until this transaction has ended.
    """
    open_ = _is(attempt) & _attempts.c.outcome.is_(None)
    ended = {"outcome": outcome, "ended_at": now, "sealed_login": None, "answer_until": None}
    statement = update(_attempts).where(open_).values(ended).returning(_attempts.c.state_hash)
    return (await session.execute(statement)).one_or_none() is not None


async def end_all(
    session: Session, account_id: str, connection_id: str, outcome: str, *, now: datetime
) -> Sequence[OAuthAttempt]:
    """End all attempts of a connection that have not ended; return them as they were."""
    own = (_attempts.c.account_id == account_id) & (_attempts.c.connection_id == connection_id)
    found = select(_attempts).where(own, _attempts.c.outcome.is_(None))
    rows = await session.execute(found.order_by(_attempts.c.state_hash).with_for_update())
    begun = [_as_attempt(row) for row in rows]
    return [one for one in begun if await end_attempt(session, one, outcome, now=now)]


async def list_unanswered(session: Session, *, limit: int, now: datetime) -> Sequence[OAuthAttempt]:
    """Return some attempts of all accounts whose time for an answer is over, the oldest first."""
    overdue = select(_attempts).where(_attempts.c.answer_until < now)
    rows = await session.execute(overdue.order_by(_attempts.c.answer_until).limit(limit))
    return [_as_attempt(row) for row in rows]


def _with_state(state_hash: str) -> Select[Any]:
    visible = ~receipts.is_being_erased(_attempts.c.account_id)
    return select(_attempts).where(_attempts.c.state_hash == state_hash, visible)


def _is(attempt: OAuthAttempt) -> ColumnElement[bool]:
    return (_attempts.c.account_id == attempt.account_id) & (
        _attempts.c.state_hash == attempt.state_hash
    )


def _attempt(row: Any | None) -> OAuthAttempt | None:
    return None if row is None else _as_attempt(row)


def _as_attempt(row: Any) -> OAuthAttempt:
    return OAuthAttempt(**{name: row._mapping[name] for name in OAuthAttempt.__dataclass_fields__})
