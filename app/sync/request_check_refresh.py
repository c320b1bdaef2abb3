"""Keeps current what this process holds to judge requests: see `app/sync/request_checks.py`."""

import secrets
from collections.abc import Callable
from functools import partial

import structlog
from pydantic import SecretStr

from app.crypto import DecryptionFailed
from app.db.accounts import service_tokens
from app.db.connections import address_key
from app.db.connections.address_key import StoredAddressKey
from app.db.session import Session
from app.db.system import system_transaction
from app.sync.concurrency import comes_first
from app.sync.request_checks import AddressKey
from app.sync.services import Services

SEAL_TEXT = f"address_key/{address_key.KEY_ID}"  # the stored key contains it: do not change it
REFRESH_SECONDS = 4.0  # so a revoked token is refused after 5 s, even if the notification is lost

log = structlog.get_logger(__name__)


async def load_request_checks(services: Services) -> None:
    """Load what the process holds, and end the requests that wait with a token that is no longer valid.

    Raises DatabaseUnavailable; then it holds what it held before.
    """
    checks, now = services.request_checks, services.now()
    async with system_transaction(services.database) as session:
        checks.hold_tokens(await service_tokens.read_valid(session))
        if checks.has_expired_tokens(now):
            await service_tokens.revoke_expired(session, now=now)
        if not checks.has_address_key:
            stored = await address_key.find_key(session) or await _add_address_key(
                services, session
            )
            _hold_address_key(services, stored)
    for readers in (services.feed_waits, services.run_readers):
        readers.end_unless(partial(checks.is_valid, now=now))


async def _store_uses(services: Services) -> None:
    """Store the last uses of tokens: one statement a minute while tokens are used, however many requests there are."""
    checks = services.request_checks
    if uses := checks.list_new_uses():
        async with system_transaction(services.database) as session:
            await service_tokens.store_uses(session, uses)
        checks.forget_new_uses(uses)


async def _add_address_key(services: Services, session: Session) -> StoredAddressKey:
    sealed = services.cipher.seal({"key": secrets.token_urlsafe(32)}, row=SEAL_TEXT)
    return await address_key.add_key(session, StoredAddressKey(sealed, services.now()))


def _hold_address_key(services: Services, stored: StoredAddressKey) -> None:
    """Hold the key, if the encryption keys of this process open it: until then addresses get 503, tokens work."""
    try:
        document = services.cipher.open(stored.sealed_key, row=SEAL_TEXT)
    except DecryptionFailed:
        log.error("address_key_unreadable")  # noqa: TRY400  # the cause is known; its frames say nothing
        return
    services.request_checks.hold_address_key(
        AddressKey(SecretStr(document["key"]), stored.created_at)
    )


async def refresh_request_checks(services: Services, turned: Callable[[], None]) -> None:
    """Load again whenever it is outdated and every few seconds, and store uses of tokens, until the process must stop.

    Calls `turned` after each load. Raises DatabaseUnavailable.
    """
    checks, stopping = services.request_checks, services.stopping
    while not stopping.is_set():
        checks.outdated.clear()
        await load_request_checks(services)
        await _store_uses(services)
        turned()
        await comes_first(checks.outdated.wait(), stopping.wait(), seconds=REFRESH_SECONDS)
