"""Erasing an account: hide it at once, then delete it as a job, in small steps that continue after any crash [S15].

The receipt of the erasure says what is left to do. It outlives the account, and so do revocations that Clio is owed.
"""

from collections.abc import Collection
from datetime import timedelta

import structlog

from app.db import job_queue
from app.db.accounts import accounts, audit, console_sessions, deletion, receipts
from app.db.accounts.accounts import AccountNotFound
from app.db.accounts.audit import Actor, AuditAction
from app.db.accounts.receipts import Receipt, Status
from app.db.connections import revocations
from app.db.events import claims
from app.db.runs import runs
from app.db.session import transaction
from app.db.system import system_transaction
from app.errors import Problem
from app.lanes import ERASURE, Lane, housekeeping_key
from app.sync.connections import describe_owed, owe_logins
from app.sync.lookups import find_receipt
from app.sync.services import Services
from app.sync.slices import Ending

ROWS_IN_A_STEP = 1000
MAX_NAMED = 100  # revocations that a receipt names

log = structlog.get_logger(__name__)


async def start_account_erasure(services: Services, account_id: str, *, actor: Actor) -> str:
    """Hide the account, end its runs and queue its erasure; return the id of the receipt.

    From then on the account is treated like one that does not exist. Raises AccountNotFound.
    """
    now = services.now()
    async with transaction(services.database, account_id) as session:
        await runs.lock_unfinished(session, account_id)
        if not await deletion.disable_account(session, account_id):
            raise AccountNotFound
        await runs.cancel_all(session, account_id, now=now)
        await accounts.get_account(session, account_id)  # not if another request was first
        erasure_id = await receipts.start(session, account_id, by=actor.user_id, now=now)
        action = AuditAction("account.erased", account_id, {"erasure_id": erasure_id})
        await audit.record_of_service(session, actor, action, now=now)
        key = housekeeping_key(ERASURE, account_id)
        await job_queue.want(session, Lane.HOUSEKEEPING, key)
    log.info("account_erasure_started", account_id=account_id)
    return erasure_id


async def erase_account(services: Services, account_id: str) -> Ending:
    """Do a slice of the account's erasure; return how the slice ends.

    Any number of processes may do this at the same time, and repeating is harmless.
    """
    async with transaction(services.database, account_id) as session:
        erasure_id = await receipts.find_newest(session, account_id)
    budget = services.open_budget()
    while erasure_id and not budget.is_spent() and not services.stopping.is_set():
        if await _is_deleted_after_step(services, account_id, erasure_id):
            return Ending.after(None)
    return Ending.after(timedelta(0) if erasure_id else None)


async def _is_deleted_after_step(services: Services, account_id: str, erasure_id: str) -> bool:
    """Take some tokens or delete some rows; return True when nothing was left.

    Tokens come first, the audit log last. The step holds the receipt's lock and does nothing after the end of the
    erasure: the account may have been created again since.
    """
    async with transaction(services.database, account_id) as session:
        if not await receipts.lock_running(session, account_id, erasure_id):
            return True
        if await owe_logins(session, services, account_id):
            return False
        if await console_sessions.delete_some(session, account_id, limit=ROWS_IN_A_STEP):
            return False
        if await deletion.delete_some_rows(session, account_id, limit=ROWS_IN_A_STEP):
            return False
        is_last = not await deletion.has_audit_log(session, account_id)
        if is_last:
            await deletion.delete_account(session, account_id)
            await claims.forget_account(session, account_id)
            await job_queue.delete_jobs(session, account_id)
            await receipts.finish_if_complete(session, account_id, erasure_id, now=services.now())
    if is_last:
        log.info("account_erased", account_id=account_id)
    else:
        await _delete_some_of_audit_log(services, account_id, erasure_id)
    return is_last


async def _delete_some_of_audit_log(services: Services, account_id: str, erasure_id: str) -> None:
    """Delete some entries of the account's audit log, which the role of transactions of accounts may not."""
    async with system_transaction(services.database) as session:
        if await receipts.lock_running(session, account_id, erasure_id):
            await deletion.delete_some_of_audit_log(session, account_id, limit=ROWS_IN_A_STEP)


async def describe_erasure(
    services: Services, erasure_id: str, *, only: Collection[str] | None
) -> tuple[Receipt, list[Problem]]:
    """Return the receipt of an erasure and what remains to be done; only of these accounts if they are given.

    Raises ErasureNotFound.
    """
    receipt = await find_receipt(services, erasure_id, only=only)
    remaining = list(receipt.remaining)
    if receipt.status is Status.RUNNING:
        async with transaction(services.database, receipt.account_id) as session:
            if await deletion.exists(session, receipt.account_id):
                remaining.append(Problem("data", "Rows of the account are being deleted"))
            owed = await revocations.list_owed(session, receipt.account_id, limit=MAX_NAMED)
            remaining += [Problem("deauthorization", describe_owed(each)) for each in owed]
    return receipt, remaining
