"""The queue: at most one job of each lane and key is queued or at work. A job stands for one slice of the work.

A job has no content but its key: the account of a run or a write-back, or a task and its subject. The rows of the work
say what is left to do. Everything happens in the caller's transaction, so a job is queued if and only if it commits.

No wake-up is lost, because whoever adds work and whoever ends a slice lock the same row: `want` locks the job that
exists, and the end of a slice deletes it first (`delete_own_job`) and reads what is left afterwards.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import asyncpg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import text

from app.db.connection import Address, new_pool
from app.db.session import Session
from app.lanes import SUBSCRIPTIONS, Lane, housekeeping_key

EARLIER_JOBS = ("run", "writeback", "sweep", "erasure")  # jobs of the previous release
COUNTED_JOBS = 10_000  # so that measuring a long queue stays cheap
LONGEST_DELAY = timedelta(seconds=75)  # of a job, longer than a window of Clio's rate limit
FIRST_SLICE = 1  # the priority of new work: it goes before the later slices of long work
LATER_SLICE = 0


@dataclass(frozen=True)
class OwnJob:
    """The job that a worker does; `manager_id` is lost to another worker if this one does not report for too long."""

    job_id: int
    manager_id: str


def worker_pool(address: Address) -> "asyncpg.pool.Pool[asyncpg.Record]":
    """Return the worker's own database connections: it listens, so it cannot share those of the service."""
    # It opens its connections as soon as they are needed: the database may be away when the process starts.
    return new_pool(address, deadline=20, kept=0, most=4)


async def want(session: Session, lane: Lane, key: str) -> None:
    """Have work done in a lane as soon as a place is free. Call it in the transaction that adds the work.

    A job that is due later is replaced, because a change of its time would wake no worker; it keeps its priority. It is
    looked for when the job is locked: until then the end of a slice may queue one.
    """
    found = {"key": _dedupe_key(lane, key)}
    exists = (await session.execute(_HAS_JOB, found)).scalar_one()
    await _enqueue(session, lane, key, priority=LATER_SLICE if exists else FIRST_SLICE)
    delayed = (await session.execute(_DELETE_DELAYED, found)).scalar_one_or_none()
    if delayed is not None:
        await _enqueue(session, lane, key, priority=delayed)


async def want_later(
    session: Session, lane: Lane, key: str, *, after: timedelta, is_new: bool = False
) -> None:
    """Have the rest of some work done after a time, or new work. A job that exists stays as it is.

    Does nothing for times above `LONGEST_DELAY`: the rows of the work say when it is due, and the clock reads them.
    """
    if after <= LONGEST_DELAY:
        priority = FIRST_SLICE if is_new else LATER_SLICE
        await _enqueue(session, lane, key, priority=priority, after=after)


async def _enqueue(
    session: Session, lane: Lane, key: str, *, priority: int, after: timedelta = timedelta(0)
) -> None:
    """Queue a job. One that exists stays, but is locked: whoever does it cannot end before this transaction."""
    raw = (await session.get_raw_connection()).driver_connection
    queries = Queries(AsyncpgDriver(cast(asyncpg.Connection, raw)))
    await queries.enqueue(
        lane.label,
        key.encode(),
        priority,
        execute_after=max(after, timedelta(0)),
        dedupe_key=_dedupe_key(lane, key),
        on_conflict="update_priority",
    )


async def delete_own_job(session: Session, job: OwnJob) -> bool:
    """Delete the job that the caller does; return False if it belongs to another worker meanwhile."""
    deleted = await session.execute(
        text("delete from pgqueuer where id = :id and queue_manager_id = cast(:manager as uuid)"),
        {"id": job.job_id, "manager": job.manager_id},
    )
    return deleted.rowcount == 1


async def delete_jobs(session: Session, account_id: str) -> None:
    """Delete the waiting jobs of an account that is erased. Its revocations outlive it, and so does their job."""
    keys = [_dedupe_key(lane, account_id) for lane in Lane]
    keys.append(_dedupe_key(Lane.HOUSEKEEPING, housekeeping_key(SUBSCRIPTIONS, account_id)))
    await session.execute(
        text("delete from pgqueuer where status = 'queued' and dedupe_key = any(:keys)"),
        {"keys": keys},
    )


@dataclass(frozen=True)
class QueueSize:
    """The due jobs of one lane that wait: how many, at most `COUNTED_JOBS`, and for how long the oldest waits."""

    jobs: int
    oldest_seconds: float


async def measure(session: Session) -> dict[str, QueueSize]:
    """Return the size of the queue by lane."""
    lanes = {"lanes": [lane.label for lane in Lane], "most": COUNTED_JOBS}
    rows = await session.execute(_MEASURE, lanes)
    return {lane: QueueSize(jobs, max(0.0, float(oldest))) for lane, jobs, oldest in rows}


def has_job(dedupe_key: str, *, also: str = "true") -> str:
    """Return the SQL condition that a job with this key, `lane:key` as an SQL expression, is queued or at work."""
    job = f"dedupe_key = {dedupe_key} and status in ('queued', 'picked') and {also}"
    return f"exists (select from pgqueuer where {job})"  # our own text


def _dedupe_key(lane: Lane, key: str) -> str:
    return f"{lane.label}:{key}"


_HAS_JOB = text(f"select {has_job(':key')}")  # our own text
_DELETE_DELAYED = text(
    "delete from pgqueuer where dedupe_key = :key and status = 'queued'"
    " and execute_after > clock_timestamp() returning priority"
)
_MEASURE = text(
    "select lane, jobs, oldest from unnest(cast(:lanes as text[])) lane, lateral ("
    " select count(*) jobs, coalesce(extract(epoch from clock_timestamp() - min(execute_after)), 0) oldest"
    " from (select execute_after from pgqueuer where entrypoint = lane"
    " and status = 'queued' and execute_after <= now() limit :most) due) measured"
)
