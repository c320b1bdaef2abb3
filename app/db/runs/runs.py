"""Runs: asked for, read, queued again. What a worker does with one is in `leases`."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db import job_queue
from app.db.accounts import tables as account_tables
from app.db.ids import new_id
from app.db.runs import tables
from app.db.runs.run_report import Tally
from app.db.session import Session
from app.errors import AppError, Problem

_table = tables.runs


class Kind(StrEnum):
    """What a run goes over."""

    INITIAL = "initial"
    INCREMENTAL = "incremental"
    FULL = "full"
    COVERAGE = "coverage"
    REDERIVE = "rederive"
    CONTACT = "contact"


class Trigger(StrEnum):
    """What asked for a run."""

    SCHEDULE = "schedule"
    CONNECT = "connect"
    MANUAL = "manual"
    USERS = "users"
    SETTINGS = "settings"
    WEBHOOK = "webhook"


class Status(StrEnum):
    """Where a run stands; `interrupted` goes on by itself, `failed` does not [row 35]."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.INTERRUPTED)
# A run in flight answers the wish for another when it goes over the same or more [S14].
_COVERED_BY = {
    Kind.INCREMENTAL: (Kind.INCREMENTAL, Kind.FULL, Kind.INITIAL),
    Kind.FULL: (Kind.FULL, Kind.INITIAL),
    Kind.INITIAL: (Kind.INITIAL,),
    Kind.CONTACT: (Kind.CONTACT, Kind.INCREMENTAL, Kind.FULL, Kind.INITIAL),
}


class RunNotFound(AppError):
    """No such run in this account."""

    status = 404
    code = "run_not_found"
    title = "There is no such run in this account"


class RunEnded(AppError):
    """What has ended cannot be cancelled."""

    status = 409
    code = "run_already_ended"
    title = "This run has already ended"


@dataclass(frozen=True)
class RunRequest:
    """A run that somebody or something asks for."""

    kind: Kind
    trigger: Trigger
    slot: str | None = None
    connection_id: str | None = None
    contact_clio_id: int | None = None
    after: timedelta = timedelta(0)  # so long it waits before it begins


@dataclass(frozen=True)
class Usage:
    """Calls made to Clio, those it refused for now, and the seconds we waited."""

    requests: int = 0
    rate_limited: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """One pass over one account."""

    account_id: str
    run_id: str
    kind: Kind
    trigger: Trigger
    status: Status
    slot: str | None
    connection_id: str | None
    contact_clio_id: int | None
    settings_version: int
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    phase: str | None
    to_assess: int
    assessed: int
    expected_end: datetime | None
    changed: int
    entered: int
    left_scope: int
    new_clients: int
    feed_before: int | None  # the feed's number before its first line, None while it told nothing
    usage: Usage
    problems: tuple[dict[str, Any], ...]
    tally: Tally


async def request_run(session: Session, account_id: str, wish: RunRequest, *, now: datetime) -> Run:
    """The run that answers the wish: one in flight that covers it, else a new one, queued in this transaction.

    Runs of an account are asked for one at a time (its row is locked), so that two wishes meet. What reads a firm
    for the first time is its `initial` run, whoever asks: its clients are announced as the firm chose for those.
    Who does not wish to wait does not wait either for a run that was to gather nudges first: that begins now, for
    runs of an account go one after another.
    """
    accounts = account_tables.accounts
    await session.execute(
        select(accounts.c.account_id).where(accounts.c.account_id == account_id).with_for_update()
    )
    if not wish.after:
        await job_queue.start_delayed_runs(session, account_id)
    if wish.kind in (Kind.INCREMENTAL, Kind.FULL) and not await has_initial(session, account_id):
        wish = replace(wish, kind=Kind.INITIAL)
    found = await _covering(session, account_id, wish)
    if found is not None:
        return found
    run_id = new_id("run", now)
    await session.execute(
        insert(_table).values(
            account_id=account_id,
            run_id=run_id,
            kind=wish.kind,
            trigger=wish.trigger,
            status=Status.QUEUED,
            slot=wish.slot,
            connection_id=wish.connection_id,
            settings_version=_newest_settings(
                account_id
            ),  # as of now; the one it begins with counts
            contact_clio_id=wish.contact_clio_id,
            queued_at=now,
        )
    )
    await job_queue.enqueue_run(session, account_id, run_id, after=wish.after)
    return await get_run(session, account_id, run_id)


def _newest_settings(account_id: str) -> ColumnElement[int]:
    versions = account_tables.settings.c
    newest = select(func.max(versions.version)).where(versions.account_id == account_id)
    return func.coalesce(newest.scalar_subquery(), 1)


async def _covering(session: Session, account_id: str, wish: RunRequest) -> Run | None:
    """A run that will do what is wished: queued ones of any wider kind, running ones unless facts moved under them."""
    covers = _table.c.kind.in_(_COVERED_BY.get(wish.kind, (wish.kind,)))
    waiting = _table.c.status == Status.QUEUED
    in_flight = _table.c.status.in_(UNFINISHED)
    # A run at work may have read past what a nudge is about.
    may_be_running = wish.kind in _COVERED_BY and wish.trigger is not Trigger.WEBHOOK
    same_contact = _table.c.contact_clio_id == wish.contact_clio_id
    row = (
        await session.execute(
            select(_table)
            .where(_table.c.account_id == account_id, covers)
            .where(_table.c.connection_id.is_not_distinct_from(wish.connection_id))
            .where((_table.c.kind != Kind.CONTACT) | same_contact)
            .where(in_flight if may_be_running else waiting)
            .order_by(_table.c.run_id)
            .limit(1)
        )
    ).one_or_none()
    return _run(row) if row else None


