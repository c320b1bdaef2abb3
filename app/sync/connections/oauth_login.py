"""Storing the login that an attempt to connect has brought, or its failure [IS-1, AU-1, AU-4].

New tokens are owed to Clio as a revocation until their login is stored, so that no failure in between loses them.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

import structlog

from app.clio import webhooks
from app.clio.errors import ClioError, ClioMisconfigured, ClioReauthRequired
from app.clio.models import WhoAmI
from app.clio.oauth import Tokens
from app.crypto import TokenCipher
from app.db.accounts import accounts, audit
from app.db.accounts.accounts import AccountNotFound, ClioAccountMismatch, ClioFirm
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import attempts, clio_subscriptions, connections, revocations
from app.db.connections.attempts import OAuthAttempt
from app.db.connections.connections import ClioLogin, Connection, ConnectionNotFound, Status
from app.db.connections.revocations import Revocation
from app.db.events import events
from app.db.events.events import EventKind
from app.db.mirror import former_users
from app.db.outbox import outbox
from app.db.runs import rederivations, run_requests, runs, slots
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync import issues
from app.sync.concurrency import Stopping
from app.sync.connections.clients import login_of
from app.sync.connections.oauth_attempt import (
    CONNECTED,
    DECLINED,
    EXCHANGE_FAILED,
    MISMATCH,
    WRONG_REGION,
    StateUnknown,
    end_address,
    return_address,
)
from app.sync.connections.revocations import owe_logins
from app.sync.connections.tokens import seal_tokens
from app.sync.lookups import find_attempt
from app.sync.services import Services

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ApprovedLogin:
    """The Clio user who has approved, and the user's firm."""

    login: ClioLogin
    firm: ClioFirm

    @classmethod
    def of(cls, region: str, me: WhoAmI) -> "ApprovedLogin":
        """Return what Clio says about the user of a token."""
        return cls(login_of(me), ClioFirm(region, me.account.id, me.account.name))

    def seal(self, cipher: TokenCipher, attempt: OAuthAttempt) -> str:
        """Return the login, sealed for the row of this attempt."""
        return cipher.seal(
            {"login": json.dumps(asdict(self))}, row=attempt.state_hash, column="sealed_login"
        )

    @classmethod
    def open(cls, cipher: TokenCipher, attempt: OAuthAttempt) -> "ApprovedLogin":
        """Return the login that waits in this attempt; raises StateUnknown if none does."""
        if attempt.sealed_login is None:
            raise StateUnknown
        document = cipher.open(attempt.sealed_login, row=attempt.state_hash, column="sealed_login")
        opened = json.loads(document["login"])
        return cls(ClioLogin(**opened["login"]), ClioFirm(**opened["firm"]))


class AttemptEnded(Exception):
    """Another request has ended the attempt meanwhile."""


class UserRemoved(Exception):
    """The user who began to connect is no longer in the directory."""


_ENDS = {
    Stopping: (EXCHANGE_FAILED, "The service was restarted while the user connected"),
    UserRemoved: (DECLINED, "The user is no longer in the directory"),
}


async def with_outcome(
    services: Services, attempt: OAuthAttempt, store: Callable[[], Awaitable[None]]
) -> str:
    """Call what stores the login and return where the browser goes next, whether it was stored or failed."""
    try:
        await store()
    except ClioMisconfigured as error:
        log.warning("clio_misconfigured", account_id=attempt.account_id, reason=error.code)
        return await fail(services, attempt, WRONG_REGION, str(error))
    except ClioError as error:
        log.warning("clio_exchange_failed", account_id=attempt.account_id, reason=error.code)
        return await fail(services, attempt, EXCHANGE_FAILED, str(error))
    except (Stopping, UserRemoved) as error:  # the revocation of the tokens is owed
        return await fail(services, attempt, *_ENDS[type(error)])
    except ClioAccountMismatch as error:
        return await fail(services, attempt, MISMATCH, error.detail)
    except AttemptEnded:
        return await _end_of(services, attempt)
    except (AccountNotFound, ConnectionNotFound) as error:  # the account was erased meanwhile
        raise StateUnknown from error
    return return_address(attempt, CONNECTED)


