"""The syncs of an account in numbers, for each half of a day in its time zone: a chart needs no more, however many."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, literal, select

from app.db.ids import ids_since
from app.db.runs import tables
from app.db.runs.runs import Status
from app.db.session import Session

_runs = tables.runs
READING = ("initial", "incremental", "full", "coverage")  # the kinds of runs that read Clio's lists


@dataclass(frozen=True)
class HalfDay:
    """The syncs that ended in the first or second half of a day; `longest` is the longest one in seconds."""

    day: date
    is_evening: bool
    syncs: int
    failed: int
    longest: float
    changed: int


async def count_half_days(
    session: Session, account_id: str, zone: str, *, since: datetime
) -> list[HalfDay]:
    """Return the ended syncs that were requested since a moment, in the order of time."""
    local = func.timezone(literal(zone), _runs.c.finished_at)
    day, evening = (
        func.date(local).label("day"),
        (func.extract("hour", local) >= 12).label("evening"),
    )
    took = func.extract("epoch", _runs.c.finished_at - _runs.c.started_at)
    failed = func.sum(case((_runs.c.status == Status.FAILED, 1), else_=0))
    rows = await session.execute(
        select(day, evening, func.count(), failed, func.max(took), func.sum(_runs.c.changed))
        .where(_runs.c.account_id == account_id, _runs.c.run_id >= ids_since("run", since))
        .where(_runs.c.kind.in_(READING), _runs.c.started_at.is_not(None))
        .where(_runs.c.status.in_((Status.SUCCEEDED, Status.FAILED)))
        .group_by(day, evening)
        .order_by(day, evening)
    )
    return [
        HalfDay(day, bool(evening), n, failures, float(longest or 0), changed or 0)
        for day, evening, n, failures, longest, changed in rows
    ]
