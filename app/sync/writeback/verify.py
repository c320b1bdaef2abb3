"""Maintenance of the outbox: activities blocked for too long, and verification a day after each write.

A day after it was written an activity's marker is searched in Clio once more: exactly one record must have it.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from app.clio.call_budget import BudgetSpent, CallBudget
from app.clio.errors import (
    ClioError,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    RecordUnreadable,
)
from app.db import job_queue
from app.db.accounts import looks
from app.db.accounts.looks import Look, Task
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.outbox import maintenance, outbox
from app.db.outbox.activities import Activity
from app.db.session import transaction
from app.db.system import system_transaction
from app.lanes import Lane
from app.sync.connections import clio_for
from app.sync.services import Services
from app.sync.writeback import outcomes, unknown_users
from app.sync.writeback.send import find_in_clio

BATCH_SIZE = 50
ACCOUNTS = 1000  # at which one tick looks
UNBLOCKED_USERS = 100  # in one tick

log = structlog.get_logger(__name__)


async def maintain_outbox(services: Services) -> None:
    """Queue activities whose author has a login again, and accounts with due verifications.

    Fail what was blocked for too long. The scheduler calls it regularly.
    """
    now = services.now()
    async with system_transaction(services.database) as session:
        await maintenance.fail_expired_blocked(session, now=now)
        due = await looks.list_due(session, Task.OUTBOX, now=now, limit=ACCOUNTS)
    if due:
        await _look(services, due, now=now)


async def _look(services: Services, due: Sequence[Look], *, now: datetime) -> None:
    """Look what can be verified or written in these accounts; those where something was blocked stay due."""
    account_ids = [look.account_id for look in due]
    async with system_transaction(services.database) as session:
        for account_id in await maintenance.list_accounts_to_verify(session, account_ids, now=now):
            await job_queue.want(session, Lane.WRITE_BACK, account_id)
        unknown = await maintenance.list_accounts_with_issue(
            session, account_ids, unknown_users.CODE
        )
        users = await maintenance.list_users_to_unblock(session, account_ids, limit=UNBLOCKED_USERS)
        done = {account_id for account_id, _ in users}
        if len(users) < UNBLOCKED_USERS:
            later = {look: now + looks.AT_MOST for look in due if look.account_id not in done}
            await looks.put_off(session, Task.OUTBOX, later, now=now)
    for account_id, user_id in users:  # each in a transaction, because much may have waited
        async with transaction(services.database, account_id) as session:
            await outbox.unblock(session, account_id, user_id)
    for account_id in unknown:
        async with transaction(services.database, account_id) as session:
            await unknown_users.look(session, account_id, now=now)


async def verify_written(
    services: Services, account_id: str, budget: CallBudget
) -> timedelta | None:
    """Verify what was written a day ago; return after how long to continue, or None when done."""
    while not services.stopping.is_set():
        async with transaction(services.database, account_id) as session:
            batch = await maintenance.list_unverified(
                session, account_id, now=services.now(), limit=BATCH_SIZE
            )
            logins = await connections.list_connected(session, account_id)
        if not batch:
            return None
        by_id = {login.connection_id: login for login in logins}
        try:
            await _verify_batch(services, batch, by_id, budget)
        except BudgetSpent:
            break
        except ClioRetryLater as error:
            return error.after
        except ClioError as error:
            log.warning("verification_stopped", account_id=account_id, reason=error.code)
            return None  # the scheduler queues the account again
    return timedelta(0)


async def _verify_batch(
    services: Services,
    batch: Sequence[Activity],
    logins: dict[str, Connection],
    budget: CallBudget,
) -> None:
    """Search each marker as the login that wrote it; what cannot be verified now is tried again a day later."""
    for activity in batch:
        login = logins.get(activity.connection_id or "")
        found = await _find(services, activity, login, budget) if login else None
        async with transaction(services.database, activity.account_id) as session:
            now = services.now()
            if found is None:
                await maintenance.mark_checked(session, activity, now=now)
                continue
            reason, problem = outcomes.after_verification(found)
            await maintenance.mark_verified(
                session, activity, reason=reason, problem=problem, now=now
            )
        if reason is not None:
            log.error("verification_failed", activity_id=activity.activity_id, reason=reason)


async def _find(
    services: Services, activity: Activity, login: Connection, budget: CallBudget
) -> list[int] | None:
    """Return the ids of the records with the activity's marker; None if this login cannot search them."""
    budget.begin_call()
    clio = clio_for(services, login, Lane.RECONCILE, budget.without_end())
    with suppress(ClioReauthRequired, ClioRefused, RecordUnreadable):
        return await find_in_clio(clio, activity)
    return None
