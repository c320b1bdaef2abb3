"""The end of a slice: how one bounded piece of background work gives way to the next.

A slice works for some seconds and commits its progress as it goes. Its last transaction deletes its own job, stores
what is left of its progress, reads what is left to do, and queues the next slice at the end of the queue. Nothing
follows that transaction: as soon as the job is gone, its place counts as free. What the work is does not belong here.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.db import job_queue
from app.db.job_queue import OwnJob
from app.db.session import Database, Session, transaction
from app.db.system import system_transaction
from app.lanes import Lane

log = structlog.get_logger(__name__)


async def _lock_nothing(session: Session) -> None:
    pass


async def _abandon_nothing() -> None:
    pass


@dataclass(frozen=True)
class Ending:
    """The last transaction of a slice.

    It belongs to the account, or to none: that of deliveries, retention and erasures. `finish` stores the progress and
    returns after what time work is left to do, None when there is none. `lock` takes the locks that come before the
    job's. `abandon` gives back what the slice holds, if the database was lost in it: the slice is done again, maybe by
    another process.
    """

    account_id: str | None

    finish: Callable[[Session], Awaitable[timedelta | None]]
    lock: Callable[[Session], Awaitable[None]] = _lock_nothing
    abandon: Callable[[], Awaitable[None]] = _abandon_nothing

    @classmethod
    def after(cls, after: timedelta | None) -> "Ending":
        """Return the ending of work that stores its progress itself, and that goes on after a time."""

        async def finish(session: Session) -> timedelta | None:
            return after

        return cls(None, finish)

    @classmethod
    def when_due(
        cls,
        account_id: str,
        next_due: Callable[[Session], Awaitable[datetime | None]],
        now: Callable[[], datetime],
    ) -> "Ending":
        """Return the ending of work whose rows say when it is due next."""

        async def finish(session: Session) -> timedelta | None:
            due_at = await next_due(session)
            return None if due_at is None else max(due_at - now(), timedelta(0))

        return cls(account_id, finish)

    def transaction(self, database: Database) -> AbstractAsyncContextManager[Session]:
        """Open the transaction."""
        if self.account_id is None:
            return system_transaction(database)
        return transaction(database, self.account_id)


async def end_slice(
    database: Database, lane: Lane, key: str, job: OwnJob, ending: Ending
) -> timedelta | None:
    """End a slice in one transaction; return after what time the next one is due, None when nothing is left.

    Writes nothing if the job belongs to another worker meanwhile: then the work does too.
    """
    async with ending.transaction(database) as session:
        await ending.lock(session)
        if not await job_queue.delete_own_job(session, job):
            log.warning("slice_taken_over", lane=lane.label)
            return None
        after = await ending.finish(session)
        if after is not None:
            await job_queue.want_later(session, lane, key, after=after)
        return after
