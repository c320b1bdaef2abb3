"""Finds work that is due and has no job: its pause is over, its job failed, or the queue was lost in a restore.

The clock queues what is found here (`app/sync/lost_work.py`). Each statement returns a limited number of accounts.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)

from app.db import job_queue
from app.db.outbox.waiting import CAN_BE_SENT
from app.db.runs import tables
from app.db.runs.runs import ASSESSING, UNFINISHED, Kind, Status, Trigger, lane_of, reads_no_lists
from app.db.session import Session
from app.lanes import (
    DEAUTHORISATION,
    ENDPOINT_DELETION,
    ERASURE,
    SUBSCRIPTIONS,
    Lane,
    housekeeping_key,
)

_runs = tables.runs
_LABELS = case(
    *(
        (
            and_(_runs.c.kind == kind, _runs.c.trigger == trigger),
            literal(lane_of(kind, trigger).label),
        )
        for kind in Kind
        for trigger in Trigger
    )
)


async def list_accounts_with_lost_runs(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Return accounts with a run that can be worked on, whose lane has no job. `run_order` says which runs can."""
    line = _line().subquery()
    has_turn = (line.c.reads_no_lists | (line.c.place == 1)) & ~line.c.must_wait
    can_begin = has_turn & _is_past(line.c.resume_at, now)
    is_free = _is_past(line.c.busy_until, func.clock_timestamp())
    has_job = job_queue.has_job("lane || ':' || account_id")
    lost = (
        select(line.c.account_id)
        .distinct()
        .where(can_begin, is_free, text(f"not {has_job}"))
        .order_by(line.c.account_id)
        .limit(limit)
    )
    return list((await session.execute(lost)).scalars())


def _line() -> Select[Any]:
    """Select the unfinished runs: `place` is the place among those of the account that read lists.

    Until `busy_until` a worker may have a run of the account. A rederive run must wait as `run_order` says.
    """
    assesses = func.coalesce(_runs.c.phase == ASSESSING, False)
    rederives, upgrades = _runs.c.kind == Kind.REDERIVE, _runs.c.trigger == Trigger.UPGRADE
    must_wait = case(
        (upgrades, _others((assesses | rederives) & ~upgrades) > 0),
        else_=rederives & (_others(assesses & ~upgrades) > 0),
    )
    place = func.row_number().over(
        partition_by=(_runs.c.account_id, reads_no_lists()),
        order_by=(_runs.c.status == Status.QUEUED, _runs.c.run_id),
    )
    return select(
        _runs.c.account_id,
        _runs.c.resume_at,
        func.max(_runs.c.leased_until).over(partition_by=_runs.c.account_id).label("busy_until"),
        _LABELS.label("lane"),
        reads_no_lists().label("reads_no_lists"),
        place.label("place"),
        must_wait.label("must_wait"),
    ).where(_runs.c.status.in_(UNFINISHED))


def _others(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Return how many other unfinished runs of the account meet a condition."""
    found = func.count().filter(condition).over(partition_by=_runs.c.account_id)
    return found - cast(condition, Integer)


def _is_past(column: ColumnElement[Any], moment: Any) -> ColumnElement[bool]:
    return or_(column.is_(None), column <= moment)


async def list_accounts_with_lost_writes(
    session: Session, *, now: datetime, limit: int
) -> list[str]:
    """Return enabled accounts with an activity that can be sent and no job in the lane of write-back."""
    query = text(
        "with recursive waiting as (("  # noqa: S608  # our own text
        f" {_FIRST_ACCOUNT} order by account_id limit 1)"
        " union all"
        f" select ({_FIRST_ACCOUNT} and account_id > w.account_id order by account_id limit 1)"
        "  from waiting w where w.account_id is not null)"
        f" select account_id from waiting where not {job_queue.has_job(_WRITE_BACK_KEY)}"
        " and exists (select from accounts where account_id = waiting.account_id and enabled)"
        f" and exists (select from activity_turns t where t.account_id = waiting.account_id and {CAN_BE_SENT})"
        " order by account_id limit :limit"
    )
    found = await session.execute(query, {"now": now, "limit": limit})
    return list(found.scalars())


async def list_lost_housekeeping(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Return the keys of the tasks that are due and have no job, at most `limit` of each task.

    They are erasures with rows left to delete, revocations, subscriptions, and webhook endpoints that were deleted.
    """
    keys: list[str] = []
    for task, query in _LOST_TASKS.items():
        found = await session.execute(text(query), {"now": now, "limit": limit})
        keys += [housekeeping_key(task, subject) for subject in found.scalars()]
    return keys


def _has_task(task: str, subject: str = "account_id") -> str:
    """Return the condition that a subject has a job of a task; it is looked up for each row, by its key.

    Without the inner `select`, PostgreSQL may read the whole queue instead.
    """
    key = f"{Lane.HOUSEKEEPING.label}:{housekeeping_key(task, '')}"
    has_job = job_queue.has_job(f"'{key}' || {subject}")
    return f"(select {has_job})"  # our own text


def _lost_rows(task: str, table: str) -> str:
    """Return the query for the accounts of due rows. `limit` counts rows: an account has more than one."""
    return (
        "select distinct account_id from"  # noqa: S608  # our own text
        f" (select account_id from {table} where due_at <= :now and not {_has_task(task)}"
        "  order by due_at limit :limit) due order by account_id"
    )


_LOST_TASKS = {
    ERASURE: (
        "select account_id from erasures e where finished_at is null"  # noqa: S608  # our own text
        f" and not {_has_task(ERASURE)}"
        " and (exists (select from accounts a where a.account_id = e.account_id)"
        "  or not exists (select from revocations r where r.account_id = e.account_id))"
        " order by account_id limit :limit"
    ),
    DEAUTHORISATION: _lost_rows(DEAUTHORISATION, "revocations"),
    SUBSCRIPTIONS: _lost_rows(SUBSCRIPTIONS, "subscriptions"),
    ENDPOINT_DELETION: (
        "select endpoint_id from webhook_endpoints where deleted_at is not null"  # noqa: S608  # our own text
        f" and not {_has_task(ENDPOINT_DELETION, 'endpoint_id')} order by endpoint_id limit :limit"
    ),
}
_WRITE_BACK_KEY = f"'{Lane.WRITE_BACK.label}:' || account_id"
_FIRST_ACCOUNT = "select account_id from activity_turns where ready_at is not null"
