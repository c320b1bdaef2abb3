"""Adds jobs to the queue in the caller's transaction: a job is queued if and only if the transaction commits."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import asyncpg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import text

from app.db.connection import Address, new_pool
from app.db.session import Session

RUN = "run"
WRITEBACK = "writeback"
SWEEP = "sweep"
ERASURE = "erasure"
KINDS = (RUN, WRITEBACK, SWEEP, ERASURE)
COUNTED_JOBS = 10_000  # so that measuring a long queue stays cheap


def worker_pool(address: Address) -> "asyncpg.pool.Pool[asyncpg.Record]":
    """Return the worker's own database connections: it listens, so it cannot share those of the service."""
    return new_pool(address, deadline=20, kept=2, most=4)


async def enqueue_run(
    session: Session, account_id: str, run_id: str, *, after: timedelta = timedelta(0)
) -> None:
    """Queue a run; at most one job waits or works for a run."""
    payload = json.dumps({"account_id": account_id, "run_id": run_id}).encode()
    await (await _queries(session)).enqueue(
        RUN, payload, execute_after=after, dedupe_key=f"run:{run_id}", on_conflict="skip"
    )


async def start_delayed_runs(session: Session, account_id: str) -> None:
    """Let delayed runs of an account that have not begun start now."""
    await session.execute(
        text(
            "update pgqueuer set execute_after = now()"
            " where status = 'queued' and execute_after > now() and dedupe_key in"
            " (select 'run:' || run_id from runs where account_id = :account and status = 'queued')"
        ),
        {"account": account_id},
    )


async def enqueue_writeback(
    session: Session, account_id: str, clio_contact_id: int, activity_id: str
) -> None:
    """Queue the writing of a contact's activities: a new job each time, so that no activity is missed."""
    await enqueue_writebacks(session, [(account_id, clio_contact_id, activity_id)])


async def enqueue_writebacks(session: Session, activities: Sequence[tuple[str, int, str]]) -> None:
    """Queue the writing of many activities with one statement; each is an account, a contact and an activity."""
    if not activities:
        return
    await (await _queries(session)).enqueue(
        [WRITEBACK] * len(activities),
        [
            json.dumps({"account_id": account_id, "clio_contact_id": contact_id}).encode()
            for account_id, contact_id, _ in activities
        ],
        [0] * len(activities),
        dedupe_key=[f"writeback:{id_}:{secrets.token_hex(4)}" for *_, id_ in activities],
    )


async def enqueue_sweep(session: Session, account_id: str) -> None:
    """Queue the verification of an account's written activities; at most one job waits or works for it."""
    payload = json.dumps({"account_id": account_id}).encode()
    await (await _queries(session)).enqueue(
        SWEEP, payload, dedupe_key=f"sweep:{account_id}", on_conflict="skip"
    )


async def enqueue_erasure(session: Session, account_id: str, erasure_id: str) -> None:
    """Queue the erasure of an account; at most one job waits or works for it."""
    payload = json.dumps({"account_id": account_id, "erasure_id": erasure_id}).encode()
    await (await _queries(session)).enqueue(
        ERASURE, payload, dedupe_key=f"erasure:{erasure_id}", on_conflict="skip"
    )


async def delete_jobs(session: Session, account_id: str) -> None:
    """Delete the waiting jobs of an account."""
    await session.execute(
        text(
            "delete from pgqueuer where status = 'queued'"
            " and convert_from(payload, 'UTF8')::jsonb ->> 'account_id' = :account"
        ),
        {"account": account_id},
    )


@dataclass(frozen=True)
class QueueSize:
    """The due jobs of one kind that wait: how many, at most `COUNTED_JOBS`, and for how long the oldest waits."""

    jobs: int
    oldest_seconds: float


async def measure(session: Session) -> dict[str, QueueSize]:
    """Return the size of the queue by kind of job."""
    return {kind: await _measure_one(session, kind) for kind in KINDS}


async def _measure_one(session: Session, kind: str) -> QueueSize:
    query = text(
        "select count(*), coalesce(extract(epoch from clock_timestamp() - min(execute_after)), 0)"
        " from (select execute_after from pgqueuer where entrypoint = :kind"
        " and status = 'queued' and execute_after <= now() limit :most) due"
    )
    row = (await session.execute(query, {"kind": kind, "most": COUNTED_JOBS})).one()
    return QueueSize(row[0], max(0.0, float(row[1])))


async def _queries(session: Session) -> Queries:
    raw = (await session.get_raw_connection()).driver_connection
    return Queries(AsyncpgDriver(cast(asyncpg.Connection, raw)))
