"""What a person decides about a hold: let what waits happen, or let it never happen [S5, NC-7]."""

from datetime import datetime

from app.db import holds, issues
from app.db.holds import Hold, HoldKind, HoldStatus
from app.db.issues import Subject
from app.db.session import Session
from app.sync import announce, leaving


async def release(
    session: Session, account_id: str, hold_id: str, *, by: str, now: datetime
) -> Hold:
    """Withdrawals happen in a run of their own, announcements at once. Raises HoldNotFound, HoldDecided."""
    hold = await _decided(session, account_id, hold_id, HoldStatus.RELEASED, by=by, now=now)
    if hold.kind is HoldKind.REMOVALS:
        await leaving.let_go(session, account_id, hold_id, now=now)
    else:
        await announce.release_surge(session, account_id, hold.run_id, now=now)
    return hold


async def discard(
    session: Session, account_id: str, hold_id: str, *, by: str, now: datetime
) -> Hold:
    """The contacts stay as they are, the new clients unannounced. Raises HoldNotFound, HoldDecided."""
    hold = await _decided(session, account_id, hold_id, HoldStatus.DISCARDED, by=by, now=now)
    if hold.kind is HoldKind.NEW_CLIENTS:
        await announce.discard_surge(session, account_id, hold.run_id, now=now)
    return hold


async def _decided(
    session: Session, account_id: str, hold_id: str, status: HoldStatus, *, by: str, now: datetime
) -> Hold:
    hold = await holds.decide(session, account_id, hold_id, status, by=by, now=now)
    if hold.kind is HoldKind.REMOVALS:  # a surge is over when its last new client is settled
        await issues.resolve(session, account_id, "shrink_held", Subject("hold", hold_id), now=now)
    return hold
