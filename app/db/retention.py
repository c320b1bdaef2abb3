"""Retention: deletes rows that are no longer needed, once a day."""

from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.db import issues, tables
from app.db.accounts import idempotency, receipts
from app.db.connections import attempts
from app.db.contacts import scope_changes
from app.db.events import events
from app.db.mirror import quarantine
from app.db.outbox import maintenance
from app.db.runs import slots
from app.db.session import Session

_table = tables.chores

LOG_LIFE = timedelta(days=7)
QUARANTINE_LIFE = timedelta(days=90)
ATTEMPT_LIFE = timedelta(days=1)
SLOT_LIFE = timedelta(days=7)  # the scheduler proposes no slot that is older than six hours
ISSUE_LIFE = timedelta(days=90)  # after it was resolved
RECEIPT_LIFE = timedelta(days=365)  # after the erasure has ended
SCOPE_CHANGE_LIFE = 2 * scope_changes.COUNTED
DAILY = "daily"


async def claim_daily_task(session: Session, name: str, day: date) -> bool:
    """Return whether the caller has to do this task of this day: True for the first process, False for all others."""
    claimed = await session.execute(
        insert(_table).values(name=name, day=day).on_conflict_do_nothing().returning(_table.c.name)
    )
    return claimed.one_or_none() is not None


async def delete_expired(session: Session, *, now: datetime) -> None:
    """Delete everything that has expired."""
    await idempotency.delete_expired_keys(session, now=now)
    await attempts.delete_expired_attempts(session, before=now - ATTEMPT_LIFE)
    await events.delete_expired(session, now=now)
    await maintenance.delete_old_texts(session, now=now)
    await quarantine.delete_resolved(session, before=now - QUARANTINE_LIFE)
    await issues.delete_resolved(session, before=now - ISSUE_LIFE)
    await receipts.delete_old(session, before=now - RECEIPT_LIFE)
    await scope_changes.delete_old(session, before=now - SCOPE_CHANGE_LIFE)
    await slots.delete_old(session, before=(now - SLOT_LIFE).date())
    await session.execute(
        text("delete from pgqueuer_log where created < :before"), {"before": now - LOG_LIFE}
    )
    for table in ("listed", "list_failures"):
        ended = f"delete from {table} l using runs r where r.account_id = l.account_id"  # noqa: S608  # our own names
        await session.execute(
            text(f"{ended} and r.run_id = l.run_id and r.finished_at is not null")
        )
    await session.execute(
        text("delete from chores where day < :before"), {"before": (now - LOG_LIFE).date()}
    )
