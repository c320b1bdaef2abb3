"""The shrink guard: contacts that would leave Levitate wait until the run has found all of them [S5].

A few of them leave at the end of the run. Many of them wait for a person's decision, because a removal ends
automations that reach real people. A change of settings or of users is not held back: its effect could be previewed
[row 21].
"""

from collections.abc import Collection
from datetime import datetime

from app.db import issues
from app.db.contacts import contacts, holds
from app.db.contacts.holds import Hold, HoldStatus
from app.db.issues import Finding, Subject
from app.db.runs import run_requests
from app.db.runs.leases import Lease
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session

# One run may remove this number of contacts, or this share of the synced contacts if that is more.
MAX_REMOVALS, MAX_REMOVED_SHARE = 20, 0.10


async def requeue_abandoned(session: Session, lease: Lease) -> None:
    """Mark the contacts that ended runs had gathered as stale, so that this run assesses them again."""
    for hold in await holds.list_abandoned(session, lease.account_id, except_run_id=lease.run_id):
        await holds.mark_contacts_stale(session, lease.account_id, hold.hold_id)
        await holds.delete_undecided(session, lease.account_id, [hold.hold_id])


async def defer_removals(
    session: Session,
    lease: Lease,
    kind: Kind,
    leaving: set[int],
    assessed: Collection[int],
    *,
    now: datetime,
) -> set[int]:
    """Return which of the contacts that would leave must wait.

    The other assessed contacts, which stay or leave now, no longer wait in a hold.
    """
    account_id = lease.account_id
    guarded = kind is not Kind.REDERIVE
    standing = await holds.find_removal_statuses(session, account_id, assessed)
    held = (HoldStatus.OPEN,) if guarded else (HoldStatus.OPEN, HoldStatus.DISCARDED)
    waiting = {clio_id for clio_id in leaving if standing.get(clio_id) in held}
    gather = {
        clio_id
        for clio_id in leaving - waiting
        if guarded and standing.get(clio_id) is not HoldStatus.RELEASED
    }
    await holds.add_removals(session, account_id, lease.run_id, gather, now=now)
    decided = standing.keys() - waiting - gather
    await stop_waiting(session, account_id, decided, now=now)
    return waiting | gather


async def stop_waiting(
    session: Session, account_id: str, clio_ids: Collection[int], *, now: datetime
) -> None:
    """Remove contacts from the holds of removals; delete a hold, and resolve its issue, when it is empty."""
    emptied = await holds.remove_contacts(session, account_id, clio_ids)
    for hold_id in emptied:
        await issues.resolve_issues(
            session, account_id, "shrink_held", Subject("hold", hold_id), now=now
        )
    await holds.delete_undecided(session, account_id, emptied)


async def release_or_open(session: Session, lease: Lease, *, now: datetime) -> bool:
    """Release the gathered removals if they are few, or open the hold; return whether contacts are stale again.

    Call it when the run has assessed all stale contacts.
    """
    account_id = lease.account_id
    hold = await holds.find_gathering(session, account_id, lease.run_id)
    if hold is None:
        return False
    in_scope = (await contacts.count_by_state(session, account_id))["in_scope"]
    if hold.count > max(MAX_REMOVALS, MAX_REMOVED_SHARE * in_scope):
        await _open_hold(session, account_id, hold, in_scope, now=now)
        return False
    await holds.mark_contacts_stale(session, account_id, hold.hold_id)
    await holds.decide(session, account_id, hold.hold_id, HoldStatus.RELEASED, by=None, now=now)
    return True


async def _open_hold(
    session: Session, account_id: str, hold: Hold, in_scope: int, *, now: datetime
) -> None:
    await holds.decide(session, account_id, hold.hold_id, HoldStatus.OPEN, by=None, now=now)
    text = (
        f"{hold.count} of {in_scope} contacts would leave Levitate in one run. They stay until somebody"
        " releases or discards this hold"
    )
    finding = Finding("shrink_held", text, Subject("hold", hold.hold_id))
    await issues.open_issue(session, account_id, finding, now=now)


async def request_reassessment(session: Session, account_id: str, *, now: datetime) -> None:
    """Request a run that assesses the contacts of a released hold again without asking Clio."""
    await run_requests.request_run(
        session, account_id, RunRequest(Kind.REDERIVE, Trigger.MANUAL), now=now
    )
