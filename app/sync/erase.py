"""Erasing: what we hold of an account is deleted, and Clio is told to forget our tokens [S15]."""

import structlog

from app.db import accounts, connections
from app.db.audit import Actor
from app.db.session import transaction
from app.sync import Services
from app.sync.connect import disconnect

log = structlog.get_logger(__name__)


async def erase_account(services: Services, account_id: str, *, actor: Actor) -> None:
    """Deauthorise every login, then delete all rows of the account; a run at work meets its fence and ends."""
    async with transaction(services.database) as session:
        logins = await connections.list_connections(session, account_id)
    for login in logins:
        await disconnect(services, account_id, login.connection_id, actor=actor)
    async with transaction(services.database) as session:
        await accounts.delete_account(session, account_id)
    log.info("account_erased", account_id=account_id)
