"""Connecting a user's Clio login: start, and the browser's return [AU-1..4, EN-1].

The state is ours: 256 random bits, stored as a hash, used once, good for ten minutes, and the only thing that
the browser brings back (docs/decisions/0004).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog

from app.clio import webhooks
from app.clio.client import ClioClient
from app.clio.errors import ClioError, ClioMisconfigured, ClioReauthRequired
from app.clio.local_limit import LocalLimit
from app.clio.models import WhoAmI
from app.clio.oauth import Tokens
from app.clio.regions import Region
from app.clio.shared_limit import Lane
from app.db.accounts import accounts, audit
from app.db.accounts.accounts import ClioAccountMismatch, ClioFirm
from app.db.accounts.audit import Actor, Deed
from app.db.connections import clio_subscriptions, connections
from app.db.connections.connections import Attempt, ClioLogin, Connection, Status
from app.db.events import events
from app.db.events.events import EventKind
from app.db.outbox import outbox
from app.db.runs import runs
from app.db.runs.runs import Kind, Trigger, Wish
from app.db.session import Session, transaction
from app.errors import AppError, Problem
from app.sync import issues
from app.sync.connections.rate_limit import shared_budget
from app.sync.connections.tokens import StoredTokens, sealed
from app.sync.services import OfferedRegion, Services

ATTEMPT_LIFE = timedelta(minutes=10)
DECLINED = "declined"
MISMATCH = "clio_account_mismatch"
EXCHANGE_FAILED = "exchange_failed"
WRONG_REGION = "wrong_region"
INVALID_STATE = "invalid_state"

log = structlog.get_logger(__name__)


class IntegrationNotEnabled(AppError):
    """A Success Manager has not switched the integration on for this account [EN-1]."""

    status = 403
    code = "integration_not_enabled"
    title = (
        "The Clio integration is not switched on for this account; a Success Manager can enable it"
    )


class RegionNotOffered(AppError):
    """No Clio app is registered with us for that region."""

    status = 422
    code = "region_not_offered"
    title = "This service has no Clio app for that region"


class ReturnUrlRefused(AppError):
    """The browser may only be sent back to configured origins (T5)."""

    status = 422
    code = "return_url_not_allowed"
    title = "return_url must have one of the origins in LEVITATE_CLIO_RETURN_ORIGINS"


class UnknownUser(AppError):
    """The user is not in the account's directory."""

    status = 422
    code = "unknown_user"
    title = "There is no such user in this account; send the directory with PUT …/users first"


class StateUnknown(AppError):
    """The callback's state is not one of ours, or was used before: nothing was sent to Clio [AU-2]."""

    status = 400
    code = "invalid_state"
    title = "This link was used before or is not ours. Go back to Levitate and connect again"


@dataclass(frozen=True)
class Started:
    """An attempt to connect has begun: send the browser to the address."""

    connection: Connection
    authorize_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Callback:
    """What Clio sent the browser back with."""

    state: str
    code: str | None
    error: str | None


async def start(
    services: Services,
    account_id: str,
    *,
    user_id: str,
    region: Region,
    return_url: str,
    actor: Actor,
) -> Started:
    """Begin to connect a user; answers where the browser must go."""
    offered = services.regions.get(region)
    if offered is None:
        raise RegionNotOffered
    if _origin(return_url) not in services.return_origins:
        raise ReturnUrlRefused
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    now = services.now()
    async with transaction(services.database) as session:
        account = await accounts.get_account(session, account_id)
        if not account.fields.enabled:
            raise IntegrationNotEnabled
        if user_id not in {user.user_id for user in await accounts.list_users(session, account_id)}:
            raise UnknownUser
        connection = await connections.begin(
            session, account_id, user_id=user_id, region=region, now=now
        )
        attempt = Attempt(
            account_id=account_id,
            connection_id=connection.connection_id,
            region=region,
            return_url=return_url,
            sealed_verifier=services.cipher.seal({"verifier": verifier}, row=_hash(state)),
            expires_at=now + ATTEMPT_LIFE,
        )
        await connections.remember_attempt(session, attempt, state_hash=_hash(state))
        deed = Deed("connection.started", connection.connection_id, {"user_id": user_id})
        await audit.record(session, account_id, actor, deed, now=now)
    url = offered.oauth.authorize_url(
        redirect_uri=_redirect_uri(services), state=state, code_verifier=verifier
    )
    return Started(connection, url, now + ATTEMPT_LIFE)


async def finish(services: Services, callback: Callback) -> str:
    """Complete an attempt with what Clio sent; answers where the browser goes now. Raises StateUnknown.

    The state is spent first, in its own transaction: whatever happens then, it cannot be used again.
    """
    now = services.now()
    async with transaction(services.database) as session:
        attempt = await connections.use_attempt(session, _hash(callback.state), now=now)
    if attempt is None or attempt.used_at is not None:
        raise StateUnknown
    if attempt.expires_at < now:
        return _returned(attempt, INVALID_STATE)
    if callback.code is None:
        code = DECLINED if callback.error == "access_denied" else EXCHANGE_FAILED
        return await _failed(services, attempt, code, "Clio did not grant access")
    return await _exchange(services, attempt, callback)


