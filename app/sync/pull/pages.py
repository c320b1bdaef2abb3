"""Landing the pages of Clio's lists as one connection sees them: all lists at once, on one token's budget.

A page and its cursor land in one transaction, under the run's fence. No transaction is open while Clio is asked.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from app.clio import models, resources
from app.clio.client import ClioClient
from app.clio.errors import ClioRefused
from app.clio.resources import Page, Resource
from app.db.connections.connections import Problem
from app.db.mirror import catalog, quarantine, records
from app.db.mirror.quarantine import NAMELESS, PutAside
from app.db.mirror.visibility import View
from app.db.runs import checkpoints, leases, listed_ids
from app.db.runs.checkpoints import Pull, Turned
from app.db.runs.leases import Lease
from app.db.runs.runs import Usage
from app.db.session import Session, transaction
from app.sync.concurrency import Stopping, together
from app.sync.pull import mapping, suppression, windows
from app.sync.pull.eta import expected_end
from app.sync.services import Services

ASKED_AT_ONCE = 50  # ids in one question: more may be refused (clio.md §21)
RETRIED = 1000  # records put aside that one run asks for again
# What Clio may stop knowing, and what of our records then says nothing.
_FIELDS_OF = {
    "contacts.prefix": ("prefix",),
    "contacts.middle_name": ("middle_name",),
    "contacts.title": ("title",),
    "contacts.date_of_birth": ("date_of_birth",),
    "contacts.custom_field_values": ("custom_values",),
    "contacts.picklist_option": ("custom_values",),
    "contacts.soft_deleted": ("custom_values",),
    "matters.matter_stage": ("stage_id", "stage"),
    "matters.group": ("group_id", "group_type"),
    "matters.type": ("group_type",),
    "matters.category": ("practice_area_category",),
    "matters.pending_date": ("pending_date",),
}

log = structlog.get_logger(__name__)

Land = Callable[[Session, View, Page[Any]], Awaitable[int]]


@dataclass(frozen=True)
class Listing:
    """One of Clio's lists and how its pages land."""

    resource: Resource[Any]
    land: Land

    @property
    def name(self) -> str:
        """The resource's name, by which pulls and checkpoints know the list."""
        return self.resource.name


async def _contacts(session: Session, view: View, page: Page[models.Contact]) -> int:
    return await records.land_contacts(
        session, view, [mapping.contact_record(c) for c in page.items]
    )


async def _matters(session: Session, view: View, page: Page[models.Matter]) -> int:
    return await records.land_matters(session, view, [mapping.matter_record(m) for m in page.items])


async def _relationships(session: Session, view: View, page: Page[models.Relationship]) -> int:
    found = [mapping.relationship_record(relationship) for relationship in page.items]
    return await records.land_relationships(session, view, [r for r in found if r is not None])


def _catalog(resource: Resource[Any]) -> Listing:
    async def land(session: Session, view: View, page: Page[Any]) -> int:
        items = {item.id: mapping.catalog_item(item) for item in page.items}
        return await catalog.land_items(session, view.account_id, resource.name, items)

    return Listing(resource, land)


CONTACTS = Listing(resources.CONTACTS, _contacts)
MATTERS = Listing(resources.MATTERS, _matters)
RELATIONSHIPS = Listing(resources.RELATIONSHIPS, _relationships)
RECORDS = (CONTACTS, MATTERS, RELATIONSHIPS)
SMALL_LISTS = tuple(
    _catalog(resource)
    for resource in (
        resources.USERS,
        resources.CUSTOM_FIELDS,
        resources.PRACTICE_AREAS,
        resources.MATTER_STAGES,
    )
)


@dataclass(frozen=True)
class Puller:
    """One connection's part in one run."""

    services: Services
    clio: ClioClient
    lease: Lease
    view: View
    refused: list[Problem] = field(default_factory=list)
    listed: dict[str, set[int]] = field(default_factory=dict)  # what the small lists named
    met: set[int] = field(
        default_factory=set
    )  # records that were asked for by themselves and shown
    complete: bool = False


