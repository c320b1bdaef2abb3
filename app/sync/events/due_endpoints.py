"""Looks each second which webhook endpoints are due, and queues a slice for each that has none.

The transaction that emits an event does not queue one: it may be large, and would keep the endpoint's job locked.
"""

from app.db import job_queue
from app.db.events import turns
from app.db.system import system_transaction
from app.lanes import Lane
from app.sync.services import Services

LOOK_SECONDS = 1.0
ENDPOINTS = 200  # in one look, those that were served longest ago first


async def queue_due_endpoints(services: Services) -> None:
    """Queue a slice of each endpoint that is due and has no job."""
    async with system_transaction(services.database) as session:
        due = await turns.list_due_endpoints(session, limit=ENDPOINTS, now=services.now())
    for (
        endpoint_id
    ) in due:  # each alone: two processes that lock several jobs could wait for each other
        async with system_transaction(services.database) as session:
            await job_queue.want(session, Lane.DELIVERIES, endpoint_id)