async def _exchange(services: Services, attempt: Attempt, callback: Callback) -> str:
    verifier = services.cipher.open(attempt.sealed_verifier, row=_hash(callback.state))["verifier"]
    try:
        tokens = await _offered(services, attempt.region).oauth.exchange(
            callback.code or "",
            redirect_uri=_redirect_uri(services),
            code_verifier=verifier,
            now=services.now(),
        )
        me = await _clio_with(services, attempt, tokens).who_am_i()
    except ClioMisconfigured as error:
        log.warning("clio_misconfigured", account_id=attempt.account_id, reason=error.code)
        return await _failed(services, attempt, WRONG_REGION, str(error))
    except ClioError as error:
        log.warning("clio_exchange_failed", account_id=attempt.account_id, reason=error.code)
        return await _failed(services, attempt, EXCHANGE_FAILED, str(error))
    try:
        await _store(services, attempt, tokens, me)
    except ClioAccountMismatch as error:
        await deauthorize(services, await _connection(services, attempt), tokens)
        return await _failed(services, attempt, MISMATCH, error.detail)
    return _returned(attempt, Status.CONNECTED)


async def _store(services: Services, attempt: Attempt, tokens: Tokens, me: WhoAmI) -> None:
    """Bind the firm, keep the tokens and ask for the first pull, in one transaction [IS-1, AU-4]."""
    now = services.now()
    connection = await _connection(services, attempt)
    async with transaction(services.database) as session:
        firm = ClioFirm(attempt.region, me.account.id, me.account.name)
        await accounts.bind_firm(session, attempt.account_id, firm)
        keep = sealed(services.cipher, connection, tokens)
        await connections.connect(session, attempt, login_of(me), sealed_tokens=keep, now=now)
        await issues.connection_works(session, attempt.account_id, attempt.connection_id, now=now)
        await outbox.unblock(session, attempt.account_id, connection.user_id)
        run_id = await _ask_for_pull(session, attempt, now=now)
        kind, about = EventKind.CONNECTION_CONNECTED, attempt.connection_id
        told = {"connection_id": about, "run_id": run_id}
        await events.tell(session, attempt.account_id, kind, about, told, now=now)
        await clio_subscriptions.want(
            session,
            attempt.account_id,
            attempt.connection_id,
            tuple(webhooks.WATCHED_FIELDS),
            now=now,
        )
        deed = Deed("connection.connected", attempt.connection_id, {"run_id": run_id})
        actor = Actor(user_id=connection.user_id)
        await audit.record(session, attempt.account_id, actor, deed, now=now)
    log.info(
        "connection_connected",
        account_id=attempt.account_id,
        connection_id=attempt.connection_id,
        run_id=run_id,
    )


async def _ask_for_pull(session: Session, attempt: Attempt, *, now: datetime) -> str | None:
    """The run that pulls what the new login sees; none while the account is switched off [IS-1, EN-1]."""
    account_id = attempt.account_id
    if not (await accounts.get_account(session, account_id)).fields.enabled:
        return None
    first = not await runs.has_initial(session, account_id)
    wish = Wish(
        Kind.INITIAL if first else Kind.COVERAGE,
        Trigger.CONNECT,
        connection_id=None if first else attempt.connection_id,
    )
    return (await runs.ask(session, account_id, wish, now=now)).run_id


def login_of(me: WhoAmI) -> ClioLogin:
    """Who a connection acts as; Clio restricts the view of users without roles only [row 32]."""
    return ClioLogin(me.id, me.name, me.email, full_view=bool(me.account_owner or me.roles))


async def _connection(services: Services, attempt: Attempt) -> Connection:
    async with transaction(services.database) as session:
        return await connections.get_connection(session, attempt.account_id, attempt.connection_id)


async def _failed(services: Services, attempt: Attempt, code: str, detail: str) -> str:
    """Say on the connection what went wrong; one that works is left alone."""
    status = Status.DECLINED if code == DECLINED else Status.DISCONNECTED
    async with transaction(services.database) as session:
        await connections.attempt_failed(session, attempt, status, Problem(code, detail))
    return _returned(attempt, code)


async def deauthorize(services: Services, connection: Connection, tokens: Tokens) -> None:
    """Tell Clio to forget a token; when it cannot be told, forgetting it ourselves must do."""
    try:
        await _offered(services, connection.region).oauth.deauthorize(tokens)
    except ClioError as error:
        log.warning(
            "clio_deauthorize_failed", connection_id=connection.connection_id, reason=error.code
        )


class _Fresh:
    """The token source of a login that is not stored yet: what was just exchanged, never renewed."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return self._tokens.access_token

    async def renew(self, refused: str) -> str:
        raise ClioReauthRequired("Clio refused the access token it had just issued")


def _clio_with(services: Services, attempt: Attempt, tokens: Tokens) -> ClioClient:
    """Clio as whoever has just approved: a new token has a window of its own, of which nobody else knows."""
    app = _offered(services, attempt.region).app
    return services.open_clio(app, _Fresh(tokens), LocalLimit(), Lane.PERSON)


def clio_for(services: Services, connection: Connection, lane: Lane) -> ClioClient:
    """A client that speaks to Clio as this connection's user, with a lane's right of way."""
    app = _offered(services, connection.region).app
    budget = shared_budget(services, connection)
    return services.open_clio(app, StoredTokens(services, connection), budget, lane)


def _offered(services: Services, region: str) -> OfferedRegion:
    """The region's app; raises ClioMisconfigured when it is registered with us no longer."""
    offered = services.regions.get(Region(region))
    if offered is None:
        raise ClioMisconfigured(f"No Clio app of the region {region} is configured any more")
    return offered


def _redirect_uri(services: Services) -> str:
    return f"{services.public_url}/oauth/clio/callback"


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _returned(attempt: Attempt, outcome: str) -> str:
    """The caller's address with the outcome added."""
    parts = urlsplit(attempt.return_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("clio", str(outcome))])
    return urlunsplit(parts._replace(query=query))
