"""The shrink guard: contacts that would leave Levitate wait until a run knows them all [S5].

Few of them leave at the run's end. Many of them wait for a person, for a withdrawal ends automations in the real
world. What a person asked for by settings or users, and could preview, is not held back [row 21].
"""

from collections.abc import Collection
from datetime import datetime

from app.db import issues
from app.db.contacts import contacts, holds
from app.db.contacts.holds import Hold, HoldStatus
from app.db.issues import Finding, Subject
from app.db.runs import runs
from app.db.runs.leases import Lease
from app.db.runs.runs import Kind, Trigger, Wish
from app.db.session import Session

FEW, SHARE = 20, 0.10  # so many, and so large a part of the synced contacts, may leave in one run


async def take_up(session: Session, lease: Lease) -> None:
    """What runs that were cut had gathered is judged again."""
    for hold in await holds.abandoned(session, lease.account_id, but_of=lease.run_id):
        await holds.doubt_items(session, lease.account_id, hold.hold_id)
        await holds.forget(session, lease.account_id, [hold.hold_id])


async def keep_back(
    session: Session,
    lease: Lease,
    kind: Kind,
    leave: set[int],
    judged: Collection[int],
    *,
    now: datetime,
) -> set[int]:
    """Which of those that would leave must wait; those judged that stay, or leave now, wait no longer."""
    account_id = lease.account_id
    guarded = kind is not Kind.REDERIVE
    standing = await holds.standing(session, account_id, judged)
    held = (HoldStatus.OPEN,) if guarded else (HoldStatus.OPEN, HoldStatus.DISCARDED)
    waiting = {clio_id for clio_id in leave if standing.get(clio_id) in held}
    gather = {
        clio_id
        for clio_id in leave - waiting
        if guarded and standing.get(clio_id) is not HoldStatus.RELEASED
    }
    await holds.gather(session, account_id, lease.run_id, gather, now=now)
    over = standing.keys() - waiting - gather
    await wait_no_longer(session, account_id, over, now=now)
    return waiting | gather


async def wait_no_longer(
    session: Session, account_id: str, clio_ids: Collection[int], *, now: datetime
) -> None:
    """These contacts' withdrawals wait no longer; a hold that is empty by that is over."""
    emptied = await holds.settle(session, account_id, clio_ids)
    for hold_id in emptied:
        await issues.resolve(session, account_id, "shrink_held", Subject("hold", hold_id), now=now)
    await holds.forget(session, account_id, emptied)


async def decide(session: Session, lease: Lease, *, now: datetime) -> bool:
    """All who would leave are known: let them go, or open the hold. Answers whether there is more to judge."""
    account_id = lease.account_id
    hold = await holds.gathered(session, account_id, lease.run_id)
    if hold is None:
        return False
    in_scope = (await contacts.count_by_state(session, account_id))["in_scope"]
    if hold.count > max(FEW, SHARE * in_scope):
        await _open(session, account_id, hold, in_scope, now=now)
        return False
    await holds.doubt_items(session, account_id, hold.hold_id)
    await holds.decide(session, account_id, hold.hold_id, HoldStatus.RELEASED, by=None, now=now)
    return True


async def _open(
    session: Session, account_id: str, hold: Hold, in_scope: int, *, now: datetime
) -> None:
    await holds.decide(session, account_id, hold.hold_id, HoldStatus.OPEN, by=None, now=now)
    text = (
        f"{hold.count} of {in_scope} contacts would leave Levitate in one run. They stay until somebody"
        " releases or discards this hold"
    )
    finding = Finding("shrink_held", text, Subject("hold", hold.hold_id))
    await issues.open_issue(session, account_id, finding, now=now)


async def let_go(session: Session, account_id: str, *, now: datetime) -> None:
    """Whom a released hold kept is judged again, in a run of its own that asks Clio nothing."""
    await runs.ask(session, account_id, Wish(Kind.REDERIVE, Trigger.MANUAL), now=now)
