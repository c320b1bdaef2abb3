"""Pydantic models of Clio's records.

Clio's OpenAPI document marks no field as required or never null, so nearly every field here is optional.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)


def _reject_nul(value: Any) -> Any:
    """Reject text with a NUL character, because PostgreSQL cannot store it."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("contains a NUL character")
    return value


def _none_to_empty(value: Any) -> Any:
    return () if value is None else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _reject_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("is not a number")  # noqa: TRY004  # pydantic reports a ValueError as an error of the record
    return value


def _to_utc(value: datetime) -> datetime:
    """Convert to UTC. Clio uses the offset of the user who asks, but the stored time must be the same for all users."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is out of range") from error


Text = Annotated[str | None, BeforeValidator(_reject_nul)]
StringList = Annotated[
    tuple[Annotated[str, BeforeValidator(_reject_nul)], ...], BeforeValidator(_none_to_empty)
]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
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

    id: int | None = None
    name: Text = None
    address: Text = None
    primary: bool | None = None


class PhoneNumber(Model):
    """A phone number of a contact, as the user typed it."""

    id: int | None = None
    name: Text = None
    number: Text = None
    primary: bool | None = None


class Address(Model):
    """A postal address of a contact."""

    id: int | None = None
    name: Text = None
    street: Text = None
    city: Text = None
    province: Text = None
    postal_code: Text = None
    country: Text = None
    primary: bool | None = None


class CustomFieldValue(Model):
    """A custom field's value: a boolean, a number or text. Live accounts send all three."""

    id: Annotated[str | int | None, BeforeValidator(_reject_nul)] = None
    field_name: Text = None
    field_type: Text = None
    value: Annotated[bool | int | float | str | None, BeforeValidator(_reject_nul)] = None
    soft_deleted: bool | None = None
    custom_field: Ref | None = None
    picklist_option: Ref | None = None


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
    date_of_birth: date | None = None
    is_client: bool | None = None
    created_at: UtcDatetime | None = None
    updated_at: UtcDatetime | None = None
    company: Ref | None = None
    email_addresses: Annotated[tuple[EmailAddress, ...], BeforeValidator(_none_to_empty)] = ()
    phone_numbers: Annotated[tuple[PhoneNumber, ...], BeforeValidator(_none_to_empty)] = ()
    addresses: Annotated[tuple[Address, ...], BeforeValidator(_none_to_empty)] = ()
    custom_field_values: Annotated[
        tuple[CustomFieldValue, ...], BeforeValidator(_none_to_empty)
    ] = ()


class AreaRef(Ref):
    """A matter's practice area."""

    category: Text = None


class GroupRef(Ref):
    """A matter's permission group; the type `AccountGroup` means everybody."""

    type: Text = None


class UserRef(Ref):
    """A user who is named by a matter."""

    email: Text = None
    enabled: bool | None = None


class Matter(Model):
    """A matter. Clio returns the status as `Open` and accepts `open`; here it is always lower case."""

    id: Id
    etag: Text = None
    display_number: Text = None
    status: Annotated[Literal["open", "pending", "closed"], BeforeValidator(_lower)]
    open_date: date | None = None
    pending_date: date | None = None
    close_date: date | None = None
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
    email: Text = None
    enabled: bool | None = None
    account_owner: bool | None = None
    roles: StringList = ()
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
    picklist_options: Annotated[tuple[PicklistOption, ...], BeforeValidator(_none_to_empty)] = ()


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
    practice_area_id: Annotated[str | int | None, BeforeValidator(_reject_nul)] = None
    updated_at: UtcDatetime | None = None


class WhoAmI(Model):
    """The user of the token, and the firm."""

    id: Id
    name: Text = None
    email: Text = None
    time_zone: Text = None
    enabled: bool | None = None
    account_owner: bool | None = None
    roles: StringList = ()
    account: Ref


class Note(Model):
    """A note on a contact or matter."""

    id: Id
    etag: str | None = None
    detail: str | None = None
    created_at: datetime | None = None


class ExternalProperty(Model):
    """A name and value that an app stores with a communication."""

    id: int | None = None
    name: str | None = None
    value: str | None = None


class Communication(Model):
    """A phone call or an e-mail that was logged in Clio."""

    id: Id
    etag: str | None = None
    created_at: datetime | None = None
    external_properties: Annotated[
        tuple[ExternalProperty, ...], BeforeValidator(_none_to_empty)
    ] = ()


class WebhookSubscription(Model):
    """A subscription to webhooks. Clio posts to its URL; the secret signs what Clio posts."""

    id: Id
    url: str | None = None
    status: str | None = None
    expires_at: AwareDatetime | None = None
    shared_secret: str | None = None
