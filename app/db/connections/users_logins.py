"""Finds connections by their Levitate user or by their Clio login."""

from sqlalchemy import select

from app.db.connections import connections, tables
from app.db.connections.connections import ClioLogin, Connection, Status, connection_of
from app.db.session import Session

_table = tables.connections


async def find_of_user(session: Session, account_id: str, user_id: str) -> Connection | None:
    """Return the connection of a Levitate user, or None."""
    own = (_table.c.account_id == account_id) & (_table.c.user_id == user_id)
    row = (await session.execute(select(_table).where(own))).one_or_none()
    return connection_of(row) if row else None


async def find_other_with(
    session: Session, connection: Connection, login: ClioLogin
) -> Connection | None:
    """Return another connection of the account that works with this Clio login, or None."""
    query = select(_table).where(
        _table.c.account_id == connection.account_id,
        _table.c.clio_user_id == login.clio_user_id,
        _table.c.connection_id != connection.connection_id,
        _table.c.status == Status.CONNECTED,
    )
    row = (await session.execute(query.order_by(_table.c.connection_id).limit(1))).one_or_none()
    return connection_of(row) if row else None


async def find_duplicate_logins(session: Session, account_id: str) -> frozenset[str]:
    """Return the working connections whose Clio login was connected here before by another user [AU-1]."""
    first: dict[int, str] = {}
    working = [
        found
        for found in await connections.list_connected(session, account_id)
        if found.connected_at
    ]
    for found in sorted(working, key=lambda found: (found.connected_at, found.connection_id)):
        if found.login is not None:
            first.setdefault(found.login.clio_user_id, found.connection_id)
    return frozenset(found.connection_id for found in working) - set(first.values())
