"""The start of an attempt to connect: an address of ours, which sets a cookie and goes on to Clio [AU-1..3, EN-1, T3].

The `state` has 256 random bits and a keyed check. It is stored as a hash, used once and valid for ten minutes
(docs/decisions/0004 and 0021).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.clio.regions import Region
from app.crypto import hash_secret
from app.db.accounts import accounts, audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import attempts, connections
from app.db.connections.attempts import OAuthAttempt
from app.db.connections.connections import Connection
from app.db.session import Session, transaction
from app.errors import AppError
from app.sync.checked_tokens import Purpose, may_exist, new_browser_proof, new_token
from app.sync.connections.clients import offered_region
from app.sync.connections.oauth_attempt import (
    ATTEMPT_LIFETIME,
    StateUnknown,
    get_attempt,
    open_verifier,
    origin_of,
    redirect_uri,
    seal_verifier,
)
from app.sync.services import Services


class IntegrationNotEnabled(AppError):
    """The integration is not enabled for this account [EN-1]."""

    status = 403
    code = "integration_not_enabled"
    title = "The Clio integration is not enabled for this account"
    next_step = "a Success Manager can enable it: send PUT of the account with enabled: true"


class RegionNotOffered(AppError):
    """The service has no registered Clio app for the region."""

    status = 422
    code = "region_not_offered"
    title = "No Clio app is set up here for that region"
    next_step = "choose another one, or set its client id and secret"


class ReturnUrlRefused(AppError):
    """The browser is only sent back to configured origins, so that the service cannot redirect to a foreign site."""

    status = 422
    code = "return_url_not_allowed"
    title = "The origin of return_url is not in LEVITATE_CLIO_RETURN_ORIGINS"
    next_step = "send another address, or add its origin to this variable"


class UnknownUser(AppError):
    """The user is not in the account's user directory."""

    status = 422
    code = "unknown_user"
    title = "This account has no such user"
    next_step = "send the user directory with PUT …/users first, with this user"


@dataclass(frozen=True)
class Wish:
    """Who wants to connect: a Levitate user, in a region of Clio, and where the browser goes at the end."""

    user_id: str
    region: Region
    return_url: str


@dataclass(frozen=True)
class StartedAttempt:
    """An attempt to connect that has begun. The caller sends the browser to `authorize_url`."""

    connection: Connection
    authorize_url: str
    expires_at: datetime


@dataclass(frozen=True)
class ClioPage:
    """Clio's page for an attempt, and what the browser must keep in a cookie before it goes there."""

    url: str
    browser_proof: str = field(repr=False)


def check_wish(services: Services, wish: Wish) -> None:
    """Raise RegionNotOffered or ReturnUrlRefused for a wish that this service cannot meet."""
    if services.regions.get(wish.region) is None:
        raise RegionNotOffered
    if origin_of(wish.return_url) not in services.return_origins:
        raise ReturnUrlRefused


async def check_may_connect(session: Session, account_id: str, user_id: str) -> None:
    """Lock the account's row, and raise IntegrationNotEnabled or UnknownUser if the user cannot connect."""
    await accounts.share_account(session, account_id)
    if not (await accounts.get_account(session, account_id)).fields.enabled:
        raise IntegrationNotEnabled
    if await accounts.find_user(session, account_id, user_id) is None:
        raise UnknownUser


async def start_connecting(
    services: Services,
    account_id: str,
    wish: Wish,
    *,
    actor: Actor,
    details: Mapping[str, str] | None = None,
) -> StartedAttempt:
    """Begin to connect a user; the audit keeps the actor and the details.

    Raises RegionNotOffered, ReturnUrlRefused, IntegrationNotEnabled, UnknownUser.
    """
    check_wish(services, wish)
    state, verifier = new_token(services, Purpose.STATE), secrets.token_urlsafe(48)
    state_hash, now = hash_secret(state), services.now()
    until = now + ATTEMPT_LIFETIME
    async with transaction(services.database, account_id) as session:
        await check_may_connect(session, account_id, wish.user_id)
        connection = await connections.start_connection(
            session, account_id, user_id=wish.user_id, region=wish.region, until=until, now=now
        )
        attempt = OAuthAttempt(
            account_id=account_id,
            state_hash=state_hash,
            connection_id=connection.connection_id,
            region=wish.region,
            return_url=wish.return_url,
            sealed_verifier=seal_verifier(services.cipher, state_hash, verifier),
            expires_at=until,
        )
        await attempts.store_attempt(session, attempt)
        about = {"user_id": wish.user_id, **(details or {})}
        action = AuditAction("connection.started", connection.connection_id, about)
        await audit.record(session, account_id, actor, action, now=now)
    return StartedAttempt(connection, f"{services.public_url}/oauth/clio/start/{state}", until)


async def go_to_clio(services: Services, state: str) -> ClioPage:
    """Return Clio's page for an attempt. It may be called often and uses nothing up.

    Raises StateUnknown if the attempt does not exist, has expired or was used.
    """
    if not may_exist(services, Purpose.STATE, state):
        raise StateUnknown
    attempt = await get_attempt(services, state)
    if attempt.used_at is not None or attempt.expires_at < services.now():
        raise StateUnknown
    verifier = open_verifier(services.cipher, attempt)
    url = offered_region(services, attempt.region).oauth.authorize_url(
        redirect_uri=redirect_uri(services), state=state, code_verifier=verifier
    )
    return ClioPage(url, new_browser_proof(services, state))
