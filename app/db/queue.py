"""Puts work into the queue inside the caller's transaction: it is queued if and only if that commits."""

import json
from datetime import timedelta
from typing import cast

import asyncpg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from app.db.session import Session

RUN = "run"


def worker_pool(dsn: str) -> "asyncpg.pool.Pool[asyncpg.Record]":
    """The worker's own few database connections: it listens, so it cannot share the service's."""
    return asyncpg.create_pool(dsn, min_size=2, max_size=4, command_timeout=60, timeout=10)


async def enqueue_run(
    session: Session, account_id: str, run_id: str, *, after: timedelta = timedelta(0)
) -> None:
    """Queue one pass over an account; at most one job waits or works for a run."""
    raw = (await session.get_raw_connection()).driver_connection
    queries = Queries(AsyncpgDriver(cast(asyncpg.Connection, raw)))
    payload = json.dumps({"account_id": account_id, "run_id": run_id}).encode()
    await queries.enqueue(
        RUN, payload, execute_after=after, dedupe_key=f"run:{run_id}", on_conflict="skip"
    )
