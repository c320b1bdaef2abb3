"""Store the records of one answer of Clio: in the mirror, in quarantine, or not at all when the person was erased."""

from typing import Any

import structlog

from app.clio.resources import Page
from app.db.mirror import quarantine
from app.db.mirror.quarantine import UNKNOWN_ID, QuarantinedRecord
from app.db.mirror.visibility import View
from app.db.session import Session
from app.sync.pull import suppression
from app.sync.pull.listings import Listing
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
    ids = [item.id for item in page.items]
    await quarantine.add_records(session, reader.lease.run_id, view.account_id, unreadable, now=now)
    await quarantine.resolve_records(session, view, listing.name, ids, now=now)
    return [*ids, *(item.clio_id for item in unreadable if item.clio_id != UNKNOWN_ID)]
