"""Store the records of one answer of Clio: in the mirror, in quarantine, or not at all when the person was erased."""

from collections import Counter
from datetime import datetime
from typing import Any

import structlog

from app.clio.resources import Page
from app.db.mirror import quarantine, unread_values
from app.db.mirror.quarantine import UNKNOWN_ID, QuarantinedRecord
from app.db.mirror.visibility import View
from app.db.session import Session
from app.sync.pull import suppression
from app.sync.pull.listings import SMALL_LISTS, Listing
from app.sync.pull.reader import ConnectionReader

log = structlog.get_logger(__name__)


async def store_page(
    session: Session, reader: ConnectionReader, listing: Listing, page: Page[Any], view: View
) -> list[int]:
    """Store a page's records as the view had them, and quarantine the unreadable ones; return the Clio ids of both."""
    services, now = reader.services, reader.services.now()
    kept = await suppression.remove_erased(session, services, view.account_id, listing.name, page)
    unreadable = [
        QuarantinedRecord(
            listing.name, record.clio_id or UNKNOWN_ID, view.connection_id, record.reason
        )
        for record in kept.unreadable
    ]
    for item in unreadable:
        log.warning(
            "record_unreadable", resource=item.resource, clio_id=item.clio_id, reason=item.reason
        )
    await listing.land(session, view, kept)
    await _store_unread(session, view, listing, kept, now=now)
    ids = [item.id for item in page.items]
    await quarantine.add_records(session, reader.lease.run_id, view.account_id, unreadable, now=now)
    await quarantine.resolve_records(session, view, listing.name, ids, now=now)
    return [*ids, *(item.clio_id for item in unreadable if item.clio_id != UNKNOWN_ID)]


async def _store_unread(
    session: Session, view: View, listing: Listing, page: Page[Any], *, now: datetime
) -> None:
    """Store which values of the page's records could not be read; log how many, and how many were cut."""
    unread = {
        item.id: {v.field: v.reason for v in page.unread.get(item.id, ()) if not v.cut}
        for item in page.items
    }
    values = [value for item in page.items for value in page.unread.get(item.id, ())]
    for (field, cut), count in Counter((value.field, value.cut) for value in values).items():
        resource = f"{listing.name}.{field}"
        if cut:
            log.warning("values_cut", resource=resource, count=count)
        else:
            log.warning("values_unreadable", resource=resource, count=count)
    if listing in SMALL_LISTS:  # any login may read them
        await unread_values.forget(session, view.account_id, listing.name, unread)
    await unread_values.store(
        session, view.account_id, view.connection_id, listing.name, unread, now=now
    )
