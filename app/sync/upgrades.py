"""Assesses the contacts of all accounts again after a release has changed the rules [row 56].

The runs are rederive runs with the cause `upgrade`. They begin within a day, behind all other work.
"""

from datetime import datetime

import structlog

from app.db.accounts import accounts, upgrades
from app.db.accounts.accounts import AccountNotFound
from app.db.mirror import search_words
from app.db.runs import run_requests, runs
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session, transaction
from app.db.system import system_transaction
from app.sync.services import Services

PLANNED_AT_ONCE = 1000  # accounts
STARTED_AT_ONCE = 100  # accounts

log = structlog.get_logger(__name__)


async def start_upgrades(services: Services) -> None:
    """Choose when accounts that are behind are upgraded, and request the runs that are due."""
    now = services.now()
    async with system_transaction(services.database) as session:
        planned = await upgrades.plan(session, now=now, limit=PLANNED_AT_ONCE)
        due = await upgrades.claim_due(session, now=now, limit=STARTED_AT_ONCE)
    if planned:
        log.info("upgrades_planned", count=planned)
    for account_id in due:
        async with transaction(services.database, account_id) as session:
            await _start(session, account_id, now=now)


async def _start(session: Session, account_id: str, *, now: datetime) -> None:
    """Request an account's run. A firm that was never read needs none; one whose first pull goes on is tried later."""
    try:
        await accounts.lock_account(session, account_id)
    except AccountNotFound:  # it was erased meanwhile
        return
    if not await runs.has_initial(session, account_id):
        country = await search_words.load_country(session, account_id)
        await upgrades.mark_words_made(session, account_id, country)
        await upgrades.mark_upgraded(session, account_id)
    elif await runs.has_complete_pull(session, account_id):
        request = RunRequest(Kind.REDERIVE, Trigger.UPGRADE)
        await run_requests.request_run(session, account_id, request, now=now)
