"""Find out what was deleted in Clio, from records that complete lists lack [S1, S2, F19, F20, rows 25, 32].

Clio reports no deletions, and a list shows only what one login may see. So a missing record is looked up by its id, as
each login that used to see it. A login that gets the record, or is told that it is forbidden, shows that the record
exists. A 404 proves the deletion of a contact or a matter when the login sees the whole firm, and the deletion of a
relationship when the login still sees its matter. A login that no longer sees a record loses its sighting; the record
stays in the mirror as it was last seen.

When a list suddenly lacks many records, nothing is looked up until a second run, at least an hour later, finds the
same (F20).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.clio.errors import ClioRefused, ClioUnreadable
from app.db import issues
from app.db.issues import Finding, Subject
from app.db.mirror import records, removals, visibility
from app.db.runs import listed_ids
from app.db.runs.leases import fenced_transaction
from app.db.runs.listed_ids import MissingRecords
from app.db.session import Session
from app.rules.removed_contacts import REMOVED
from app.sync.concurrency import Stopping
from app.sync.pull.failures import noting_failure
from app.sync.pull.listings import CONTACTS, MATTERS, RELATIONSHIPS, Listing
from app.sync.pull.reader import ConnectionReader
from app.sync.pull.single_records import IDS_PER_REQUEST, batches, land_records

MAX_LOOKUPS = (
    1000  # missing records of one list that one run looks up; the next run looks up the rest
)
FEW, SHARE = 20, 0.05  # a list that lacks more than both needs a second run (F20)
EMPTY = 3  # a list that lacks everything needs one too, if it had more records than this
SECOND_RUN_AFTER = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LookupResult:
    """The answers of Clio to one login about records that its list lacked.

    `proven` are those of `not_found` whose deletion the login can prove.
    """

    shown: frozenset[int]
    forbidden: frozenset[int]
    not_found: frozenset[int]
    proven: frozenset[int]


async def confirm_missing(readers: Sequence[ConnectionReader], *, full: bool) -> None:
    """Look up what the lists of this run lacked, and remove from the mirror what is proven to be deleted.

    Only a full run reads all lists completely. Another run may have read the relationships completely, so it looks up
    only these. Raises Stopping when the process must end.
    """
    for listing in (MATTERS, CONTACTS, RELATIONSHIPS) if full else (RELATIONSHIPS,):
        missing: set[int] = set()
        for reader in readers:
            missing |= await _missing(reader, listing)
        for batch in batches(sorted(missing), IDS_PER_REQUEST):
            await _look_up(readers, listing, batch)
            if any(listing.name in reader.failed for reader in readers):
                break
            if any(reader.services.stopping.is_set() for reader in readers):
                raise Stopping


async def confirm_contact(readers: Sequence[ConnectionReader], clio_id: int) -> None:
    """Look up one contact if no login was shown it in this run."""
    if readers and not any(clio_id in reader.shown for reader in readers):
        await _look_up(readers, CONTACTS, [clio_id])


async def _missing(reader: ConnectionReader, listing: Listing) -> set[int]:
    """Return what the login used to see and its list lacks; nothing while the list is not believed."""
    lease, view = reader.lease, reader.view
    subject = Subject(listing.name, view.connection_id)
    async with fenced_transaction(reader.services.database, lease) as session:
        found = await listed_ids.find_missing(
            session, lease, view.connection_id, listing.name, limit=MAX_LOOKUPS
        )
        if not _shrank(found):
            await issues.resolve_issues(
                session, view.account_id, "listing_shrank", subject, now=reader.services.now()
            )
            return set(found.first)
        if await _is_second_run(session, reader, subject):
            return set(found.first)
        text = (
            f"A complete list of {listing.name} lacked {found.missing} of the {found.seen} records that this login"
            " used to see. Nothing was removed. The next full run checks again"
        )
        finding = Finding("listing_shrank", text, subject)
        await issues.open_issue(session, view.account_id, finding, now=reader.services.now())
    log.warning("listing_shrank", resource=listing.name, count=found.missing)
    return set()


def _shrank(found: MissingRecords) -> bool:
    emptied = found.missing == found.seen > EMPTY
    return emptied or found.missing > max(FEW, SHARE * found.seen)


async def _is_second_run(session: Session, reader: ConnectionReader, subject: Subject) -> bool:
    """Return whether a run at least `SECOND_RUN_AFTER` ago already found the short list."""
    account_id, now = reader.view.account_id, reader.services.now()
    known = await issues.find_open(session, account_id, "listing_shrank", subject)
    return known is not None and known.opened_at <= now - SECOND_RUN_AFTER


async def _look_up(
    readers: Sequence[ConnectionReader], listing: Listing, batch: Sequence[int]
) -> None:
    """Ask for these records as every login that used to see them; store lost sightings and deletions.

    If one of them cannot answer, nothing is stored: the run asks again, or sets that login aside.
    """
    lease, database = readers[0].lease, readers[0].services.database
    async with fenced_transaction(database, lease) as session:
        listed = await listed_ids.find_listed(session, lease, listing.name, batch)
    results: list[tuple[ConnectionReader, LookupResult]] = []

    async def ask(reader: ConnectionReader) -> None:
        results.append((reader, await _ask(reader, listing, batch, listed)))

    for reader in readers:
        await noting_failure(reader, listing.name, ask(reader))
    if len(results) < len(readers):
        return
    exist = listed.union(*(result.shown | result.forbidden for _, result in results))
    deleted = set().union(*(result.proven for _, result in results)) - exist
    async with fenced_transaction(database, lease) as session:
        for reader, result in results:
            lost = result.forbidden | result.not_found
            await visibility.delete_sightings(session, reader.view, listing.name, lost)
        await removals.remove_records(session, lease.account_id, listing.name, deleted, why=REMOVED)
    if deleted:
        log.info("records_removed", resource=listing.name, count=len(deleted))


async def _ask(
    reader: ConnectionReader, listing: Listing, batch: Sequence[int], listed: set[int]
) -> LookupResult:
    """Ask for those of the batch that the login used to see. What another login lists exists and needs no proof."""
    lease, view = reader.lease, reader.view
    async with fenced_transaction(reader.services.database, lease) as session:
        seen = await visibility.load_digests(session, view, listing.name, batch)
        own = await listed_ids.find_listed(
            session, lease, listing.name, batch, by=view.connection_id
        )
    answers: dict[str, set[int]] = {"shown": set(own), "forbidden": set(), "not_found": set()}
    wanted = sorted(seen.keys() - own)
    if wanted:
        page = await reader.clio.get_many(listing.resource, wanted)
        answers["shown"] |= await land_records(reader, listing, page)
    for clio_id in wanted:
        if clio_id in answers["shown"]:
            continue
        exists = clio_id in listed
        answers["not_found" if exists else await _ask_one(reader, listing, clio_id)].add(clio_id)
    proven = await _proven(reader, listing, answers["not_found"] - listed)
    found = {name: frozenset(clio_ids) for name, clio_ids in answers.items()}
    return LookupResult(**found, proven=frozenset(proven))


async def _ask_one(reader: ConnectionReader, listing: Listing, clio_id: int) -> str:
    """Return what Clio says of one record. An unreadable answer proves nothing, so the record counts as shown."""
    try:
        await reader.clio.get_one(listing.resource, clio_id)
    except ClioUnreadable:
        return "shown"
    except ClioRefused as refusal:
        if refusal.code == "clio_not_found":
            return "not_found"
        if refusal.code == "clio_forbidden":
            return "forbidden"
    return "shown"


async def _proven(reader: ConnectionReader, listing: Listing, not_found: set[int]) -> set[int]:
    """Return those of the records not found whose deletion this login can prove [row 32]."""
    if listing is not RELATIONSHIPS or not not_found:
        return not_found if reader.view.full_view else set()
    async with fenced_transaction(reader.services.database, reader.lease) as session:
        matters = await records.find_matter_ids(session, reader.view.account_id, not_found)
    visible: set[int] = set()
    for batch in batches(sorted(set(matters.values())), IDS_PER_REQUEST):
        page = await reader.clio.get_many(MATTERS.resource, batch)
        visible |= await land_records(reader, MATTERS, page)
    return {clio_id for clio_id in not_found if matters.get(clio_id) in visible}
