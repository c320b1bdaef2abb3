"""Find out what was deleted in Clio, from records that complete lists lack [S1, S2, F19, F20, rows 25, 32].

Clio reports no deletions, and a list shows only what one login may see. So a missing record is looked up by its id, as
each login that used to see it. A login that gets the record, or is told that it is forbidden, shows that the record
exists. A 404 proves the deletion of a contact or a matter when the login sees the whole firm, and the deletion of a
relationship when the login still sees its matter. A login that no longer sees a record loses its sighting; the record
stays in the mirror as it was last seen.

When a list suddenly lacks many records, nothing is looked up until a second run, at least an hour later, finds the
same (F20).

What is to be looked up is stored once, and each answer as it comes: the look-ups of a firm may take many attempts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from app.clio.errors import ClioRefused, RecordUnreadable
from app.db import issues
from app.db.accounts import accounts
from app.db.issues import Finding, Subject
from app.db.mirror import records, removals, visibility
from app.db.runs import lookups, named_records, run_logins
from app.db.runs.lookups import Answer, Lookup, MissingRecords
from app.db.session import Session
from app.rules.removed_contacts import REMOVED
from app.sync.concurrency import run_together
from app.sync.pull.failures import noting_failure
from app.sync.pull.listings import CONTACTS, MATTERS, RELATIONSHIPS, Listing
from app.sync.pull.reader import ConnectionReader
from app.sync.pull.single_records import IDS_PER_REQUEST, land_records
from app.sync.slot_times import next_due, zone_of

FEW, SHARE = 20, 0.05  # a list that lacks more than both needs a second run (F20)
EMPTY = 3  # a list that lacks everything needs one too, if it had more records than this
SECOND_RUN_AFTER = timedelta(hours=1)

log = structlog.get_logger(__name__)

Answers = dict[int, Answer]


async def confirm_missing(readers: Sequence[ConnectionReader], *, full: bool) -> None:
    """Look up what Clio named as deleted and what the lists of this run lacked; remove what is proven to be deleted.

    Only a full run reads all lists completely. Another run may have read the relationships completely, so it looks up
    only these. A login that fails or pauses is noted on its reader. Raises Stopping when the process must end.
    """
    await confirm_named(readers, deleted_only=True)
    if any(reader.pauses for reader in readers):
        return
    for listing in (MATTERS, CONTACTS, RELATIONSHIPS) if full else (RELATIONSHIPS,):
        for reader in readers:
            if listing.name not in reader.login.compared:
                await _compare(reader, listing, readers)
        await _look_up(readers, listing)
        if any(reader.pauses for reader in readers):
            return


async def confirm_contact(readers: Sequence[ConnectionReader], clio_id: int) -> None:
    """Look up one contact if no login was shown it in this run."""
    if not readers or any(reader.login.shown for reader in readers):
        return
    asked = [reader for reader in readers if CONTACTS.name not in reader.login.compared]
    for reader in asked:
        await _note_contact(reader, clio_id)
    await _look_up(readers, CONTACTS)


async def _note_contact(reader: ConnectionReader, clio_id: int) -> None:
    """Store that the contact is looked up as this login, which was not shown it now, if it used to see it."""
    view, lease = reader.view, reader.lease
    reader.note(compared=reader.login.compared | {CONTACTS.name})
    login = reader.login

    async def note(session: Session) -> None:
        seen = await visibility.load_sightings(session, view, CONTACTS.name, [clio_id])
        await lookups.add_lacked(session, lease, view.connection_id, CONTACTS.name, list(seen))
        await run_logins.save(session, lease, login)

    await reader.lander.write(note)


async def confirm_named(readers: Sequence[ConnectionReader], *, deleted_only: bool = False) -> None:
    """Look up the named records that no login was shown in this run, as the logins that used to see them.

    `deleted_only`: those that Clio named as deleted, for a run that reads the lists.
    """
    for listing in (MATTERS, CONTACTS):
        for reader in readers:
            if f"named {listing.name}" not in reader.login.compared:
                await _note_not_shown(reader, listing, deleted_only=deleted_only)
        await _look_up(readers, listing)
        if any(reader.pauses for reader in readers):
            return


async def _note_not_shown(
    reader: ConnectionReader, listing: Listing, *, deleted_only: bool
) -> None:
    """Store the named records that no login was shown, and this one used to see, as look-ups."""
    view, lease = reader.view, reader.lease
    reader.note(compared=reader.login.compared | {f"named {listing.name}"})
    login = reader.login

    async def note(session: Session) -> None:
        lacked = await named_records.list_not_shown(
            session, lease, view, listing.name, deleted_only=deleted_only
        )
        await lookups.add_lacked(session, lease, view.connection_id, listing.name, lacked)
        await run_logins.save(session, lease, login)

    await reader.lander.write(note)


async def _compare(
    reader: ConnectionReader, listing: Listing, readers: Sequence[ConnectionReader]
) -> None:
    """Store what the login used to see and its list lacks as look-ups; nothing while the list is not believed."""
    lease, logins = reader.lease, [other.connection_id for other in readers]
    reader.note(compared=reader.login.compared | {listing.name})
    login = reader.login

    async def compare(session: Session) -> None:
        found = await lookups.count_missing(session, lease, login.connection_id, listing.name)
        if await _is_believed(session, reader, listing, found) and found.missing:
            await lookups.add_missing(session, lease, login.connection_id, listing.name, logins)
        await run_logins.save(session, lease, login)

    await reader.lander.write(compare)


async def _is_believed(
    session: Session, reader: ConnectionReader, listing: Listing, found: MissingRecords
) -> bool:
    """Return whether the list's gaps may be deletions; open an issue if it is suspiciously short for the first time."""
    account_id, now = reader.view.account_id, reader.services.now()
    subject = Subject(listing.name, reader.connection_id)
    if not _shrank(found):
        await issues.resolve_issues(session, account_id, "listing_shrank", subject, now=now)
        return True
    known = await issues.find_open(session, account_id, "listing_shrank", subject)
    counts_from = (known.opened_at if known else now) + SECOND_RUN_AFTER
    if counts_from <= now:
        return True
    text = (
        f"A complete list of {listing.name} lacked {found.missing} of the {found.seen} records that this login"
        f" used to see. Nothing was removed. {await _second_run(session, reader, counts_from)}"
    )
    finding = Finding("listing_shrank", text, subject)
    await issues.open_issue(session, account_id, finding, now=now)
    log.warning("listing_shrank", resource=listing.name, count=found.missing)
    return False