async def pull_all(
    puller: Puller, listings: Sequence[Listing], since: Mapping[str, datetime | None]
) -> None:
    """Land all lists at the same time; notes what this login may not read or what Clio's answers lacked.

    A list that was landed to its end earlier in this run is not asked for again.
    """
    await together(*(_pull(puller, listing, since.get(listing.name)) for listing in listings))
    dropped = [
        Problem("clio_field_unknown", f"Clio no longer knows the field {name}; it was left out")
        for name in sorted(puller.clio.dropped)
    ]
    puller.refused.extend(dropped)


async def _pull(puller: Puller, listing: Listing, since: datetime | None) -> None:
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        opened = await checkpoints.open_pull(
            session, puller.lease, puller.view.connection_id, listing.name, since=since
        )
    going: Pull | None = opened
    while going is not None and not going.complete:
        step = _next_window if windows.is_cut(going) else _land_pages
        going = await step(puller, listing, going)


async def _land_pages(puller: Puller, listing: Listing, opened: Pull) -> Pull | None:
    """Land pages until the list ends or Clio ends it; answers where to go on, None where that is nowhere."""
    puller.listed[listing.name] = set()
    pull = opened
    window = {"since": opened.since, "created_since": opened.created_since}
    try:
        async for page in puller.clio.pages(listing.resource, **window, cursor=opened.cursor):
            if windows.promises_less(pull, page):
                _capped(puller, listing)
                return None
            pull = await _land(puller, listing, pull, page)
            if puller.services.stopping.is_set():
                raise Stopping
    except ClioRefused as refusal:
        return await _refused(puller, listing, opened, pull, refusal)
    if pull.complete and listing in SMALL_LISTS and opened.cursor is None:
        await _mark_gone(puller, listing)
    return pull


async def _mark_gone(puller: Puller, listing: Listing) -> None:
    """A small list was read from end to end: what it no longer names has gone, unless it names nothing at all."""
    listed = puller.listed[listing.name]
    if not listed:
        return
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        await catalog.mark_gone(session, puller.view.account_id, listing.name, listed)


async def _refused(
    puller: Puller, listing: Listing, opened: Pull, pull: Pull, refusal: ClioRefused
) -> Pull | None:
    """A list goes on behind its cap, and once more where Clio forgot a cursor; one that is forbidden is noted."""
    if refusal.code == "clio_cursor_refused":
        if windows.is_near_cap(listing.resource, pull):
            return await _next_window(puller, listing, pull)
        if opened.cursor is not None:
            return await _start_over(puller, listing)
    if refusal.status != 403:
        raise refusal
    log.warning("clio_list_forbidden", resource=listing.name)
    puller.refused.append(
        Problem("clio_forbidden", f"This Clio user may not read {listing.name.replace('_', ' ')}")
    )
    return None


async def _next_window(puller: Puller, listing: Listing, pull: Pull) -> Pull | None:
    """Clio ends the list before its end: go on with what was created since, where that skips nothing."""
    start, lease = windows.next_start(pull), puller.lease
    if start is None:
        _capped(puller, listing)
        return None
    async with transaction(puller.services.database) as session:
        await leases.hold(session, lease)
        opened = await checkpoints.open_window(
            session, lease, pull.connection_id, listing.name, created_since=start
        )
    log.info("list_window_opened", resource=listing.name)
    return opened


def _capped(puller: Puller, listing: Listing) -> None:
    text = f"Clio ends the list of {listing.name} before its end; what lies beyond is not read"
    puller.refused.append(Problem("relationship_list_capped", text))


async def _start_over(puller: Puller, listing: Listing) -> Pull:
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        connection_id = puller.view.connection_id
        await listed_ids.start_over(session, puller.lease, connection_id, listing.name)
        return await checkpoints.start_over(session, puller.lease, connection_id, listing.name)


