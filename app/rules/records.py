"""Clio's contacts, matters and relationships as the mirror stores them, each in the most complete version seen.

Clio's ids are integers here; only the API uses strings.
"""

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct


class Record(Struct, frozen=True, gc=False, omit_defaults=True):
    """A value that never changes. It holds no reference cycle, so the garbage collector need not look at it.

    Stored as JSON it has only the fields that differ from their defaults: what is stored depends on the defaults.
    """


class MatterStatus(StrEnum):  # C-1
    """The three statuses of a matter in Clio, the strongest first."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class Email(Record, frozen=True):
    """An e-mail address as Clio lists it."""

    address: str
    kind: str | None = None
    primary: bool = False


class Phone(Record, frozen=True):
    """A phone number as Clio lists it; `number` is free text."""

    number: str
    kind: str | None = None
    primary: bool = False


class Address(Record, frozen=True):
    """A postal address as Clio lists it; `province` and `country` are free text."""

    kind: str | None = None
    street: str | None = None
    city: str | None = None
    province: str | None = None
    postal_code: str | None = None
    country: str | None = None
    primary: bool = False


class CustomValue(Record, frozen=True):
    """The value of one custom field; the value of a picklist is the id of an option.

    A `stripped` value exists in Clio, but Clio withheld its content. It does not mean that the field is empty
    (clio.md §16.6). Its `field_id` is 0 if Clio withheld that too.
    """

    field_id: int
    value: str | bool | int | float | None = None
    soft_deleted: bool = False
    stripped: bool = False


class ContactRecord(Record, frozen=True):
    """A Clio contact, a person or a company; `is_person` is None if Clio did not say."""

    clio_id: int
    is_person: bool | None
    name: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    prefix: str | None = None
    title: str | None = None
    date_of_birth: date | None = None
    is_client: bool = False
    company_id: int | None = None
    company_name: str | None = None
    emails: tuple[Email, ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()
    custom_values: tuple[CustomValue, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Attorney(Record, frozen=True):
    """A Clio user who is named by a matter."""

    clio_user_id: int
    name: str | None = None


class MatterRecord(Record, frozen=True):
    """A Clio matter. `practice_area` and `stage` are names; the current spelling is found by their ids.

    `group_type` is the type of the permission group that may see the matter; `AccountGroup` means everybody.
    """

    clio_id: int
    status: MatterStatus
    number: str | None = None
    client_id: int | None = None
    practice_area_id: int | None = None
    practice_area: str | None = None
    practice_area_category: str | None = None
    stage_id: int | None = None
    stage: str | None = None
    group_id: int | None = None
    group_type: str | None = None
    responsible: Attorney | None = None
    originating: Attorney | None = None
    open_date: date | None = None
    pending_date: date | None = None
    close_date: date | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class RelationshipRecord(Record, frozen=True):
    """A contact's relationship to a matter. Usually the contact is not its client, but Clio may list the client too."""

    clio_id: int
    matter_id: int
    contact_id: int
    description: str | None = None
    updated_at: datetime | None = None
