"""Wakes what waits in this process for a notification of the database.

Sending and hearing them is in `app/db/notifications.py`.
"""

from collections.abc import Callable

from app.db import notifications
from app.db.connection import Address
from app.db.notifications import Channel
from app.sync.services import Services


async def hear_notifications(
    services: Services, address: Address, turned: Callable[[], None]
) -> None:
    """Wake what waits for a notification, until the process must stop; wake everything after each connection.

    Calls `turned` every few seconds while the connection works. Raises DatabaseUnavailable when it breaks.
    """

    def hear(channel: Channel, payload: str) -> None:
        match channel:
            case Channel.FEED:
                services.feed_waits.wake(payload)
            case Channel.RUNS:
                services.run_readers.wake(payload)
            case Channel.CLIO_TOKENS:
                services.token_waits.wake(payload)
            case Channel.SERVICE_TOKENS:
                services.request_checks.outdated.set()

    def started() -> None:
        for waits in (services.feed_waits, services.run_readers, services.token_waits):
            waits.wake_all()
        services.request_checks.outdated.set()

    await notifications.listen(
        address, hear, started=started, turned=turned, stopping=services.stopping
    )
