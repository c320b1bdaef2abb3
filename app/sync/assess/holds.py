"""What a person decides about a hold: let what waits happen, or let it never happen [S5, NC-7].

Who changes what waits locks it before the hold, contacts and ledger rows alike, as a run does: so they never wait
for each other in a circle.
"""

from datetime import datetime

from app.db import issues
from app.db.contacts import holds
from app.db.contacts.holds import Hold, HoldKind, HoldStatus
from app.db.issues import Subject
from app.db.session import Session, transaction
from app.sync.assess import new_clients, shrink_guard
from app.sync.services import Services

_SURGE = {
    HoldStatus.RELEASED: new_clients.release_surge,
    HoldStatus.DISCARDED: new_clients.discard_surge,
}


async def release(
    session: Session, account_id: str, hold_id: str, *, by: str, now: datetime
) -> Hold:
    """Withdrawals happen in a run of their own, announcements at once. Raises HoldNotFound, HoldDecided."""
    return await _decide(session, account_id, hold_id, HoldStatus.RELEASED, by=by, now=now)


async def discard(
    session: Session, account_id: str, hold_id: str, *, by: str, now: datetime
) -> Hold:
    """The contacts stay as they are, the new clients unannounced. Raises HoldNotFound, HoldDecided."""
    return await _decide(session, account_id, hold_id, HoldStatus.DISCARDED, by=by, now=now)


async def finish(services: Services) -> None:
    """Go on with the surges that were decided and are too large for one transaction; the clock asks for it."""
    async with transaction(services.database) as session:
        decided = await holds.unfinished(session)
    for account_id, hold in decided:
        more = True
        while more and not services.stopping.is_set():
            async with transaction(services.database) as session:
                now = services.now()
                rows = await new_clients.surging(session, account_id, hold.run_id)
                await _SURGE[hold.status](session, account_id, rows, now=now)
            more = bool(rows)


async def _decide(
    session: Session, account_id: str, hold_id: str, status: HoldStatus, *, by: str, now: datetime
) -> Hold:
    waiting = await holds.get(session, account_id, hold_id)
    if waiting.kind is HoldKind.NEW_CLIENTS:
        rows = await new_clients.surging(session, account_id, waiting.run_id)
        hold = await holds.decide(session, account_id, hold_id, status, by=by, now=now)
        await _SURGE[status](session, account_id, rows, now=now)
        return hold
    if status is HoldStatus.RELEASED:
        await holds.doubt_items(session, account_id, hold_id)
    hold = await holds.decide(session, account_id, hold_id, status, by=by, now=now)
    await issues.resolve(session, account_id, "shrink_held", Subject("hold", hold_id), now=now)
    if status is HoldStatus.RELEASED:
        await shrink_guard.let_go(session, account_id, now=now)
    return hold
