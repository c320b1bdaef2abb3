"""Slots: the local dates and times at which runs of an account are due. A slot's row decides who starts it [OV-3]."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import issues
from app.db.runs import tables
from app.db.runs.run_requests import RunRequest, request_run
from app.db.runs.runs import Kind, Run, Status, Trigger
from app.db.session import Session

_runs = tables.runs

FULL_EVERY = timedelta(days=7) - timedelta(
    hours=6
)  # a week, minus the time by which a slot may be early


async def claim_slot(
    session: Session, account_id: str, local_date: date, slot: str, *, now: datetime
) -> Run | None:
    """Request the slot's run and return it, or None if another process has claimed the slot."""
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
    request = RunRequest(kind, Trigger.SCHEDULE, slot=f"{local_date} {slot}")
    run = await request_run(session, account_id, request, now=now)
    own_slot = (table.c.account_id == account_id) & (table.c.local_date == local_date)
    await session.execute(
        update(table).where(own_slot, table.c.slot == slot).values(run_id=run.run_id)
    )
    return run


async def delete_old(session: Session, *, before: date) -> None:
    """Delete slots of dates before `before`; their runs stay."""
    table = tables.slots
    await session.execute(delete(table).where(table.c.local_date < before))


async def _scheduled_kind(session: Session, account_id: str, *, now: datetime) -> Kind:
    """Return `full` once a week and while a list was suspiciously short, else `incremental` [OV-4]."""
    recent = select(_runs.c.run_id).where(
        _runs.c.account_id == account_id,
        _runs.c.status == Status.SUCCEEDED,
        _runs.c.kind.in_((Kind.INITIAL, Kind.FULL)),
        _runs.c.started_at > now - FULL_EVERY,
    )
    if (await session.execute(recent.limit(1))).one_or_none() is None:
        return Kind.FULL
    shrunk = await issues.list_open(session, account_id, "listing_shrank")
    return Kind.FULL if shrunk else Kind.INCREMENTAL
