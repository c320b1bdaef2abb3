"""Disconnecting a Clio login: its tokens are unusable here at once, and Clio is told to revoke them."""

import structlog

from app.db.accounts import accounts, audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import connections
from app.db.connections.connections import Status
from app.db.session import transaction
from app.sync import issues
from app.sync.connections.oauth_login import end_begun
from app.sync.connections.revocations import owe_logins
from app.sync.services import Services

log = structlog.get_logger(__name__)


async def disconnect_login(
    services: Services, account_id: str, connection_id: str, *, actor: Actor
) -> None:
    """End the connection and the attempts to connect it, and owe Clio the revocation of its tokens [API-16].

    Pulled records stay. Repeating is harmless. Raises ConnectionNotFound.
    """
    now = services.now()
    async with transaction(services.database, account_id) as session:
        await accounts.lock_account(session, account_id)
        await end_begun(session, services, account_id, connection_id)
        await owe_logins(session, services, account_id, connection_id=connection_id)
        connection = await connections.get_connection(session, account_id, connection_id)
        await issues.connection_ended(session, connection, Status.DISCONNECTED, None, now=now)
        if connection.status is not Status.DISCONNECTED:
            action = AuditAction("connection.ended", connection_id, {"user_id": connection.user_id})
            await audit.record(session, account_id, actor, action, now=now)
    log.info("connection_disconnected", account_id=account_id, connection_id=connection_id)
