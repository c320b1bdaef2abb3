"""Queues work that is due and has no job. The scheduler calls it regularly; what a job does does not belong here."""

from collections.abc import Awaitable, Callable

import structlog

from app.db import job_queue, lost_work
from app.db.runs import turns
from app.db.session import Session, transaction
from app.lanes import ENDPOINT_DELETION, ERASURE, RUN_LANES, Lane, housekeeping_key
from app.sync.services import Services

ACCOUNTS = 1000  # of each kind of work, in one tick

log = structlog.get_logger(__name__)


async def queue_due_work(services: Services) -> None:
    """Queue runs and write-backs whose pause is over, and all work whose job was lost."""
    now = services.now()
    async with transaction(services.database) as session:
        runs = await lost_work.list_accounts_with_lost_runs(session, now=now, limit=ACCOUNTS)
        writes = await lost_work.list_accounts_with_lost_writes(session, now=now, limit=ACCOUNTS)
        erasures = await lost_work.list_lost_erasures(session, limit=ACCOUNTS)
        endpoints = await lost_work.list_deleted_endpoints(session, limit=ACCOUNTS)

    async def wake_runs(session: Session, account_id: str) -> None:
        await turns.lock_turns(session, account_id)
        await turns.wake_lanes(session, account_id, RUN_LANES, now=now)

    async def wake_writes(session: Session, account_id: str) -> None:
        await job_queue.want(session, Lane.WRITE_BACK, account_id)

    async def wake_erasure(session: Session, account_id: str) -> None:
        key = housekeeping_key(ERASURE, account_id)
        await job_queue.want(session, Lane.HOUSEKEEPING, key)

    async def wake_endpoint(session: Session, endpoint_id: str) -> None:
        key = housekeeping_key(ENDPOINT_DELETION, endpoint_id)
        await job_queue.want(session, Lane.HOUSEKEEPING, key)

    await _wake(services, runs, wake_runs)
    await _wake(services, writes, wake_writes)
    await _wake(services, erasures, wake_erasure)
    await _wake(services, endpoints, wake_endpoint)
    if found := len(runs) + len(writes) + len(erasures) + len(endpoints):
        log.info("due_work_queued", count=found)


async def _wake(
    services: Services, account_ids: list[str], wake: Callable[[Session, str], Awaitable[None]]
) -> None:
    """Wake each account's work in a transaction of its own, which holds locks only for a moment."""
    for account_id in account_ids:
        async with transaction(services.database) as session:
            await wake(session, account_id)
