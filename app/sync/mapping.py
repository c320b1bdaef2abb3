"""Pure: Clio's models to the records that the mirror keeps."""

from typing import Any

from app.clio import models
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


def is_stripped(contact: models.Contact) -> bool:
    """Whether Clio kept back what this contact's custom fields hold: an id and nothing else is not an empty value."""
    return any(
        value.id is not None and (value.field_name, value.field_type, value.value) == (None,) * 3
        for value in contact.custom_field_values
    )


def contact_record(contact: models.Contact) -> ContactRecord:
    """A contact as the mirror keeps it; of custom fields whose values were kept back it says nothing."""
    company = contact.company
    return ContactRecord(
        clio_id=contact.id,
        is_person=contact.type != "Company",
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
            for email in contact.email_addresses
            if email.address
        ),
        phones=tuple(
            Phone(phone.number, phone.name, bool(phone.primary))
            for phone in contact.phone_numbers
            if phone.number
        ),
        addresses=tuple(_address(address) for address in contact.addresses),
        custom_values=() if is_stripped(contact) else _custom_values(contact),
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )


def matter_record(matter: models.Matter) -> MatterRecord:
    """A matter as the mirror keeps it."""
    area, stage = matter.practice_area, matter.matter_stage
    return MatterRecord(
        clio_id=matter.id,
        status=MatterStatus(matter.status),
        number=matter.display_number,
        client_id=matter.client.id if matter.client else None,
        practice_area_id=area.id if area else None,
        practice_area=area.name if area else None,
        practice_area_category=area.category if area else None,
        stage_id=stage.id if stage else None,
        stage=stage.name if stage else None,
        group_id=matter.group.id if matter.group else None,
        responsible=_attorney(matter.responsible_attorney),
        originating=_attorney(matter.originating_attorney),
        open_date=matter.open_date,
        pending_date=matter.pending_date,
        close_date=matter.close_date,
        created_at=matter.created_at,
        updated_at=matter.updated_at,
    )


def relationship_record(relationship: models.Relationship) -> RelationshipRecord | None:
    """A relationship as the mirror keeps it; None when an end of it is not shown to us."""
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
    """An item of a small list as the catalog keeps it: what Clio said, less its etag and time."""
    document: dict[str, Any] = item.model_dump(mode="json", exclude={"etag", "updated_at"})
    return document


def _custom_values(contact: models.Contact) -> tuple[CustomValue, ...]:
    return tuple(
        CustomValue(value.custom_field.id, value.value, bool(value.soft_deleted))
        for value in contact.custom_field_values
        if value.custom_field is not None and value.value is not None
    )


def _address(address: models.Address) -> Address:
    return Address(
        kind=address.name,
        street=address.street,
        city=address.city,
        province=address.province,
        postal_code=address.postal_code,
        country=address.country,
        primary=bool(address.primary),
    )


def _attorney(user: models.UserRef | None) -> Attorney | None:
    return Attorney(user.id, user.name) if user else None
