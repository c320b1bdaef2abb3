"""Read the pages of Clio's lists as one connection sees them: all lists at once, within the token's rate limit.

A list is one page ahead of the lander: it requests the next page while the last one lands. So what it must know about
itself is the `Pull` that results from its last page; the lander stores that with the page, in one transaction. A crash
costs each list that page. No transaction is open during a request to Clio.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from app.clio.errors import ClioRefused
from app.clio.resources import Page
from app.db.mirror import catalog
from app.db.mirror.visibility import View
from app.db.runs import checkpoints, leases, list_failures, listed_ids
from app.db.runs.checkpoints import Pull
from app.db.session import Session
from app.errors import Problem
from app.sync.concurrency import run_together
from app.sync.pull import windows
from app.sync.pull.failures import forbidden_list, noting_failure
from app.sync.pull.listings import CONTACTS, SMALL_LISTS, Listing
from app.sync.pull.reader import ConnectionReader, usage_of, view_of
from app.sync.pull.storage import store_page

READ_AHEAD = 8  # one page of contacts in so many is read beside the lists that must be read first

log = structlog.get_logger(__name__)


Turn = Callable[[Pull], Awaitable[None]]  # waits until a list may request its next page


async def pull_lists(
    reader: ConnectionReader,
    listings: Sequence[Listing],
    since: Mapping[str, datetime | None],
    *,
    contacts_last: bool = False,
) -> None:
    """Read all lists at the same time, each from its time in `since`; note the problems of the login.

    A list that was read earlier in this run is not read again. One that fails or pauses does not stop the others. With
    `contacts_last` most of the contacts are read after the other lists. Raises Stopping when the process must end.
    """
    unread = [listing for listing in listings if listing.name not in reader.login.lists]
    last = [listing for listing in unread if contacts_last and listing is CONTACTS]
    others_read = asyncio.Event()

    async def read(listing: Listing, turn: Turn) -> None:
        step = _pull(reader, listing, since.get(listing.name), turn)
        await noting_failure(reader, listing.name, step)

    async def read_others() -> None:
        await run_together(*(read(listing, _at_once) for listing in unread if listing not in last))
        others_read.set()

    turn = partial(_after_others, others_read)
    await run_together(read_others(), *(read(listing, turn) for listing in last))


async def _at_once(_pull: Pull) -> None:
    """Let a list request its next page at once."""


async def _after_others(others_read: asyncio.Event, pull: Pull) -> None:
    """Let the list request the first eighth of its pages at once, and the others when the login's other lists end.

    People can be published when the login's other lists are read. So these go first in its rate limit [IS-2].
    """
    if pull.pages and pull.met * READ_AHEAD >= (pull.total or 0):
        await others_read.wait()


async def _pull(
    reader: ConnectionReader, listing: Listing, since: datetime | None, turn: Turn
) -> None:
    pull: Pull | None = reader.pulls.get(listing.name)
    if pull is None:
        open_pull = partial(
            checkpoints.open_pull,
            lease=reader.lease,
            connection_id=reader.connection_id,
            resource=listing.name,
            since=since,
        )
        pull = await reader.lander.write(open_pull)
    while pull is not None and not pull.complete:
        if windows.was_cut_off(pull):
            pull = await _open_next_window(reader, listing, pull)
        else:
            pull = await _read_pages(reader, listing, pull, turn)
    if pull is None:
        reader.note_list(listing.name, None)
        await reader.save()
    else:
        reader.read.add(listing.name)


async def _read_pages(
    reader: ConnectionReader, listing: Listing, opened: Pull, turn: Turn
) -> Pull | None:
    """Read pages until the list ends or Clio cuts it off; return the pull to continue with, None for none."""
    pull, landing = opened, None
    await turn(pull)
    window = {"since": opened.since, "created_since": opened.created_since}
    try:
        async for page in reader.clio.pages(listing.resource, **window, cursor=opened.cursor):
            pull = windows.turned(listing.resource, pull, page)
            view = view_of(reader, listing)
            if landing is not None:
                await landing
            landing = await reader.lander.put(
                partial(_land_page, reader, listing, view, pull, page)
            )
            reader.moved.add(listing.name)
            reader.check_stop()
            await turn(pull)
    except ClioRefused as refusal:
        return await _continue_after_refusal(reader, listing, opened, pull, refusal)
    return pull


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
            return await _start_again(reader, pull)
    if refusal.status != 403:
        raise refusal
    log.warning("clio_list_forbidden", resource=listing.name)
    reader.note_problem(forbidden_list(listing))
    return None


async def _open_next_window(reader: ConnectionReader, listing: Listing, pull: Pull) -> Pull | None:
    """Continue a list that Clio cut off with what was created since; None where this could skip a record."""
    start = windows.next_start(pull)
    if start is None:
        _note_capped(reader, listing)
        return None
    opened = windows.continued(pull, start)
    await reader.lander.put(partial(checkpoints.store_pull, lease=reader.lease, pull=opened))
    log.info("list_window_opened", resource=listing.name)
    return opened


def _note_capped(reader: ConnectionReader, listing: Listing) -> None:
    text = (
        f"Clio cuts off the list of {listing.name} before its end. The rest is not read, and nothing is"
        " removed because of it. Report it"
    )
    reader.note_problem(Problem("relationship_list_capped", text))


async def _start_again(reader: ConnectionReader, pull: Pull) -> Pull:
    """Read a list again from its beginning, because Clio no longer knows the cursor."""
    again, lease = windows.restarted(pull), reader.lease

    async def restart(session: Session) -> None:
        await listed_ids.restart(session, lease, pull.connection_id, pull.resource)
        await checkpoints.store_pull(session, lease, again)

    await reader.lander.put(restart)
    return again


async def _land_page(
    reader: ConnectionReader,
    listing: Listing,
    view: View,
    pull: Pull,
    page: Page[Any],
    session: Session,
) -> None:
    """Land one page: records, sightings, listed ids, the pull with its cursor, and the run's counts."""
    lease, now = reader.lease, reader.services.now()
    ids = await store_page(session, reader, listing, page, view)
    await checkpoints.store_pull(session, lease, pull, asked_at=page.asked_at)
    if pull.since is None:
        await listed_ids.record_page(session, lease, pull, ids)
    if pull.complete and listing in SMALL_LISTS:
        await _mark_missing_items(session, reader, pull)
    if listing.name in reader.failed_before:
        await list_failures.forget_failure(session, lease, pull.connection_id, listing.name)
        reader.failed_before.discard(listing.name)
    reader.eta.note([pull])
    end, usage = reader.eta.end(now=now), usage_of(reader.clio)
    await leases.record_progress(session, lease, usage, expected_end=end, now=now)


async def _mark_missing_items(session: Session, reader: ConnectionReader, pull: Pull) -> None:
    """Mark the items that a completely read small list no longer has; an empty list is not believed."""
    listed = await listed_ids.load_listed(session, reader.lease, pull)
    if listed:
        await catalog.mark_gone(session, reader.view.account_id, pull.resource, listed)
