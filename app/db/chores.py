"""What the database needs now and then: things that are over are forgotten, runs that lost their job get one again."""

from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.db import access, connections, events, quarantine, runs, tables, turns
from app.db.session import Session

_table = tables.chores

LOG_LIFE = timedelta(days=7)
QUARANTINE_LIFE = timedelta(days=90)
ATTEMPT_LIFE = timedelta(days=1)
DAILY = "daily"


async def claim(session: Session, name: str, day: date) -> bool:
    """Whether the chore of this day falls to the caller: the row decides, whoever asks and how often."""
    claimed = await session.execute(
        insert(_table).values(name=name, day=day).on_conflict_do_nothing().returning(_table.c.name)
    )
    return claimed.one_or_none() is not None


async def tidy(session: Session, *, now: datetime) -> int:
    """Forget what is over; answers how many runs had lost their job, as after a restore."""
    await access.forget_keys(session, now=now)
    await connections.forget_attempts(session, before=now - ATTEMPT_LIFE)
    await events.forget(session, now=now)
    await turns.forget_texts(session, now=now)
    await quarantine.prune(session, before=now - QUARANTINE_LIFE)
    await session.execute(
        text("delete from pgqueuer_log where created < :before"), {"before": now - LOG_LIFE}
    )
    await session.execute(
        text(
            "delete from listed l using runs r where r.account_id = l.account_id"
            " and r.run_id = l.run_id and r.finished_at is not null"
        )
    )
    await session.execute(
        text("delete from chores where day < :before"), {"before": (now - LOG_LIFE).date()}
    )
    return await runs.requeue_lost(session)
