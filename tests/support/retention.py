"""Everything that has expired, deleted at once."""

from datetime import datetime

from app.db import retention
from app.db.session import Session


async def delete_expired(session: Session, *, now: datetime, limit: int = 1000) -> None:
    """Delete what has expired in all tables, in batches of `limit` rows."""
    for name in retention.TABLES:
        while await retention.delete_some(session, name, retention.Periods(), now=now, limit=limit):
            pass
