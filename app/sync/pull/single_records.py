"""Ask Clio for single records: quarantined ones again, and everything about one contact."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from app.clio.errors import ClioRefused
from app.clio.resources import Page
from app.db.mirror import quarantine
from app.db.runs import checkpoints, leases, run_logins
from app.db.session import Session
from app.sync.pull.failures import forbidden_list, noting_failure
from app.sync.pull.listings import CONTACTS, MATTERS, RECORDS, RELATIONSHIPS, Listing
from app.sync.pull.reader import ConnectionReader, usage_of, view_of
from app.sync.pull.storage import store_page

IDS_PER_REQUEST = 50  # Clio may refuse more (clio.md §21)


async def land_records(reader: ConnectionReader, listing: Listing, page: Page[Any]) -> set[int]:
    """Land records that were asked for by id, with what is known of the login; return the ids, unreadable ones too."""
    lease, view = reader.lease, view_of(reader, listing)
    reader.note(dropped=frozenset(reader.clio.dropped))
    login = reader.login

    async def land(session: Session) -> set[int]:
        ids = await store_page(session, reader, listing, page, view)
        if page.unreadable:
            await checkpoints.add_unreadable(
                session, lease, reader.connection_id, listing.name, len(page.unreadable)
            )
        await run_logins.save(session, lease, login)
        await leases.count_usage(session, lease, usage_of(reader.clio))
        return set(ids)

    return await reader.lander.write(land)


async def retry_quarantine(reader: ConnectionReader) -> None:
    """Ask again for the quarantined records that this run has not read yet, each once [row 34]."""
    for listing in RECORDS:
        await noting_failure(reader, listing.name, _retry_list(reader, listing))


async def _retry_list(reader: ConnectionReader, listing: Listing) -> None:
    while waiting := await _waiting(reader, listing):
        page = await reader.clio.get_many(listing.resource, waiting)
        reader.note(retried={**reader.login.retried, listing.name: waiting[-1]})
        shown = await land_records(reader, listing, page)
        await _end_quarantine(reader, listing, set(waiting) - shown)
        reader.check_stop()


async def _end_quarantine(reader: ConnectionReader, listing: Listing, absent: set[int]) -> None:
    """End the quarantine of records that Clio does not show this login any more: there is nothing left to read."""
    resolve = partial(
        quarantine.resolve_records,
        view=reader.view,
        resource=listing.name,
        clio_ids=absent,
        now=reader.services.now(),
    )
    if absent:
        await reader.lander.write(resolve)


async def _waiting(reader: ConnectionReader, listing: Listing) -> Sequence[int]:
    """Return the next quarantined records of a list."""
    list_waiting = partial(
        quarantine.list_waiting,
        view=reader.view,
        resource=listing.name,
        run_id=reader.lease.run_id,
        after=reader.login.retried.get(listing.name, 0),
        limit=IDS_PER_REQUEST,
    )
    return await reader.lander.write(list_waiting)


async def read_contact_records(reader: ConnectionReader, clio_id: int) -> None:
    """Land a contact, its matters and its relationships; the login's `shown` says whether Clio returned the contact."""
    await noting_failure(reader, CONTACTS.name, _read_contact(reader, clio_id))
    for listing, name in ((MATTERS, "client_id"), (RELATIONSHIPS, "contact_id")):
        filtered = filtered_by(listing, name, clio_id)
        await noting_failure(reader, listing.name, _read_filtered(reader, filtered))


def filtered_by(listing: Listing, name: str, clio_id: int) -> Listing:
    """Return the part of a list that belongs to one record."""
    params = {**listing.resource.params, name: str(clio_id)}
    return replace(listing, resource=replace(listing.resource, params=params))


def skip_forbidden(
    reader: ConnectionReader, listing: Listing, part: str, refusal: ClioRefused
) -> None:
    """Note that the login may not read a part of what the run asks for; raise the refusal if it is another one."""
    if refusal.status != 403:
        raise refusal
    reader.note_problem(forbidden_list(listing))
    reader.note_list(part, None)
    reader.read.add(listing.name)


async def _read_contact(reader: ConnectionReader, clio_id: int) -> None:
    if CONTACTS.name not in reader.login.lists:
        try:
            page = await reader.clio.get_many(CONTACTS.resource, [clio_id])
        except ClioRefused as refusal:
            skip_forbidden(reader, CONTACTS, CONTACTS.name, refusal)
            return
        shown = {record.id for record in page.items} | {bad.clio_id for bad in page.unreadable}
        reader.note(shown=clio_id in shown)
        reader.note_list(CONTACTS.name, None)
        await land_records(reader, CONTACTS, page)
    reader.read.add(CONTACTS.name)


async def _read_filtered(reader: ConnectionReader, listing: Listing) -> None:
    """Read the contact's part of a list from where the run is; from its beginning if Clio has lost the cursor."""
    cursor = reader.login.lists.get(listing.name, "")
    try:
        if cursor is not None:
            async for page in reader.clio.pages(listing.resource, cursor=cursor or None):
                reader.note_list(listing.name, page.cursor)
                await land_records(reader, listing, page)
                reader.moved.add(listing.name)
    except ClioRefused as refusal:
        if refusal.code != "clio_cursor_refused" or not cursor:
            skip_forbidden(reader, listing, listing.name, refusal)
            return
        reader.note_list(listing.name, "")
        await _read_filtered(reader, listing)
    reader.read.add(listing.name)
