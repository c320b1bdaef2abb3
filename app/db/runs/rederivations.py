"""Re-derivations: whatever changes who is who has all contacts assessed again [OW-9, TG-1]."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from app.db.accounts import accounts, attorneys
from app.db.runs import run_requests, runs
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session


@asynccontextmanager
async def after_change(session: Session, account_id: str, *, now: datetime) -> AsyncIterator[None]:
    """Request a run that assesses all contacts again if what is done inside changes who is who.

    That is what `attorneys.load_who_is_who` returns. Lock the account before, so that nobody else changes it meanwhile.
    Before the first pull there are no contacts, and nothing is requested for an account that is new or being erased.
    """
    if await accounts.find_account(session, account_id) is None:
        yield
        return
    before = await attorneys.load_who_is_who(session, account_id)
    yield
    if await attorneys.load_who_is_who(session, account_id) == before:
        return
    if await runs.has_initial(session, account_id):
        request = RunRequest(Kind.REDERIVE, Trigger.USERS)
        await run_requests.request_run(session, account_id, request, now=now)
