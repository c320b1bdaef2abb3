"""Runs: requesting, reading and cancelling them. Work on a run is in `leases`."""

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
    """The scope of a run."""

    INITIAL = "initial"
    INCREMENTAL = "incremental"
    FULL = "full"
    COVERAGE = "coverage"
    REDERIVE = "rederive"
    CONTACT = "contact"


class Trigger(StrEnum):
    """The cause of a run."""

    SCHEDULE = "schedule"
    CONNECT = "connect"
    MANUAL = "manual"
    USERS = "users"
    SETTINGS = "settings"
    WEBHOOK = "webhook"


class Status(StrEnum):
    """The state of a run; an `interrupted` run continues by itself, a `failed` run does not [row 35]."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.INTERRUPTED)
# An unfinished run of one of these kinds serves a request for the key's kind [S14].
_COVERED_BY = {
    Kind.INCREMENTAL: (Kind.INCREMENTAL, Kind.FULL, Kind.INITIAL),
    Kind.FULL: (Kind.FULL, Kind.INITIAL),
    Kind.INITIAL: (Kind.INITIAL,),
    Kind.CONTACT: (Kind.CONTACT, Kind.INCREMENTAL, Kind.FULL, Kind.INITIAL),
}


class RunNotFound(AppError):
    """The account has no such run."""

    status = 404
    code = "run_not_found"
    title = "There is no such run in this account"


class RunEnded(AppError):
    """A run that has ended cannot be cancelled."""

    status = 409
    code = "run_already_ended"
    title = "This run has already ended"


@dataclass(frozen=True)
class RunRequest:
    """A request for a run."""

    kind: Kind
    trigger: Trigger
    slot: str | None = None
    connection_id: str | None = None
    contact_clio_id: int | None = None
    after: timedelta = timedelta(0)  # delay before the run may begin


@dataclass(frozen=True)
class Usage:
    """Calls made to Clio, calls that Clio rate-limited, and seconds spent waiting."""

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
    feed_before: (
        int | None
    )  # the feed's last number before its first line; None while it wrote none
    usage: Usage
    problems: tuple[dict[str, Any], ...]
    tally: Tally


async def request_run(
    session: Session, account_id: str, request: RunRequest, *, now: datetime
) -> Run:
    """Return the run that serves the request: an unfinished run that covers it, or a new run.

    A new run is queued in this transaction. The account's row is locked, so that two equal requests at the same time
    get one run. The first run that reads a firm is its `initial` run, whatever was requested: it announces clients as
    the firm chose for the first run. A request without a delay also starts runs that were delayed to collect webhooks
    of Clio: the runs of an account go one after another, and this one would have to wait for them.
    """
    accounts = account_tables.accounts
    await session.execute(
        select(accounts.c.account_id).where(accounts.c.account_id == account_id).with_for_update()
    )
    if not request.after:
        await job_queue.start_delayed_runs(session, account_id)
    if request.kind in (Kind.INCREMENTAL, Kind.FULL) and not await has_initial(session, account_id):
        request = replace(request, kind=Kind.INITIAL)
    found = await _covering(session, account_id, request)
    if found is not None:
        return found
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
            queued_at=now,
        )
    )
    await job_queue.enqueue_run(session, account_id, run_id, after=request.after)
    return await get_run(session, account_id, run_id)


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
    same_contact = _table.c.contact_clio_id == request.contact_clio_id
    row = (
        await session.execute(
            select(_table)
            .where(_table.c.account_id == account_id, covers)
            .where(_table.c.connection_id.is_not_distinct_from(request.connection_id))
            .where((_table.c.kind != Kind.CONTACT) | same_contact)
            .where(in_flight if may_be_running else waiting)
            .order_by(_table.c.run_id)
            .limit(1)
        )
    ).one_or_none()
    return _run(row) if row else None


async def has_initial(session: Session, account_id: str) -> bool:
    """Return whether the account's first complete pull has succeeded or is on its way."""
    query = select(_table.c.run_id).where(
        _table.c.account_id == account_id,
        _table.c.status.in_((*UNFINISHED, Status.SUCCEEDED)),
        _table.c.kind.in_((Kind.INITIAL, Kind.FULL)),
    )
    return (await session.execute(query.limit(1))).one_or_none() is not None


async def is_incomplete(session: Session, account_id: str) -> bool:
    """Return whether the newest pull ended early: assessing half a pull could remove contacts wrongly [S2]."""
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
    """Cancel all unfinished runs of the account; a worker loses its lease at its next transaction [S15]."""
    await _cancel(session, account_id, UNFINISHED, now=now)


async def cancel_waiting(session: Session, account_id: str, *, now: datetime) -> None:
    """Cancel the runs that have not begun or are interrupted [EN-1]."""
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
    """Return the run, or None."""
    row = (await session.execute(select(_table).where(is_run(account_id, run_id)))).one_or_none()
    return _run(row) if row else None


async def get_run(session: Session, account_id: str, run_id: str) -> Run:
    """Return the run; raises RunNotFound."""
    run = await find_run(session, account_id, run_id)
    if run is None:
        raise RunNotFound
    return run


async def list_runs(session: Session, account_id: str, *, after: str, limit: int) -> list[Run]:
    """Return runs by id, oldest first, those after `after`."""
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
    """Return the newest run, of one status if given, or None."""
    query = select(_table).where(_table.c.account_id == account_id)
    if status is not None:
        query = query.where(_table.c.status == status)
    row = (await session.execute(query.order_by(_table.c.run_id.desc()).limit(1))).one_or_none()
    return _run(row) if row else None


async def newest_by_trigger(session: Session, account_id: str, trigger: Trigger) -> Run | None:
    """Return the newest run with this trigger, or None."""
    query = select(_table).where(_table.c.account_id == account_id, _table.c.trigger == trigger)
    row = (await session.execute(query.order_by(_table.c.run_id.desc()).limit(1))).one_or_none()
    return _run(row) if row else None


async def requeue_lost(session: Session) -> int:
    """Queue again every unfinished run that has no job, e.g. after a restore; return how many."""
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
    """Return a problem in the form in which a run stores it."""
    return {"code": problem.code, "detail": problem.detail, "connection_id": connection_id}


def is_run(account_id: str, run_id: str) -> ColumnElement[bool]:
    """Return the SQL condition that selects one run."""
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
