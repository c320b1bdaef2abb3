"""Requests for runs: one unfinished run serves every request that it covers."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import job_queue
from app.db.accounts import tables as account_tables
from app.db.accounts.accounts import lock_account
from app.db.ids import new_id
from app.db.runs import named_records, tables
from app.db.runs.named_records import NamedRecord
from app.db.runs.runs import (
    UNFINISHED,
    Kind,
    Run,
    Status,
    Trigger,
    get_run,
    has_complete_pull,
    has_initial,
    is_run,
    lane_of,
    reads_no_lists,
    run_of,
)
from app.db.session import Session

_table = tables.runs

# An unfinished run of one of these kinds serves a request for the key's kind [S14].
_COVERED_BY = {
    Kind.INCREMENTAL: (Kind.INCREMENTAL, Kind.FULL, Kind.INITIAL),
    Kind.FULL: (Kind.FULL, Kind.INITIAL),
    Kind.INITIAL: (Kind.INITIAL,),
    Kind.CONTACT: (Kind.CONTACT, Kind.INCREMENTAL, Kind.FULL, Kind.INITIAL),
}


@dataclass(frozen=True)
class RunRequest:
    """A request for a run."""

    kind: Kind
    trigger: Trigger
    slot: str | None = None
    connection_id: str | None = None
    contact_clio_id: int | None = None
    named_only: bool = False
    after: timedelta = timedelta(0)  # delay before the run may begin


async def request_run(
    session: Session, account_id: str, request: RunRequest, *, now: datetime
) -> Run:
    """Return the run that serves the request: an unfinished run that covers it, or a new run.

    A new run is queued in this transaction. The account's row is locked, so that two equal requests at the same time
    get one run. The first run that reads a firm is its `initial` run, whatever was requested: it announces clients as
    the firm chose for the first run. A request without a delay also starts runs that were delayed to collect webhooks
    of Clio: the runs of an account go one after another, and this one would have to wait for them.
    """
    await lock_account(session, account_id)
    if not request.after:
        await _start_delayed_runs(session, account_id)
    request = await _or_initial(session, account_id, request)
    found = await _covering(session, account_id, request)
    return found or await _queue(session, account_id, request, now=now)


async def request_reading(
    session: Session, account_id: str, record: NamedRecord, *, after: timedelta, now: datetime
) -> Run:
    """Return the run that will read a record that a webhook of Clio named.

    That is a queued run that reads the lists, unless it waits for another one, or one that collects named records and
    begins after the time `after`. A run with too many records reads the lists instead. So does the run of a firm that
    no run has read completely. A run that reads the lists looks up what was named as deleted.
    """
    request = RunRequest(Kind.INCREMENTAL, Trigger.WEBHOOK, after=after)
    await lock_account(session, account_id)
    if not await has_complete_pull(session, account_id):
        first = await request_run(session, account_id, request, now=now)
        await _note_deletion(session, first, record)
        return first
    found = await _covering(session, account_id, request)
    if found and await _reads_lists_now(session, account_id):
        found = None
    if found and await _note_deletion(session, found, record):
        return found
    run = await _collecting(session, account_id)
    if run is None:
        request = replace(request, named_only=True)
        run = await _queue(session, account_id, request, now=now)
    if await named_records.add(session, account_id, run.run_id, record) > named_records.MOST:
        return await _let_read_lists(session, run)
    return run


async def _note_deletion(session: Session, run: Run, record: NamedRecord) -> bool:
    """Let a run that reads the lists also look up a record that was named as deleted; return False if it has begun."""
    queued = (
        select(_table.c.run_id)
        .where(is_run(run.account_id, run.run_id), _table.c.status == Status.QUEUED)
        .with_for_update(skip_locked=True)  # one that is locked is being begun or cancelled
    )
    if (await session.execute(queued)).one_or_none() is None:
        return False
    if record.deleted:
        await named_records.add(session, run.account_id, run.run_id, record)
    return True


async def _reads_lists_now(session: Session, account_id: str) -> bool:
    """Return whether a run has begun to read the account's lists and has not ended; that may take hours."""
    begun = select(literal(1)).where(
        _table.c.account_id == account_id,
        _table.c.status.in_((Status.RUNNING, Status.INTERRUPTED)),
        ~reads_no_lists(),
    )
    return (await session.execute(begun.limit(1))).one_or_none() is not None


async def _collecting(session: Session, account_id: str) -> Run | None:
    """Return and lock the queued run that collects named records, or None."""
    queued = (
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.status == Status.QUEUED)
        .where(_table.c.named_only)
        .limit(1)
        .with_for_update(skip_locked=True)  # one that is locked is being cancelled
    )
    row = (await session.execute(queued)).one_or_none()
    return run_of(row) if row else None


async def _let_read_lists(session: Session, run: Run, **changes: Any) -> Run:
    """Let a queued run read the lists instead of named records, with other changes; return it."""
    changed = await session.execute(
        update(_table)
        .where(is_run(run.account_id, run.run_id))
        .values(named_only=False, **changes)
        .returning(_table)
    )
    await named_records.keep_deleted(session, run.account_id, run.run_id)
    return run_of(changed.one())


