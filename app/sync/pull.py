"""Landing the pages of Clio's lists as one connection sees them: all lists at once, on one token's budget.

A page and its cursor land in one transaction, under the run's fence. No transaction is open while Clio is asked.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import structlog

from app.clio import models, resources
from app.clio.client import ClioClient
from app.clio.errors import ClioRefused
from app.clio.resources import Page, Resource
from app.db import catalog, leases, mirror, pulls
from app.db.connections import Problem
from app.db.leases import Lease
from app.db.mirror import View
from app.db.pulls import Pull, Turned
from app.db.runs import Usage
from app.db.session import Session, transaction
from app.sync import Services, mapping
from app.sync.together import Stopping, together

PAGE = 200  # records on one of Clio's pages

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
    return await mirror.land_contacts(
        session, view, [mapping.contact_record(c) for c in page.items]
    )


async def _matters(session: Session, view: View, page: Page[models.Matter]) -> int:
    return await mirror.land_matters(session, view, [mapping.matter_record(m) for m in page.items])


async def _relationships(session: Session, view: View, page: Page[models.Relationship]) -> int:
    records = [mapping.relationship_record(relationship) for relationship in page.items]
    return await mirror.land_relationships(session, view, [r for r in records if r is not None])


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


async def pull_all(
    puller: Puller, listings: Sequence[Listing], since: Mapping[str, datetime | None]
) -> list[Problem]:
    """Land all lists at the same time; answers what this login may not read or what Clio's answers lacked.

    A list that was landed to its end earlier in this run is not asked for again.
    """
    await together(*(_pull(puller, listing, since.get(listing.name)) for listing in listings))
    dropped = [
        Problem("clio_field_unknown", f"Clio no longer knows the field {name}; it was left out")
        for name in sorted(puller.clio.dropped)
    ]
    return [*puller.refused, *dropped]


async def _pull(puller: Puller, listing: Listing, since: datetime | None) -> None:
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        opened = await pulls.open_pull(
            session, puller.lease, puller.view.connection_id, listing.name, since=since
        )
    if opened.complete:
        return
    try:
        await _land_pages(puller, listing, opened)
    except ClioRefused as refusal:
        await _refused(puller, listing, opened, refusal)


async def _land_pages(puller: Puller, listing: Listing, opened: Pull) -> None:
    puller.listed[listing.name] = set()
    pages = puller.clio.pages(listing.resource, since=opened.since, cursor=opened.cursor)
    async for page in pages:
        await _land(puller, listing, page)
        if puller.services.stopping.is_set():
            raise Stopping
    if listing in SMALL_LISTS and opened.cursor is None:
        await _mark_gone(puller, listing)


async def _mark_gone(puller: Puller, listing: Listing) -> None:
    """A small list was read from end to end: what it no longer names has gone, unless it names nothing at all."""
    listed = puller.listed[listing.name]
    if not listed:
        return
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        await catalog.mark_gone(session, puller.view.account_id, listing.name, listed)


async def _refused(puller: Puller, listing: Listing, opened: Pull, refusal: ClioRefused) -> None:
    """A cursor that Clio forgot costs the list once more; a list that is forbidden is noted, others go on."""
    if refusal.code == "clio_cursor_refused" and opened.cursor is not None:
        async with transaction(puller.services.database) as session:
            await leases.hold(session, puller.lease)
            await pulls.start_over(session, puller.lease, puller.view.connection_id, listing.name)
        await _land_pages(puller, listing, replace(opened, cursor=None))
        return
    if refusal.status != 403:
        raise refusal
    log.warning("clio_list_forbidden", resource=listing.name)
    puller.refused.append(
        Problem("clio_forbidden", f"This Clio user may not read {listing.name.replace('_', ' ')}")
    )


async def _land(puller: Puller, listing: Listing, page: Page[Any]) -> None:
    """Land one page: records, sightings, cursor and counts, in one transaction, or none of it."""
    turned = Turned(
        cursor=page.cursor,
        records=len(page.items),
        unreadable=len(page.unreadable),
        total=page.total,
        asked_at=page.asked_at,
    )
    for record in page.unreadable:
        log.warning(
            "record_unreadable", resource=listing.name, clio_id=record.clio_id, reason=record.reason
        )
    if listing in SMALL_LISTS:
        named = (record.id for record in page.items)
        unread = (record.clio_id for record in page.unreadable if record.clio_id is not None)
        puller.listed[listing.name].update(named, unread)
    async with transaction(puller.services.database) as session:
        await leases.hold(session, puller.lease)
        lease, view = puller.lease, view_of(puller, listing, page)
        await listing.land(session, view, page)
        await pulls.turn_page(session, lease, view.connection_id, listing.name, turned)
        known = (await pulls.list_pulls(session, lease.account_id, [lease.run_id]))[lease.run_id]
        await leases.progressed(
            session, lease, usage_of(puller.clio), expected_end=expected_end(puller, known)
        )


def view_of(puller: Puller, listing: Listing, page: Page[Any]) -> View:
    """How much of the page's records is seen: what was left out or kept back must not blank what is known (I4, F19)."""
    dropped = any(name.startswith(f"{listing.name}.") for name in puller.clio.dropped)
    stripped = any(isinstance(c, models.Contact) and mapping.is_stripped(c) for c in page.items)
    return replace(puller.view, full_view=False) if dropped or stripped else puller.view


def usage_of(clio: ClioClient) -> Usage:
    """What Clio was asked since this was last taken."""
    taken = clio.take_usage()
    return Usage(taken.requests, taken.rate_limited, taken.waited_seconds)


def expected_end(puller: Puller, known: Sequence[Pull]) -> datetime | None:
    """When the pull will be done, by the pages left and what the token's budget allows [IS-2]; None when unknown."""
    left = pages_left(known)
    if left is None:
        return None
    now = puller.services.now()
    return now + timedelta(seconds=puller.clio.expected_seconds(left))


def pages_left(known: Sequence[Pull]) -> int | None:
    """Pages still to come; None while an unfinished list has not told its length."""
    unfinished = [pull for pull in known if not pull.complete]
    if any(pull.total is None for pull in unfinished):
        return None
    return sum(ceil(max((pull.total or 0) - pull.records, 0) / PAGE) for pull in unfinished)
