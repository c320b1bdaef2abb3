"""Do the slices of a lane by hand: in a test without workers, or one slice at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app.db.job_queue import OwnJob
from app.db.session import Database
from app.lanes import Lane
from app.sync.services import Services
from app.sync.slices import Ending, end_slice
from app.sync.worker import WORK
from tests.support.sessions import as_owner
from tests.support.waiting import PATIENCE

MANAGER = UUID(int=7)  # the manager of the jobs that tests pick
OTHER_MANAGER = UUID(int=8)  # the one that takes jobs over

_MAKE = text(
    "insert into pgqueuer (priority, status, entrypoint, dedupe_key, payload)"
    " values (0, 'queued', :lane, cast(:lane as text) || ':' || :key, :payload) on conflict do nothing"
)
_PICK = text(
    "update pgqueuer set status = 'picked', queue_manager_id = :manager, execute_after = now(),"
    " heartbeat = now() + interval '1 hour'"  # no worker takes it over while the test is slow
    " where dedupe_key = cast(:lane as text) || ':' || :key"
    " and (status = 'queued' or status = 'picked' and queue_manager_id = any(:ours)) returning id"
)


async def pick(database: Database, lane: Lane, key: str, *, manager: UUID = MANAGER) -> OwnJob:
    """Pick the job of a lane and key as a worker does, also one that is due later; make it if there is none.

    Wait for the end of a job that a worker of the service does. One that a test has picked is taken over.
    """
    ours = [MANAGER, OTHER_MANAGER]
    async with asyncio.timeout(PATIENCE):
        while True:
            async with as_owner(database) as session:
                await session.execute(
                    _MAKE, {"lane": lane.label, "key": key, "payload": key.encode()}
                )
                picked = await session.execute(
                    _PICK, {"lane": lane.label, "key": key, "manager": manager, "ours": ours}
                )
                if job_id := picked.scalar_one_or_none():
                    return OwnJob(job_id, str(manager))
            await asyncio.sleep(0.02)


async def work_on(services: Services, lane: Lane, key: str) -> Ending:
    """Do the work of a slice, but not its end."""
    return await WORK[lane](services, key)


async def do_slice(services: Services, lane: Lane, key: str = "hp") -> timedelta | None:
    """Do one slice; return after what time the next one is due, None when nothing is left."""
    job = await pick(services.database, lane, key)
    return await end_slice(services.database, lane, key, job, await work_on(services, lane, key))


async def do_slices(
    services: Services,
    lane: Lane,
    key: str = "hp",
    *,
    between: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Do slices until nothing is left, also before their time; return how many there were."""
    count = 1
    while await do_slice(services, lane, key) is not None:
        count += 1
        if between is not None:
            await between()
    return count
