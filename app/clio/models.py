"""Pydantic models of Clio's records.

Clio's OpenAPI document marks no field as required or never null, so nearly every field here is optional. Every text
and every list has a ceiling (`app/clio/ceilings.py`). What a model refuses, `app/clio/reading.py` leaves out.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from app.clio import ceilings

P = TypeVar("P")  # a part of a record

_DAY = re.compile(r"\s*(\d{4}-\d{2}-\d{2})(?:[T ].*)?\s*", re.DOTALL)


def _day_of(value: Any) -> Any:
    """Return the day of a date that may have a time of day after it. A number is not a date."""
    if value is None:
        return None
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is not a date")
    return found[1]


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _reject_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("is not a number")  # noqa: TRY004  # pydantic reports a ValueError as an error of the record
    return value


def _present(value: Any) -> Any:
    """Return a list without its nulls; an empty one in place of null."""
    if value is None:
        return ()
    if isinstance(value, list) and None in value:
        return [part for part in value if part is not None]
    return value


def to_utc(value: datetime) -> datetime:
    """Convert to UTC. Clio uses the offset of the user who asks, but the stored time must be the same for all users."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is out of range") from error


def _text(ceiling: int) -> Any:
    return Field(max_length=ceiling)


Name = Annotated[str, _text(ceilings.TEXT)]
Text = Name | None
EmailText = Annotated[str, _text(ceilings.EMAIL)] | None
PhoneText = Annotated[str, _text(ceilings.PHONE)] | None
Secret = Annotated[str, _text(ceilings.SECRET)]
ValueText = Annotated[str, _text(ceilings.VALUE)]
Parts = Annotated[tuple[P, ...], BeforeValidator(_present), Field(max_length=ceilings.PARTS)]
Values = Annotated[tuple[P, ...], BeforeValidator(_present), Field(max_length=ceilings.VALUES)]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(to_utc)]
Day = Annotated[date | None, BeforeValidator(_day_of)]
Id = Annotated[int, BeforeValidator(_reject_bool), Field(gt=0, lt=2**63)]


class Model(BaseModel):
    """A part of a response: frozen; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Ref(Model):
    """A reference to another record. If the user cannot see that record, it is `redacted` and has only an id."""

    id: Id
    name: Text = None
    redacted: bool | None = None


class EmailAddress(Model):
    """An e-mail address of a contact."""

    name: Text = None
    address: EmailText = None
    primary: bool | None = None


class PhoneNumber(Model):
    """A phone number of a contact, as the user typed it."""

    name: Text = None
    number: PhoneText = None
    primary: bool | None = None


class Address(Model):
    """A postal address of a contact."""

    name: Text = None
    street: Text = None
    city: Text = None
    province: Text = None
    postal_code: Text = None
    country: Text = None
    primary: bool | None = None


class OptionRef(Model):
    """The chosen option of a picklist; without an id it says nothing."""

    id: Id | None = None


class CustomFieldValue(Model):
    """A custom field's value: a boolean, a number or text. Live accounts send all three."""

    id: str | int | None = None
    field_name: Text = None
    field_type: Text = None
    value: bool | int | float | ValueText | None = None
    soft_deleted: bool | None = None
    custom_field: Ref | None = None
    picklist_option: OptionRef | None = None


class Contact(Model):
    """A person or company."""

    id: Id
    etag: Text = None
    type: Literal["Person", "Company"] | None = None
    name: Text = None
    prefix: Text = None
    first_name: Text = None
    middle_name: Text = None
    last_name: Text = None
    title: Text = None
    date_of_birth: Day = None
    is_client: bool | None = None
    created_at: UtcDatetime | None = None
    updated_at: UtcDatetime | None = None
    company: Ref | None = None
    email_addresses: Parts[EmailAddress] = ()
    phone_numbers: Parts[PhoneNumber] = ()
    addresses: Parts[Address] = ()
    custom_field_values: Values[CustomFieldValue] = ()


class AreaRef(Ref):
    """A matter's practice area."""

    category: Text = None


class GroupRef(Ref):
    """A matter's permission group; the type `AccountGroup` means everybody."""

    type: Text = None


class UserRef(Ref):
    """A user who is named by a matter."""

    email: EmailText = None
    enabled: bool | None = None


class Matter(Model):
    """A matter. Clio returns the status as `Open` and accepts `open`; here it is always lower case."""

    id: Id
    etag: Text = None
    display_number: Text = None
    status: Annotated[Literal["open", "pending", "closed"], BeforeValidator(_lower)]
    open_date: Day = None
    pending_date: Day = None
    close_date: Day = None
    created_at: UtcDatetime | None = None
    updated_at: UtcDatetime | None = None
    client: Ref | None = None
    practice_area: AreaRef | None = None
    matter_stage: Ref | None = None
    group: GroupRef | None = None
    responsible_attorney: UserRef | None = None
    originating_attorney: UserRef | None = None


class Relationship(Model):
    """A contact's relationship to a matter."""

    id: Id
    etag: Text = None
    description: Text = None
    created_at: UtcDatetime | None = None
    updated_at: UtcDatetime | None = None
    matter: Ref | None = None
    contact: Ref | None = None


class User(Model):
    """A user of the firm."""

    id: Id
    etag: Text = None
    name: Text = None
    first_name: Text = None
    last_name: Text = None
    email: EmailText = None
    enabled: bool | None = None
    account_owner: bool | None = None
    roles: Parts[Name] = ()
    updated_at: UtcDatetime | None = None


class PicklistOption(Model):
    """One option of a picklist."""

    id: Id
    option: Text = None
    deleted_at: UtcDatetime | None = None


class CustomField(Model):
    """The definition of a custom field."""

    id: Id
    etag: Text = None
    name: Text = None
    parent_type: Text = None
    field_type: Text = None
    deleted: bool | None = None
    displayed: bool | None = None
    updated_at: UtcDatetime | None = None
    picklist_options: Values[PicklistOption] = ()


class PracticeArea(Model):
    """A practice area. The firm chooses the name."""

    id: Id
    etag: Text = None
    name: Text = None
    code: Text = None
    category: Text = None
    updated_at: UtcDatetime | None = None


class MatterStage(Model):
    """A stage of matters in one practice area."""

    id: Id
    etag: Text = None
    name: Text = None
    order: int | None = None
    practice_area_id: Name | int | None = None
    updated_at: UtcDatetime | None = None


class WhoAmI(Model):
    """The user of the token, and the firm."""

    id: Id
    name: Text = None
    email: EmailText = None
    time_zone: Text = None
    enabled: bool | None = None
    account_owner: bool | None = None
    roles: Parts[Name] = ()
    account: Ref


class Note(Model):
    """A note on a contact or matter."""

    id: Id
    etag: Text = None
    detail: str | None = None  # it is searched for a marker and never stored
    created_at: datetime | None = None


class ExternalProperty(Model):
    """A name and value that an app stores with a communication."""

    name: Text = None
    value: Text = None


class Communication(Model):
    """A phone call or an e-mail that was logged in Clio."""

    id: Id
    etag: Text = None
    created_at: datetime | None = None
    external_properties: Parts[ExternalProperty] = ()


class WebhookSubscription(Model):
    """A subscription to webhooks. Clio posts to its URL; the secret signs what Clio posts."""

    id: Id
    url: Annotated[Secret | None, Field(repr=False)] = None
    status: Text = None
    expires_at: AwareDatetime | None = None
    shared_secret: Annotated[Secret | None, Field(repr=False)] = None
