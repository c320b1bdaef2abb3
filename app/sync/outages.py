"""Waiting for the database to return. What a part does meanwhile does not belong here."""

from app.db.session import ping
from app.errors import DatabaseUnavailable
from app.shutdown import wait_for_stop
from app.sync.services import Services

DATABASE_CHECK_SECONDS = 3.0


async def wait_for_database(services: Services) -> None:
    """Return when the database answers, or the process must stop."""
    while not services.stopping.is_set():
        try:
            await ping(services.database)
        except DatabaseUnavailable:
            await wait_for_stop(services.stopping, DATABASE_CHECK_SECONDS)
        else:
            return
