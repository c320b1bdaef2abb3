"""The expected end of a run, from what it has stored so far. The estimate itself is in `eta.py`."""

from datetime import datetime

from app.db.runs import checkpoints, leases
from app.db.runs.leases import Lease
from app.db.session import Session
from app.sync.pull.eta import Eta


async def find_end(session: Session, lease: Lease, eta: Eta, *, now: datetime) -> datetime | None:
    """Return when the run will have read its lists, and a first run assessed everybody; None when that is unknown."""
    pulls = await checkpoints.list_pulls(session, lease.account_id, [lease.run_id])
    assessed = await leases.count_assessed(session, lease)
    return eta.end(pulls[lease.run_id], assessed=assessed, now=now)
