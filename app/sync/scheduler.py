"""The scheduler: starts the runs of each slot and the regular tasks. Only this module imports apscheduler [OV-3].

Which slot is due follows from the time alone (`app/sync/slot_times.py`), and the slot's row in the database lets it
start once (`app/db/runs/slots.py`). So any number of processes may propose a slot, late or twice. After an outage the
newest missed slot is run once.

A task that finds nothing to do costs one look at an index: no task reads all accounts, runs or activities. No task
calls Clio: such work is queued as slices (`app/sync/lost_work.py`).
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.db import job_queue, retention
from app.db.accounts import accounts, looks
from app.db.accounts.accounts import ScheduledAccount
from app.db.accounts.looks import Look, Task
from app.db.runs import slots
from app.db.session import transaction
from app.db.system import system_transaction
from app.errors import DatabaseUnavailable
from app.lanes import RETENTION, Lane, housekeeping_key
from app.sync.assess import finish_decided_holds
from app.sync.connections import decline_unanswered, give_up_reconnects
from app.sync.health import refresh_health
from app.sync.lost_work import queue_due_work
from app.sync.services import Services
from app.sync.slot_times import newest_due, next_due, zone_of
from app.sync.supervisor import Part, Supervisor, Turn
from app.sync.upgrades import start_upgrades
from app.sync.writeback import maintain_outbox

SLOT_BATCH = (
    1000  # accounts whose slots are stored, and slots whose runs start or have ended, in one tick
)
TICK = timedelta(seconds=20)
FOLLOW_SECONDS = 2.0  # between two looks at the system clock
MINUTE = timedelta(minutes=1)
HOURLY = timedelta(hours=1)  # how often each process asks whether the daily deletion was done

log = structlog.get_logger(__name__)


async def propose_slots(services: Services) -> int:
    """Store the slots that are due, and start the runs of the open ones that have none; return how many were started.

    A fault in one account must not keep the others from their slots.
    """
    await _claim_due_slots(services)
    now = services.now()
    async with system_transaction(services.database) as session:
        open_slots = await slots.list_startable(session, now=now, limit=SLOT_BATCH)
    started = 0
    for account_id, slot in open_slots:
        with _faults_logged(account_id):
            async with transaction(services.database, account_id) as session:
                started += await slots.start(session, account_id, slot, now=now) is not None
    return started


async def _claim_due_slots(services: Services) -> None:
    """Store the newest due slot of the accounts that are due, and put them off until their next slot.

    An account in which that fails stays due.
    """
    now = services.now()
    async with system_transaction(services.database) as session:
        due = await looks.list_due(session, Task.SLOTS, now=now, limit=SLOT_BATCH)
        if not due:
            return
        account_ids = [look.account_id for look in due]
        await slots.settle(session, account_ids)  # what the previous release did not settle
        found = await accounts.list_scheduled(session, account_ids)
    next_times: dict[Look, datetime] = {}
    for look in due:
        if account := found.get(look.account_id):
            with _faults_logged(account.account_id):
                next_times[look] = await _claim(services, account, now=now)
    async with system_transaction(services.database) as session:
        await looks.put_off(session, Task.SLOTS, next_times, now=now)


async def _claim(services: Services, account: ScheduledAccount, *, now: datetime) -> datetime:
    """Store the account's newest due slot, if it has one that is not stored; return when its next one is due."""
    zone, account_id = zone_of(account.time_zone), account.account_id
    slot = newest_due(now, zone, services.timing, account_id)
    if slot is not None and account.lacks_slot_of(slot.due_at):
        async with transaction(services.database, account_id) as session:
            await slots.claim(session, account_id, slot, now=now)
    return next_due(now, zone, services.timing, account_id)


@contextmanager
def _faults_logged(account_id: str) -> Iterator[None]:
    """Log a fault in the slot of one account and go on; without the database nothing can go on."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("slot_crashed", account_id=account_id)


async def delete_expired_daily(services: Services) -> None:
    """Queue the deletion of expired rows once a day, of each table as a job of its own."""
    today = services.now().date()
    async with system_transaction(services.database) as session:
        if not await retention.claim_daily_task(session, retention.DAILY, today):
            return
        for name in retention.TABLES:
            key = housekeeping_key(RETENTION, name)
            await job_queue.want(session, Lane.HOUSEKEEPING, key)
    log.info("retention_queued")


async def run_scheduler(services: Services, supervisor: Supervisor, part: Part) -> None:
    """Do the regular tasks until the process must stop.

    All tasks run at once for the first time, so that missed slots are caught up.
    """
    scheduler = AsyncIOScheduler(timezone=UTC)
    for step, every in _TASKS:
        task = supervisor.add(f"clock.{step.__name__}", interval=every.total_seconds())
        scheduler.add_job(
            _complete,
            IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC),
            args=[supervisor, task, partial(step, services)],
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=services.now(),
        )
    scheduler.start()
    try:
        follow = partial(follow_clock_changes, scheduler, services.now)
        await supervisor.repeat(part, follow, every=FOLLOW_SECONDS)
    finally:
        scheduler.shutdown(wait=False)


async def _complete(supervisor: Supervisor, task: Part, turn: Turn) -> None:
    """Do a task until it succeeds. The scheduler cancels it when it is shut down, which is no error."""
    with suppress(asyncio.CancelledError):
        await supervisor.complete(task, turn)


async def follow_clock_changes(scheduler: AsyncIOScheduler, now: Callable[[], datetime]) -> None:
    """Keep the tasks regular when the system clock was set back.

    Without this a task would wait until the clock reaches its old next time, possibly for hours.
    """
    for job in scheduler.get_jobs():
        if job.next_run_time - now() > job.trigger.interval:
            job.modify(next_run_time=now())


_TASKS = (
    (propose_slots, TICK),
    (queue_due_work, TICK),
    (give_up_reconnects, MINUTE),
    (decline_unanswered, MINUTE),
    (start_upgrades, MINUTE),
    (maintain_outbox, TICK),
    (finish_decided_holds, TICK),
    (refresh_health, TICK),
    (delete_expired_daily, HOURLY),
)
