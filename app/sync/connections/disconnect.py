"""Ending a Clio login: Clio is told to forget our subscriptions and tokens, and we forget them whatever it says."""

import structlog

from app.clio import webhooks
from app.clio.errors import ClioError
from app.clio.shared_limit import Lane
from app.crypto import DecryptionFailed
from app.db.accounts import audit
from app.db.accounts.audit import Actor, Deed
from app.db.connections import clio_subscriptions, connections
from app.db.connections.connections import Connection, Status
from app.db.session import transaction
from app.sync import issues
from app.sync.connections.oauth_flow import clio_for, deauthorize
from app.sync.connections.tokens import opened
from app.sync.services import Services

log = structlog.get_logger(__name__)


async def disconnect(
    services: Services, account_id: str, connection_id: str, *, actor: Actor
) -> None:
    """Deauthorise at Clio and forget the tokens; what was pulled stays. Doing it twice is harmless."""
    async with transaction(services.database) as session:
        connection = await connections.get_connection(session, account_id, connection_id)
        stored = await connections.read_tokens(session, account_id, connection_id)
    if stored is not None:
        await _unsubscribe(services, connection)
        await _forget_at_clio(services, connection, stored)
    async with transaction(services.database) as session:
        now = services.now()
        await issues.connection_ended(session, connection, Status.DISCONNECTED, None, now=now)
        if connection.status is not Status.DISCONNECTED:
            deed = Deed("connection.ended", connection_id, {"user_id": connection.user_id})
            await audit.record(session, account_id, actor, deed, now=now)
    log.info("connection_disconnected", account_id=account_id, connection_id=connection_id)


async def _unsubscribe(services: Services, connection: Connection) -> None:
    """End the connection's subscriptions while its tokens are good; Clio forgets the rest in days."""
    async with transaction(services.database) as session:
        hook_ids = await clio_subscriptions.forget(
            session, connection.account_id, connection.connection_id
        )
    try:
        for hook_id in hook_ids:
            await webhooks.unsubscribe(clio_for(services, connection, Lane.PERSON), hook_id)
    except (ClioError, DecryptionFailed) as error:
        reason = error.code if isinstance(error, ClioError) else None
        log.warning(
            "clio_unsubscribe_failed", connection_id=connection.connection_id, reason=reason
        )


async def _forget_at_clio(services: Services, connection: Connection, stored: str) -> None:
    """Tokens that no key opens cannot be told to Clio; they are forgotten all the same."""
    try:
        tokens = opened(services.cipher, connection, stored)
    except DecryptionFailed:
        log.warning("clio_deauthorize_failed", connection_id=connection.connection_id)
        return
    await deauthorize(services, connection, tokens)
