"""Followers of a run's progress: its row says until when somebody follows it, and only until then it sends notices.

Marking and every change lock the run's row. So who has marked it and then reads it in the same transaction hears of
every later change.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, update

from app.db.notifications import Channel
from app.db.runs import tables
from app.db.session import Session

_table = tables.runs

FOLLOWED_FOR = timedelta(seconds=30)  # without being marked again


async def follow(session: Session, account_id: str, run_id: str) -> bool:
    """Let the changes of the run send notifications for a while; return False if a worker has its row locked just now.

    It never waits for a worker: the requests that follow runs must not hold the connections of the others.
    """
    own = (_table.c.account_id == account_id) & (_table.c.run_id == run_id)
    now = func.clock_timestamp()
    soon_over = func.coalesce(_table.c.followed_until < now + FOLLOWED_FOR / 2, True)
    ending = select(_table.c.run_id).where(own, _table.c.finished_at.is_(None), soon_over)
    if (await session.execute(ending)).one_or_none() is None:
        return True
    locked = await session.execute(ending.with_for_update(skip_locked=True, key_share=True))
    if locked.one_or_none() is None:
        return False
    await session.execute(update(_table).where(own).values(followed_until=now + FOLLOWED_FOR))
    return True


def notice() -> ColumnElement[Any]:
    """Return the expression that a change of a run returns: it sends a notification if somebody follows the run."""
    key = func.concat(_table.c.account_id, "/", _table.c.run_id)
    followed = _table.c.followed_until > func.clock_timestamp()
    return case((followed, func.pg_notify(Channel.RUNS.value, key)))
