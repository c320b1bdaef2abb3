"""Everything that has expired, deleted at once."""

from datetime import datetime

from sqlalchemy import text

from app.db import retention
from app.db.session import Session


async def delete_expired(session: Session, *, now: datetime, limit: int = 1000) -> None:
    """Delete what has expired in all tables, in batches of `limit` rows, with the rights of the role that does it.

    The session is one of the owner.
    """
    await session.execute(text("set local role levitate_system"))
    for name in retention.TABLES:
        while await retention.delete_some(session, name, retention.Periods(), now=now, limit=limit):
            pass
    await session.execute(text("reset role"))
