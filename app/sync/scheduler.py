"""The scheduler: starts the runs of each slot and the regular tasks. Only this module imports apscheduler [OV-3].

A slot is `HH:MM` in the account's time zone. Which slot is due follows from the time alone, and the slot's row in the
database lets it start once. So any number of processes may propose a slot, late or twice. After an outage the newest
missed slot is run once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import blake2b
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.db import retention
from app.db.accounts import accounts
from app.db.runs import run_requests, slots
from app.db.session import transaction
from app.sync.account_erasure import requeue_lost_erasures
from app.sync.assess import finish_decided_surges
from app.sync.connections import renew_subscriptions, tell_clio_what_is_due
from app.sync.services import Services, Timing
from app.sync.supervisor import Part, Supervisor
from app.sync.writeback import maintain_outbox

CATCH_UP = timedelta(hours=6)
TICK = timedelta(seconds=20)
HOURLY = timedelta(hours=1)  # how often each process asks whether the daily deletion was done

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Slot:
    """A local date and time at which an account's run is due, once."""

    local_date: date
    label: str
    due_at: datetime


def newest_due(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> Slot | None:
    """Return the newest slot whose time has come; None if it is longer ago than `CATCH_UP`."""
    due = [slot for slot in _around(now, zone, timing, account_id) if slot.due_at <= now]
    newest = max(due, key=lambda slot: slot.due_at, default=None)
    return newest if newest is not None and now - newest.due_at < CATCH_UP else None


def next_due(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> datetime:
    """Return the time of the account's next slot."""
    return min(slot.due_at for slot in _around(now, zone, timing, account_id) if slot.due_at > now)


def _around(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> Iterator[Slot]:
    """Yield the slots of yesterday, today and tomorrow, each with the account's delay."""
    today = now.astimezone(zone).date()
    delay = _place_in_spread(account_id) * timing.slot_spread
    for days in (-1, 0, 1):
        local_date = today + timedelta(days=days)
        for label in timing.slots:
            yield Slot(local_date, label, _slot_time(local_date, label, zone) + delay)


def _place_in_spread(account_id: str) -> float:
    """Return the account's part of the spread, from 0 to 1; always the same for an account."""
    return int.from_bytes(blake2b(account_id.encode(), digest_size=4).digest()) / 2**32


def _slot_time(local_date: date, label: str, zone: ZoneInfo) -> datetime:
    """Return the time of a slot [row 31].

    Where the clock is set back the local time exists twice: the first is taken. Where the clock is set forward it may
    not exist: the next minute that exists is taken.
    """
    wall = datetime.combine(local_date, time.fromisoformat(label))
    first = wall.replace(tzinfo=zone, fold=0)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        return first.astimezone(UTC)
    minute = min(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    while minute.astimezone(zone).replace(tzinfo=None) < wall:
        minute += timedelta(minutes=1)
    return minute


async def propose_slots(services: Services) -> int:
    """Start the run of the newest due slot of every account that can be synced; return the number of runs."""
    now = services.now()
    started = 0
    async with transaction(services.database) as session:
        due = await accounts.list_scheduled(session)
    for account in due:
        slot = newest_due(now, ZoneInfo(account.time_zone), services.timing, account.account_id)
        if slot is None or slot.due_at < account.first_connected_at:
            continue
        async with transaction(services.database) as session:
            run = await slots.claim_slot(
                session, account.account_id, slot.local_date, slot.label, now=now
            )
        started += run is not None
    return started


async def delete_expired_daily(services: Services) -> bool:
    """Delete expired rows once a day, in the first process that asks; return whether this process did it."""
    now = services.now()
    async with transaction(services.database) as session:
        if not await retention.claim_daily_task(session, retention.DAILY, now.date()):
            return False
        await retention.delete_expired(session, now=now)
    log.info("expired_rows_deleted")
    return True


async def requeue_lost_runs(services: Services) -> None:
    """Queue a job for each run that has none: after a restore, or when pgqueuer dropped the job with the database."""
    async with transaction(services.database) as session:
        requeued = await run_requests.requeue_lost(session)
    if requeued:
        log.warning("lost_runs_queued", count=requeued)


async def run_scheduler(services: Services, supervisor: Supervisor, part: Part) -> None:
    """Do the regular tasks until the process must stop.

    All tasks run at once for the first time, so that missed slots are caught up.
    """
    scheduler = AsyncIOScheduler(timezone=UTC)
    for step, every in _TASKS:
        task = supervisor.add(f"clock.{step.__name__}", interval=every.total_seconds())
        scheduler.add_job(
            supervisor.complete,
            IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC),
            args=[task, partial(step, services)],
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=services.now(),
        )
    scheduler.start()
    try:
        follow = partial(follow_clock_changes, scheduler, services.now)
        await supervisor.repeat(part, follow, every=TICK.total_seconds())
    finally:
        scheduler.shutdown(wait=False)


async def follow_clock_changes(scheduler: AsyncIOScheduler, now: Callable[[], datetime]) -> None:
    """Keep the tasks regular when the system clock was set back.

    Without this a task would wait until the clock reaches its old next time, possibly for hours.
    """
    for job in scheduler.get_jobs():
        if job.next_run_time - now() > job.trigger.interval:
            job.modify(next_run_time=now())


_TASKS = (
    (propose_slots, TICK),
    (requeue_lost_runs, TICK),
    (requeue_lost_erasures, TICK),
    (tell_clio_what_is_due, TICK),
    (renew_subscriptions, TICK),
    (maintain_outbox, TICK),
    (finish_decided_surges, TICK),
    (delete_expired_daily, HOURLY),
)
