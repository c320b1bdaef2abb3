"""Clio's webhooks: create and renew subscriptions, and request a run when a verified notification arrives.

A notification is a hint that names a record, for which the run asks Clio. Without it the next run finds the same, and
the next full run a deletion. Each subscription has a row with a due time, so that whatever fails is tried again.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog

from app.clio import webhooks
from app.clio.client import ClioClient
from app.clio.errors import ClioError, ClioRateLimited
from app.clio.models import WebhookSubscription
from app.clio.regions import Region
from app.clio.resources import CONTACTS, MATTERS
from app.crypto import DecryptionFailed, hash_secret
from app.db.accounts import accounts
from app.db.connections import clio_subscriptions, connections
from app.db.connections.clio_subscriptions import Subscription
from app.db.runs import run_requests, runs
from app.db.runs.named_records import NamedRecord
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session, transaction
from app.errors import AppError, DatabaseUnavailable
from app.lanes import Lane
from app.sync.checked_tokens import Purpose, may_exist, new_token
from app.sync.concurrency import Stopping, run_together
from app.sync.connections.clients import clio_for
from app.sync.lookups import find_account_of_hook
from app.sync.services import Services
from app.sync.slices import Ending

RETRY_AFTER = timedelta(minutes=10)  # after a failure
CHECK_AGAIN_AFTER = timedelta(hours=1)  # while Clio cannot reach us, or has confirmed no address
# While the login has no tokens: connecting it requests the subscriptions anew, so until then nobody needs to look.
WITHOUT_LOGIN = timedelta(days=30)
# So many subscriptions of an account are created or renewed at the same time, in one slice. Each takes five requests at
# most.
BATCH_SIZE = 10
# Seconds for one subscription: not less than one request to Clio may take, such as the one that refreshes the tokens.
DEADLINE = 70.0
# A burst of notifications becomes one run: the first waits for RUN_DELAY, the next ones within BURST_WINDOW longer.
BURST_WINDOW = timedelta(minutes=1)
RUN_DELAY, BURST_RUN_DELAY = timedelta(seconds=3), timedelta(seconds=45)

_LISTS = {"contact": CONTACTS.name, "matter": MATTERS.name}  # the list of each model

log = structlog.get_logger(__name__)


class HookUnknown(AppError):
    """No subscription has this address."""

    status, code = 404, "hook_unknown"
    title = "There is no webhook at this address"
    next_step = "end the subscription"


class SignatureInvalid(AppError):
    """The request was not signed by Clio, or it was a handshake that nobody waited for."""

    status = 401
    code = "signature_invalid"
    title = "The request was not signed by Clio"
    next_step = "check that no proxy changes the body or X-Hook-Signature"


class WebhookKind(Enum):
    """The kinds of requests that Clio sends to a webhook address."""

    HANDSHAKE = auto()
    NOTIFICATION = auto()
    REPETITION = auto()


def can_be_reached(services: Services, region: Region) -> bool:
    """Return whether Clio can post to the service: over https, or both run on this machine."""
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


async def renew_subscriptions(services: Services, account_id: str) -> Ending:
    """Create or renew in one slice subscriptions of an account that are due; return how the slice ends.

    A subscription that was begun is ended in the slice.
    """
    structlog.contextvars.bind_contextvars(account_id=account_id)
    async with transaction(services.database, account_id) as session:
        due = await clio_subscriptions.claim_due(
            session, account_id, again=RETRY_AFTER, limit=BATCH_SIZE, now=services.now()
        )
    await run_together(*(_renew_one(services, one) for one in due))
    next_due = partial(clio_subscriptions.next_due, account_id=account_id)
    return Ending.when_due(account_id, next_due, services.now)


async def _renew_one(services: Services, one: Subscription) -> None:
    """Create or renew a subscription; a fault in it must not delay the others."""
    try:
        async with asyncio.timeout(DEADLINE):
            await _create_or_renew(services, one)
    except ClioRateLimited as error:
        await _put_off(services, one, error.after)
    except ClioError as error:
        log.warning("subscription_failed", connection_id=one.connection_id, reason=error.code)
    except TimeoutError:
        log.warning("subscription_failed", connection_id=one.connection_id, reason="deadline")
    except (DatabaseUnavailable, Stopping):
        raise
    except Exception:
        log.exception("subscription_crashed", connection_id=one.connection_id)


async def _create_or_renew(services: Services, one: Subscription) -> None:
    async with transaction(services.database, one.account_id) as session:
        connection = await connections.get_connection(session, one.account_id, one.connection_id)
    if connection.status is not connections.Status.CONNECTED:
        await _put_off(services, one, WITHOUT_LOGIN)
        return
    if not can_be_reached(services, Region(connection.region)):
        await _put_off(services, one, CHECK_AGAIN_AFTER)
        return
    budget = services.open_budget().without_end()  # it does not wait for Clio's rate limit
    clio = clio_for(services, connection, Lane.INCREMENTAL, budget)
    hook_id = one.hook_id or await _find_lost(clio, one)
    if hook_id is not None:
        if await _renew(services, clio, one, hook_id):
            return
        await webhooks.unsubscribe(clio, hook_id)
    await _create(services, clio, one)


async def _put_off(services: Services, one: Subscription, after: timedelta) -> None:
    async with transaction(services.database, one.account_id) as session:
        await clio_subscriptions.reschedule(session, one, due_at=services.now() + after)


async def _find_lost(clio: ClioClient, one: Subscription) -> int | None:
    """Return the id of the subscription that Clio may have created in an attempt whose response was lost."""
    if one.last_token_hash is None:
        return None
    return await webhooks.find(
        clio, lambda url: hash_secret(url.rpartition("/")[2]) == one.last_token_hash
    )


async def _renew(services: Services, clio: ClioClient, one: Subscription, hook_id: int) -> bool:
    """Renew a subscription that works; return False if another must replace it, as one whose token has no check."""
    if one.pending or not one.keyed or _open_secret(services, one) is None:
        return False
    hook = await webhooks.renew(clio, hook_id, now=services.now())
    if hook is None:
        return False
    async with transaction(services.database, one.account_id) as session:
        due_at = _renew_at(hook, services.now())
        await clio_subscriptions.record_renewal(session, one, hook_id, due_at=due_at)
    return True


async def _create(services: Services, clio: ClioClient, one: Subscription) -> None:
    """Create a subscription at a new address.

    The address is stored before Clio is asked, because Clio may send the handshake before it responds.
    """
    token = new_token(services, Purpose.HOOK)
    async with transaction(services.database, one.account_id) as session:
        hashed = hash_secret(token)
        if not await clio_subscriptions.start_handshake(session, one, token_hash=hashed):
            return
    url = f"{services.public_url}/hooks/clio/{token}"
    hook = await webhooks.subscribe(clio, url, one.model, now=services.now())
    sealed = None
    if hook.shared_secret is not None:
        sealed = services.cipher.seal({"secret": hook.shared_secret}, row=_seal_text(one))
    now = services.now()
    created = clio_subscriptions.CreatedWebhook(
        hook.id, sealed, _renew_at(hook, now), now + CHECK_AGAIN_AFTER
    )
    async with transaction(services.database, one.account_id) as session:
        kept = await clio_subscriptions.store_webhook(session, one, created, token_hash=hashed)
    if not kept:  # it was requested again or deleted meanwhile: nobody waits for this one
        await webhooks.unsubscribe(clio, hook.id)
        return
    log.info("subscription_created", connection_id=one.connection_id, resource=one.model)


def _renew_at(hook: WebhookSubscription, now: datetime) -> datetime:
    """Return half of the subscription's life from now, early enough to retry many times."""
    life = hook.expires_at - now if hook.expires_at else webhooks.LIFETIME
    return now + max(life / 2, RETRY_AFTER)


