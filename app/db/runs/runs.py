"""Runs: reading and cancelling them. They are requested in `run_requests`; the work on one is in `leases`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, literal, select, update

from app.db.runs import tables
from app.db.runs.followers import notice
from app.db.runs.run_report import Tally
from app.db.session import Session, any_of
from app.errors import AppError, Problem
from app.lanes import Lane

_table = tables.runs
_RUN = select(_table).where(
    _table.c.account_id == bindparam("account"), _table.c.run_id == bindparam("run")
)


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
    UPGRADE = "upgrade"
    WEBHOOK = "webhook"


class Reads(StrEnum):
    """The scope of a run's reads: whole lists, single records, or nothing."""

    LISTS = "lists"
    RECORDS = "records"  # single ones, by their ids
    NOTHING = "nothing"


class Status(StrEnum):
    """The state of a run; an `interrupted` run continues by itself, a `failed` run does not [row 35]."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


PULLING = "pulling"  # the phase of a run that reads Clio
ASSESSING = "assessing"  # the phase after it, or of a run that does not read Clio
UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.INTERRUPTED)
_READ_NO_LISTS = {Kind.CONTACT: Reads.RECORDS, Kind.REDERIVE: Reads.NOTHING}


_LANES = {
    Kind.INITIAL: Lane.INITIAL,
    Kind.COVERAGE: Lane.INITIAL,
    Kind.INCREMENTAL: Lane.INCREMENTAL,
    Kind.CONTACT: Lane.INCREMENTAL,
    Kind.REDERIVE: Lane.INCREMENTAL,
    Kind.FULL: Lane.RECONCILE,
}


def reads_of(kind: Kind, *, named_only: bool) -> Reads:
    """Return what a run reads of Clio; `reads_no_lists` is a part of it in SQL."""
    return Reads.RECORDS if named_only else _READ_NO_LISTS.get(kind, Reads.LISTS)


def reads_no_lists() -> ColumnElement[bool]:
    """Return the SQL condition that a run reads no lists."""
    named_only = _table.c.named_only & _table.c.slot.is_(None)
    return named_only | _table.c.kind.in_(_READ_NO_LISTS)


def is_named_only(row: Any) -> bool:
    """Return whether the run of a row reads only named records.

    One that serves a slot reads the lists: the release before gives a slot also to a run that reads named records.
    """
    return bool(row.named_only) and row.slot is None


def lane_of(kind: Kind, trigger: Trigger) -> Lane:
    """Return the lane of a run: of its slices, and of its requests to Clio [S10].

    A person waits for a contact run or an incremental run that was requested. An upgrade goes behind all other work.
    """
    if trigger is Trigger.MANUAL and kind in (Kind.CONTACT, Kind.INCREMENTAL):
        return Lane.PERSON
    if trigger is Trigger.UPGRADE:
        return Lane.RECONCILE
    return _LANES[kind]


class RunNotFound(AppError):
    """The account has no such run."""

    status = 404
    code = "run_not_found"
    title = "There is no such run in this account"
    next_step = "GET …/runs lists them"


class RunEnded(AppError):
    """A run that has ended cannot be cancelled."""

    status = 409
    code = "run_already_ended"
    title = "This run has already ended"
    next_step = "request a new one if it is needed"


@dataclass(frozen=True)
class Usage:
    """Calls made to Clio, calls that Clio rate-limited, and seconds spent waiting."""

    requests: int = 0
    rate_limited: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """One pass over one account. `named_only`: it reads only the records in `named_records`."""

    account_id: str
    run_id: str
    kind: Kind
    trigger: Trigger
    status: Status
    slot: str | None
    connection_id: str | None
    contact_clio_id: int | None
    named_only: bool
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

    @property
    def lane(self) -> Lane:
        """The lane of its slices, and of its requests to Clio."""
        return lane_of(self.kind, self.trigger)

    @property
    def reads(self) -> Reads:
        """Return the scope of its reads."""
        return reads_of(self.kind, named_only=self.named_only)

    @property
    def reads_firm(self) -> bool:
        """Return whether it reads every list of all logins; `tables.READ_FIRM` says the same in SQL."""
        return self.reads is Reads.LISTS and self.kind is not Kind.COVERAGE


async def has_initial(session: Session, account_id: str) -> bool:
    """Return whether the account's first complete pull has succeeded or is on its way."""
    query = select(literal(1)).where(
        _table.c.account_id == account_id,
        _table.c.status.in_((*UNFINISHED, Status.SUCCEEDED)),
        _table.c.kind.in_((Kind.INITIAL, Kind.FULL)),
    )
    return (await session.execute(query.limit(1))).one_or_none() is not None