async def _land(puller: Puller, listing: Listing, pull: Pull, page: Page[Any]) -> Pull:
    """Land one page: records, sightings, cursor and counts, in one transaction, or none of it."""
    turned = Turned(
        cursor=page.cursor,
        records=len(page.items),
        unreadable=len(page.unreadable),
        total=page.total,
        newest=windows.newest(listing.resource, pull, page),
        complete=windows.is_end(listing.resource, pull, page),
        asked_at=page.asked_at,
    )
    if listing in SMALL_LISTS:
        named = (record.id for record in page.items)
        unread = (record.clio_id for record in page.unreadable if record.clio_id is not None)
        puller.listed[listing.name].update(named, unread)
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        lease, connection_id = puller.lease, puller.view.connection_id
        ids = await _keep_records(session, puller, listing, page)
        landed = await checkpoints.turn_page(session, lease, connection_id, listing.name, turned)
        if landed.since is None and listing in RECORDS:
            await listed_ids.note_page(session, lease, connection_id, listing.name, ids)
        known = (await checkpoints.list_pulls(session, lease.account_id, [lease.run_id]))[
            lease.run_id
        ]
        end = expected_end(puller.clio, known, now=puller.services.now())
        await leases.progressed(session, lease, usage_of(puller.clio), expected_end=end)
    return landed


async def land_some(puller: Puller, listing: Listing, page: Page[Any]) -> set[int]:
    """Land records that were asked for one by one; answers their ids, also of those that cannot be read."""
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        ids = await _keep_records(session, puller, listing, page)
        lease, connection_id, aside = puller.lease, puller.view.connection_id, page.unreadable
        if aside:
            await checkpoints.add_unreadable(
                session, lease, connection_id, listing.name, len(aside)
            )
        await leases.count_usage(session, puller.lease, usage_of(puller.clio))
    return set(ids)


async def _keep_records(
    session: Session, puller: Puller, listing: Listing, page: Page[Any]
) -> list[int]:
    """Store a page's records and put aside those that cannot be read; answers the ids of both."""
    view, now, services = view_of(puller, listing), puller.services.now(), puller.services
    kept = await suppression.without(session, services, view.account_id, listing.name, page)
    aside = [
        PutAside(listing.name, record.clio_id or NAMELESS, view.connection_id, record.reason)
        for record in kept.unreadable
    ]
    for item in aside:
        log.warning(
            "record_unreadable", resource=item.resource, clio_id=item.clio_id, reason=item.reason
        )
    await listing.land(session, view, kept)
    ids = [item.id for item in page.items]
    await quarantine.put(session, puller.lease.run_id, view.account_id, aside, now=now)
    await quarantine.readable(session, view, listing.name, ids, now=now)
    return [*ids, *(item.clio_id for item in aside if item.clio_id != NAMELESS)]


async def retry_quarantine(puller: Puller) -> None:
    """Ask again for the records that could not be read and that this run has not met [row 34]."""
    async with transaction(puller.services.database) as session:
        waiting = await quarantine.waiting(
            session, puller.view, run_id=puller.lease.run_id, limit=RETRIED
        )
    for listing in RECORDS:
        for batch in batches(waiting.get(listing.name, ()), ASKED_AT_ONCE):
            page = await puller.clio.some(listing.resource, batch)
            await land_some(puller, listing, page)
            if puller.services.stopping.is_set():
                raise Stopping


async def read_one(puller: Puller, clio_id: int) -> None:
    """A contact, its matters and its relationships; `met` of the puller remembers who was shown the contact."""
    page = await puller.clio.some(CONTACTS.resource, [clio_id])
    puller.met.update(await land_some(puller, CONTACTS, page))
    for listing, name in ((MATTERS, "client_id"), (RELATIONSHIPS, "contact_id")):
        params = {**listing.resource.params, name: str(clio_id)}
        async for found in puller.clio.pages(replace(listing.resource, params=params)):
            await land_some(puller, listing, found)


def batches(clio_ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The ids, so many at a time."""
    for first in range(0, len(clio_ids), size):
        yield clio_ids[first : first + size]


def view_of(puller: Puller, listing: Listing) -> View:
    """How much of the records is seen: what Clio stopped knowing must not blank what is known (I4, F19)."""
    unseen = {
        field
        for name, fields in _FIELDS_OF.items()
        if name in puller.clio.dropped and name.startswith(f"{listing.name}.")
        for field in fields
    }
    return replace(puller.view, unseen=frozenset(unseen))


def usage_of(clio: ClioClient) -> Usage:
    """What Clio was asked since this was last taken."""
    taken = clio.take_usage()
    return Usage(taken.requests, taken.rate_limited, taken.waited_seconds)