@dataclass(frozen=True)
class Issued:
    """Tokens that Clio has issued in an attempt, the revocation that is owed for them, whose they are, and who asks.

    `browser` has the id and the address of the browser's request, for the audit.
    """

    tokens: Tokens
    owed: Revocation
    approved: ApprovedLogin
    browser: Actor


async def store_login(
    services: Services, attempt: OAuthAttempt, issued: Issued, *, confirmed_by: str
) -> None:
    """Bind the account to the firm, store the tokens and request the first pull, in one transaction [IS-1, AU-4].

    `confirmed_by` says for the audit how it was clear that the login belongs to the user. Raises ClioAccountMismatch,
    AccountNotFound, AttemptEnded, UserRemoved, or ClioReauthRequired if Clio was asked to revoke the tokens meanwhile.
    """
    account_id, connection_id = attempt.account_id, attempt.connection_id
    async with transaction(services.database, account_id) as session:
        await _bind_firm(session, services, attempt, issued)
        if not await attempts.end_attempt(session, attempt, CONNECTED, now=services.now()):
            raise AttemptEnded
        if not await revocations.take_back(session, issued.owed):
            raise ClioReauthRequired(
                "Connecting took too long; the user must start it once more from Levitate"
            )
        user_id = await _replace_login(session, services, attempt, issued)
        if await accounts.find_user(session, account_id, user_id) is None:
            raise UserRemoved
        run_id = await _request_first_pull(session, services, attempt)
        await _announce(session, services, attempt, run_id)
        action = AuditAction(
            "connection.connected", connection_id, {"run_id": run_id, "confirmed_by": confirmed_by}
        )
        by = replace(issued.browser, user_id=user_id)
        await audit.record(session, account_id, by, action, now=services.now())
    log.info(
        "connection_connected", account_id=account_id, connection_id=connection_id, run_id=run_id
    )
    # Apart, because contacts are locked before the account. If it fails, the scheduler finds the activities.
    with suppress(DatabaseUnavailable):
        async with transaction(services.database, account_id) as session:
            await outbox.unblock(session, account_id, user_id)


async def _replace_login(
    session: Session, services: Services, attempt: OAuthAttempt, issued: Issued
) -> str:
    """Store login and tokens, resolve the issues of the connection, and return its user's id."""
    account_id, now = attempt.account_id, services.now()
    connection = await _owe_replaced(session, services, attempt, issued)
    sealed = seal_tokens(services.cipher, connection, issued.tokens)
    async with rederivations.after_change(session, account_id, now=now):
        await connections.mark_connected(
            session, attempt, issued.approved.login, sealed_tokens=sealed, now=now
        )
    await issues.connection_works(session, account_id, attempt.connection_id, now=now)
    await slots.start_waiting(session, account_id, now=now)
    return connection.user_id


async def _bind_firm(
    session: Session, services: Services, attempt: OAuthAttempt, issued: Issued
) -> None:
    firm = issued.approved.firm
    if await accounts.bind_firm(session, attempt.account_id, firm):
        details = {"region": firm.region, "connection_id": attempt.connection_id}
        action = AuditAction("account.firm_bound", str(firm.account_id), details)
        await audit.record(session, attempt.account_id, issued.browser, action, now=services.now())


async def _announce(
    session: Session, services: Services, attempt: OAuthAttempt, run_id: str | None
) -> None:
    """Emit the event of the new login, and request the subscriptions to Clio's webhooks."""
    about, now = attempt.connection_id, services.now()
    data = {"connection_id": about, "run_id": run_id}
    kind = EventKind.CONNECTION_CONNECTED
    await events.emit(session, attempt.account_id, kind, about, data, now=now)
    await clio_subscriptions.request_subscriptions(
        session, attempt.account_id, about, tuple(webhooks.WATCHED_FIELDS), now=now
    )


