"""Jobs that the previous release queued: each only wakes the lane that does its work now.

This module goes in the release after this one.
"""

import json

from app.db import job_queue
from app.db.runs import turns
from app.db.session import transaction
from app.lanes import ERASURE, RUN_LANES, Lane, housekeeping_key
from app.sync.services import Services


async def wake_lane_of(services: Services, name: str, payload: bytes) -> None:
    """Wake the lane that does the work of an earlier job: a run, a write-back, a verification or an erasure."""
    account_id: str = json.loads(payload)["account_id"]
    async with transaction(services.database, account_id) as session:
        if name == "run":
            await turns.lock_turns(session, account_id)
            await turns.wake_lanes(session, account_id, RUN_LANES, now=services.now())
        elif name == "erasure":
            await job_queue.want(session, Lane.HOUSEKEEPING, housekeeping_key(ERASURE, account_id))
        else:
            await job_queue.want(session, Lane.WRITE_BACK, account_id)