@dataclass(frozen=True)
class Address:
    """A webhook address that exists: the hash of its token, and its account."""

    token_hash: str
    account_id: str


async def find_address(services: Services, token: str) -> Address:
    """Return an address. Call it before the body is read.

    Raises HookUnknown, and TooManyLookups; for an invented address the database is not asked.
    """
    if not may_exist(services, Purpose.HOOK, token):
        raise HookUnknown
    token_hash = hash_secret(token)
    account_id = await find_account_of_hook(services, token_hash)
    if account_id is None:
        raise HookUnknown
    return Address(token_hash, account_id)


async def receive_webhook(
    services: Services,
    address: Address,
    body: bytes,
    *,
    handshake: str | None,
    signature: str | None,
) -> WebhookKind:
    """Handle a request to a webhook address and return its kind; a verified notification requests a run.

    Raises HookUnknown, SignatureInvalid.
    """
    async with transaction(services.database, address.account_id) as session:
        one = await _lock_subscription(session, address)
        if handshake is not None:
            await _accept_handshake(services, session, one, handshake)
            return WebhookKind.HANDSHAKE
        if not _is_signed(services, one, body, signature or ""):
            raise SignatureInvalid
        digest = hashlib.blake2b(body, digest_size=16).digest()
        if digest in one.seen:
            return WebhookKind.REPETITION
        await clio_subscriptions.remember_notification(session, one, digest)
        await _request_run(session, one, webhooks.named_record(body), now=services.now())
    return WebhookKind.NOTIFICATION


