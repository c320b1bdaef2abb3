"""Clio's contacts, matters and relationships as the mirror keeps them, each in the fullest version seen.

Clio's ids are integers in here and strings only at the border of the API.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class MatterStatus(StrEnum):
    """Clio's three matter statuses, in the order in which they outrank one another [C-1]."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail address as Clio lists it."""

    address: str
    kind: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number as Clio lists it: free text."""

    number: str
    kind: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as Clio lists it; `province` and `country` are free text."""

    kind: str | None = None
    street: str | None = None
    city: str | None = None
    province: str | None = None
    postal_code: str | None = None
    country: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class CustomValue:
    """The value of one custom field; a picklist's value is the id of its option.

    One that is `stripped` exists in Clio, but its content was withheld from us: it says nothing, least of all
    that the field is empty (clio.md §16.6). Its `field_id` is 0 where that was withheld too.
    """

    field_id: int
    value: str | bool | int | float | None = None
    soft_deleted: bool = False
    stripped: bool = False


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A Clio contact, person or company; `is_person` is None where Clio did not say."""

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


@dataclass(frozen=True, slots=True)
class Attorney:
    """A Clio user as a matter names it."""

    clio_user_id: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class MatterRecord:
    """A Clio matter. `practice_area` and `stage` are names; their ids lead to the current spelling.

    `group_type` is the kind of the permission group that may see it: Clio's `AccountGroup` is everybody.
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


@dataclass(frozen=True, slots=True)
class RelationshipRecord:
    """A contact's link to a matter, other than as its client (Clio may list the client too)."""

    clio_id: int
    matter_id: int
    contact_id: int
    description: str | None = None
    updated_at: datetime | None = None
