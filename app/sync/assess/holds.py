"""A person's decision about a hold: release it, so that the change happens, or discard it [S5, NC-7].

Contacts and new-client rows are locked before their hold, as a run does it, so that the two cannot deadlock.
"""

from datetime import datetime

import structlog

from app.db import issues
from app.db.contacts import holds, surge_holds
from app.db.contacts.holds import Hold, HoldKind, HoldStatus
from app.db.issues import Subject
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable
from app.sync.assess import shrink_guard, surges
from app.sync.services import Services

SURGES = 100  # continued in one tick

log = structlog.get_logger(__name__)

_SURGE_ACTIONS = {
    HoldStatus.RELEASED: surges.release_surge,
    HoldStatus.DISCARDED: surges.discard_surge,
}


async def release_hold(
    session: Session, account_id: str, hold_id: str, *, by: str, now: datetime
) -> Hold:
    """Release a hold: removals happen in a run of their own, new clients are announced at once.

    Raises HoldNotFound, HoldDecided.
    """
    return await _decide(session, account_id, hold_id, HoldStatus.RELEASED, by=by, now=now)


async def discard_hold(
    session: Session, account_id: str, hold_id: str, *, by: str, now: datetime
) -> Hold:
    """Discard a hold: the contacts stay as they are, the new clients are never announced.

    Raises HoldNotFound, HoldDecided.
    """
    return await _decide(session, account_id, hold_id, HoldStatus.DISCARDED, by=by, now=now)


async def finish_decided_surges(services: Services) -> None:
    """Announce or suppress the rest of the decided surges that were too large for one transaction.

    The scheduler calls it regularly. A fault in one surge must not delay the others.
    """
    async with transaction(services.database) as session:
        decided = await surge_holds.list_unfinished(session, limit=SURGES)
    for account_id, hold in decided:
        try:
            await _finish_surge(services, account_id, hold)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("surge_crashed", account_id=account_id)


async def _finish_surge(services: Services, account_id: str, hold: Hold) -> None:
    more = True
    while more and not services.stopping.is_set():
        async with transaction(services.database) as session:
            now = services.now()
            rows = await surges.lock_surge_rows(session, account_id, hold.run_id)
            await _SURGE_ACTIONS[hold.status](session, account_id, rows, now=now)
            more = bool(rows)
            if not more:
                await surge_holds.mark_carried_out(session, account_id, hold.hold_id, now=now)


async def _decide(
    session: Session, account_id: str, hold_id: str, status: HoldStatus, *, by: str, now: datetime
) -> Hold:
    waiting = await holds.get_hold(session, account_id, hold_id)
    if waiting.kind is HoldKind.NEW_CLIENTS:
        rows = await surges.lock_surge_rows(session, account_id, waiting.run_id)
        hold = await holds.decide(session, account_id, hold_id, status, by=by, now=now)
        await _SURGE_ACTIONS[status](session, account_id, rows, now=now)
        return hold
    if status is HoldStatus.RELEASED:
        await holds.mark_contacts_stale(session, account_id, hold_id)
    hold = await holds.decide(session, account_id, hold_id, status, by=by, now=now)
    await issues.resolve_issues(
        session, account_id, "shrink_held", Subject("hold", hold_id), now=now
    )
    if status is HoldStatus.RELEASED:
        await shrink_guard.request_reassessment(session, account_id, now=now)
    return hold
