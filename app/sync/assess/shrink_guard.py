"""The shrink guard: contacts that would leave Levitate wait until the run has found all of them [S5].

A few of them leave at the end of the run. Many of them wait for a person's decision, because a removal ends
automations that reach real people. A change of settings or of users is not held back, because its effect could be
previewed [row 21], unless the rules have changed as well [row 56]. What runs removed by themselves in the last 24 hours
counts too, so that a slow loss is noticed [row 54].
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.db import issues
from app.db.contacts import contacts, hold_decisions, holds, scope_changes
from app.db.contacts.holds import Hold, HoldKind, HoldStatus
from app.db.contacts.scope_changes import ScopeChange
from app.db.issues import Finding, Subject
from app.db.mirror import staleness
from app.db.runs import run_requests
from app.db.runs.leases import Lease
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session
from app.rules.set_aside import UNLIMITED_CAUSES
from app.sync.assess.hold_issues import SHRINK_HELD, stop_waiting

# In 24 hours runs may remove this number of contacts, or this share of those in scope a day ago if that is more.
MAX_REMOVALS, MAX_REMOVED_SHARE = 20, 0.10
AT_ONCE = 500  # contacts that one transaction marks stale


async def requeue_abandoned(session: Session, lease: Lease) -> bool:
    """Mark the next contacts that an ended run had gathered as stale, so that this run assesses them again.

    Return whether there may be more.
    """
    account_id = lease.account_id
    hold_id = await holds.find_abandoned(session, account_id, except_run_id=lease.run_id)
    if hold_id is None:
        return False
    clio_ids = await holds.list_items(session, account_id, hold_id, after=0, limit=AT_ONCE)
    await staleness.mark_unchanged_stale(session, account_id, clio_ids)
    await hold_decisions.remove_items(session, account_id, hold_id, clio_ids)
    if len(clio_ids) < AT_ONCE:
        await holds.delete_undecided(session, account_id, [hold_id])
    return True


@dataclass(frozen=True)
class LeavingContacts:
    """The contacts of a batch that would leave, by Clio id with the cause, all that it assessed, and the run's kind."""

    kind: Kind
    leaving: Mapping[int, str]
    assessed: Collection[int]


async def defer_removals(
    session: Session,
    lease: Lease,
    batch: LeavingContacts,
    *,
    now: datetime,
) -> set[int]:
    """Return which of the contacts that would leave must wait.

    The other assessed contacts, which stay or leave now, no longer wait in a hold.
    """
    account_id, leaving = lease.account_id, batch.leaving.keys()
    standing = await holds.find_removal_statuses(session, account_id, batch.assessed)
    held = [HoldStatus.OPEN, *([HoldStatus.DISCARDED] if batch.kind is Kind.REDERIVE else [])]
    waiting = {clio_id for clio_id in leaving if standing.get(clio_id) in held}
    gather = {
        clio_id
        for clio_id in leaving - waiting
        if batch.leaving[clio_id] not in UNLIMITED_CAUSES
        and standing.get(clio_id) is not HoldStatus.RELEASED
    }
    await holds.add_removals(session, account_id, lease.run_id, gather, now=now)
    decided = standing.keys() - waiting - gather
    await stop_waiting(session, account_id, HoldKind.REMOVALS, decided, now=now)
    return waiting | gather


async def release_or_open(
    session: Session, lease: Lease, kind: Kind, *, after: int, now: datetime
) -> int | None:
    """Release the gathered removals if they are few, or open the hold.

    Call it when the run has assessed all stale contacts. Then some of the released contacts after a Clio id are stale
    again: return the last one's id, None if there are none.
    """
    account_id = lease.account_id
    hold = await holds.find_of_run(session, account_id, lease.run_id)
    if hold is not None and hold.status is HoldStatus.GATHERING:
        hold = await _decide(session, lease, hold, kind, now=now)
    if hold is None or hold.status is not HoldStatus.RELEASED or hold.decided_by is not None:
        return None
    clio_ids = await holds.list_items(session, account_id, hold.hold_id, after=after, limit=AT_ONCE)
    await staleness.mark_unchanged_stale(session, account_id, clio_ids)
    return clio_ids[-1] if clio_ids else None


async def _decide(session: Session, lease: Lease, hold: Hold, kind: Kind, *, now: datetime) -> Hold:
    """Release or open the hold; return it. What the initial run releases is not counted [row 54]."""
    account_id = lease.account_id
    in_scope = (await contacts.count_by_state(session, account_id))["in_scope"]
    in_scope -= await scope_changes.growth(session, account_id, now=now)
    gone = await scope_changes.count_by_itself(session, account_id, HoldKind.REMOVALS, now=now)
    if gone + hold.count > max(MAX_REMOVALS, MAX_REMOVED_SHARE * in_scope):
        return await _open_hold(
            session, account_id, hold, _hold_text(hold, gone, in_scope), now=now
        )
    removed = ScopeChange(removed=0 if kind is Kind.INITIAL else hold.count)
    await scope_changes.record(session, account_id, lease.run_id, removed, now=now)
    return await hold_decisions.decide(
        session, account_id, hold.hold_id, HoldStatus.RELEASED, by=None, now=now
    )


def _hold_text(hold: Hold, gone: int, in_scope: int) -> str:
    before = f", after {gone} that left in the 24 hours before" if gone else ""
    return (
        f"{hold.count} contacts would leave Levitate in one run{before}. A day ago {in_scope} contacts were in"
        " Levitate. They stay until somebody releases or discards this hold"
    )


async def _open_hold(
    session: Session, account_id: str, hold: Hold, text: str, *, now: datetime
) -> Hold:
    finding = Finding(SHRINK_HELD, text, Subject("hold", hold.hold_id))
    await issues.open_issue(session, account_id, finding, now=now)
    return await hold_decisions.decide(
        session, account_id, hold.hold_id, HoldStatus.OPEN, by=None, now=now
    )


async def request_reassessment(session: Session, account_id: str, *, now: datetime) -> None:
    """Request a run that assesses the contacts of a released hold again without asking Clio."""
    await run_requests.request_run(
        session, account_id, RunRequest(Kind.REDERIVE, Trigger.MANUAL), now=now
    )
