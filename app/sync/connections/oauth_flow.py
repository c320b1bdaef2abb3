"""The OAuth flow of a Clio login: the start, and the return of the browser [AU-1..4, EN-1].

The `state` has 256 random bits and a keyed check. It is stored as a hash, used once and valid for ten minutes. The
browser brings back nothing else that counts (docs/decisions/0004).
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog

from app.clio import webhooks
from app.clio.errors import ClioError, ClioMisconfigured, ClioReauthRequired
from app.clio.models import WhoAmI
from app.clio.oauth import Tokens
from app.clio.regions import Region
from app.crypto import hash_secret
from app.db.accounts import accounts, audit
from app.db.accounts.accounts import AccountNotFound, ClioAccountMismatch, ClioFirm
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import attempts, clio_subscriptions, connections, revocations
from app.db.connections.connections import Connection, ConnectionNotFound, OAuthAttempt, Status
from app.db.connections.revocations import Revocation
from app.db.events import events
from app.db.events.events import EventKind
from app.db.outbox import outbox
from app.db.runs import rederivations, run_requests, runs, slots
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session, transaction
from app.errors import AppError, DatabaseUnavailable, Problem
from app.sync import issues
from app.sync.concurrency import Stopping
from app.sync.connections.checked_tokens import Purpose, may_exist, new_token
from app.sync.connections.clients import clio_for_new_login, login_of, offered_region
from app.sync.connections.revocations import owe_logins
from app.sync.connections.tokens import seal_tokens
from app.sync.lookups import use_attempt
from app.sync.services import Services

ATTEMPT_LIFETIME = timedelta(minutes=10)
TIME_TO_STORE = timedelta(minutes=5)  # a login that is not stored by then counts as failed
DECLINED = "declined"
MISMATCH = "clio_account_mismatch"
EXCHANGE_FAILED = "exchange_failed"
WRONG_REGION = "wrong_region"
INVALID_STATE = "invalid_state"

log = structlog.get_logger(__name__)


class IntegrationNotEnabled(AppError):
    """The integration is not enabled for this account [EN-1]."""

    status = 403
    code = "integration_not_enabled"
    title = "The Clio integration is not enabled for this account. A Success Manager can enable it"


class RegionNotOffered(AppError):
    """The service has no registered Clio app for the region."""

    status = 422
    code = "region_not_offered"
    title = "No Clio app is set up here for that region; choose another one, or set its client id and secret"


class ReturnUrlRefused(AppError):
    """The browser is only sent back to configured origins, so that the service cannot redirect to a foreign site."""

    status = 422
    code = "return_url_not_allowed"
    title = "return_url must have an origin of LEVITATE_CLIO_RETURN_ORIGINS; change it, or add its origin there"


class UnknownUser(AppError):
    """The user is not in the account's user directory."""

    status = 422
    code = "unknown_user"
    title = "This account has no such user. Send the user directory with PUT …/users first"


class StateUnknown(AppError):
    """The callback's `state` is unknown or was used before. Nothing was sent to Clio [AU-2]."""

    status = 400
    code = "invalid_state"
    title = "This link is not valid or was used before. Go back to Levitate and connect again"


@dataclass(frozen=True)
class StartedAttempt:
    """An attempt to connect that has begun. The caller sends the browser to `authorize_url`."""

    connection: Connection
    authorize_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Callback:
    """The query parameters with which Clio sent the browser back."""

    state: str
    code: str | None
    error: str | None


async def start_connecting(
    services: Services,
    account_id: str,
    *,
    user_id: str,
    region: Region,
    return_url: str,
    actor: Actor,
) -> StartedAttempt:
    """Begin to connect a user. Raises RegionNotOffered, ReturnUrlRefused, IntegrationNotEnabled, UnknownUser."""
    offered = services.regions.get(region)
    if offered is None:
        raise RegionNotOffered
    if _origin(return_url) not in services.return_origins:
        raise ReturnUrlRefused
    state, verifier = new_token(services, Purpose.STATE), secrets.token_urlsafe(48)
    now = services.now()
    until = now + ATTEMPT_LIFETIME
    async with transaction(services.database, account_id) as session:
        await _check_may_connect(session, account_id, user_id)
        connection = await connections.start_connection(
            session, account_id, user_id=user_id, region=region, until=until, now=now
        )
        attempt = OAuthAttempt(
            account_id=account_id,
            connection_id=connection.connection_id,
            region=region,
            return_url=return_url,
            sealed_verifier=services.cipher.seal({"verifier": verifier}, row=hash_secret(state)),
            expires_at=until,
        )
        await attempts.store_attempt(session, attempt, state_hash=hash_secret(state))
        action = AuditAction("connection.started", connection.connection_id, {"user_id": user_id})
        await audit.record(session, account_id, actor, action, now=now)
    url = offered.oauth.authorize_url(
        redirect_uri=_redirect_uri(services), state=state, code_verifier=verifier
    )
    return StartedAttempt(connection, url, until)


