"""A person's decisions about one new client: release, suppress, replay; and its erasure."""

from datetime import datetime

from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.contacts import announcements, new_clients
from app.db.contacts.new_clients import NewClient, NewClientHeld, NewClientNotHeld
from app.db.session import Session
from app.rules.new_clients import Status
from app.sync.assess.new_client_holds import stop_waiting


async def release_new_client(
    session: Session, account_id: str, new_client_id: str, actor: Actor, *, now: datetime
) -> None:
    """Announce a new client that is held. Raises NewClientNotHeld."""
    row = await _lock_held(session, account_id, new_client_id)
    await announcements.announce(session, account_id, [row], now=now)
    await stop_waiting(session, account_id, [row.clio_id], now=now)
    await _audit(session, account_id, actor, "new_client.released", row, now=now)


async def suppress_new_client(
    session: Session, account_id: str, new_client_id: str, actor: Actor, *, now: datetime
) -> None:
    """Suppress a new client that is held: it is never announced. Raises NewClientNotHeld."""
    row = await _lock_held(session, account_id, new_client_id)
    await new_clients.suppress(session, account_id, [row.clio_id])
    await stop_waiting(session, account_id, [row.clio_id], now=now)
    await _audit(session, account_id, actor, "new_client.suppressed", row, now=now)


async def replay_new_client(
    session: Session, account_id: str, new_client_id: str, actor: Actor, *, now: datetime
) -> None:
    """Announce a new client again, under a new event id [NC-4]. Raises NewClientHeld."""
    row = await new_clients.lock_new_client(session, account_id, new_client_id)
    if row.status is Status.HELD:
        raise NewClientHeld
    await announcements.replay(session, account_id, row, now=now)
    await _audit(session, account_id, actor, "new_client.replayed", row, now=now)


async def forget_new_client(
    session: Session, account_id: str, clio_id: int, *, now: datetime
) -> None:
    """Erase a person's row, and remove the person from the hold that it waits in."""
    row = await new_clients.find_new_client(session, account_id, clio_id)
    if row is not None:
        await new_clients.lock_new_client(session, account_id, row.new_client_id)
        await stop_waiting(session, account_id, [row.clio_id], now=now)
        await new_clients.delete_row(session, account_id, row)


async def _lock_held(session: Session, account_id: str, new_client_id: str) -> NewClient:
    row = await new_clients.lock_new_client(session, account_id, new_client_id)
    if row.status is not Status.HELD:
        raise NewClientNotHeld
    return row


async def _audit(
    session: Session, account_id: str, actor: Actor, action: str, row: NewClient, *, now: datetime
) -> None:
    await audit.record(session, account_id, actor, AuditAction(action, row.new_client_id), now=now)
