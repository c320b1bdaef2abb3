"""Keeps current what this process holds to judge requests: see `app/sync/request_checks.py`."""

from collections.abc import Callable

from app.db.accounts import service_tokens
from app.db.session import transaction
from app.sync.concurrency import comes_first
from app.sync.services import Services

REFRESH_SECONDS = 4.0  # so a revoked token is refused after 5 s, even if the notification is lost


async def load_request_checks(services: Services) -> None:
    """Load what the process holds. Raises DatabaseUnavailable; then it holds what it held before."""
    async with transaction(services.database) as session:
        services.request_checks.hold_tokens(await service_tokens.list_valid(session))


async def refresh_request_checks(services: Services, turned: Callable[[], None]) -> None:
    """Load again whenever it is outdated and every few seconds, until the process must stop.

    Calls `turned` after each load. Raises DatabaseUnavailable.
    """
    checks, stopping = services.request_checks, services.stopping
    while not stopping.is_set():
        checks.outdated.clear()
        await load_request_checks(services)
        turned()
        await comes_first(checks.outdated.wait(), stopping.wait(), seconds=REFRESH_SECONDS)