async def has_initial(session: Session, account_id: str) -> bool:
    """Whether the account's first whole pull is done or on its way."""
    query = select(_table.c.run_id).where(
        _table.c.account_id == account_id,
        _table.c.status.in_((*UNFINISHED, Status.SUCCEEDED)),
        _table.c.kind.in_((Kind.INITIAL, Kind.FULL)),
    )
    return (await session.execute(query.limit(1))).one_or_none() is not None


async def is_incomplete(session: Session, account_id: str) -> bool:
    """Whether the newest pull was cut short for good: judging by half a pull could withdraw wrongly [S2]."""
    newest = (
        select(_table.c.run_id, _table.c.status)
        .where(_table.c.account_id == account_id)
        .where(_table.c.kind.not_in((Kind.REDERIVE, Kind.CONTACT)))
        .where(_table.c.status.not_in((Status.QUEUED, Status.RUNNING)))
        .order_by(_table.c.run_id.desc())
        .limit(1)
    )
    row = (await session.execute(newest)).one_or_none()
    return row is not None and row.status != Status.SUCCEEDED


async def cancel_all(session: Session, account_id: str, *, now: datetime) -> None:
    """No run of the account goes on: who works on one finds its lease gone at the next page [S15]."""
    await _cancel(session, account_id, UNFINISHED, now=now)


async def cancel_waiting(session: Session, account_id: str, *, now: datetime) -> None:
    """Runs that have not begun will not, and those laid down do not go on [EN-1]."""
    await _cancel(session, account_id, (Status.QUEUED, Status.INTERRUPTED), now=now)


async def _cancel(
    session: Session, account_id: str, statuses: Collection[Status], *, now: datetime
) -> None:
    ended = {"status": Status.CANCELLED, "finished_at": now, "leased_until": None}
    await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id, _table.c.status.in_(statuses))
        .values(**ended, expected_end=None, fence=_table.c.fence + 1)
    )


async def find_run(session: Session, account_id: str, run_id: str) -> Run | None:
    """The run, or None."""
    row = (await session.execute(select(_table).where(is_run(account_id, run_id)))).one_or_none()
    return _run(row) if row else None


async def get_run(session: Session, account_id: str, run_id: str) -> Run:
    """The run; raises RunNotFound."""
    run = await find_run(session, account_id, run_id)
    if run is None:
        raise RunNotFound
    return run


async def list_runs(session: Session, account_id: str, *, after: str, limit: int) -> list[Run]:
    """Runs by id, oldest first, those after `after`."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.run_id > after)
        .order_by(_table.c.run_id)
        .limit(limit)
    )
    return [_run(row) for row in rows]


async def newest_run(
    session: Session, account_id: str, *, status: Status | None = None
) -> Run | None:
    """The newest run, of a status if one is named, or None."""
    query = select(_table).where(_table.c.account_id == account_id)
    if status is not None:
        query = query.where(_table.c.status == status)
    row = (await session.execute(query.order_by(_table.c.run_id.desc()).limit(1))).one_or_none()
    return _run(row) if row else None


async def newest_by_trigger(session: Session, account_id: str, trigger: Trigger) -> Run | None:
    """The newest run that this asked for, or None."""
    query = select(_table).where(_table.c.account_id == account_id, _table.c.trigger == trigger)
    row = (await session.execute(query.order_by(_table.c.run_id.desc()).limit(1))).one_or_none()
    return _run(row) if row else None


async def requeue_lost(session: Session) -> int:
    """Queue again every unfinished run that has no job, as after a restore; answers how many."""
    lost = text(
        "select account_id, run_id from runs where status in ('queued', 'running', 'interrupted')"
        " and not exists (select from pgqueuer where dedupe_key = 'run:' || run_id)"
        " order by run_id for update skip locked"
    )
    rows = (await session.execute(lost)).all()
    for row in rows:
        await job_queue.enqueue_run(session, row.account_id, row.run_id)
    return len(rows)


def problem_row(problem: Problem, connection_id: str | None) -> dict[str, Any]:
    """A problem as a run keeps it."""
    return {"code": problem.code, "detail": problem.detail, "connection_id": connection_id}


def is_run(account_id: str, run_id: str) -> ColumnElement[bool]:
    """The condition that names one run."""
    return (_table.c.account_id == account_id) & (_table.c.run_id == run_id)


def _run(row: Any) -> Run:
    data = row._mapping
    plain = Run.__dataclass_fields__.keys() - {
        "kind",
        "trigger",
        "status",
        "usage",
        "problems",
        "tally",
    }
    return Run(
        **{name: data[name] for name in plain},
        kind=Kind(row.kind),
        trigger=Trigger(row.trigger),
        status=Status(row.status),
        usage=Usage(row.requests, row.rate_limited, row.waited_seconds),
        problems=tuple(row.problems),
        tally=Tally(**row.tally),
    )
