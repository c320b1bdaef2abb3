"""A person's decision about a hold: release it, so that the change happens, or discard it [S5, NC-2, NC-7, row 45].

The decision is about all items of the hold, or about some: then these become a part with a decision of its own. A
request carries out the first step, and the regular task `finish_decided_holds` the others. Contacts and new-client rows
are locked before their hold, as a run does it, so that the two cannot deadlock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from app.db.accounts import settings
from app.db.contacts import first_publications, hold_decisions, holds, new_clients
from app.db.contacts.holds import Hold, HoldKind, HoldNotFound, HoldStatus
from app.db.mirror import staleness
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.session import Session, transaction
from app.db.system import system_transaction
from app.errors import DatabaseUnavailable, InvalidRequest
from app.rules.settings import InitialSync
from app.sync.assess import first_publication, hold_issues, new_client_holds, shrink_guard
from app.sync.assess.hold_items import clio_id_of
from app.sync.services import Services

HOLDS = 100  # continued in one tick
STEP = hold_decisions.ITEMS_AT_ONCE
NOT_IN_HOLD = "is not an item that waits in this hold"
ONLY_FIRST_PUBLICATION = "can be chosen only for a hold of kind first_publication"
ONLY_WHOLE = (
    "must be left out: who is not released waits on, so only the whole hold can be discarded"
)

log = structlog.get_logger(__name__)

_NEW_CLIENTS = {
    HoldStatus.RELEASED: new_client_holds.release,
    HoldStatus.DISCARDED: new_client_holds.discard,
}
_REPORT = {
    HoldKind.NEW_CLIENTS: new_client_holds.report,
    HoldKind.FIRST_PUBLICATION: first_publication.report,
}


@dataclass(frozen=True)
class Decision:
    """A person's decision about a hold: about these of its items, or about all if `item_ids` is None.

    `first_sync`: what happens with the new clients of a first publication that is released; None for the setting. Items
    of people whom the audience does not see cannot be named.
    """

    status: HoldStatus
    by: str
    item_ids: Sequence[str] | None = None
    first_sync: InitialSync | None = None
    audience: Audience = EVERYBODY


async def decide_hold(
    session: Session, account_id: str, hold_id: str, decision: Decision, *, now: datetime
) -> Hold:
    """Release a hold, so that removals or the first publication happen in a run of their own, or discard it.

    New clients are announced at a release. After a discard the contacts stay as they are, the new clients are never
    announced, and a first publication waits for the next hold. Return the hold as it was decided, or with the items
    that wait on if only some were. Raises HoldNotFound, HoldDecided, InvalidRequest.
    """
    hold = await holds.get_hold(session, account_id, hold_id)
    if hold.status is HoldStatus.GATHERING or hold.part_of is not None:
        raise HoldNotFound
    _check_decision(hold, decision)
    pointers = _pointers(hold_id, decision.item_ids) if decision.item_ids else None
    if pointers:
        await _check_seen(session, account_id, hold_id, decision.audience, pointers)
    chosen = sorted(pointers) if pointers else None
    first = await holds.list_items(session, account_id, hold_id, after=0, limit=STEP)
    await _lock_items(session, account_id, hold, chosen or first)
    hold = await hold_decisions.lock_undecided(session, account_id, hold_id)
    decided_id = await _part(session, account_id, hold, pointers, now=now) if pointers else hold_id
    decided = await hold_decisions.decide(
        session, account_id, decided_id, decision.status, by=decision.by, now=now
    )
    if hold.kind is HoldKind.FIRST_PUBLICATION:
        await _go_on_with_review(session, account_id, decided, decision, now=now)
    await do_step(session, account_id, decided, (chosen or first)[:STEP], now=now)
    if decided_id == hold_id:
        return decided
    if hold.kind in _REPORT:
        await _REPORT[hold.kind](session, account_id, [hold_id], now=now)
    return await holds.get_hold(session, account_id, hold_id)


def _check_decision(hold: Hold, decision: Decision) -> None:
    """Raise InvalidRequest for a decision that a hold of this kind does not allow."""
    is_first = hold.kind is HoldKind.FIRST_PUBLICATION
    if decision.first_sync is not None and not is_first:
        raise InvalidRequest(errors=[("/new_clients", ONLY_FIRST_PUBLICATION)])
    if is_first and decision.status is HoldStatus.DISCARDED and decision.item_ids is not None:
        raise InvalidRequest(errors=[("/ids", ONLY_WHOLE)])


async def _go_on_with_review(
    session: Session, account_id: str, decided: Hold, decision: Decision, *, now: datetime
) -> None:
    """Store what was chosen for those who were released, or let those who were not wait in another hold."""
    if decided.status is HoldStatus.DISCARDED:
        await first_publications.gather(session, account_id, decided.run_id, now=now)
        return
    chosen = decision.first_sync
    if chosen is None:
        chosen = (await settings.get_current(session, account_id)).settings.new_client.initial_sync
    await first_publications.store_choice(session, account_id, decided.hold_id, chosen)


async def finish_decided_holds(services: Services) -> None:
    """Carry out what is left of decisions that were too large for one transaction.

    The scheduler calls it regularly. A fault in one hold must not delay the others.
    """
    async with system_transaction(services.database) as session:
        decided = await hold_decisions.list_unfinished(session, limit=HOLDS)
    for account_id, hold in decided:
        try:
            await _finish(services, account_id, hold)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("hold_crashed", account_id=account_id)


async def _finish(services: Services, account_id: str, hold: Hold) -> None:
    after, more = 0, True
    while more and not services.stopping.is_set():
        async with transaction(services.database, account_id) as session:
            clio_ids = await holds.list_items(
                session, account_id, hold.hold_id, after=after, limit=STEP
            )
            await _lock_items(session, account_id, hold, clio_ids)
            more = await do_step(session, account_id, hold, clio_ids, now=services.now())
        after = clio_ids[-1] if clio_ids else after


async def do_step(
    session: Session, account_id: str, hold: Hold, clio_ids: Sequence[int], *, now: datetime
) -> bool:
    """Carry out a decision for these locked items; return whether more follow, or else finish it."""
    if hold.kind is HoldKind.NEW_CLIENTS:
        rows = await new_clients.lock_waiting(session, account_id, clio_ids)
        await _NEW_CLIENTS[hold.status](session, account_id, rows, now=now)
        await hold_decisions.remove_items(session, account_id, hold.hold_id, clio_ids)
    elif hold.status is HoldStatus.DISCARDED and hold.kind is HoldKind.FIRST_PUBLICATION:
        await first_publications.move_items(session, account_id, hold.hold_id, clio_ids)
    elif hold.status is HoldStatus.RELEASED:
        await staleness.mark_unchanged_stale(session, account_id, clio_ids)
        await shrink_guard.request_reassessment(session, account_id, now=now)
    last = clio_ids[-1] if clio_ids else 0
    if await holds.list_items(session, account_id, hold.hold_id, after=last, limit=1):
        return True
    await hold_decisions.mark_finished(session, account_id, hold.hold_id, now=now)
    await hold_issues.resolve(session, account_id, hold.kind, hold.hold_id, now=now)
    return False


async def _lock_items(
    session: Session, account_id: str, hold: Hold, clio_ids: Sequence[int]
) -> None:
    """Lock what a hold's items stand for, in steps and in the order of Clio ids."""
    for at in range(0, len(clio_ids), STEP):
        chunk = clio_ids[at : at + STEP]
        if hold.kind is HoldKind.NEW_CLIENTS:
            await new_clients.lock_waiting(session, account_id, chunk)
        else:
            await hold_decisions.lock_contacts(session, account_id, chunk)


