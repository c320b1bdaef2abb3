"""Reads pages of contacts, matters and relationships at once, if every value has the form that Clio documents. No I/O.

What is accepted here, the models in `app/clio/models.py` accept too, with the same values; a test compares them.
Anything else is refused, also a field that is not named here, because it would not be checked. Then
`app/clio/reading.py` reads the record with care.
"""

import re
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field
from msgspec.json import Decoder

from app.clio import ceilings
from app.clio.models import to_utc

P = TypeVar("P")

# Of a longer fraction of a second, msgspec rounds what pydantic cuts. PostgreSQL cannot store a NUL character.
_LONG_FRACTION = re.compile(rb"\.[0-9]{7,}[Zz+-]")
NUL = b"\\u0000"
_HUGE = sys.float_info.max

Text = Annotated[str, Meta(max_length=ceilings.TEXT)] | None
Id = Annotated[int, Meta(gt=0, le=2**63 - 1)]
Time = Annotated[datetime, Meta(tz=True)] | None
Parts = Annotated[tuple[P, ...], Meta(max_length=ceilings.PARTS)] | None
Number = int | Annotated[float, Meta(ge=-_HUGE, le=_HUGE)]


class _Known(Struct, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A part of a response, with the fields that Clio sends unasked."""

    id: int | str | None = None
    etag: Text = None


class Ref(_Known, kw_only=True):
    """See `models.Ref`."""

    id: Id
    name: Text = None
    redacted: bool | None = None


class EmailAddress(_Known):
    """See `models.EmailAddress`."""

    name: Text = None
    address: Annotated[str, Meta(max_length=ceilings.EMAIL)] | None = None
    primary: bool | None = None


class PhoneNumber(_Known):
    """See `models.PhoneNumber`."""

    name: Text = None
    number: Annotated[str, Meta(max_length=ceilings.PHONE)] | None = None
    primary: bool | None = None


class Address(_Known):
    """See `models.Address`."""

    name: Text = None
    street: Text = None
    city: Text = None
    province: Text = None
    postal_code: Text = None
    country: Text = None
    primary: bool | None = None


class OptionRef(_Known):
    """See `models.OptionRef`."""

    id: Id | None = None


class CustomFieldValue(_Known):
    """See `models.CustomFieldValue`."""

    field_name: Text = None
    field_type: Text = None
    value: bool | Number | Annotated[str, Meta(max_length=ceilings.VALUE)] | None = None
    soft_deleted: bool | None = None
    custom_field: Ref | None = None
    picklist_option: OptionRef | None = None


class _Record(_Known, kw_only=True):
    id: Id
    created_at: Time = None
    updated_at: Time = None

    def __post_init__(self) -> None:
        """Convert the times to UTC. A ValueError refuses the record."""
        if self.created_at is not None:
            self.created_at = to_utc(self.created_at)
        if self.updated_at is not None:
            self.updated_at = to_utc(self.updated_at)


class Contact(_Record):
    """See `models.Contact`."""

    type: Literal["Person", "Company"] | None = None
    name: Text = None
    prefix: Text = None
    first_name: Text = None
    middle_name: Text = None
    last_name: Text = None
    title: Text = None
    date_of_birth: date | None = None
    is_client: bool | None = None
    company: Ref | None = None
    email_addresses: Parts[EmailAddress] = ()
    phone_numbers: Parts[PhoneNumber] = ()
    addresses: Parts[Address] = ()
    custom_field_values: (
        Annotated[tuple[CustomFieldValue, ...], Meta(max_length=ceilings.VALUES)] | None
    ) = ()


class AreaRef(Ref):
    """See `models.AreaRef`."""

    category: Text = None


class GroupRef(Ref):
    """See `models.GroupRef`."""

    type: Text = None


class UserRef(Ref):
    """See `models.UserRef`."""

    email: Annotated[str, Meta(max_length=ceilings.EMAIL)] | None = None
    enabled: bool | None = None


class Matter(_Record, kw_only=True):
    """See `models.Matter`. The status is as Clio sends it."""

    display_number: Text = None
    status: Literal["Open", "Pending", "Closed", "open", "pending", "closed"]
    open_date: date | None = None
    pending_date: date | None = None
    close_date: date | None = None
    client: Ref | None = None
    practice_area: AreaRef | None = None
    matter_stage: Ref | None = None
    group: GroupRef | None = None
    responsible_attorney: UserRef | None = None
    originating_attorney: UserRef | None = None


class Relationship(_Record):
    """See `models.Relationship`."""

    description: Text = None
    matter: Ref | None = None
    contact: Ref | None = None


class _Page(Struct, Generic[P], gc=False, forbid_unknown_fields=True):
    data: tuple[P, ...]
    meta: Raw = field(default_factory=lambda: Raw(b"null"))


_KINDS: Mapping[str, type[_Record]] = {
    "contacts": Contact,
    "matters": Matter,
    "relationships": Relationship,
}
_DECODERS: Mapping[str, Decoder[Any]] = {
    name: Decoder(_Page[kind])  # type: ignore[valid-type]  # a type at run time
    for name, kind in _KINDS.items()
}


def kind_for(resource: str, body: bytes) -> type[_Record] | None:
    """Return the Struct that a list's records can be read as; None for other lists, and if the body needs care."""
    kind = _KINDS.get(resource)
    return None if kind is None or NUL in body or _LONG_FRACTION.search(body) else kind


def read_page(resource: str, body: bytes) -> tuple[tuple[Any, ...], Raw] | None:
    """Return the records of a page and its `meta`, after `kind_for`; None if a value has another form."""
    try:
        page = _DECODERS[resource].decode(body)
    except msgspec.DecodeError:
        return None
    return page.data, page.meta


def read_record(kind: type[_Record], record: Any) -> Any:
    """Return one parsed record; None if a value has another form."""
    try:
        return msgspec.convert(record, kind)
    except msgspec.ValidationError:
        return None
