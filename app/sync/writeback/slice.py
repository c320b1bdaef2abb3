"""One slice of an account's write-back: send what waits, then verify what was written a day ago."""

from datetime import timedelta
from functools import partial

import structlog

from app.db.outbox import waiting
from app.db.session import Session
from app.sync.services import Services
from app.sync.slices import Ending
from app.sync.writeback.send import Sending, send_waiting
from app.sync.writeback.verify import verify_written


async def write_back(services: Services, account_id: str) -> Ending:
    """Send waiting activities of the account, and verify written ones in the time that is left."""
    structlog.contextvars.bind_contextvars(account_id=account_id)
    sending = Sending(services, account_id, services.open_budget())
    await send_waiting(sending)
    verify_after: timedelta | None = timedelta(0)
    if not sending.is_over:
        verify_after = await verify_written(services, account_id, sending.budget)
    return Ending(account_id, partial(_what_is_left, sending, verify_after))


async def _what_is_left(
    sending: Sending, verify_after: timedelta | None, session: Session
) -> timedelta | None:
    """Return after what time something can be sent or verified, None if nothing is left."""
    now = sending.services.now()
    due_at = await waiting.next_due(session, sending.account_id, closed=sending.closed, now=now)
    times = [] if verify_after is None else [verify_after]
    if due_at is not None:
        times.append(max(due_at - now, timedelta(0)))
    return min(times, default=None)
