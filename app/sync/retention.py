"""One slice of retention: deletes expired rows of one table for a few seconds."""

from datetime import timedelta

from app.db import retention
from app.db.system import system_transaction
from app.sync.services import Services
from app.sync.slices import Ending

BATCH_SIZE = 1000  # rows that one transaction looks at


async def sweep_retention(services: Services, name: str) -> Ending:
    """Delete what has expired of `name`, one of `retention.TABLES`, for one slice; return how the slice ends.

    Each batch has its own transaction.
    """
    now, budget = services.now(), services.open_budget()
    while not budget.is_spent() and not services.stopping.is_set():
        async with system_transaction(services.database) as session:
            looked_at = await retention.delete_some(
                session, name, services.retention, now=now, limit=BATCH_SIZE
            )
        if not looked_at:
            return Ending.after(None)
    return Ending.after(timedelta(0))
