"""Slots: the local dates and times at which an account's runs are due; the row decides who starts a run [OV-3]."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import issues
from app.db.runs import tables
from app.db.runs.runs import Kind, Run, RunRequest, Status, Trigger, request_run
from app.db.session import Session

_runs = tables.runs

FULL_EVERY = timedelta(days=7) - timedelta(hours=6)  # a week, less what a slot may come early


async def claim_slot(
    session: Session, account_id: str, local_date: date, slot: str, *, now: datetime
) -> Run | None:
    """Start the slot's run if nobody has: the slot's row decides, whatever the clocks say [OV-3]."""
    table = tables.slots
    claimed = await session.execute(
        insert(table)
        .values(account_id=account_id, local_date=local_date, slot=slot, run_id="")
        .on_conflict_do_nothing()
        .returning(table.c.slot)
    )
    if claimed.one_or_none() is None:
        return None
    kind = await _scheduled_kind(session, account_id, now=now)
    wish = RunRequest(kind, Trigger.SCHEDULE, slot=f"{local_date} {slot}")
    run = await request_run(session, account_id, wish, now=now)
    mine = (table.c.account_id == account_id) & (table.c.local_date == local_date)
    await session.execute(update(table).where(mine, table.c.slot == slot).values(run_id=run.run_id))
    return run


async def delete_old(session: Session, *, before: date) -> None:
    """Drop slots that no clock can propose any more; the runs that they started stay."""
    table = tables.slots
    await session.execute(delete(table).where(table.c.local_date < before))


async def _scheduled_kind(session: Session, account_id: str, *, now: datetime) -> Kind:
    """What a slot's run goes over: everything once a week, and where a list was too short to be believed [OV-4]."""
    lately = select(_runs.c.run_id).where(
        _runs.c.account_id == account_id,
        _runs.c.status == Status.SUCCEEDED,
        _runs.c.kind.in_((Kind.INITIAL, Kind.FULL)),
        _runs.c.started_at > now - FULL_EVERY,
    )
    if (await session.execute(lately.limit(1))).one_or_none() is None:
        return Kind.FULL
    doubts = await issues.list_open(session, account_id, "listing_shrank")
    return Kind.FULL if doubts else Kind.INCREMENTAL
