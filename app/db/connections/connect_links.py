"""Connect links: addresses that a user is sent, and at which the user can connect a Clio login until the link ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import receipts
from app.db.connections import tables
from app.db.session import Session
from app.errors import AppError

_links = tables.connect_links


class ConnectLinkNotFound(AppError):
    """The account has no such link."""

    status = 404
    code = "connect_link_not_found"
    title = "There is no such connect link in this account"
    next_step = "check its id"


@dataclass(frozen=True)
class ConnectLink:
    """An address at which one user can connect a Clio login. Only the hash of its token is stored."""

    account_id: str
    link_id: str
    token_hash: str
    user_id: str
    region: str
    return_url: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Return whether the link can be used."""
        return self.ended_at is None and now < self.expires_at


async def add_link(session: Session, link: ConnectLink) -> None:
    """Store a link."""
    values = {name: getattr(link, name) for name in ConnectLink.__dataclass_fields__}
    await session.execute(insert(_links).values(values))


async def end_link(session: Session, account_id: str, link_id: str, *, now: datetime) -> str | None:
    """End a link and return its user; None if it has been ended before. Raises ConnectLinkNotFound."""
    own = (_links.c.account_id == account_id) & (_links.c.link_id == link_id)
    row = (await session.execute(select(_links).where(own).with_for_update())).one_or_none()
    if row is None:
        raise ConnectLinkNotFound
    if row.ended_at is not None:
        return None
    await session.execute(update(_links).where(own).values(ended_at=now))
    return str(row.user_id)


async def find_link(session: Session, token_hash: str) -> ConnectLink | None:
    """Return the link with this token, or None. Only the token identifies the account."""
    visible = ~receipts.is_being_erased(_links.c.account_id)
    found = select(_links).where(_links.c.token_hash == token_hash, visible)
    row: Any = (await session.execute(found)).one_or_none()
    if row is None:
        return None
    return ConnectLink(**{name: row._mapping[name] for name in ConnectLink.__dataclass_fields__})
