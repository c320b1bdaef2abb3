"""Sessions of the console. A row begins as a link that is used once, and becomes a session in the browser that used it.

Only hashes are stored, of the link's token and of the cookie.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.db.accounts import receipts, tables
from app.db.session import Session

_sessions = tables.console_sessions
MOST_NAMES = 200


@dataclass(frozen=True)
class ConsoleSession:
    """A link to the console, and the session that it began. `only_account_id` None: every account of the token.

    `expires_at` is the end of the link until it is opened, and then that of the session.
    """

    only_account_id: str | None
    link_hash: str
    token_id: str
    user_id: str
    user_name: str | None
    role: str
    link_expires_at: datetime
    expires_at: datetime
    cookie_hash: str | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Return whether the session was opened and has not ended."""
        return self.opened_at is not None and self.ended_at is None and now < self.expires_at


async def add_link(session: Session, link: ConsoleSession) -> None:
    """Store a new link."""
    values = {name: getattr(link, name) for name in ConsoleSession.__dataclass_fields__}
    await session.execute(insert(_sessions).values(values))


async def find_link(session: Session, link_hash: str) -> ConsoleSession | None:
    """Return the session that a link stands for, and lock it; None if there is no such link."""
    return await _find(session, _sessions.c.link_hash == link_hash, lock=True)


async def find_by_cookie(session: Session, cookie_hash: str) -> ConsoleSession | None:
    """Return the session of a cookie, or None."""
    return await _find(session, _sessions.c.cookie_hash == cookie_hash)


async def open_session(
    session: Session, link_hash: str, cookie_hash: str, *, now: datetime, until: datetime
) -> None:
    """Begin the session of a link that was locked."""
    own = _sessions.c.link_hash == link_hash
    opened = {"cookie_hash": cookie_hash, "opened_at": now, "expires_at": until}
    await session.execute(update(_sessions).where(own).values(opened))


async def end_session(session: Session, cookie_hash: str, *, now: datetime) -> None:
    """End the session of a cookie. Repeating it is harmless."""
    own = (_sessions.c.cookie_hash == cookie_hash) & _sessions.c.ended_at.is_(None)
    await session.execute(update(_sessions).where(own).values(ended_at=now))


async def list_names(session: Session, account_id: str) -> dict[str, str]:
    """Return the names of those for whom a link to the account's console was made in the last days, by user."""
    own = (_sessions.c.only_account_id == account_id) & _sessions.c.user_name.is_not(None)
    query = select(_sessions.c.user_id, _sessions.c.user_name).where(own)
    rows = await session.execute(query.order_by(_sessions.c.expires_at.desc()).limit(MOST_NAMES))
    return {row.user_id: row.user_name for row in reversed(rows.all())}


async def delete_some(session: Session, account_id: str, *, limit: int) -> int:
    """Delete up to `limit` links and sessions of an account; return how many were deleted."""
    own = _sessions.c.only_account_id == account_id
    some = select(_sessions.c.link_hash).where(own).limit(limit)
    gone = await session.execute(delete(_sessions).where(_sessions.c.link_hash.in_(some)))
    return gone.rowcount


async def _find(session: Session, condition: Any, *, lock: bool = False) -> ConsoleSession | None:
    erased = receipts.is_being_erased(_sessions.c.only_account_id)
    query = select(_sessions).where(condition, ~erased)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    names = ConsoleSession.__dataclass_fields__
    return ConsoleSession(**{name: row._mapping[name] for name in names})
