"""Clio's nudges: subscriptions are made and prolonged, and a verified nudge makes a run due. Never read as data.

A nudge is a hint: without any of them the next run brings the same. Subscriptions are looked after by rows that
are due, so that whatever fails is tried again.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import Enum, auto
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog

from app.clio import webhooks
from app.clio.client import ClioClient
from app.clio.errors import ClioError
from app.clio.regions import Region
from app.clio.shared_limit import Lane
from app.clio.webhooks import WebhookSubscription
from app.crypto import DecryptionFailed
from app.db.accounts import accounts
from app.db.connections import clio_subscriptions, connections
from app.db.connections.clio_subscriptions import Subscription
from app.db.runs import runs
from app.db.runs.runs import Kind, Trigger, Wish
from app.db.session import Session, transaction
from app.errors import AppError, DatabaseUnavailable
from app.sync.connections.oauth_flow import clio_for
from app.sync.services import Services

AGAIN = timedelta(minutes=10)  # how soon to try again what failed
UNHEARD = timedelta(hours=1)  # how soon to look whether Clio reaches us now, if it did not
BATCH = 20
QUIET = timedelta(minutes=1)
SOON, LATER = timedelta(seconds=3), timedelta(seconds=45)  # a burst becomes one run

log = structlog.get_logger(__name__)


class HookUnknown(AppError):
    """No subscription has this address."""

    status = 404
    code = "hook_unknown"
    title = "There is no such address for webhooks"


class SignatureInvalid(AppError):
    """What was posted was not signed by Clio, or shook hands when nobody waited for that (T8)."""

    status = 401
    code = "signature_invalid"
    title = "The signature is not Clio's"


class Word(Enum):
    """What a post to an address was."""

    HANDSHAKE = auto()
    NUDGE = auto()
    REPETITION = auto()


def can_be_reached(services: Services, region: Region) -> bool:
    """Whether Clio can post to us: over https, or all on one machine."""
    ours = urlsplit(services.public_url)
    if ours.scheme == "https":
        return True
    offered = services.regions.get(region)
    return (
        offered is not None
        and _is_loopback(ours.hostname)
        and _is_loopback(urlsplit(offered.app.origin).hostname)
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


async def keep_up(services: Services) -> int:
    """Make or prolong every subscription that is due; answers how many were looked after."""
    async with transaction(services.database) as session:
        due = await clio_subscriptions.take_due(
            session, again=AGAIN, limit=BATCH, now=services.now()
        )
    for one in due:
        try:
            await _look_after(services, one)
        except ClioError as error:
            log.warning("subscription_failed", connection_id=one.connection_id, reason=error.code)
        except DatabaseUnavailable:
            raise
        except Exception:  # a fault at one must not keep the others waiting
            log.exception("subscription_broke", connection_id=one.connection_id)
    return len(due)


async def _look_after(services: Services, one: Subscription) -> None:
    async with transaction(services.database) as session:
        connection = await connections.get_connection(session, one.account_id, one.connection_id)
    if connection.status is not connections.Status.CONNECTED:
        return  # its tokens are gone; once it is connected again, all is made anew
    if not can_be_reached(services, Region(connection.region)):
        async with transaction(services.database) as session:
            await clio_subscriptions.later(session, one, due_at=services.now() + UNHEARD)
        return
    clio = clio_for(services, connection, Lane.INCREMENTAL)
    if one.hook_id is not None:
        hook = await webhooks.renew(clio, one.hook_id, now=services.now())
        if hook is not None and not one.pending and _secret(services, one) is not None:
            async with transaction(services.database) as session:
                await clio_subscriptions.later(
                    session, one, due_at=_half_life(hook, services.now())
                )
            return
        await webhooks.unsubscribe(clio, one.hook_id)
    await _make(services, clio, one)


async def _make(services: Services, clio: ClioClient, one: Subscription) -> None:
    """An address of its own, stored before Clio is asked: Clio may shake hands before it answers."""
    token = secrets.token_urlsafe(32)
    async with transaction(services.database) as session:
        await clio_subscriptions.begin(session, one, token_hash=_hash(token))
    url = f"{services.public_url}/hooks/clio/{token}"
    hook = await webhooks.subscribe(clio, url, one.model, now=services.now())
    sealed = None
    if hook.shared_secret is not None:
        sealed = services.cipher.seal({"secret": hook.shared_secret}, row=_row(one))
    now = services.now()
    told = clio_subscriptions.Told(hook.id, sealed, _half_life(hook, now), now + UNHEARD)
    async with transaction(services.database) as session:
        kept = await clio_subscriptions.made(session, one, told, token_hash=_hash(token))
    if not kept:  # wished anew or ended meanwhile: nobody waits for this one
        await webhooks.unsubscribe(clio, hook.id)
        return
    log.info("subscription_made", connection_id=one.connection_id, resource=one.model)


def _half_life(hook: WebhookSubscription, now: datetime) -> datetime:
    """When to prolong a subscription: early enough to try again many times."""
    life = hook.expires_at - now if hook.expires_at else webhooks.LIFETIME
    return now + max(life / 2, AGAIN)


async def receive(
    services: Services, token: str, body: bytes, *, handshake: str | None, signature: str | None
) -> Word:
    """What came to an address; a verified nudge makes a run due. Raises HookUnknown or SignatureInvalid."""
    async with transaction(services.database) as session:
        one = await clio_subscriptions.find(session, _hash(token))
        if one is None:
            raise HookUnknown
        if handshake is not None:
            await _shake(services, session, one, handshake)
            return Word.HANDSHAKE
        if not _is_signed(services, one, body, signature or ""):
            raise SignatureInvalid
        digest = hashlib.blake2b(body, digest_size=16).digest()
        if digest in one.seen:
            return Word.REPETITION
        await clio_subscriptions.remember(session, one, digest)
        await _make_due(session, one.account_id, now=services.now())
    return Word.NUDGE


async def _shake(services: Services, session: Session, one: Subscription, secret: str) -> None:
    """Accept a handshake while one is waited for, and only with the secret that Clio told us, if it did.

    The same handshake again is answered again: the answer to the first may have been lost.
    """
    known = _secret(services, one)
    if known is not None and not secrets.compare_digest(known.encode(), secret.encode()):
        raise SignatureInvalid
    if known is None and not one.pending:
        raise SignatureInvalid
    sealed = services.cipher.seal({"secret": secret}, row=_row(one))
    await clio_subscriptions.shake(session, one, sealed_secret=sealed)


def _is_signed(services: Services, one: Subscription, body: bytes, signature: str) -> bool:
    secret = _secret(services, one)
    return secret is not None and webhooks.is_signed(body, signature, secret)


def _secret(services: Services, one: Subscription) -> str | None:
    """What Clio signs with; None while it is not known, or where none of the keys opens it."""
    if one.sealed_secret is None:
        return None
    try:
        return services.cipher.open(one.sealed_secret, row=_row(one))["secret"]
    except DecryptionFailed:
        return None


async def _make_due(session: Session, account_id: str, *, now: datetime) -> None:
    """A run within the minute, that begins after now; a burst, or one nudge after another, leads to one."""
    account = await accounts.get_account(session, account_id)
    if not account.fields.enabled:
        return
    before = await runs.newest_by(session, account_id, Trigger.WEBHOOK)
    after = LATER if before is not None and now - before.queued_at < QUIET else SOON
    wish = Wish(Kind.INCREMENTAL, Trigger.WEBHOOK, after=after)
    await runs.ask(session, account_id, wish, now=now)


def _row(one: Subscription) -> str:
    """What a subscription's secret is sealed for."""
    return f"subscriptions/{one.account_id}/{one.connection_id}/{one.model}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
