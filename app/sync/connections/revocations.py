"""Telling Clio to revoke tokens that nobody here uses any more, again and again for seven days [S15, API-16].

The tokens are stored as owed before they are given up, so neither a crash nor an outage of Clio loses them.
"""

import asyncio
from functools import partial

import structlog

from app.clio import webhooks
from app.clio.errors import ClioError, ClioReauthRequired
from app.clio.oauth import Tokens
from app.db import issues
from app.db.accounts import accounts, receipts
from app.db.connections import clio_subscriptions, revocations
from app.db.connections.connections import Connection
from app.db.connections.revocations import Revocation
from app.db.issues import Finding, Subject
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync.concurrency import Stopping, run_together
from app.sync.connections.clients import clio_for_new_login, offered_region
from app.sync.connections.tokens import open_tokens, seal_tokens
from app.sync.services import Services
from app.sync.slices import Ending

# Clio is told of so many revocations of an account at the same time, in one slice. Each takes five requests at most.
BATCH_SIZE = 10
DEADLINE = 55.0  # seconds for one attempt: it ends before the next one is due
UNSUBSCRIBE_SECONDS = 10.0  # of it for the subscriptions, which end by themselves after some days
FAILED = "deauthorization_failed"

log = structlog.get_logger(__name__)


async def owe_logins(
    session: Session, services: Services, account_id: str, *, connection_id: str | None = None
) -> int:
    """Take the tokens from some of the account's logins, or from one, and owe Clio their revocation.

    Nobody can use them here from then on. Returns of how many logins; zero when none has tokens.
    """
    taken = await revocations.take_tokens(
        session, account_id, connection_id=connection_id, limit=BATCH_SIZE
    )
    for connection, sealed in taken:
        await _owe(session, services, connection, sealed)
    return len(taken)


async def _owe(
    session: Session, services: Services, connection: Connection, sealed_tokens: str
) -> None:
    """Owe a revocation; the login's subscriptions end with it, because they can be deleted only with its tokens."""
    hook_ids = await clio_subscriptions.delete_subscriptions(
        session, connection.account_id, connection.connection_id
    )
    await revocations.owe(session, connection, sealed_tokens, hook_ids=hook_ids, now=services.now())


async def tell_clio_what_is_due(services: Services, account_id: str) -> Ending:
    """Tell Clio in one slice of revocations of an account that are due; return how the slice ends.

    A revocation that was begun is ended in the slice. The account may not exist any more.
    """
    structlog.contextvars.bind_contextvars(account_id=account_id)
    async with transaction(services.database, account_id) as session:
        due = await revocations.claim_due(session, account_id, limit=BATCH_SIZE, now=services.now())
    await run_together(*(_attempt(services, owed) for owed in due))
    next_due = partial(revocations.next_due, account_id=account_id)
    return Ending.when_due(account_id, next_due, services.now)


async def _attempt(services: Services, owed: Revocation) -> None:
    """Tell Clio once. After the last attempt the tokens are destroyed, and a person must do the rest."""
    try:
        async with asyncio.timeout(DEADLINE):
            await _revoke(services, owed)
    except (DatabaseUnavailable, Stopping):
        raise
    except Exception as error:  # noqa: BLE001  # whatever the reason, it is tried again until the time is over
        reason = error.code if isinstance(error, ClioError) else None
        log.warning("clio_deauthorize_failed", connection_id=owed.connection_id, reason=reason)
        if owed.is_last_attempt(services.now()):
            await _give_up(services, owed)
        return
    async with transaction(services.database, owed.account_id) as session:
        await revocations.destroy(session, owed)
        await _finish_erasure(session, services, owed, None)


async def _revoke(services: Services, owed: Revocation) -> None:
    """End the login's subscriptions and revoke its tokens; tokens that Clio no longer accepts are no error."""
    oauth = offered_region(services, owed.region).oauth
    tokens = open_tokens(services.cipher, owed, owed.sealed_tokens)
    await _unsubscribe(services, owed, tokens)
    try:
        await oauth.deauthorize(tokens)
    except ClioReauthRequired:  # the refresh token lives longer than the access token
        try:
            tokens = await oauth.refresh(tokens, now=services.now())
        except ClioReauthRequired:
            return
        async with transaction(services.database, owed.account_id) as session:
            sealed = seal_tokens(services.cipher, owed, tokens)
            await revocations.replace_tokens(session, owed, sealed)
        await oauth.deauthorize(tokens)


async def _unsubscribe(services: Services, owed: Revocation, tokens: Tokens) -> None:
    """End the login's subscriptions while its tokens work; Clio ends what remains after some days."""
    budget = services.open_budget().without_end()  # it does not wait for Clio's rate limit
    clio = clio_for_new_login(services, owed.region, tokens, budget)
    try:
        async with asyncio.timeout(UNSUBSCRIBE_SECONDS):
            for hook_id in owed.hook_ids:
                await webhooks.unsubscribe(clio, hook_id)
    except (ClioError, TimeoutError) as error:
        reason = error.code if isinstance(error, ClioError) else "deadline"
        log.warning("clio_unsubscribe_failed", connection_id=owed.connection_id, reason=reason)


async def _give_up(services: Services, owed: Revocation) -> None:
    """Destroy the tokens, and say what a person must end in Clio: as an issue, or in the account's erasure."""
    problem = Problem(FAILED, _instruction(owed))
    async with transaction(services.database, owed.account_id) as session:
        await accounts.lock_account(session, owed.account_id)
        await revocations.destroy(session, owed)
        if await accounts.find_account(session, owed.account_id) is None:
            await _finish_erasure(session, services, owed, problem)
        else:
            finding = Finding(FAILED, problem.detail, Subject("connection", owed.connection_id))
            await issues.open_issue(session, owed.account_id, finding, now=services.now())
    log.warning("clio_deauthorize_given_up", connection_id=owed.connection_id)


async def _finish_erasure(
    session: Session, services: Services, owed: Revocation, problem: Problem | None
) -> None:
    """Tell the erasure of the account, if there is one, that a revocation is settled."""
    account_id = owed.account_id
    erasure_id = await receipts.find_newest(session, account_id)
    if erasure_id is None:
        return
    if problem is not None:
        await receipts.add_remaining(session, account_id, erasure_id, problem)
    await receipts.finish_if_complete(session, account_id, erasure_id, now=services.now())


def _instruction(owed: Revocation) -> str:
    who = f"Clio user {owed.clio_user_id}, " if owed.clio_user_id is not None else ""
    return (
        f"For {revocations.KEPT_FOR.days} days Clio could not be told that the login of user {owed.user_id} has ended"
        f" ({who}region {owed.region}). Its tokens are destroyed here, but Clio may still accept them. Somebody must"
        " sign in to Clio as this user and end the access of this app in Clio's settings"
    )


def describe_owed(owed: Revocation) -> str:
    """Return what is left to do for a revocation, for people."""
    return (
        f"Clio has not confirmed yet that the login of user {owed.user_id} (region {owed.region}) has ended. Attempts:"
        f" {owed.attempts}. The next one is at {owed.due_at:%Y-%m-%d %H:%M} UTC"
    )
