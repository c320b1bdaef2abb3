"""Queues work that is due and has no job. The scheduler calls it regularly; what a job does does not belong here."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import structlog

from app.db import job_queue, lost_work
from app.db.runs import turns
from app.db.session import Session, transaction
from app.db.system import system_transaction
from app.lanes import RUN_LANES, Lane
from app.sync.services import Services

ACCOUNTS = 1000  # of each kind of work, in one tick

log = structlog.get_logger(__name__)


async def queue_due_work(services: Services) -> None:
    """Queue work whose pause is over or whose time has come, and all work whose job was lost."""
    now = services.now()
    async with system_transaction(services.database) as session:
        runs = await lost_work.list_accounts_with_lost_runs(session, now=now, limit=ACCOUNTS)
        writes = await lost_work.list_accounts_with_lost_writes(session, now=now, limit=ACCOUNTS)
        tasks = await lost_work.list_lost_housekeeping(session, now=now, limit=ACCOUNTS)

    async def wake_runs(session: Session, account_id: str) -> None:
        await turns.lock_turns(session, account_id)
        await turns.wake_lanes(session, account_id, RUN_LANES, now=now)

    async def wake_writes(session: Session, account_id: str) -> None:
        await job_queue.want(session, Lane.WRITE_BACK, account_id)

    async def wake_task(session: Session, key: str) -> None:
        await job_queue.want(session, Lane.HOUSEKEEPING, key)

    of_account, of_all = (
        partial(transaction, services.database),
        partial(system_transaction, services.database),
    )
    await _wake(runs, of_account, wake_runs)
    await _wake(writes, of_account, wake_writes)
    await _wake(tasks, lambda _: of_all(), wake_task)
    if found := len(runs) + len(writes) + len(tasks):
        log.info("due_work_queued", count=found)


async def _wake(
    keys: list[str],
    opened: Callable[[str], AbstractAsyncContextManager[Session]],
    wake: Callable[[Session, str], Awaitable[None]],
) -> None:
    """Wake the work of each key in a transaction of its own, which holds locks only for a moment."""
    for key in keys:
        async with opened(key) as session:
            await wake(session, key)
