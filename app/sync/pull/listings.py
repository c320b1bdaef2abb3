"""Clio's lists that a run reads, and how the records of a page are stored in the mirror."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.clio import models, resources
from app.clio.resources import Page, Resource
from app.db.mirror import catalog, records
from app.db.mirror.records import Reading
from app.db.mirror.visibility import View
from app.db.session import Session
from app.sync.pull import mapping

Land = Callable[[Session, View, Page[Any]], Awaitable[int]]


@dataclass(frozen=True)
class Listing:
    """One of Clio's lists, and the function that stores a page of it and returns the number of changed records."""

    resource: Resource[Any]
    land: Land

    @property
    def name(self) -> str:
        """The resource's name, which is the list's key in pulls and checkpoints."""
        return self.resource.name


async def _land_contacts(session: Session, view: View, page: Page[models.Contact]) -> int:
    found = [mapping.contact_record(contact) for contact in page.items]
    return await records.land_contacts(session, view, found, _reading(CONTACTS.name, page))


async def _land_matters(session: Session, view: View, page: Page[models.Matter]) -> int:
    found = [mapping.matter_record(matter) for matter in page.items]
    return await records.land_matters(session, view, found, _reading(MATTERS.name, page))


async def _land_relationships(session: Session, view: View, page: Page[models.Relationship]) -> int:
    found = [mapping.relationship_record(relationship) for relationship in page.items]
    known = [record for record in found if record is not None]
    return await records.land_relationships(
        session, view, known, _reading(RELATIONSHIPS.name, page)
    )


def _reading(resource: str, page: Page[Any]) -> Reading:
    return Reading(page.asked_at, mapping.unread_fields(resource, page.unread))


def _catalog_listing(resource: Resource[Any]) -> Listing:
    async def land(session: Session, view: View, page: Page[Any]) -> int:
        items = {item.id: mapping.catalog_item(item) for item in page.items}
        unread = {
            clio_id: {value.field for value in values if not value.cut}
            for clio_id, values in page.unread.items()
        }
        return await catalog.store_items(session, view.account_id, resource.name, items, unread)

    return Listing(resource, land)


CONTACTS = Listing(resources.CONTACTS, _land_contacts)
MATTERS = Listing(resources.MATTERS, _land_matters)
RELATIONSHIPS = Listing(resources.RELATIONSHIPS, _land_relationships)
RECORDS = (CONTACTS, MATTERS, RELATIONSHIPS)
SMALL_LISTS = tuple(
    _catalog_listing(resource)
    for resource in (
        resources.USERS,
        resources.CUSTOM_FIELDS,
        resources.PRACTICE_AREAS,
        resources.MATTER_STAGES,
    )
)
