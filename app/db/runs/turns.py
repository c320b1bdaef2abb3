"""Turns of an account's runs: which run a lane works on next, and who is woken when that changes.

`run_order` decides, on what is read here. What a worker may do with its run is in `leases`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select, update

from app.db import job_queue
from app.db.accounts import receipts
from app.db.accounts import tables as account_tables
from app.db.runs import run_order, tables
from app.db.runs.followers import notice
from app.db.runs.leases import Lease
from app.db.runs.run_order import Choice, WaitingRun
from app.db.runs.runs import (
    ASSESSING,
    UNFINISHED,
    Kind,
    Reads,
    Run,
    RunEnded,
    Status,
    Trigger,
    get_run,
    is_named_only,
    is_run,
    lane_of,
    reads_of,
    was_read_completely,
)
from app.db.session import Session
from app.lanes import RUN_LANES, Lane

_table = tables.runs


async def take_turn(
    session: Session, account_id: str, lane: Lane, *, length: timedelta, now: datetime
) -> Lease | None:
    """Acquire the lease of the lane's next run and return it, or None if there is none or it must wait.

    It must wait while another run of the account is at work or has to go first, while its time has not come, and while
    the account is being erased. A run that waited for the `initial` run becomes the `initial` run itself if that one
    did not succeed.
    """
    if not await _lock_visible_account(session, account_id):
        return None
    next_ = run_order.choose(await _waiting_runs(session, account_id), lane, now)
    if next_ is None or next_.after or not await _lock_run(session, account_id, next_.run_id):
        return None
    row = (
        await session.execute(
            update(_table)
            .where(is_run(account_id, next_.run_id))
            .values(
                status=Status.RUNNING,
                kind=case((_reads_firm_first(account_id), Kind.INITIAL), else_=_table.c.kind),
                fence=_table.c.fence + 1,
                leased_until=func.clock_timestamp() + length,
                resume_at=None,
                starts_without_progress=_table.c.starts_without_progress + 1,
                started_at=func.coalesce(_table.c.started_at, now),
            )
            .returning(_table.c.fence, notice())
        )
    ).one()
    return Lease(account_id, next_.run_id, row.fence, length)


def _reads_firm_first(account_id: str) -> ColumnElement[bool]:
    """Return the condition that a run begins to read a firm that no run has read completely."""
    reads_firm = _table.c.kind.in_((Kind.INCREMENTAL, Kind.FULL))
    return reads_firm & _table.c.started_at.is_(None) & ~was_read_completely(account_id)


async def _lock_visible_account(session: Session, account_id: str) -> bool:
    """Lock the account's row, so that no two of its runs are acquired at the same time; skip it if it is locked."""
    accounts = account_tables.accounts
    visible = ~receipts.is_being_erased(accounts.c.account_id)
    lock = select(accounts.c.account_id).where(accounts.c.account_id == account_id, visible)
    locked = await session.execute(lock.with_for_update(skip_locked=True, key_share=True))
    return locked.one_or_none() is not None


async def _lock_run(session: Session, account_id: str, run_id: str) -> bool:
    """Lock the row of an unfinished run; return False if a worker that lost its lease still has it locked."""
    unfinished = is_run(account_id, run_id) & _table.c.status.in_(UNFINISHED)
    lock = select(_table.c.run_id).where(unfinished).with_for_update(skip_locked=True)
    return (await session.execute(lock)).one_or_none() is not None


async def _waiting_runs(session: Session, account_id: str) -> list[WaitingRun]:
    """Return the account's unfinished runs."""
    left = _table.c.leased_until - func.clock_timestamp()
    columns = (
        _table.c.run_id,
        _table.c.kind,
        _table.c.trigger,
        _table.c.named_only,
        _table.c.slot,
        _table.c.status,
        _table.c.phase,
        _table.c.resume_at,
    )
    rows = await session.execute(
        select(*columns, func.greatest(left, timedelta(0)).label("busy_for")).where(
            _table.c.account_id == account_id, _table.c.status.in_(UNFINISHED)
        )
    )
    return [
        WaitingRun(
            run_id=row.run_id,
            lane=lane_of(Kind(row.kind), Trigger(row.trigger)),
            reads_lists=reads_of(Kind(row.kind), named_only=is_named_only(row)) is Reads.LISTS,
            begun=row.status != Status.QUEUED,
            resume_at=row.resume_at,
            busy_for=row.busy_for or timedelta(0),
            assesses=row.phase == ASSESSING,
            rederives=row.kind == Kind.REDERIVE,
            upgrades=row.trigger == Trigger.UPGRADE,
        )
        for row in rows
    ]


async def lock_turns(session: Session, account_id: str, *, of_run: str | None = None) -> None:
    """Lock the account's row: until the transaction ends no run of it is requested, and no slice of one begins or ends.

    A transaction that ends a slice of a run calls it before it deletes the slice's job. If it changes a run, that one's
    row is locked first, as by the transactions that assess its contacts.
    """
    if of_run is not None:
        run = select(_table.c.run_id).where(is_run(account_id, of_run))
        await session.execute(run.with_for_update())
    own = account_tables.accounts.c.account_id == account_id
    lock = select(account_tables.accounts.c.account_id).where(own)
    await session.execute(lock.with_for_update(key_share=True))


async def next_turn(
    session: Session, account_id: str, lane: Lane, *, now: datetime
) -> Choice | None:
    """Return the lane's next run and after what time it can be worked on; None if there is none that can go next."""
    return run_order.choose(await _waiting_runs(session, account_id), lane, now)


async def wake_lanes(
    session: Session, account_id: str, lanes: Iterable[Lane], *, now: datetime
) -> None:
    """Queue the runs of these lanes that can be worked on; lock the account first."""
    runs = await _waiting_runs(session, account_id)
    for lane in lanes:
        chosen = run_order.choose(runs, lane, now)
        if chosen and chosen.after:
            await job_queue.want_later(
                session, lane, account_id, after=chosen.after, is_new=not chosen.begun
            )
        elif chosen:
            await job_queue.want(session, lane, account_id)


async def cancel_run(session: Session, account_id: str, run_id: str, *, now: datetime) -> Run:
    """Cancel a run and return it, and wake what waited for it; raises RunNotFound, RunEnded.

    A worker that has the run loses its lease at its next transaction. Records that have landed stay; the contacts that
    they made stale are assessed by the next run.
    """
    await lock_turns(session, account_id, of_run=run_id)
    cancelled = await session.execute(
        update(_table)
        .where(is_run(account_id, run_id), _table.c.status.in_(UNFINISHED))
        .values(
            status=Status.CANCELLED,
            finished_at=now,
            leased_until=None,
            expected_end=None,
            fence=_table.c.fence + 1,
        )
        .returning(_table.c.run_id, notice())
    )
    ended = cancelled.one_or_none() is None
    run = await get_run(session, account_id, run_id)
    if ended and run.status is not Status.CANCELLED:
        raise RunEnded
    await wake_lanes(session, account_id, RUN_LANES, now=now)
    return run