async def _lock_subscription(session: Session, address: Address) -> Subscription:
    """Lock the account and then the subscription, in the order in which connecting a login does. Raises HookUnknown."""
    await accounts.lock_account(session, address.account_id)
    one = await clio_subscriptions.lock_by_token_hash(session, address.token_hash)
    if one is None:
        raise HookUnknown
    return one


async def _accept_handshake(
    services: Services, session: Session, one: Subscription, secret: str
) -> None:
    """Accept a handshake that is expected; if Clio's response had a secret, only with that secret.

    A repeated handshake is accepted again, because our response to the first may have been lost.
    """
    known = _open_secret(services, one)
    if known is not None and not secrets.compare_digest(known.encode(), secret.encode()):
        raise SignatureInvalid
    if known is None and not one.pending:
        raise SignatureInvalid
    sealed = services.cipher.seal({"secret": secret}, row=_seal_text(one))
    await clio_subscriptions.confirm_handshake(session, one, sealed_secret=sealed)


def _is_signed(services: Services, one: Subscription, body: bytes, signature: str) -> bool:
    secret = _open_secret(services, one)
    return secret is not None and webhooks.is_signed(body, signature, secret)


def _open_secret(services: Services, one: Subscription) -> str | None:
    """Return the secret that Clio signs with; None if it is not known yet or no key opens it."""
    if one.sealed_secret is None:
        return None
    try:
        return services.cipher.open(one.sealed_secret, row=_seal_text(one))["secret"]
    except DecryptionFailed:
        return None


async def _request_run(
    session: Session, one: Subscription, named: webhooks.Named | None, *, now: datetime
) -> None:
    """Request a run that begins within a minute. Notifications that arrive meanwhile share it.

    It reads the lists if the notification names no record.
    """
    account_id = one.account_id
    account = await accounts.get_account(session, account_id)
    if not account.fields.enabled:
        return
    before = await runs.newest_run(session, account_id, Trigger.WEBHOOK)
    in_burst = before is not None and now - before.queued_at < BURST_WINDOW
    after = BURST_RUN_DELAY if in_burst else RUN_DELAY
    if named is None:
        request = RunRequest(Kind.INCREMENTAL, Trigger.WEBHOOK, after=after)
        await run_requests.request_run(session, account_id, request, now=now)
    else:
        record = NamedRecord(_LISTS[one.model], named.clio_id, one.connection_id, named.deleted)
        await run_requests.request_reading(session, account_id, record, after=after, now=now)


def _seal_text(one: Subscription) -> str:
    """Return the text that binds a sealed secret to its subscription. Stored secrets contain it: do not change it."""
    return f"subscriptions/{one.account_id}/{one.connection_id}/{one.model}"