async def has_complete_pull(session: Session, account_id: str) -> bool:
    """Return whether the account's first complete pull has succeeded."""
    found: bool = (await session.execute(select(was_read_completely(account_id)))).scalar_one()
    return found


def was_read_completely(account_id: str) -> ColumnElement[bool]:
    """Return the condition that a run has read the account's firm completely."""
    other = _table.alias()
    return (
        exists()
        .where(other.c.account_id == account_id, other.c.status == Status.SUCCEEDED)
        .where(other.c.kind.in_((Kind.INITIAL, Kind.FULL)))
    )


async def is_incomplete(session: Session, account_id: str, *, beside: str = "") -> bool:
    """Return whether the newest pull is not complete: assessing half a pull could remove contacts wrongly [S2].

    A run that was cancelled before it began has read nothing, and is no pull. Another run than `beside` that has read a
    part of its records counts too.
    """
    newest = (
        select(_table.c.run_id, _table.c.status)
        .where(_table.c.account_id == account_id, ~reads_no_lists())
        .where(_table.c.started_at.is_not(None))
        .order_by(_table.c.run_id.desc())
        .limit(1)
    )
    row = (await session.execute(newest)).one_or_none()
    if row is not None and row.status != Status.SUCCEEDED:
        return True
    reading = select(literal(1)).where(
        _table.c.account_id == account_id,
        _table.c.status.in_((Status.RUNNING, Status.INTERRUPTED)),
        _table.c.phase == PULLING,
        _table.c.run_id != beside,
    )
    return (await session.execute(reading.limit(1))).one_or_none() is not None


async def lock_unfinished(session: Session, account_id: str) -> None:
    """Lock the unfinished runs of the account. Call it before the account is locked, if they are cancelled then."""
    unfinished = (_table.c.account_id == account_id) & any_of(_table.c.status, UNFINISHED)
    lock = select(_table.c.run_id).where(unfinished).order_by(_table.c.run_id).with_for_update()
    await session.execute(lock)


async def cancel_all(session: Session, account_id: str, *, now: datetime) -> None:
    """Cancel all unfinished runs of the account; a worker loses its lease at its next transaction [S15].

    A transaction that has locked the account calls `lock_unfinished` before.
    """
    await _cancel(session, account_id, UNFINISHED, now=now)


async def cancel_waiting(session: Session, account_id: str, *, now: datetime) -> None:
    """Cancel the runs that have not begun or are interrupted [EN-1]; like `cancel_all`, after `lock_unfinished`."""
    await _cancel(session, account_id, (Status.QUEUED, Status.INTERRUPTED), now=now)


async def _cancel(
    session: Session, account_id: str, statuses: Collection[Status], *, now: datetime
) -> None:
    ended = {"status": Status.CANCELLED, "finished_at": now, "leased_until": None}
    await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id, any_of(_table.c.status, statuses))
        .values(**ended, expected_end=None, fence=_table.c.fence + 1)
        .returning(notice())
    )


async def find_run(session: Session, account_id: str, run_id: str) -> Run | None:
    """Return the run, or None."""
    row = (await session.execute(_RUN, {"account": account_id, "run": run_id})).one_or_none()
    return run_of(row) if row else None


async def get_run(session: Session, account_id: str, run_id: str) -> Run:
    """Return the run; raises RunNotFound."""
    run = await find_run(session, account_id, run_id)
    if run is None:
        raise RunNotFound
    return run


async def newest_run(
    session: Session, account_id: str, trigger: Trigger | None = None
) -> Run | None:
    """Return the newest run, with this trigger if one is given, or None."""
    query = select(_table).where(_table.c.account_id == account_id)
    if trigger is not None:
        query = query.where(_table.c.trigger == trigger)
    row = (await session.execute(query.order_by(_table.c.run_id.desc()).limit(1))).one_or_none()
    return run_of(row) if row else None


def problem_row(problem: Problem, connection_id: str | None) -> dict[str, Any]:
    """Return a problem in the form in which a run stores it."""
    return {"code": problem.code, "detail": problem.detail, "connection_id": connection_id}


def is_run(account_id: str, run_id: str) -> ColumnElement[bool]:
    """Return the SQL condition that selects one run."""
    return (_table.c.account_id == account_id) & (_table.c.run_id == run_id)


def run_of(row: Any) -> Run:
    """Return the run of a row."""
    data = row._mapping
    special = ("kind", "named_only", "trigger", "status", "usage", "problems", "tally")
    plain = Run.__dataclass_fields__.keys() - set(special)
    return Run(
        **{name: data[name] for name in plain},
        kind=Kind(row.kind),
        named_only=is_named_only(row),
        trigger=Trigger(row.trigger),
        status=Status(row.status),
        usage=Usage(row.requests, row.rate_limited, row.waited_seconds),
        problems=tuple(row.problems),
        tally=Tally(**row.tally),
    )