def _pointers(hold_id: str, item_ids: Sequence[str]) -> dict[int, str]:
    """Return the Clio ids of the chosen items, each with the pointer to it; raises InvalidRequest."""
    found = [(clio_id_of(hold_id, item_id), f"/ids/{nth}") for nth, item_id in enumerate(item_ids)]
    foreign = [(pointer, NOT_IN_HOLD) for clio_id, pointer in found if clio_id is None]
    if foreign:
        raise InvalidRequest(errors=foreign)
    return {clio_id: pointer for clio_id, pointer in found if clio_id is not None}


async def _check_seen(
    session: Session, account_id: str, hold_id: str, audience: Audience, pointers: Mapping[int, str]
) -> None:
    """Raise InvalidRequest for items of people whom the audience does not see, as for those of nobody."""
    if audience.login is not None:
        unknown = await hold_decisions.find_unknown(
            session, account_id, hold_id, sorted(pointers), audience
        )
        _refuse_unknown(pointers, unknown)


def _refuse_unknown(pointers: Mapping[int, str], unknown: Collection[int]) -> None:
    if unknown:
        raise InvalidRequest(errors=[(pointers[one], NOT_IN_HOLD) for one in sorted(unknown)])


async def _part(
    session: Session, account_id: str, hold: Hold, pointers: Mapping[int, str], *, now: datetime
) -> str:
    """Return the id of the hold that has exactly the chosen items: a new part, or the hold itself if it has no others.

    The hold of a first publication waits for more people, so naming all of its items does not decide it. Raises
    InvalidRequest for items that do not wait in the hold.
    """
    chosen = sorted(pointers)
    unknown = await hold_decisions.find_unknown(session, account_id, hold.hold_id, chosen)
    _refuse_unknown(pointers, unknown)
    if len(chosen) == hold.count and hold.kind is not HoldKind.FIRST_PUBLICATION:
        return hold.hold_id
    return await hold_decisions.split(session, account_id, hold, chosen, now=now)
