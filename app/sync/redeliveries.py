"""One slice of a redelivery: makes old deliveries of a webhook endpoint pending again, some at a time.

All that a slice needs is in the key of its job, also where it goes on.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.db import job_queue
from app.db.events import redeliveries
from app.db.session import Session
from app.db.system import system_transaction
from app.lanes import REDELIVERY, Lane, housekeeping_key
from app.sync.services import Services
from app.sync.slices import Ending

BATCH_SIZE = 500  # deliveries that one transaction reads


@dataclass(frozen=True)
class Redelivery:
    """What is sent again: deliveries between two ids, in time, that had this status at the request; empty for any."""

    endpoint_id: str
    after: str
    before: str
    status: str
    requested: int  # in milliseconds

    @classmethod
    def between(
        cls, endpoint_id: str, since: datetime, until: datetime, status: str, *, now: datetime
    ) -> "Redelivery":
        """Return the redelivery of events of these times. Nothing later than the request is sent again."""
        after, before = redeliveries.first_id(since), redeliveries.first_id(min(until, now))
        return cls(endpoint_id, after, before, status, int(now.timestamp() * 1000))

    @classmethod
    def of_key(cls, subject: str) -> "Redelivery":
        """Return the redelivery of a job."""
        endpoint_id, after, before, status, requested = subject.split(":")
        return cls(endpoint_id, after, before, status, int(requested))

    @property
    def key(self) -> str:
        """The key of its job."""
        parts = (self.endpoint_id, self.after, self.before, self.status, str(self.requested))
        return housekeeping_key(REDELIVERY, ":".join(parts))


async def request_redelivery(session: Session, wanted: Redelivery) -> None:
    """Have the deliveries sent again; call it in the transaction of the request."""
    await job_queue.want(session, Lane.HOUSEKEEPING, wanted.key)


async def redeliver_some(services: Services, subject: str) -> Ending:
    """Make deliveries pending for one slice; what is left is a job of its own, which begins where this one ends."""
    budget, wanted = services.open_budget(), Redelivery.of_key(subject)
    at = datetime.fromtimestamp(wanted.requested / 1000, UTC)
    while not budget.is_spent() and not services.stopping.is_set():
        page = redeliveries.Page(wanted.endpoint_id, wanted.after, wanted.before, wanted.status)
        async with system_transaction(services.database) as session:
            last = await redeliveries.redeliver_page(
                session, page, limit=BATCH_SIZE, requested_at=at, now=services.now()
            )
        if last is None:
            return Ending.after(None)
        wanted = replace(wanted, after=last)

    async def finish(session: Session) -> timedelta | None:
        if wanted.key == housekeeping_key(REDELIVERY, subject):
            return timedelta(0)
        await request_redelivery(session, wanted)
        return None

    return Ending(None, finish)
