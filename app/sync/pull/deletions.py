"""What whole lists lack, and what proves that it is gone [S1, S2, F19, F20, rows 25, 32].

Absence proposes, an answer decides. Whoever used to see a record is asked for it: one who is shown it after all, or
is told that it is forbidden, shows that it exists. Clio's 404 proves a contact or a matter deleted when the asker's
view is unrestricted, and a relationship when the asker still sees its matter. Who sees a record no longer loses the
sighting; the record itself stays as it was last seen.

A list that shrank too much to be believed proposes nothing until a second run, an hour later or more, finds the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.clio.errors import ClioRefused, ClioUnreadable
from app.db import issues
from app.db.issues import Finding, Subject
from app.db.mirror import records, removals, visibility
from app.db.runs import leases, listed_ids
from app.db.runs.listed_ids import Absent
from app.db.session import Session, transaction
from app.rules.departed import REMOVED
from app.sync.concurrency import Stopping
from app.sync.pull.pages import (
    ASKED_AT_ONCE,
    CONTACTS,
    MATTERS,
    RELATIONSHIPS,
    Listing,
    Puller,
    batches,
    land_some,
)

ASKED = 1000  # missing records of one list that one run asks for; the rest waits for the next
FEW, SHARE = 20, 0.05  # a list that lacks more than both is not believed at once (F20)
EMPTY = 3  # nor one that lists nothing of more than so many
SECOND_PASS = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answers:
    """What one asker was told of records that its list lacked."""

    shown: frozenset[int]
    forbidden: frozenset[int]
    not_found: frozenset[int]
    proven: frozenset[int]  # of those not found: the asker's view makes it a proof


async def confirm_missing(pullers: Sequence[Puller], *, full: bool) -> None:
    """Ask for what the lists of this run lacked, kind by kind, and take out what is proven to be gone.

    A run that is not full may have read the relationships whole: of the others it proposes nothing.
    """
    for listing in (MATTERS, CONTACTS, RELATIONSHIPS) if full else (RELATIONSHIPS,):
        missing: set[int] = set()
        for puller in pullers:
            missing |= await _doubtful(puller, listing)
        for batch in batches(sorted(missing), ASKED_AT_ONCE):
            await _settle(pullers, listing, batch)
            if any(puller.services.stopping.is_set() for puller in pullers):
                raise Stopping


async def confirm_contact(pullers: Sequence[Puller], clio_id: int) -> None:
    """Settle what became of one contact that nobody was just shown."""
    if pullers and not any(clio_id in puller.met for puller in pullers):
        await _settle(pullers, CONTACTS, [clio_id])


async def _doubtful(puller: Puller, listing: Listing) -> set[int]:
    """What the puller used to see and was not listed; nothing while the list is not believed."""
    lease, view = puller.lease, puller.view
    subject = Subject(listing.name, view.connection_id)
    async with transaction(puller.services.database) as session:
        await leases.hold(session, lease)
        found = await listed_ids.absent(
            session, lease, view.connection_id, listing.name, limit=ASKED
        )
        if not _shrank(found):
            await issues.resolve(
                session, view.account_id, "listing_shrank", subject, now=puller.services.now()
            )
            return set(found.first)
        if await _is_second_pass(session, puller, subject):
            return set(found.first)
        text = (
            f"A whole list of {listing.name} lacked {found.missing} of the {found.seen} that this login"
            " used to see. Nothing was taken away; the next full run looks again"
        )
        finding = Finding("listing_shrank", text, subject)
        await issues.open_issue(session, view.account_id, finding, now=puller.services.now())
    log.warning("listing_shrank", resource=listing.name, count=found.missing)
    return set()


def _shrank(found: Absent) -> bool:
    emptied = found.missing == found.seen > EMPTY
    return emptied or found.missing > max(FEW, SHARE * found.seen)


async def _is_second_pass(session: Session, puller: Puller, subject: Subject) -> bool:
    """Whether an earlier run, long enough ago, already met the short list."""
    account_id, now = puller.view.account_id, puller.services.now()
    known = await issues.find_open(session, account_id, "listing_shrank", subject)
    return known is not None and known.opened_at <= now - SECOND_PASS


async def _settle(pullers: Sequence[Puller], listing: Listing, batch: Sequence[int]) -> None:
    """Ask everybody who used to see these records, then note who sees them no longer and what is gone."""
    lease, database = pullers[0].lease, pullers[0].services.database
    async with transaction(database) as session:
        listed = await listed_ids.listed_among(session, lease, listing.name, batch)
    answers = [(puller, await _ask(puller, listing, batch, listed)) for puller in pullers]
    exist = listed.union(*(told.shown | told.forbidden for _, told in answers))
    gone = set().union(*(told.proven for _, told in answers)) - exist
    async with transaction(database) as session:
        await leases.hold(session, lease)
        for puller, told in answers:
            lost = told.forbidden | told.not_found
            await visibility.lose(session, puller.view, listing.name, lost)
        await removals.remove(session, lease.account_id, listing.name, gone, why=REMOVED)
    if gone:
        log.info("records_removed", resource=listing.name, count=len(gone))


async def _ask(puller: Puller, listing: Listing, batch: Sequence[int], listed: set[int]) -> Answers:
    """What the puller is told of those of the batch that it used to see; what others list exists, no need to prove."""
    lease, view = puller.lease, puller.view
    async with transaction(puller.services.database) as session:
        seen = await visibility.shown(session, view, listing.name, batch)
        own = await listed_ids.listed_among(
            session, lease, listing.name, batch, by=view.connection_id
        )
    shown, forbidden, not_found = set(own), set[int](), set[int]()
    wanted = sorted(seen.keys() - own)
    if wanted:
        shown |= await land_some(puller, listing, await puller.clio.some(listing.resource, wanted))
    for clio_id in wanted:
        if clio_id in shown:
            continue
        if clio_id in listed:
            not_found.add(clio_id)
            continue
        told = {"shown": shown, "forbidden": forbidden, "not_found": not_found}
        told[await _one(puller, listing, clio_id)].add(clio_id)
    proven = await _proven(puller, listing, not_found - listed)
    return Answers(frozenset(shown), frozenset(forbidden), frozenset(not_found), frozenset(proven))


async def _one(puller: Puller, listing: Listing, clio_id: int) -> str:
    """What Clio says of one record. An answer that cannot be read proves nothing, so the record counts as shown."""
    try:
        await puller.clio.one(listing.resource, clio_id)
    except ClioUnreadable:
        return "shown"
    except ClioRefused as refusal:
        if refusal.code == "clio_not_found":
            return "not_found"
        if refusal.code == "clio_forbidden":
            return "forbidden"
    return "shown"


async def _proven(puller: Puller, listing: Listing, not_found: set[int]) -> set[int]:
    """Those of the records not found whose absence this puller can prove [row 32]."""
    if listing is not RELATIONSHIPS or not not_found:
        return not_found if puller.view.full_view else set()
    async with transaction(puller.services.database) as session:
        matters = await records.matters_of(session, puller.view.account_id, not_found)
    visible: set[int] = set()
    for batch in batches(sorted(set(matters.values())), ASKED_AT_ONCE):
        page = await puller.clio.some(MATTERS.resource, batch)
        visible |= await land_some(puller, MATTERS, page)
    return {clio_id for clio_id in not_found if matters.get(clio_id) in visible}