async def _second_run(session: Session, reader: ConnectionReader, counts_from: datetime) -> str:
    """Return which full run believes the list: while the issue is open, the run of each slot is a full one."""
    account = await accounts.get_account(session, reader.view.account_id)
    zone, timing = zone_of(account.fields.time_zone), reader.services.timing
    slot = next_due(counts_from, zone, timing, account.account_id)
    return (
        f"The full run of the slot at {slot:%Y-%m-%d %H:%M} UTC, or one that you request after {counts_from:%H:%M},"
        " asks Clio for each of the missing records, and removes those that Clio confirms as deleted"
    )


def _shrank(found: MissingRecords) -> bool:
    emptied = found.missing == found.seen > EMPTY
    return emptied or found.missing > max(FEW, SHARE * found.seen)


async def _look_up(readers: Sequence[ConnectionReader], listing: Listing) -> None:
    """Look up what is stored, some records at a time, until a login fails or pauses."""
    while readers:
        logins = [reader.connection_id for reader in readers]
        list_next = partial(
            lookups.list_next,
            lease=readers[0].lease,
            resource=listing.name,
            logins=logins,
            limit=IDS_PER_REQUEST,
        )
        batch = await readers[0].lander.write(list_next)
        if not batch or not await _look_up_batch(readers, listing, batch):
            return
        readers[0].check_stop()


async def _look_up_batch(
    readers: Sequence[ConnectionReader], listing: Listing, batch: Sequence[Lookup]
) -> bool:
    """Ask for these records as every login that used to see them; store lost sightings and deletions.

    If one of them cannot answer, only the answers are stored, and False is returned: the run asks again, or sets that
    login aside.
    """
    answers: dict[str, Answers] = {}

    async def ask(reader: ConnectionReader) -> None:
        of_login = [one for one in batch if one.connection_id == reader.connection_id]
        answers[reader.connection_id] = await _ask(reader, listing, of_login)

    await run_together(*(noting_failure(reader, listing.name, ask(reader)) for reader in readers))
    if len(answers) < len(readers):
        return False
    await readers[0].lander.write(partial(_decide, readers, listing, batch, answers))
    return True


