"""Ask Clio for records by their ids: quarantined ones again, and everything about one contact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.clio.resources import Page
from app.db.mirror import quarantine
from app.db.runs import checkpoints, leases
from app.db.runs.leases import fenced_transaction
from app.sync.concurrency import Stopping
from app.sync.pull.failures import noting_failure
from app.sync.pull.listings import CONTACTS, MATTERS, RECORDS, RELATIONSHIPS, Listing
from app.sync.pull.reader import ConnectionReader, usage_of
from app.sync.pull.storage import store_page

IDS_PER_REQUEST = 50  # Clio may refuse more (clio.md §21)
MAX_RETRIED = 1000  # quarantined records that one run asks for again


async def land_records(reader: ConnectionReader, listing: Listing, page: Page[Any]) -> set[int]:
    """Land records that were asked for by id; return the ids of all of them, also of the unreadable ones."""
    lease = reader.lease
    async with fenced_transaction(reader.services.database, lease) as session:
        ids = await store_page(session, reader, listing, page)
        if page.unreadable:
            await checkpoints.add_unreadable(
                session, lease, reader.view.connection_id, listing.name, len(page.unreadable)
            )
        await leases.count_usage(session, lease, usage_of(reader.clio))
    return set(ids)


async def retry_quarantine(reader: ConnectionReader) -> None:
    """Ask again for the quarantined records that this run has not read yet [row 34]."""
    async with fenced_transaction(reader.services.database, reader.lease) as session:
        waiting = await quarantine.list_waiting(
            session, reader.view, run_id=reader.lease.run_id, limit=MAX_RETRIED
        )
    for listing in RECORDS:
        ids = waiting.get(listing.name, ())
        await noting_failure(reader, listing.name, _land_by_ids(reader, listing, ids))


async def _land_by_ids(reader: ConnectionReader, listing: Listing, clio_ids: Sequence[int]) -> None:
    for batch in batches(clio_ids, IDS_PER_REQUEST):
        page = await reader.clio.get_many(listing.resource, batch)
        await land_records(reader, listing, page)
        if reader.services.stopping.is_set():
            raise Stopping


async def read_contact_records(reader: ConnectionReader, clio_id: int) -> None:
    """Land a contact, its matters and its relationships; `reader.shown` says whether Clio returned the contact."""
    await noting_failure(reader, CONTACTS.name, _read_contact(reader, clio_id))
    for listing, name in ((MATTERS, "client_id"), (RELATIONSHIPS, "contact_id")):
        params = {**listing.resource.params, name: str(clio_id)}
        await noting_failure(reader, listing.name, _read_filtered(reader, listing, params))


async def _read_contact(reader: ConnectionReader, clio_id: int) -> None:
    page = await reader.clio.get_many(CONTACTS.resource, [clio_id])
    reader.shown.update(await land_records(reader, CONTACTS, page))
    reader.read.add(CONTACTS.name)


async def _read_filtered(
    reader: ConnectionReader, listing: Listing, params: Mapping[str, str]
) -> None:
    async for found in reader.clio.pages(replace(listing.resource, params=params)):
        await land_records(reader, listing, found)
    reader.read.add(listing.name)


def batches(clio_ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Yield the ids in groups of at most `size`."""
    for first in range(0, len(clio_ids), size):
        yield clio_ids[first : first + size]