async def serve_slot(
    session: Session, account_id: str, kind: Kind, slot: str, *, now: datetime
) -> Run:
    """Return the run of a slot [row 44]; lock the account first, so that no run of it begins meanwhile.

    It is a run that is queued already and has not begun, or a new one. A run that has begun may have read past a change
    that the slot must find. A run that webhooks requested becomes a scheduled one, which reads the lists. Another one
    keeps its trigger.
    """
    await _start_delayed_runs(session, account_id)
    queued = (
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.status == Status.QUEUED)
        .where(_table.c.kind.in_(_COVERED_BY[Kind.INCREMENTAL]))
        .order_by(_table.c.run_id)
        .limit(1)
        .with_for_update(skip_locked=True)  # one that is locked is being cancelled
    )
    if row := (await session.execute(queued)).one_or_none():
        run = run_of(row)
        by_webhook = run.trigger is Trigger.WEBHOOK
        trigger = Trigger.SCHEDULE if by_webhook else run.trigger
        return await _let_read_lists(session, run, slot=slot, trigger=trigger)
    request = RunRequest(kind, Trigger.SCHEDULE, slot=slot)
    return await _queue(
        session, account_id, await _or_initial(session, account_id, request), now=now
    )


async def _or_initial(session: Session, account_id: str, request: RunRequest) -> RunRequest:
    """Return the request, as one for the `initial` run if no run has read the firm or is to read it."""
    reads_lists = request.kind in (Kind.INCREMENTAL, Kind.FULL)
    if reads_lists and not await has_initial(session, account_id):
        return replace(request, kind=Kind.INITIAL)
    return request


async def _queue(session: Session, account_id: str, request: RunRequest, *, now: datetime) -> Run:
    """Store a new run and queue its job."""
    run_id = new_id("run", now)
    await session.execute(
        insert(_table).values(
            account_id=account_id,
            run_id=run_id,
            kind=request.kind,
            trigger=request.trigger,
            status=Status.QUEUED,
            slot=request.slot,
            connection_id=request.connection_id,
            settings_version=_newest_settings(account_id),  # replaced when the run begins
            contact_clio_id=request.contact_clio_id,
            named_only=request.named_only,
            queued_at=now,
            resume_at=now + request.after if request.after else None,
        )
    )
    lane = lane_of(request.kind, request.trigger)
    if request.after:
        await job_queue.want_later(session, lane, account_id, after=request.after, is_new=True)
    else:
        await job_queue.want(session, lane, account_id)
    return await get_run(session, account_id, run_id)


async def _start_delayed_runs(session: Session, account_id: str) -> None:
    """Let runs of the account that were delayed and have not begun start now; lock the account first."""
    delayed = (
        select(_table.c.run_id)
        .where(_table.c.account_id == account_id, _table.c.status == Status.QUEUED)
        .where(_table.c.resume_at.is_not(None))
        .with_for_update(skip_locked=True)  # one that is locked is being cancelled
    )
    started = await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id, _table.c.run_id.in_(delayed))
        .values(resume_at=None)
        .returning(_table.c.kind, _table.c.trigger)
    )
    for lane in {lane_of(Kind(row.kind), Trigger(row.trigger)) for row in started}:
        await job_queue.want(session, lane, account_id)


def _newest_settings(account_id: str) -> ColumnElement[int]:
    versions = account_tables.settings.c
    newest = select(func.max(versions.version)).where(versions.account_id == account_id)
    return func.coalesce(newest.scalar_subquery(), 1)


async def _covering(session: Session, account_id: str, request: RunRequest) -> Run | None:
    """Return an unfinished run that does what is requested, or None."""
    covers = _table.c.kind.in_(_COVERED_BY.get(request.kind, (request.kind,)))
    waiting = _table.c.status == Status.QUEUED
    in_flight = _table.c.status.in_(UNFINISHED)
    # A running run may have read past the record that a webhook of Clio names.
    may_be_running = request.kind in _COVERED_BY and request.trigger is not Trigger.WEBHOOK
    # An upgrade assesses only those that need it, behind all other work. So it serves no other request, but any run
    # that assesses everybody serves an upgrade.
    upgrade = request.trigger is Trigger.UPGRADE
    slower = None if upgrade else Trigger.UPGRADE
    same_contact = _table.c.contact_clio_id == request.contact_clio_id
    row = (
        await session.execute(
            select(_table)
            .where(_table.c.account_id == account_id, covers, ~_table.c.named_only)
            .where(_table.c.trigger.is_distinct_from(slower))
            .where(_table.c.connection_id.is_not_distinct_from(request.connection_id))
            .where((_table.c.kind != Kind.CONTACT) | same_contact)
            .where(in_flight if may_be_running or upgrade else waiting)
            .order_by(_table.c.run_id)
            .limit(1)
        )
    ).one_or_none()
    return run_of(row) if row else None
