"""Convert Clio's models to the records of the mirror. This module does no I/O."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.clio import models, quick_pages
from app.clio.reading import Unread
from app.rules.records import (
    Address,
    Attorney,
    ContactRecord,
    CustomValue,
    Email,
    MatterRecord,
    MatterStatus,
    Phone,
    RelationshipRecord,
)

# The fields of our records that are unknown where Clio has removed a field from its API, or where its value cannot be
# read. A custom field value that cannot be read has a record of its own, without content.
FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    **{
        f"contacts.{name}": (name,)
        for name in ("name", "first_name", "middle_name", "last_name", "prefix", "title")
    },
    "contacts.date_of_birth": ("date_of_birth",),
    "contacts.is_client": ("is_client",),
    "contacts.company": ("company_id", "company_name"),
    "contacts.email_addresses": ("emails",),
    "contacts.phone_numbers": ("phones",),
    "contacts.addresses": ("addresses",),
    "contacts.custom_field_values": ("custom_values",),
    "contacts.picklist_option": ("custom_values",),
    "contacts.soft_deleted": ("custom_values",),
    "contacts.created_at": ("created_at",),
    "contacts.updated_at": ("updated_at",),
    "matters.display_number": ("number",),
    "matters.status": ("status",),
    "matters.client": ("client_id",),
    "matters.practice_area": ("practice_area_id", "practice_area", "practice_area_category"),
    "matters.category": ("practice_area_category",),
    "matters.matter_stage": ("stage_id", "stage"),
    "matters.group": ("group_id", "group_type"),
    "matters.type": ("group_type",),
    "matters.responsible_attorney": ("responsible",),
    "matters.originating_attorney": ("originating",),
    **{
        f"matters.{name}": (name,)
        for name in ("open_date", "pending_date", "close_date", "created_at", "updated_at")
    },
    "relationships.description": ("description",),
    "relationships.updated_at": ("updated_at",),
}

_NO_ADDRESS = Address()


def unread_fields(
    resource: str, unread: Mapping[int, tuple[Unread, ...]]
) -> dict[int, frozenset[str]]:
    """Return by the id of each record the fields of ours that Clio sent in a form that cannot be read."""
    return {
        clio_id: frozenset(
            field
            for value in values
            if not value.cut
            for field in FIELDS_OF.get(f"{resource}.{value.field}", ())
        )
        for clio_id, values in unread.items()
    }


def contact_record(contact: models.Contact | quick_pages.Contact) -> ContactRecord:
    """Return the mirror's record of a contact."""
    company = contact.company
    return ContactRecord(
        clio_id=contact.id,
        is_person=_is_person(contact),
        name=contact.name,
        first_name=contact.first_name,
        middle_name=contact.middle_name,
        last_name=contact.last_name,
        prefix=contact.prefix,
        title=contact.title,
        date_of_birth=contact.date_of_birth,
        is_client=bool(contact.is_client),
        company_id=company.id if company else None,
        company_name=company.name if company else None,
        emails=tuple(
            Email(email.address, email.name, bool(email.primary))
            for email in contact.email_addresses or ()
            if email.address
        ),
        phones=tuple(
            Phone(phone.number, phone.name, bool(phone.primary))
            for phone in contact.phone_numbers or ()
            if phone.number
        ),
        addresses=tuple(filter(None, map(_address, contact.addresses or ()))),
        custom_values=_custom_values(contact.custom_field_values or ()),
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )


def matter_record(matter: models.Matter | quick_pages.Matter) -> MatterRecord:
    """Return the mirror's record of a matter."""
    area, stage = matter.practice_area, matter.matter_stage
    return MatterRecord(
        clio_id=matter.id,
        status=MatterStatus(matter.status.lower()),
        number=matter.display_number,
        client_id=matter.client.id if matter.client else None,
        practice_area_id=area.id if area else None,
        practice_area=area.name if area else None,
        practice_area_category=area.category if area else None,
        stage_id=stage.id if stage else None,
        stage=stage.name if stage else None,
        group_id=matter.group.id if matter.group else None,
        group_type=matter.group.type if matter.group else None,
        responsible=_attorney(matter.responsible_attorney),
        originating=_attorney(matter.originating_attorney),
        open_date=matter.open_date,
        pending_date=matter.pending_date,
        close_date=matter.close_date,
        created_at=matter.created_at,
        updated_at=matter.updated_at,
    )


def relationship_record(
    relationship: models.Relationship | quick_pages.Relationship,
) -> RelationshipRecord | None:
    """Return the mirror's record of a relationship; None when Clio does not show its matter or its contact."""
    if relationship.matter is None or relationship.contact is None:
        return None
    return RelationshipRecord(
        clio_id=relationship.id,
        matter_id=relationship.matter.id,
        contact_id=relationship.contact.id,
        description=relationship.description,
        updated_at=relationship.updated_at,
    )


def catalog_item(item: Any) -> dict[str, Any]:
    """Return a small list's item as the catalog stores it: Clio's fields without etag and time."""
    document: dict[str, Any] = item.model_dump(mode="json", exclude={"etag", "updated_at"})
    return document


def _is_person(contact: models.Contact | quick_pages.Contact) -> bool | None:
    """Return whether the contact is a person; if Clio does not say, a first or last name decides."""
    if contact.type is not None:
        return contact.type == "Person"
    return True if contact.first_name or contact.last_name else None


def _custom_values(
    listed: Iterable[models.CustomFieldValue | quick_pages.CustomFieldValue],
) -> tuple[CustomValue, ...]:
    """Return the values in the order of their fields; a field that was never filled has no value (clio.md §16.6)."""
    found = [value for value in map(_custom_value, listed) if value is not None]
    return tuple(sorted(found, key=lambda value: (value.field_id, value.soft_deleted)))


def _custom_value(
    value: models.CustomFieldValue | quick_pages.CustomFieldValue,
) -> CustomValue | None:
    field_id = value.custom_field.id if value.custom_field else 0
    content = value.value
    if content is None and value.picklist_option is not None:
        option_id = value.picklist_option.id
        if option_id is None:
            return CustomValue(field_id, stripped=True)
        content = str(option_id)
    if content is None and value.id and value.field_name is None and value.field_type is None:
        return CustomValue(field_id, stripped=True)
    if content is None or not field_id:
        return None
    return CustomValue(field_id, content, bool(value.soft_deleted))


def _address(address: models.Address | quick_pages.Address) -> Address | None:
    """Return an address; None if nothing of it is known."""
    shown = Address(
        kind=address.name,
        street=address.street,
        city=address.city,
        province=address.province,
        postal_code=address.postal_code,
        country=address.country,
        primary=bool(address.primary),
    )
    return None if shown == _NO_ADDRESS else shown


def _attorney(user: models.UserRef | quick_pages.UserRef | None) -> Attorney | None:
    return Attorney(user.id, user.name) if user else None
