"""The sealed tokens of connections, and the lease of the process that refreshes them. Nothing is opened here."""

from datetime import timedelta

from sqlalchemy import func, select, update

from app.db import notifications
from app.db.accounts import receipts
from app.db.connections import tables
from app.db.connections.connections import Connection, Status, is_connection
from app.db.notifications import Channel
from app.db.session import Session

_table = tables.connections
_USABLE = ~receipts.is_being_erased(_table.c.account_id)


async def lock_tokens(session: Session, account_id: str, connection_id: str) -> str | None:
    """Return the sealed tokens and lock the row until the transaction ends, which must be soon."""
    usable = select(_table.c.sealed_tokens).where(is_connection(account_id, connection_id), _USABLE)
    found: str | None = (await session.execute(usable.with_for_update())).scalar_one_or_none()
    return found


async def read_tokens(session: Session, account_id: str, connection_id: str) -> str | None:
    """Return the sealed tokens; None once they are deleted, or while their account is being erased."""
    query = select(_table.c.sealed_tokens).where(is_connection(account_id, connection_id), _USABLE)
    return (await session.execute(query)).scalar_one_or_none()


async def claim_refresh(session: Session, connection: Connection, *, length: timedelta) -> bool:
    """Claim the lease of a refresh for a time; return False while another process has it [S9, F12].

    The database's clock counts, so the lease of a process that crashed expires. Lock the tokens before.
    """
    now, until = func.clock_timestamp(), _table.c.refreshing_until
    own = is_connection(connection.account_id, connection.connection_id)
    claimed = await session.execute(
        update(_table)
        .where(own, until.is_(None) | (until < now))
        .values(refreshing_until=now + length)
        .returning(until)
    )
    return claimed.one_or_none() is not None


async def store_tokens(session: Session, account_id: str, connection_id: str, sealed: str) -> None:
    """Replace the sealed tokens, release the lease of their refresh, and wake who waits for its end."""
    stored = {"sealed_tokens": sealed, "refreshing_until": None}
    own = is_connection(account_id, connection_id)
    await session.execute(update(_table).where(own).values(stored))
    key = notifications.key_of(account_id, connection_id)
    await notifications.notify(session, Channel.CLIO_TOKENS, key)


async def is_connected_as(session: Session, before: Connection) -> bool:
    """Return whether the connection works with the same Clio login as before."""
    clio_user_id = before.login.clio_user_id if before.login else None
    query = select(_table.c.connection_id).where(
        is_connection(before.account_id, before.connection_id),
        _USABLE,
        _table.c.status == Status.CONNECTED,
        _table.c.region == before.region,
        _table.c.clio_user_id.is_not_distinct_from(clio_user_id),
    )
    return (await session.execute(query)).one_or_none() is not None


async def delete_tokens(session: Session, connection: Connection) -> None:
    """Delete the sealed tokens; the caller has stored them elsewhere."""
    own = is_connection(connection.account_id, connection.connection_id)
    await session.execute(update(_table).where(own).values(sealed_tokens=None))