async def _decide(
    readers: Sequence[ConnectionReader],
    listing: Listing,
    batch: Sequence[Lookup],
    answers: dict[str, Answers],
    session: Session,
) -> None:
    """Delete the sightings that were lost and the records that are gone: nobody is shown them, and one proves it."""
    lease, listed = readers[0].lease, {one.clio_id for one in batch if one.listed}
    for reader in readers:
        own = answers[reader.connection_id]
        lost = _given(own, Answer.FORBIDDEN, Answer.LOST, Answer.GONE)
        await visibility.delete_sightings(session, reader.view, listing.name, lost)
    exist = listed.union(*(_given(own, Answer.SHOWN, Answer.FORBIDDEN) for own in answers.values()))
    deleted = set().union(*(_given(own, Answer.GONE) for own in answers.values())) - exist
    view = readers[0].view
    await removals.remove_records(
        session, view.account_id, listing.name, deleted, why=REMOVED, beside=view.beside
    )
    decided = {one.clio_id for one in batch}
    await lookups.delete_decided(session, lease, listing.name, decided)
    if deleted:
        log.info("records_removed", resource=listing.name, count=len(deleted))


def _given(answers: Answers, *wanted: Answer) -> set[int]:
    return {clio_id for clio_id, answer in answers.items() if answer in wanted}


async def _ask(reader: ConnectionReader, listing: Listing, batch: Sequence[Lookup]) -> Answers:
    """Return Clio's answers to the login; ask for those that are not known yet, and store each as it comes.

    What another login lists exists and needs no proof.
    """
    answers = {one.clio_id: one.answer for one in batch if one.answer is not None}
    if new := [one for one in batch if one.answer is None]:
        page = await reader.clio.get_many(listing.resource, [one.clio_id for one in new])
        shown = await land_records(reader, listing, page)
        found = {one.clio_id: _answer_of_many(one, shown) for one in new}
        answers |= await _stored(reader, listing, found)
    for clio_id in sorted(_given(answers, Answer.LACKED)):
        said = await _ask_one(reader, listing, clio_id)
        answers |= await _stored(reader, listing, {clio_id: said})
    if open_ := _given(answers, Answer.NOT_FOUND):
        answers |= await _stored(reader, listing, await _prove(reader, open_))
    return answers


def _answer_of_many(one: Lookup, shown: set[int]) -> Answer:
    if one.clio_id in shown:
        return Answer.SHOWN
    return Answer.LOST if one.listed else Answer.LACKED


async def _stored(reader: ConnectionReader, listing: Listing, found: Answers) -> Answers:
    """Store these answers and return them."""
    store = partial(
        lookups.store_answers,
        lease=reader.lease,
        resource=listing.name,
        connection_id=reader.connection_id,
        answers=found,
    )
    await reader.lander.put(store)
    reader.moved.add(listing.name)
    return found


async def _ask_one(reader: ConnectionReader, listing: Listing, clio_id: int) -> Answer:
    """Return what Clio says of one record. One that cannot be read exists, so it counts as shown.

    A login that sees the whole firm proves the deletion of a contact or a matter [row 32].
    """
    try:
        await reader.clio.get_one(listing.resource, clio_id)
    except RecordUnreadable:
        return Answer.SHOWN
    except ClioRefused as refusal:
        if refusal.code == "clio_forbidden":
            return Answer.FORBIDDEN
        if refusal.code != "clio_not_found":
            return Answer.SHOWN
        if listing is RELATIONSHIPS:
            return Answer.NOT_FOUND
        return Answer.GONE if reader.view.full_view else Answer.LOST
    return Answer.SHOWN


async def _prove(reader: ConnectionReader, relationship_ids: set[int]) -> Answers:
    """Return which relationships are gone: the login sees their matters. There are not more than Clio gives at once."""
    find = partial(
        records.find_matter_ids,
        account_id=reader.view.account_id,
        relationship_ids=relationship_ids,
    )
    matters = await reader.lander.write(find)
    visible: set[int] = set()
    if matters:
        page = await reader.clio.get_many(MATTERS.resource, sorted(set(matters.values())))
        visible = await land_records(reader, MATTERS, page)
    proven = {clio_id for clio_id, matter_id in matters.items() if matter_id in visible}
    return {
        clio_id: Answer.GONE if clio_id in proven else Answer.LOST for clio_id in relationship_ids
    }
