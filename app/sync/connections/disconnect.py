"""Disconnecting a Clio login: end its subscriptions, revoke its tokens at Clio and delete them here."""

import structlog

from app.clio import webhooks
from app.clio.errors import ClioError
from app.clio.shared_rate_limit import Lane
from app.crypto import DecryptionFailed
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import clio_subscriptions, connections
from app.db.connections.connections import Connection, Status
from app.db.session import transaction
from app.sync import issues
from app.sync.connections.clients import clio_for
from app.sync.connections.oauth_flow import deauthorize
from app.sync.connections.tokens import open_tokens
from app.sync.services import Services

log = structlog.get_logger(__name__)


async def disconnect_login(
    services: Services, account_id: str, connection_id: str, *, actor: Actor
) -> None:
    """Revoke the tokens at Clio and delete them, even if Clio cannot be asked; pulled records stay.

    Repeating is harmless.
    """
    async with transaction(services.database) as session:
        connection = await connections.get_connection(session, account_id, connection_id)
        stored = await connections.read_tokens(session, account_id, connection_id)
    if stored is not None:
        await _unsubscribe(services, connection)
        await _revoke_tokens(services, connection, stored)
    async with transaction(services.database) as session:
        now = services.now()
        await issues.connection_ended(session, connection, Status.DISCONNECTED, None, now=now)
        if connection.status is not Status.DISCONNECTED:
            action = AuditAction("connection.ended", connection_id, {"user_id": connection.user_id})
            await audit.record(session, account_id, actor, action, now=now)
    log.info("connection_disconnected", account_id=account_id, connection_id=connection_id)


async def _unsubscribe(services: Services, connection: Connection) -> None:
    """End the connection's subscriptions while its tokens work; Clio ends what remains after some days."""
    async with transaction(services.database) as session:
        hook_ids = await clio_subscriptions.delete_subscriptions(
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


async def _revoke_tokens(services: Services, connection: Connection, stored: str) -> None:
    """Revoke the tokens at Clio. If no key opens them they cannot be revoked, and are deleted here all the same."""
    try:
        tokens = open_tokens(services.cipher, connection, stored)
    except DecryptionFailed:
        log.warning("clio_deauthorize_failed", connection_id=connection.connection_id)
        return
    await deauthorize(services, connection, tokens)
