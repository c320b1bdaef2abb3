"""Look-ups of the account behind an OAuth state, a connect link, an address for Clio's webhooks, or a receipt.

They read over all accounts, so nothing else belongs here. A transaction of the account that was found does the rest.
"""

from collections.abc import Collection
from datetime import datetime

from app.db.accounts import receipts
from app.db.accounts.receipts import Receipt
from app.db.connections import attempts, clio_subscriptions, connect_links
from app.db.connections.attempts import OAuthAttempt
from app.db.connections.connect_links import ConnectLink
from app.db.system import system_transaction
from app.sync.services import Services


async def find_attempt(services: Services, state_hash: str) -> OAuthAttempt | None:
    """Return the attempt to connect of a state, None if there is none."""
    async with system_transaction(services.database) as session:
        return await attempts.find_attempt(session, state_hash)


async def use_attempt(
    services: Services, state_hash: str, *, browser_hash: str, now: datetime
) -> OAuthAttempt | None:
    """Return the attempt of a state, and mark it as used by a browser; its `used_at` is set if it was used before."""
    async with system_transaction(services.database) as session:
        return await attempts.use_attempt(session, state_hash, browser_hash=browser_hash, now=now)


async def find_connect_link(services: Services, token_hash: str) -> ConnectLink | None:
    """Return the connect link with this token, None if there is none."""
    async with system_transaction(services.database) as session:
        return await connect_links.find_link(session, token_hash)


async def find_account_of_hook(services: Services, token_hash: str) -> str | None:
    """Return the account of an address for Clio's webhooks, None if there is no such address."""
    async with system_transaction(services.database) as session:
        return await clio_subscriptions.find_account_id(session, token_hash)


async def find_receipt(
    services: Services, erasure_id: str, *, only: Collection[str] | None
) -> Receipt:
    """Return the receipt of an erasure, only one of these accounts if they are given. Raises ErasureNotFound."""
    async with system_transaction(services.database) as session:
        return await receipts.get_receipt(session, erasure_id, only=only)
