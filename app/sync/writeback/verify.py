"""What the clock looks after in the outbox: lost jobs, activities blocked for too long, and the count a day later.

A day after it was written each activity's marker is looked for once more: one record, and only one, must bear it.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from app.clio.errors import ClioError, ClioReauthRequired, ClioRefused, ClioRetryLater
from app.clio.shared_limit import Lane
from app.db import job_queue
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.outbox import maintenance
from app.db.outbox.activities import Activity
from app.db.session import transaction
from app.sync.connections.oauth_flow import clio_for
from app.sync.services import Services
from app.sync.writeback import outcomes
from app.sync.writeback.send import find

SWEEP_AFTER = timedelta(hours=24)
BATCH = 50
AGAIN = timedelta(minutes=1)

log = structlog.get_logger(__name__)


async def tend(services: Services) -> None:
    """Queue what was lost and what is due for the count; end what was blocked for too long."""
    now = services.now()
    async with transaction(services.database) as session:
        await maintenance.fail_expired_blocked(session, now=now)
        for row in await maintenance.list_lost(session, now=now):
            await job_queue.enqueue_writeback(session, *row)
        for account_id in await maintenance.list_accounts_to_verify(
            session, before=now - SWEEP_AFTER
        ):
            await job_queue.enqueue_sweep(session, account_id)


async def sweep(services: Services, account_id: str) -> timedelta | None:
    """Count the records of what was written a day ago; answers after how long to go on, None when done."""
    after = ""
    while not services.stopping.is_set():
        async with transaction(services.database) as session:
            before = services.now() - SWEEP_AFTER
            batch = await maintenance.list_unverified(
                session, account_id, before=before, after=after, limit=BATCH
            )
            logins = await connections.list_connected(session, account_id)
        if not batch:
            return None
        after = batch[-1].activity_id
        try:
            await _count(services, batch, {login.connection_id: login for login in logins})
        except ClioRetryLater as error:
            return error.after
        except ClioError as error:
            log.warning("sweep_stopped", account_id=account_id, reason=error.code)
            return None  # the clock proposes it again
    return AGAIN


async def _count(
    services: Services, batch: Sequence[Activity], logins: dict[str, Connection]
) -> None:
    """Look for each marker as the login that wrote it; one that is gone can tell nothing."""
    for activity in batch:
        login = logins.get(activity.connection_id or "")
        if login is None:
            continue
        clio = clio_for(services, login, Lane.RECONCILE)
        try:
            found = await find(clio, activity)
        except (ClioReauthRequired, ClioRefused):
            continue
        reason, problem = outcomes.of_count(found)
        if reason is not None:
            log.error("activity_miscounted", activity_id=activity.activity_id, reason=reason)
        async with transaction(services.database) as session:
            await maintenance.mark_verified(
                session, activity, reason=reason, problem=problem, now=services.now()
            )
