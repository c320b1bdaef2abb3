"""The clock: proposes slots to the database, whose slot row decides. The only import of apscheduler [OV-3].

A slot is `HH:MM` in the account's time zone. What is due follows from the time alone, so that any number of
processes may propose, late or twice, and after an outage the newest missed slot is caught up once.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import TypeAlias
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.db import retention
from app.db.accounts import accounts
from app.db.runs import runs, slots
from app.db.session import transaction
from app.sync.assess.holds import finish
from app.sync.connections.clio_webhooks import keep_up
from app.sync.services import Services, Timing
from app.sync.writeback.verify import tend

CATCH_UP = timedelta(hours=6)
TICK = timedelta(seconds=20)
LATE = 3 * TICK  # a tick that is overdue for so long will not come

SlotClock: TypeAlias = AsyncIOScheduler
HOURLY = timedelta(hours=1)  # how often each process asks whether the day's chore is done

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Slot:
    """A local date and time at which an account's run is due, once."""

    local_date: date
    label: str
    due_at: datetime


def newest_due(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> Slot | None:
    """The newest slot whose time has come, unless that is longer ago than we catch up."""
    due = [slot for slot in _around(now, zone, timing, account_id) if slot.due_at <= now]
    newest = max(due, key=lambda slot: slot.due_at, default=None)
    return newest if newest is not None and now - newest.due_at < CATCH_UP else None


def next_due(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> datetime:
    """When the next slot comes."""
    return min(slot.due_at for slot in _around(now, zone, timing, account_id) if slot.due_at > now)


def _around(now: datetime, zone: ZoneInfo, timing: Timing, account_id: str) -> Iterator[Slot]:
    """The slots of yesterday, today and tomorrow, each at its place in the spread."""
    today = now.astimezone(zone).date()
    delay = _share(account_id) * timing.slot_spread
    for days in (-1, 0, 1):
        local_date = today + timedelta(days=days)
        for label in timing.slots:
            yield Slot(local_date, label, _instant(local_date, label, zone) + delay)


def _share(account_id: str) -> float:
    """Where in the spread an account stands, from 0 to 1: always the same place."""
    return int.from_bytes(blake2b(account_id.encode(), digest_size=4).digest()) / 2**32


def _instant(local_date: date, label: str, zone: ZoneInfo) -> datetime:
    """When the slot is: the first of two where the clock is set back, else the next minute that exists [row 31]."""
    wall = datetime.combine(local_date, time.fromisoformat(label))
    first = wall.replace(tzinfo=zone, fold=0)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        return first.astimezone(UTC)
    minute = min(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    while minute.astimezone(zone).replace(tzinfo=None) < wall:
        minute += timedelta(minutes=1)
    return minute


async def propose(services: Services) -> int:
    """Propose the newest due slot of every account that can be synced; answers how many runs that started."""
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


async def tidy_daily(services: Services) -> bool:
    """Once a day, by whichever process asks first, forget what is over; answers whether it was this one."""
    now = services.now()
    async with transaction(services.database) as session:
        if not await retention.claim(session, retention.DAILY, now.date()):
            return False
        await retention.tidy(session, now=now)
    log.info("tidied")
    return True


async def take_up_lost(services: Services) -> None:
    """Runs that lost their job go on: after a restore, or when the database was lost as the job was handed back."""
    async with transaction(services.database) as session:
        requeued = await runs.requeue_lost(session)
    if requeued:
        log.warning("lost_runs_queued", count=requeued)


def start_clock(services: Services) -> SlotClock:
    """Start the clock in this process's loop; the caller shuts it down. The first tick, at once, is the catch-up."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    for step, every in _STEPS:
        scheduler.add_job(
            step,
            IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC),
            args=[services],
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=services.now(),
        )
    scheduler.start()
    return scheduler


async def set_right(services: Services, clock: SlotClock) -> None:
    """Until the process must end: where the date was set back, the next ticks come all the same, not hours later."""
    while not services.stopping.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK.total_seconds()):
                await services.stopping.wait()
        now = services.now()
        for job in clock.get_jobs():
            if job.next_run_time - now > job.trigger.interval:
                job.modify(next_run_time=now)


_STEPS = (
    *((propose, TICK), (take_up_lost, TICK), (keep_up, TICK), (tend, TICK), (finish, TICK)),
    (tidy_daily, HOURLY),
)


def ticks(clock: SlotClock, *, now: datetime) -> bool:
    """Whether the clock goes on: its next tick is not long overdue."""
    return all(job.next_run_time and now - job.next_run_time < LATE for job in clock.get_jobs())
