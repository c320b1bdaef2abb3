"""One slice of the deletion of a webhook endpoint: deletes its deliveries for a few seconds, and last its row."""

from datetime import timedelta

from app.db import deleted_endpoints
from app.db.system import system_transaction
from app.sync.services import Services
from app.sync.slices import Ending

BATCH_SIZE = 1000  # deliveries that one transaction deletes
TRY_AGAIN = timedelta(seconds=5)  # when retention, or one that stores events, has the rest


async def delete_endpoint_rows(services: Services, endpoint_id: str) -> Ending:
    """Delete the deliveries of a deleted endpoint for one slice, and its row when none is left.

    Returns how the slice ends. Each batch has its own transaction.
    """
    budget = services.open_budget()
    while not budget.is_spent() and not services.stopping.is_set():
        async with system_transaction(services.database) as session:
            if await deleted_endpoints.delete_some_deliveries(
                session, endpoint_id, limit=BATCH_SIZE
            ):
                continue
            gone = await deleted_endpoints.delete_if_empty(session, endpoint_id)
        return Ending.after(None if gone else TRY_AGAIN)
    return Ending.after(timedelta(0))