async def _check_may_connect(session: Session, account_id: str, user_id: str) -> None:
    """Lock the account's row, and raise IntegrationNotEnabled or UnknownUser if the user cannot connect."""
    await accounts.share_account(session, account_id)
    if not (await accounts.get_account(session, account_id)).fields.enabled:
        raise IntegrationNotEnabled
    if user_id not in {user.user_id for user in await accounts.list_users(session, account_id)}:
        raise UnknownUser


async def finish_connecting(services: Services, callback: Callback) -> str:
    """Complete an attempt and return the URL that the browser must go to. Raises StateUnknown, TooManyLookups.

    The `state` is marked as used first, in its own transaction, so that it can never be used again.
    """
    now = services.now()
    if not may_exist(services, Purpose.STATE, callback.state):
        raise StateUnknown
    attempt = await use_attempt(services, hash_secret(callback.state), now=now)
    if attempt is None or attempt.used_at is not None:
        raise StateUnknown
    if attempt.expires_at < now:
        return _return_address(attempt, INVALID_STATE)
    if callback.code is None:
        code = DECLINED if callback.error == "access_denied" else EXCHANGE_FAILED
        return await _fail(services, attempt, code, "Clio did not grant access")
    return await _exchange(services, attempt, callback)


async def _exchange(services: Services, attempt: OAuthAttempt, callback: Callback) -> str:
    """Get tokens for the code and store the login. If a step after that fails, the tokens are revoked at Clio."""
    try:
        tokens = await _redeem_code(services, attempt, callback)
        owed = await _owe_issued(services, attempt, tokens)
        try:
            me = await clio_for_new_login(services, attempt.region, tokens).who_am_i()
            await _store(services, attempt, owed, tokens, me)
        except (ClioError, ClioAccountMismatch, AccountNotFound):
            async with transaction(services.database, attempt.account_id) as session:
                await revocations.bring_forward(session, owed, now=services.now())
            raise
    except ClioMisconfigured as error:
        log.warning("clio_misconfigured", account_id=attempt.account_id, reason=error.code)
        return await _fail(services, attempt, WRONG_REGION, str(error))
    except ClioError as error:
        log.warning("clio_exchange_failed", account_id=attempt.account_id, reason=error.code)
        return await _fail(services, attempt, EXCHANGE_FAILED, str(error))
    except Stopping:  # the revocation of the tokens is owed
        text = "The service was restarted while the user connected"
        return await _fail(services, attempt, EXCHANGE_FAILED, text)
    except ClioAccountMismatch as error:
        return await _fail(services, attempt, MISMATCH, error.detail)
    except (AccountNotFound, ConnectionNotFound) as error:  # the account was erased meanwhile
        raise StateUnknown from error
    return _return_address(attempt, Status.CONNECTED)


async def _redeem_code(services: Services, attempt: OAuthAttempt, callback: Callback) -> Tokens:
    row = hash_secret(callback.state)
    return await offered_region(services, attempt.region).oauth.exchange(
        callback.code or "",
        redirect_uri=_redirect_uri(services),
        code_verifier=services.cipher.open(attempt.sealed_verifier, row=row)["verifier"],
        now=services.now(),
    )


