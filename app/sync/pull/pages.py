"""Land the pages of Clio's lists as one connection sees them: all lists at once, within the token's rate limit.

A page and its cursor land in one fenced transaction. No transaction is open during a request to Clio.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from app.clio.errors import ClioRefused
from app.clio.resources import Page
from app.db.mirror import catalog
from app.db.runs import checkpoints, leases, listed_ids
from app.db.runs.checkpoints import LandedPage, Pull
from app.db.runs.leases import fenced_transaction
from app.errors import Problem
from app.sync.concurrency import Stopping, run_together
from app.sync.pull import windows
from app.sync.pull.eta import expected_end
from app.sync.pull.failures import noting_failure
from app.sync.pull.listings import RECORDS, SMALL_LISTS, Listing
from app.sync.pull.reader import ConnectionReader, usage_of
from app.sync.pull.storage import store_page

log = structlog.get_logger(__name__)


async def pull_lists(
    reader: ConnectionReader, listings: Sequence[Listing], since: Mapping[str, datetime | None]
) -> None:
    """Land all lists at the same time, each from its time in `since`; note problems in `reader.problems`.

    A list that landed completely earlier in this run is not read again. One that fails does not stop the others.
    Raises Stopping when the process must end.
    """
    await run_together(
        *(
            noting_failure(reader, listing.name, _pull(reader, listing, since.get(listing.name)))
            for listing in listings
        )
    )
    reader.problems.extend(
        Problem("clio_field_unknown", f"Clio no longer has the field {name}. It was left out")
        for name in sorted(reader.clio.dropped)
    )


async def _pull(reader: ConnectionReader, listing: Listing, since: datetime | None) -> None:
    async with fenced_transaction(reader.services.database, reader.lease) as session:
        opened = await checkpoints.open_pull(
            session, reader.lease, reader.view.connection_id, listing.name, since=since
        )
    pull: Pull | None = opened
    while pull is not None and not pull.complete:
        step = _open_next_window if windows.was_cut_off(pull) else _land_pages
        pull = await step(reader, listing, pull)
    if pull is not None:
        reader.read.add(listing.name)


async def _land_pages(reader: ConnectionReader, listing: Listing, opened: Pull) -> Pull | None:
    """Land pages until the list ends or Clio cuts it off; return the pull to continue with, None for none."""
    reader.listed[listing.name] = set()
    pull = opened
    window = {"since": opened.since, "created_since": opened.created_since}
    try:
        async for page in reader.clio.pages(listing.resource, **window, cursor=opened.cursor):
            if windows.announces_fewer(pull, page):
                _note_capped(reader, listing)
                return None
            pull = await _land_page(reader, listing, pull, page)
            if reader.services.stopping.is_set():
                raise Stopping
    except ClioRefused as refusal:
        return await _continue_after_refusal(reader, listing, opened, pull, refusal)
    if pull.complete and listing in SMALL_LISTS and opened.cursor is None:
        await _mark_missing_items(reader, listing)
    return pull


async def _mark_missing_items(reader: ConnectionReader, listing: Listing) -> None:
    """Mark the items that a completely read small list no longer has; an empty list is not believed."""
    listed = reader.listed[listing.name]
    if not listed:
        return
    async with fenced_transaction(reader.services.database, reader.lease) as session:
        await catalog.mark_gone(session, reader.view.account_id, listing.name, listed)


async def _continue_after_refusal(
    reader: ConnectionReader, listing: Listing, opened: Pull, pull: Pull, refusal: ClioRefused
) -> Pull | None:
    """Return the pull to continue with after Clio refused a page.

    Near Clio's cap a refused cursor opens the next window; elsewhere Clio lost the cursor and the list is read again
    once. A list that the login may not read is noted, and None returned. Any other refusal is raised.
    """
    if refusal.code == "clio_cursor_refused":
        if windows.is_near_cap(listing.resource, pull):
            return await _open_next_window(reader, listing, pull)
        if opened.cursor is not None:
            return await _start_again(reader, listing)
    if refusal.status != 403:
        raise refusal
    log.warning("clio_list_forbidden", resource=listing.name)
    reader.problems.append(
        Problem("clio_forbidden", f"This Clio user may not read {listing.name.replace('_', ' ')}")
    )
    return None


async def _open_next_window(reader: ConnectionReader, listing: Listing, pull: Pull) -> Pull | None:
    """Continue a list that Clio cut off with what was created since; None where this could skip a record."""
    start, lease = windows.next_start(pull), reader.lease
    if start is None:
        _note_capped(reader, listing)
        return None
    async with fenced_transaction(reader.services.database, lease) as session:
        opened = await checkpoints.open_window(
            session, lease, pull.connection_id, listing.name, created_since=start
        )
    log.info("list_window_opened", resource=listing.name)
    return opened


def _note_capped(reader: ConnectionReader, listing: Listing) -> None:
    text = f"Clio cuts off the list of {listing.name} before its end. The rest is not read"
    reader.problems.append(Problem("relationship_list_capped", text))


async def _start_again(reader: ConnectionReader, listing: Listing) -> Pull:
    """Read a list again from its beginning, because Clio no longer knows the cursor."""
    async with fenced_transaction(reader.services.database, reader.lease) as session:
        connection_id = reader.view.connection_id
        await listed_ids.restart(session, reader.lease, connection_id, listing.name)
        return await checkpoints.restart_pull(session, reader.lease, connection_id, listing.name)


async def _land_page(
    reader: ConnectionReader, listing: Listing, pull: Pull, page: Page[Any]
) -> Pull:
    """Land one page in one transaction: records, sightings, cursor, listed ids and the run's counts."""
    if listing in SMALL_LISTS:
        _note_listed(reader, listing, page)
    lease, connection_id = reader.lease, reader.view.connection_id
    async with fenced_transaction(reader.services.database, lease) as session:
        ids = await store_page(session, reader, listing, page)
        landed = await checkpoints.record_page(
            session, lease, connection_id, listing.name, _turned(listing, pull, page)
        )
        if landed.since is None and listing in RECORDS:
            await listed_ids.record_page(session, lease, connection_id, listing.name, ids)
        pulls = await checkpoints.list_pulls(session, lease.account_id, [lease.run_id])
        now = reader.services.now()
        end = expected_end(reader.clio, pulls[lease.run_id], now=now)
        usage = usage_of(reader.clio)
        await leases.record_progress(session, lease, usage, expected_end=end, now=now)
    return landed


def _note_listed(reader: ConnectionReader, listing: Listing, page: Page[Any]) -> None:
    """Remember the ids on a page of a small list, those of unreadable records included."""
    readable = (record.id for record in page.items)
    unreadable = (record.clio_id for record in page.unreadable if record.clio_id is not None)
    reader.listed[listing.name].update(readable, unreadable)


def _turned(listing: Listing, pull: Pull, page: Page[Any]) -> LandedPage:
    return LandedPage(
        cursor=page.cursor,
        records=len(page.items),
        unreadable=len(page.unreadable),
        total=page.total,
        newest=windows.newest_created(listing.resource, pull, page),
        complete=windows.is_complete(listing.resource, pull, page),
        asked_at=page.asked_at,
    )