async def _request_first_pull(
    session: Session, services: Services, attempt: OAuthAttempt
) -> str | None:
    """Request the run that pulls what the new login sees; return None while the account is disabled [IS-1, EN-1]."""
    account_id = attempt.account_id
    if not (await accounts.get_account(session, account_id)).fields.enabled:
        return None
    first = not await runs.has_initial(session, account_id)
    request = RunRequest(
        Kind.INITIAL if first else Kind.COVERAGE,
        Trigger.CONNECT,
        connection_id=None if first else attempt.connection_id,
    )
    found = await run_requests.request_run(session, account_id, request, now=services.now())
    return found.run_id


async def _owe_replaced(
    session: Session, services: Services, attempt: OAuthAttempt, issued: Issued
) -> Connection:
    """Return the connection; what another Clio login saw that had it is forgotten, and its tokens must be revoked.

    The change of the Clio user is kept in the audit. Older tokens of the same login are replaced and not revoked. Clio
    does not say whether that would end the new ones.
    """
    account_id, connection_id = attempt.account_id, attempt.connection_id
    login = issued.approved.login
    connection = await connections.get_connection(session, account_id, connection_id)
    if connection.login is None or is_bound_to(connection, attempt.region, login):
        return connection
    await owe_logins(session, services, account_id, connection_id=connection_id)
    await former_users.begin_to_forget(session, account_id, connection_id)
    details = {
        "clio_user_id_before": str(connection.login.clio_user_id),
        "clio_user_id": str(login.clio_user_id),
    }
    action = AuditAction("connection.clio_user_changed", connection_id, details)
    by = replace(issued.browser, user_id=connection.user_id)
    await audit.record(session, account_id, by, action, now=services.now())
    return connection


def is_bound_to(connection: Connection, region: str, login: ClioLogin) -> bool:
    """Return whether the connection was bound to this Clio user before."""
    before = connection.login
    return before is not None and (connection.region, before.clio_user_id) == (
        region,
        login.clio_user_id,
    )


async def fail(services: Services, attempt: OAuthAttempt, outcome: str, detail: str) -> str:
    """End the attempt, store the problem on the connection unless it works, and return the browser's next URL.

    Tokens that the attempt had got are revoked now. If the attempt has ended before, that end counts.
    """
    status = Status.DECLINED if outcome == DECLINED else Status.DISCONNECTED
    account_id, now = attempt.account_id, services.now()
    async with transaction(services.database, account_id) as session:
        is_first = await attempts.end_attempt(session, attempt, outcome, now=now)
        if is_first:
            problem = Problem(outcome, detail)
            await connections.record_failed_attempt(session, attempt, status, problem)
            await _revoke_now(session, services, attempt)
    if not is_first:
        return await _end_of(services, attempt)
    log.info("connecting_failed", account_id=account_id, reason=outcome)
    return return_address(attempt, outcome)


async def end_begun(
    session: Session, services: Services, account_id: str, connection_id: str
) -> None:
    """End all attempts of a connection that have begun, and revoke what Clio has issued for them."""
    for attempt in await attempts.end_all(
        session, account_id, connection_id, DECLINED, now=services.now()
    ):
        await _revoke_now(session, services, attempt)


async def _revoke_now(session: Session, services: Services, attempt: OAuthAttempt) -> None:
    if attempt.revocation_id is None:
        return
    owed = await revocations.find_owed(session, attempt.account_id, attempt.revocation_id)
    if owed is not None:
        await revocations.bring_forward(session, owed, now=services.now())


async def _end_of(services: Services, attempt: OAuthAttempt) -> str:
    """Return the end that another request has given to the attempt."""
    ended = await find_attempt(services, attempt.state_hash)
    if ended is None:
        raise StateUnknown
    return end_address(services, ended)