async def _owe_issued(services: Services, attempt: OAuthAttempt, tokens: Tokens) -> Revocation:
    """Owe Clio the revocation of new tokens until their login is stored, so that no failure in between loses them."""
    try:
        async with transaction(services.database, attempt.account_id) as session:
            stored = await connections.get_connection(
                session, attempt.account_id, attempt.connection_id
            )
            login = replace(stored, region=attempt.region, login=None)
            sealed = seal_tokens(services.cipher, login, tokens)
            return await revocations.owe(
                session, login, sealed, now=services.now(), after=TIME_TO_STORE
            )
    except (DatabaseUnavailable, ConnectionNotFound):  # this is the only chance
        with suppress(ClioError):
            await offered_region(services, attempt.region).oauth.deauthorize(tokens)
        raise


async def _store(
    services: Services, attempt: OAuthAttempt, owed: Revocation, tokens: Tokens, me: WhoAmI
) -> None:
    """Bind the account to the firm, store the tokens and request the first pull, in one transaction [IS-1, AU-4].

    Raises ClioAccountMismatch, AccountNotFound, or ClioReauthRequired if Clio was asked to revoke the tokens meanwhile.
    """
    now = services.now()
    async with transaction(services.database, attempt.account_id) as session:
        firm = ClioFirm(attempt.region, me.account.id, me.account.name)
        await accounts.bind_firm(session, attempt.account_id, firm)
        if not await revocations.take_back(session, owed):
            raise ClioReauthRequired("Connecting took too long; the user must connect again")
        connection = await _owe_replaced(session, services, attempt, me)
        sealed = seal_tokens(services.cipher, connection, tokens)
        async with rederivations.after_change(session, attempt.account_id, now=now):
            await connections.mark_connected(
                session, attempt, login_of(me), sealed_tokens=sealed, now=now
            )
        await issues.connection_works(session, attempt.account_id, attempt.connection_id, now=now)
        await slots.start_waiting(session, attempt.account_id, now=now)
        run_id = await _request_first_pull(session, attempt, now=now)
        kind, about = EventKind.CONNECTION_CONNECTED, attempt.connection_id
        data = {"connection_id": about, "run_id": run_id}
        await events.emit(session, attempt.account_id, kind, about, data, now=now)
        models = tuple(webhooks.WATCHED_FIELDS)
        await clio_subscriptions.request_subscriptions(
            session, attempt.account_id, about, models, now=now
        )
        action = AuditAction("connection.connected", about, {"run_id": run_id})
        by = Actor(user_id=connection.user_id)
        await audit.record(session, attempt.account_id, by, action, now=now)
    log.info(
        "connection_connected", account_id=attempt.account_id, connection_id=about, run_id=run_id
    )
    # Apart, because contacts are locked before the account. If it fails, the scheduler finds the activities.
    with suppress(DatabaseUnavailable):
        async with transaction(services.database, attempt.account_id) as session:
            await outbox.unblock(session, attempt.account_id, connection.user_id)


async def _request_first_pull(
    session: Session, attempt: OAuthAttempt, *, now: datetime
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
    return (await run_requests.request_run(session, account_id, request, now=now)).run_id


async def _owe_replaced(
    session: Session, services: Services, attempt: OAuthAttempt, me: WhoAmI
) -> Connection:
    """Return the connection; if another Clio login had it before, owe the revocation of that login's tokens.

    Older tokens of the same login are replaced and not revoked. Clio does not say whether that would end the new ones.
    """
    account_id, connection_id = attempt.account_id, attempt.connection_id
    connection = await connections.get_connection(session, account_id, connection_id)
    before = connection.login
    if before and (connection.region, before.clio_user_id) != (attempt.region, me.id):
        await owe_logins(session, services, account_id, connection_id=connection_id)
    return connection


async def _fail(services: Services, attempt: OAuthAttempt, code: str, detail: str) -> str:
    """Store the problem on the connection, unless it works, and return the browser's next URL."""
    status = Status.DECLINED if code == DECLINED else Status.DISCONNECTED
    async with transaction(services.database, attempt.account_id) as session:
        await connections.record_failed_attempt(session, attempt, status, Problem(code, detail))
    return _return_address(attempt, code)


def _redirect_uri(services: Services) -> str:
    return f"{services.public_url}/oauth/clio/callback"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _return_address(attempt: OAuthAttempt, outcome: str) -> str:
    """Return the caller's URL with the outcome added."""
    parts = urlsplit(attempt.return_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("clio", str(outcome))])
    return urlunsplit(parts._replace(query=query))
