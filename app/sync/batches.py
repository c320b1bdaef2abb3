"""Steps of a run that go through many rows in batches: over several slices each batch is done once."""

from collections.abc import Awaitable, Callable

from app.clio.call_budget import CallBudget
from app.db.runs import leases
from app.db.runs.leases import Lease, fenced_transaction
from app.db.session import Session
from app.sync.concurrency import check_pause
from app.sync.services import Services

Batch = Callable[[Session, int], Awaitable[int | None]]


async def do_in_batches(
    services: Services, lease: Lease, budget: CallBudget, name: str, batch: Batch
) -> None:
    """Do the batches of a step of the run that are left, each in its own transaction.

    `batch` gets the position after which to go on, 0 at first, and returns the next one, None after the last batch.
    Raises Paused between two batches when the slice is over, Stopping and RunTakenOver.
    """
    while True:
        async with fenced_transaction(services.database, lease) as session:
            after = await leases.find_position(session, lease, name)
            if after is None:
                return
            following = await batch(session, after)
            await leases.store_position(session, lease, name, following)
        if following is None:
            return
        check_pause(services.stopping, budget)
