"""A person's decision about many new clients at once: release or suppress those with these ids, or that a filter means.

The set is fixed in the request: its rows move into a decided hold of their own. The request carries out the first
step, and `finish_decided_holds` the others, as for any hold. So each row is decided once, also if a process is killed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.contacts import holds, new_client_sets, new_clients
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.contacts.new_client_sets import NewClientFilter
from app.db.contacts.new_clients import NewClientNotFound, NewClientNotHeld
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.session import Session
from app.sync.assess import hold_issues, new_client_holds
from app.sync.assess.holds import STEP, do_step

MOST = 10_000  # new clients of one request


@dataclass(frozen=True)
class ManyDecision:
    """A decision about the new clients with these ids, or about the held ones that a filter means."""

    status: HoldStatus
    by: str
    chosen: Sequence[str] | NewClientFilter
    audience: Audience = EVERYBODY


@dataclass(frozen=True)
class Skipped:
    """A new client that was named and is not decided, and the code of the reason."""

    new_client_id: str
    code: str


@dataclass(frozen=True)
class Decided:
    """How many were decided at once, how many follow, who was skipped, and whether the filter means others, too."""

    decision_id: str
    done: int
    remaining: int
    skipped: Sequence[Skipped] = ()
    has_more: bool = False


async def decide_many(
    session: Session, account_id: str, decision: ManyDecision, *, now: datetime
) -> Decided:
    """Fix the set, carry out the first step and return what is left. At most MOST of a filter are decided."""
    ids, has_more = await _find(session, account_id, decision)
    waiting = await _lock_waiting(session, account_id, sorted(ids.values()))
    named = () if isinstance(decision.chosen, NewClientFilter) else decision.chosen
    skipped = _skipped(named, ids, waiting)
    if not waiting:
        return Decided("", 0, 0, skipped)
    await _leave_holds(session, account_id, waiting, now=now)
    hold = await new_client_sets.add_decided(
        session, account_id, waiting, decision.status, by=decision.by, now=now
    )
    await do_step(session, account_id, hold, waiting[:STEP], now=now)
    left = len(waiting[STEP:])
    return Decided(hold.hold_id, len(waiting) - left, left, skipped, has_more)


async def _find(
    session: Session, account_id: str, decision: ManyDecision
) -> tuple[dict[str, int], bool]:
    """Return the Clio ids of those that are meant, by their ids, and whether there are more."""
    if not isinstance(decision.chosen, NewClientFilter):
        ids = list(dict.fromkeys(decision.chosen))
        found = await new_client_sets.find_by_ids(session, account_id, decision.audience, ids)
        return found, False
    found = await new_client_sets.find_held(
        session, account_id, decision.audience, decision.chosen, limit=MOST + 1
    )
    has_more = len(found) > MOST
    if has_more:
        found.popitem()
    return found, has_more


async def _lock_waiting(session: Session, account_id: str, clio_ids: Sequence[int]) -> list[int]:
    """Lock the rows, then their holds; return who is held and in no hold that somebody has decided already."""
    held: list[int] = []
    for at in range(0, len(clio_ids), STEP):
        rows = await new_clients.lock_waiting(session, account_id, clio_ids[at : at + STEP])
        held += [row.clio_id for row in rows]
    statuses = await new_client_sets.lock_holds_of(session, account_id, held)
    return [one for one in held if statuses.get(one, HoldStatus.OPEN) is HoldStatus.OPEN]


def _skipped(named: Sequence[str], found: dict[str, int], waiting: Sequence[int]) -> list[Skipped]:
    is_waiting = set(waiting)
    return [
        Skipped(one, NewClientNotHeld.code if one in found else NewClientNotFound.code)
        for one in dict.fromkeys(named)
        if found.get(one) not in is_waiting
    ]


async def _leave_holds(
    session: Session, account_id: str, clio_ids: Sequence[int], *, now: datetime
) -> None:
    """Remove these from the open holds in which they wait, and report who is left there."""
    left: set[str] = set()
    for at in range(0, len(clio_ids), STEP):
        chunk = clio_ids[at : at + STEP]
        left |= set(
            await hold_issues.stop_waiting(
                session, account_id, HoldKind.NEW_CLIENTS, chunk, now=now
            )
        )
    still = [one for one in sorted(left) if await holds.is_open(session, account_id, one)]
    await new_client_holds.report(session, account_id, still, now=now)
