"""Maintenance of the outbox: lost jobs, activities blocked for too long, and verification a day after each write.

A day after it was written an activity's marker is searched in Clio once more: exactly one record must have it.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from app.clio.errors import ClioError, ClioReauthRequired, ClioRefused, ClioRetryLater
from app.clio.shared_rate_limit import Lane
from app.db import job_queue
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.outbox import maintenance, outbox
from app.db.outbox.activities import Activity
from app.db.session import transaction
from app.sync.connections import clio_for
from app.sync.services import Services
from app.sync.writeback import outcomes
from app.sync.writeback.send import find_in_clio

VERIFY_AFTER = timedelta(hours=24)
BATCH_SIZE = 50
UNBLOCKED_USERS = 100  # in one tick
CONTINUE_AFTER = timedelta(minutes=1)

log = structlog.get_logger(__name__)


async def maintain_outbox(services: Services) -> None:
    """Queue activities without a job, those whose author has a login again, and accounts with due verifications.

    Fail what was blocked for too long. The scheduler calls it regularly.
    """
    now = services.now()
    await _unblock(services)
    async with transaction(services.database) as session:
        await maintenance.fail_expired_blocked(session, now=now)
        await job_queue.enqueue_writebacks(session, await maintenance.list_lost(session, now=now))
        due = await maintenance.list_accounts_to_verify(session, before=now - VERIFY_AFTER)
        for account_id in due:
            await job_queue.enqueue_sweep(session, account_id)


async def _unblock(services: Services) -> None:
    """Queue what waited for a login that works now: each user in a transaction, because much may have waited."""
    async with transaction(services.database) as session:
        found = await maintenance.list_users_to_unblock(session, limit=UNBLOCKED_USERS)
    for account_id, user_id in found:
        async with transaction(services.database) as session:
            await outbox.unblock(session, account_id, user_id)


async def verify_written(services: Services, account_id: str) -> timedelta | None:
    """Verify what was written a day ago; return after how long to continue, or None when done."""
    after = ""
    while not services.stopping.is_set():
        async with transaction(services.database) as session:
            before = services.now() - VERIFY_AFTER
            batch = await maintenance.list_unverified(
                session, account_id, before=before, after=after, limit=BATCH_SIZE
            )
            logins = await connections.list_connected(session, account_id)
        if not batch:
            return None
        after = batch[-1].activity_id
        try:
            await _verify_batch(services, batch, {login.connection_id: login for login in logins})
        except ClioRetryLater as error:
            return error.after
        except ClioError as error:
            log.warning("verification_stopped", account_id=account_id, reason=error.code)
            return None  # the scheduler queues the account again
    return CONTINUE_AFTER


async def _verify_batch(
    services: Services, batch: Sequence[Activity], logins: dict[str, Connection]
) -> None:
    """Search each marker as the login that wrote it; without that login an activity cannot be verified."""
    for activity in batch:
        login = logins.get(activity.connection_id or "")
        if login is None:
            continue
        clio = clio_for(services, login, Lane.RECONCILE)
        try:
            found = await find_in_clio(clio, activity)
        except (ClioReauthRequired, ClioRefused):
            continue
        reason, problem = outcomes.after_verification(found)
        if reason is not None:
            log.error("verification_failed", activity_id=activity.activity_id, reason=reason)
        async with transaction(services.database) as session:
            await maintenance.mark_verified(
                session, activity, reason=reason, problem=problem, now=services.now()
            )
