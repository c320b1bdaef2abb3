"""Leases of runs: the right of one worker to work on a run, and what that worker writes on the run's row.

A worker acquires the lease of a run for a limited time and renews it with each transaction. A worker that hangs or
dies renews nothing; after the time has passed, another worker may acquire the lease. The first worker may wake up
later and still believe that it has the run. The *fencing token* (`fence`) stops it: each acquisition adds one to the
number on the run's row, and `renew` only succeeds for the number that is stored. So the rules are:

- Every transaction of a run begins with `renew`; use `fenced_transaction`. It locks the run's row until the
  transaction ends, so no other worker can acquire the lease in between.
- Locks are taken in one order: the run's row, the shared lock against erasures, records and contacts by ascending
  Clio id, then the account's row (for the change feed and for turns), and last jobs. So transactions cannot wait for
  each other in a circle. Who has the account's row already skips a run whose row is locked.
- `turns.take_turn` never waits: it skips a row that is locked, and the slice ends.
- Times are compared by the database's clock, which all workers share.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Interval, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.db.accounts.health import note_change
from app.db.runs import tables
from app.db.runs.followers import notice
from app.db.runs.run_report import Tally
from app.db.runs.runs import (
    ASSESSING,
    PULLING,
    Status,
    Usage,
    is_run,
)
from app.db.session import Database, Session, transaction
from app.errors import RunTakenOver

_table = tables.runs

_THIS_RUN = (_table.c.account_id == bindparam("account")) & (_table.c.run_id == bindparam("run"))
_RENEW = (
    update(_table)
    .where(_THIS_RUN, _table.c.fence == bindparam("token"))
    .where(_table.c.status == Status.RUNNING)
    .values(leased_until=func.clock_timestamp() + bindparam("length", type_=Interval))
    .returning(_table.c.fence)
)
_ASSESSED = select(_table.c.assessed).where(_THIS_RUN)
_TALLY = select(_table.c.tally).where(_THIS_RUN)
_POSITIONS = select(_table.c.positions).where(_THIS_RUN)
_STORE_END = update(_table).where(_THIS_RUN).values(expected_end=bindparam("end"))
_STORE_POSITION = (
    update(_table)
    .where(_THIS_RUN)
    .values(positions=_table.c.positions.op("||")(bindparam("further", type_=JSONB)))
)
_COUNTED = tuple(Usage.__dataclass_fields__)  # the columns of the usage
_COUNTED_OF_A_BATCH = {  # columns of the run, and what is added to them
    "assessed": "contacts",
    "changed": "changed",
    "entered": "entered",
    "left_scope": "left_scope",
    "new_clients": "new_clients",
}
_PHASE_AFTER = {
    Status.SUCCEEDED: "done",
    Status.INTERRUPTED: PULLING,  # it continues with what it could not read
}
MAX_STARTS_WITHOUT_PROGRESS = 10  # a run that crashes its worker more often fails


@dataclass(frozen=True)
class Lease:
    """The right to work on a run now; it is void once another worker has acquired a higher fence."""

    account_id: str
    run_id: str
    fence: int
    length: timedelta = field(compare=False)

    @property
    def is_first(self) -> bool:
        """Return whether the run begins with it."""
        return self.fence == 1


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


async def count_crashes(session: Session, lease: Lease) -> int:
    """Return how often the run was started without progress since, the current start not counted."""
    query = select(_table.c.starts_without_progress).where(is_run(lease.account_id, lease.run_id))
    return int((await session.execute(query)).scalar_one()) - 1


async def still_holds(session: Session, lease: Lease) -> bool:
    """Renew the lease and return True, or return False if another worker has the run or it has ended."""
    try:
        await renew(session, lease)
    except RunTakenOver:
        return False
    return True


async def renew(session: Session, lease: Lease, **values: Any) -> None:
    """Renew the lease and store `values` on the run's row; raises RunTakenOver if another worker has the run.

    This must be the first statement of every transaction of a run: it locks the run's row until the transaction ends.
    """
    names = {**_key(lease), "token": lease.fence}
    statement = _RENEW.values(**values) if values else _RENEW
    held = await session.execute(statement, {**names, "length": lease.length})
    if held.one_or_none() is None:
        raise RunTakenOver


@asynccontextmanager
async def fenced_transaction(
    database: Database, lease: Lease, **values: Any
) -> AsyncIterator[Session]:
    """Open a transaction of a run: renew the lease, store `values` on the run's row, yield the session.

    Every transaction of a run is opened here. Raises RunTakenOver, and writes nothing, when another worker has the run.
    """
    async with transaction(database, lease.account_id) as session:
        await renew(session, lease, **values)
        yield session


async def record_progress(
    session: Session, lease: Lease, usage: Usage, *, expected_end: datetime | None, now: datetime
) -> None:
    """Add the usage of a page that has landed, and store the expected end."""
    names = {**_key(lease), "now": now, "end": expected_end}
    await session.execute(
        _PROGRESS, {**names, **{f"added_{name}": getattr(usage, name) for name in _COUNTED}}
    )


async def find_position(session: Session, lease: Lease, step: str) -> int | None:
    """Return where a step of the run that is done in batches goes on: 0 if it has not begun, None if it is done."""
    found = await session.execute(_POSITIONS, _key(lease))
    positions: dict[str, int | None] = found.scalar_one()
    return positions.get(step, 0)


async def store_position(session: Session, lease: Lease, step: str, position: int | None) -> None:
    """Store where a step of the run goes on, None when it is done."""
    await session.execute(_STORE_POSITION, {**_key(lease), "further": {step: position}})


async def begin_assessing(session: Session, lease: Lease, *, to_assess: int) -> None:
    """Start the assessing phase: all lists have landed, and `to_assess` contacts must be assessed."""
    done = await count_assessed(session, lease)
    await renew(session, lease, phase=ASSESSING, to_assess=done + to_assess, expected_end=None)


async def count_assessed(session: Session, lease: Lease) -> int:
    """Return how many contacts the run has assessed."""
    return int((await session.execute(_ASSESSED, _key(lease))).scalar_one())


async def record_assessed(
    session: Session,
    lease: Lease,
    batch: AssessedBatch,
    *,
    expected_end: datetime | None = None,
    now: datetime,
) -> None:
    """Add the counts of a batch of assessments that was stored, and store the expected end if there is a new one."""
    so_far = (await session.execute(_TALLY, _key(lease))).scalar_one()
    counts = {f"added_{name}": getattr(batch, one) for name, one in _COUNTED_OF_A_BATCH.items()}
    news = {"tally": asdict(Tally(**so_far).plus(batch.tally)), "before": batch.feed_before}
    times = {"now": now, "end": expected_end}
    await session.execute(_ADD_ASSESSED, {**_key(lease), **counts, **news, **times})


async def store_expected_end(session: Session, lease: Lease, expected_end: datetime | None) -> None:
    """Store when the run is expected to end, None if that is unknown."""
    await session.execute(_STORE_END, {**_key(lease), "end": expected_end})


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
    resume_at: datetime | None = None,
    now: datetime,
) -> None:
    """End the run, or interrupt it until `resume_at`, and end the lease. Call it in a transaction that renewed it."""
    finished = status is not Status.INTERRUPTED
    await session.execute(
        update(_table)
        .where(is_run(lease.account_id, lease.run_id))
        .values(
            status=status,
            leased_until=None,
            resume_at=resume_at,
            starts_without_progress=0,
            finished_at=now if finished else None,
            phase=_PHASE_AFTER.get(status, _table.c.phase),
            expected_end=None,
            problems=list(problems),
        )
        .returning(notice())
    )
    if finished:
        await note_change(session, lease.account_id)


async def pause_run(session: Session, lease: Lease, *, after: timedelta, now: datetime) -> None:
    """End the lease between two slices of the run; the wait counts as one for Clio. Call it after `renew`."""
    await session.execute(
        update(_table)
        .where(is_run(lease.account_id, lease.run_id))
        .values(
            leased_until=None,
            resume_at=now + after if after else None,
            waited_seconds=_table.c.waited_seconds + after.total_seconds(),
            starts_without_progress=0,
        )
    )


def _key(lease: Lease) -> dict[str, str]:
    """Return the parameters of `_THIS_RUN`."""
    return {"account": lease.account_id, "run": lease.run_id}


def _added(usage: Usage) -> dict[str, Any]:
    return {name: _table.c[name] + count for name, count in asdict(usage).items()}


_PROGRESS = (
    update(_table)
    .where(_THIS_RUN)
    .values(
        starts_without_progress=0,
        progressed_at=bindparam("now"),
        expected_end=bindparam("end"),
        **{name: _table.c[name] + bindparam(f"added_{name}") for name in _COUNTED},
    )
    .returning(notice())
)
_ADD_ASSESSED = (
    update(_table)
    .where(_THIS_RUN)
    .values(
        **{name: _table.c[name] + bindparam(f"added_{name}") for name in _COUNTED_OF_A_BATCH},
        feed_before=func.coalesce(
            _table.c.feed_before, bindparam("before", type_=_table.c.feed_before.type)
        ),
        tally=bindparam("tally", type_=_table.c.tally.type),
        expected_end=func.coalesce(
            bindparam("end", type_=_table.c.expected_end.type), _table.c.expected_end
        ),
        starts_without_progress=0,
        progressed_at=bindparam("now"),
    )
    .returning(notice())
)
