"""Attempts to connect again that the user did not finish: the login needs a reconnect as before."""

from app.db.connections import connections
from app.db.system import system_transaction
from app.sync.services import Services

BATCH_SIZE = 100  # attempts given up in one transaction


async def give_up_reconnects(services: Services) -> int:
    """End attempts to connect again that have expired; return how many.

    The scheduler calls it.
    """
    async with system_transaction(services.database) as session:
        return await connections.give_up_reconnects(session, limit=BATCH_SIZE, now=services.now())
