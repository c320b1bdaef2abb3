"""Leases of runs: the right of one worker to work on a run, and what that worker writes on the run's row.

A worker acquires the lease of a run for a limited time and renews it with each transaction. A worker that hangs or
dies renews nothing; after the time has passed, another worker may acquire the lease. The first worker may wake up
later and still believe that it has the run. The *fencing token* (`fence`) stops it: each acquisition adds one to the
number on the run's row, and `renew` only succeeds for the number that is stored. So the rules are:

- Every transaction of a run begins with `renew`; use `fenced_transaction`. It locks the run's row until the
  transaction ends, so no other worker can acquire the lease in between.
- Locks are taken in one order: the run's row, the shared lock against erasures, records and contacts by ascending
  Clio id, and last the account's row (for the change feed). So transactions cannot wait for each other in a circle.
- `acquire` never waits: it skips a row that is locked, and the job tries again.
- Times are compared by the database's clock, which all workers share.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func, or_, select, update

from app.db.accounts import receipts
from app.db.accounts import tables as account_tables
from app.db.accounts.health import note_change
from app.db.runs import tables
from app.db.runs.followers import notice
from app.db.runs.run_report import Tally
from app.db.runs.runs import (
    PULLING,
    UNFINISHED,
    Kind,
    Run,
    RunEnded,
    Status,
    Usage,
    get_run,
    is_run,
    was_read_completely,
)
from app.db.session import Database, Session, transaction
from app.errors import RunTakenOver

_table = tables.runs

MAX_STARTS_WITHOUT_PROGRESS = 10  # a run that crashes its worker more often fails


@dataclass(frozen=True)
class Lease:
    """The right to work on a run now; it is void once another worker has acquired a higher fence."""

    account_id: str
    run_id: str
    fence: int
    length: timedelta = field(compare=False)


@dataclass(frozen=True)
class AssessedBatch:
    """The counts of one batch of assessments."""

    contacts: int
    changed: int = 0
    entered: int = 0
    left_scope: int = 0
    new_clients: int = 0
    feed_before: int | None = None  # the last number of the feed before the batch's first line
    tally: Tally = field(default_factory=Tally)


async def acquire(
    session: Session, account_id: str, run_id: str, *, length: timedelta, now: datetime
) -> Lease | None:
    """Acquire the lease of an unfinished run and return it, or None if that is not possible now.

    It is not possible while another worker has the lease, while another run of the account has to go first, or while
    the account is being erased. A run that waited for the `initial` run becomes the `initial` run itself if that one
    did not succeed.
    """
    if not await _lock_if_next(session, account_id, run_id):
        return None
    row = (
        await session.execute(
            update(_table)
            .where(is_run(account_id, run_id))
            .values(
                status=Status.RUNNING,
                kind=case((_reads_firm_first(), Kind.INITIAL), else_=_table.c.kind),
                fence=_table.c.fence + 1,
                leased_until=func.clock_timestamp() + length,
                starts_without_progress=_table.c.starts_without_progress + 1,
                started_at=func.coalesce(_table.c.started_at, now),
            )
            .returning(_table.c.fence, notice())
        )
    ).one()
    return Lease(account_id, run_id, row.fence, length)


def _reads_firm_first() -> ColumnElement[bool]:
    """Return the condition that a run begins to read a firm that no run has read completely."""
    reads_firm = _table.c.kind.in_((Kind.INCREMENTAL, Kind.FULL))
    return reads_firm & _table.c.started_at.is_(None) & ~was_read_completely(_table.c.account_id)


async def _lock_if_next(session: Session, account_id: str, run_id: str) -> bool:
    """Return whether the run may be acquired now; its row and the account's row are locked then.

    The lock of the account's row prevents that two runs of the account are acquired at the same time. A locked row is
    skipped; the job tries again later. A run that has begun goes before one that has not, even if that one is
    older: ids are made with the clocks of several processes, which may differ. While a pull is interrupted, a rederive
    run goes before the pulls that wait [row 53].
    """
    accounts, other = account_tables.accounts, _table.alias()
    visible = ~receipts.is_being_erased(accounts.c.account_id)
    lock = select(accounts.c.account_id).where(accounts.c.account_id == account_id, visible)
    free = or_(_table.c.leased_until.is_(None), _table.c.leased_until < func.clock_timestamp())
    begun, other_begun = _table.c.status == Status.RUNNING, other.c.status == Status.RUNNING
    older = other.c.run_id < run_id
    goes_before = (
        select(other.c.run_id)
        .where(other.c.account_id == account_id, other.c.status.in_(UNFINISHED))
        .where(other.c.run_id != run_id)
        .where(case((begun == other_begun, older), else_=other_begun))
        .where(~(_is_rederive(_table) & _waits_to_pull(other) & _has_interrupted_pull(account_id)))
        .exists()
    )
    free_run = (
        select(_table.c.run_id)
        .where(is_run(account_id, run_id), _table.c.status.in_(UNFINISHED), free, ~goes_before)
        .with_for_update(skip_locked=True)
    )
    alone = await session.execute(lock.with_for_update(skip_locked=True, key_share=True))
    return bool(alone.first()) and (await session.execute(free_run)).first() is not None


def _is_rederive(table: FromClause) -> ColumnElement[bool]:
    return table.c.kind == Kind.REDERIVE


def _waits_to_pull(table: FromClause) -> ColumnElement[bool]:
    """Return the condition that a run waits before or within its pull."""
    waits = table.c.status.in_((Status.QUEUED, Status.INTERRUPTED))
    return waits & ~_is_rederive(table) & (func.coalesce(table.c.phase, PULLING) == PULLING)


def _has_interrupted_pull(account_id: str) -> ColumnElement[bool]:
    runs = _table.alias()
    interrupted = (runs.c.status == Status.INTERRUPTED) & (runs.c.phase == PULLING)
    return select(runs.c.run_id).where(runs.c.account_id == account_id, interrupted).exists()


async def count_crashes(session: Session, lease: Lease) -> int:
    """Return how often the run was started without progress since, the current start not counted."""
    query = select(_table.c.starts_without_progress).where(is_run(lease.account_id, lease.run_id))
    return int((await session.execute(query)).scalar_one()) - 1


async def renew(session: Session, lease: Lease, **values: Any) -> None:
    """Renew the lease and store `values` on the run's row; raises RunTakenOver if another worker has the run.

    This must be the first statement of every transaction of a run: it locks the run's row until the transaction ends.
    """
    held = await session.execute(
        update(_table)
        .where(is_run(lease.account_id, lease.run_id), _table.c.fence == lease.fence)
        .where(_table.c.status == Status.RUNNING)
        .values(leased_until=func.clock_timestamp() + lease.length, **values)
        .returning(_table.c.fence)
    )
    if held.one_or_none() is None:
        raise RunTakenOver


@asynccontextmanager
async def fenced_transaction(
    database: Database, lease: Lease, **values: Any
) -> AsyncIterator[Session]:
    """Open a transaction of a run: renew the lease, store `values` on the run's row, yield the session.

    Every transaction of a run is opened here. Raises RunTakenOver, and writes nothing, when another worker has the run.
    """
    async with transaction(database) as session:
        await renew(session, lease, **values)
        yield session


async def record_progress(
    session: Session, lease: Lease, usage: Usage, *, expected_end: datetime | None, now: datetime
) -> None:
    """Add the usage of a page that has landed, and store the expected end."""
    await session.execute(
        update(_table)
        .where(is_run(lease.account_id, lease.run_id))
        .values(
            starts_without_progress=0,
            progressed_at=now,
            expected_end=expected_end,
            **_added(usage),
        )
        .returning(notice())
    )


async def begin_assessing(session: Session, lease: Lease, *, to_assess: int) -> None:
    """Start the assessing phase: all lists have landed, and `to_assess` contacts must be assessed."""
    query = select(_table.c.assessed).where(is_run(lease.account_id, lease.run_id))
    done = int((await session.execute(query)).scalar_one())
    await renew(session, lease, phase="assessing", to_assess=done + to_assess, expected_end=None)


async def record_assessed(
    session: Session,
    lease: Lease,
    batch: AssessedBatch,
    *,
    expected_end: datetime | None,
    now: datetime,
) -> None:
    """Add the counts of a batch of assessments that was stored."""
    own_run = is_run(lease.account_id, lease.run_id)
    so_far = (await session.execute(select(_table.c.tally).where(own_run))).scalar_one()
    await session.execute(
        update(_table)
        .where(own_run)
        .values(
            assessed=_table.c.assessed + batch.contacts,
            changed=_table.c.changed + batch.changed,
            entered=_table.c.entered + batch.entered,
            left_scope=_table.c.left_scope + batch.left_scope,
            new_clients=_table.c.new_clients + batch.new_clients,
            feed_before=func.coalesce(_table.c.feed_before, batch.feed_before),
            tally=asdict(Tally(**so_far).plus(batch.tally)),
            starts_without_progress=0,
            progressed_at=now,
            expected_end=expected_end,
        )
        .returning(notice())
    )


async def count_usage(session: Session, lease: Lease, usage: Usage) -> None:
    """Add calls to Clio that no page has counted. Does nothing when another worker has the run."""
    own_run = is_run(lease.account_id, lease.run_id) & (_table.c.fence == lease.fence)
    await session.execute(update(_table).where(own_run).values(**_added(usage)))


async def close_run(
    session: Session,
    lease: Lease,
    status: Status,
    *,
    problems: Sequence[dict[str, Any]],
    now: datetime,
) -> None:
    """End the run, or interrupt it until later, and end the lease. Call it in a `fenced_transaction`."""
    finished = status is not Status.INTERRUPTED
    await session.execute(
        update(_table)
        .where(is_run(lease.account_id, lease.run_id))
        .values(
            status=status,
            leased_until=None,
            starts_without_progress=0,
            finished_at=now if finished else None,
            phase="done" if status is Status.SUCCEEDED else _table.c.phase,
            expected_end=None,
            problems=list(problems),
        )
        .returning(notice())
    )
    if finished:
        await note_change(session, lease.account_id)


async def cancel_run(session: Session, account_id: str, run_id: str, *, now: datetime) -> Run:
    """Cancel a run and return it; raises RunNotFound, RunEnded.

    A worker that has the run loses its lease at its next transaction. Records that have landed stay; the contacts that
    they made stale are assessed by the next run.
    """
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
    return run


def _added(usage: Usage) -> dict[str, Any]:
    return {
        "requests": _table.c.requests + usage.requests,
        "rate_limited": _table.c.rate_limited + usage.rate_limited,
        "waited_seconds": _table.c.waited_seconds + usage.waited_seconds,
    }
