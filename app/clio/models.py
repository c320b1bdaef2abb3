"""What we ask Clio for beside what we accept.

Clio's document promises nothing: every field may be absent or null, so every field here may be. A resource's fields
nest one level; the names that may be dropped when Clio stops knowing them say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T", bound=BaseModel)


def _no_nul(value: Any) -> Any:
    """PostgreSQL holds no NUL character, so a record that has one cannot be kept."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("holds a NUL character")
    return value


def _list(value: Any) -> Any:
    return () if value is None else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Text = Annotated[str | None, BeforeValidator(_no_nul)]
Id = Annotated[int, Field(gt=0, lt=2**63)]


class Model(BaseModel):
    """A part of an answer: frozen, and blind to what was not asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Ref(Model):
    """A record that another names. One that the user may not see is `redacted`: its id and nothing else."""

    id: Id
    name: Text = None
    redacted: bool = False


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
    """A custom field's value: boolean, number or text, as live accounts were seen to send."""

    id: Annotated[str | int | None, BeforeValidator(_no_nul)] = None
    field_name: Text = None
    field_type: Text = None
    value: Annotated[bool | int | float | str | None, BeforeValidator(_no_nul)] = None
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
    created_at: datetime | None = None
    updated_at: datetime | None = None
    company: Ref | None = None
    email_addresses: Annotated[tuple[EmailAddress, ...], BeforeValidator(_list)] = ()
    phone_numbers: Annotated[tuple[PhoneNumber, ...], BeforeValidator(_list)] = ()
    addresses: Annotated[tuple[Address, ...], BeforeValidator(_list)] = ()
    custom_field_values: Annotated[tuple[CustomFieldValue, ...], BeforeValidator(_list)] = ()


class AreaRef(Ref):
    """A matter's practice area."""

    category: Text = None


class UserRef(Ref):
    """A user that a matter names."""

    email: Text = None
    enabled: bool | None = None


class Matter(Model):
    """A matter. Clio reads `Open` and writes `open`: here it is always lower case."""

    id: Id
    etag: Text = None
    display_number: Text = None
    status: Annotated[Literal["open", "pending", "closed"], BeforeValidator(_lower)]
    open_date: date | None = None
    pending_date: date | None = None
    close_date: date | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    client: Ref | None = None
    practice_area: AreaRef | None = None
    matter_stage: Ref | None = None
    group: Ref | None = None
    responsible_attorney: UserRef | None = None
    originating_attorney: UserRef | None = None


class Relationship(Model):
    """A contact's link to a matter."""

    id: Id
    etag: Text = None
    description: Text = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
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
    roles: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    updated_at: datetime | None = None


class PicklistOption(Model):
    """One choice of a picklist."""

    id: Id
    option: Text = None
    deleted_at: datetime | None = None


class CustomField(Model):
    """The definition of a custom field."""

    id: Id
    etag: Text = None
    name: Text = None
    parent_type: Text = None
    field_type: Text = None
    deleted: bool | None = None
    displayed: bool | None = None
    updated_at: datetime | None = None
    picklist_options: Annotated[tuple[PicklistOption, ...], BeforeValidator(_list)] = ()


class PracticeArea(Model):
    """A practice area, named by the firm."""

    id: Id
    etag: Text = None
    name: Text = None
    code: Text = None
    category: Text = None
    updated_at: datetime | None = None


class MatterStage(Model):
    """A stage of matters of one practice area."""

    id: Id
    etag: Text = None
    name: Text = None
    order: int | None = None
    practice_area_id: str | int | None = None
    updated_at: datetime | None = None


class WhoAmI(Model):
    """The user whose token was sent, and the firm."""

    id: Id
    name: Text = None
    email: Text = None
    time_zone: Text = None
    enabled: bool | None = None
    account_owner: bool | None = None
    roles: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    account: Ref


@dataclass(frozen=True)
class Resource(Generic[T]):
    """One of Clio's collections: where it is, what to ask for, what may be dropped, how its items look."""

    name: str
    path: str
    model: type[T]
    fields: tuple[str, ...]
    droppable: frozenset[str] = frozenset()
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unreadable:
    """A record that cannot be read, and why: field and kind of fault, never its content."""

    clio_id: int | None
    reason: str


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page. `cursor` is the token of the next, None on the last; `asked_at` is Clio's own clock."""

    items: tuple[T, ...]
    unreadable: tuple[Unreadable, ...]
    cursor: str | None
    total: int | None
    asked_at: datetime


# Without this order Clio ends deep paging near record 10,000, although it is the documented default.
_IN_ID_ORDER = {"limit": "200", "order": "id(asc)"}

CONTACTS = Resource(
    "contacts",
    "/api/v4/contacts.json",
    Contact,
    (
        *("id", "etag", "type", "name", "prefix", "first_name", "middle_name", "last_name"),
        *("title", "date_of_birth", "is_client", "created_at", "updated_at"),
        "company{id,name}",
        "email_addresses{id,name,address,primary}",
        "phone_numbers{id,name,number,primary}",
        "addresses{id,name,street,city,province,postal_code,country,primary}",
        "custom_field_values{id,field_name,field_type,value,soft_deleted,custom_field,picklist_option}",
    ),
    frozenset({"prefix", "middle_name", "title", "date_of_birth", "custom_field_values"}),
    _IN_ID_ORDER,
)
MATTERS = Resource(
    "matters",
    "/api/v4/matters.json",
    Matter,
    (
        *("id", "etag", "display_number", "status", "open_date", "pending_date", "close_date"),
        *("created_at", "updated_at", "client{id}"),
        "practice_area{id,name,category}",
        "matter_stage{id,name}",
        "group{id,name}",
        "responsible_attorney{id,name,email,enabled}",
        "originating_attorney{id,name,email,enabled}",
    ),
    frozenset({"matter_stage", "group", "category", "pending_date"}),
    _IN_ID_ORDER,
)
RELATIONSHIPS = Resource(  # this list and the stages take no order; their pages are not capped
    "relationships",
    "/api/v4/relationships.json",
    Relationship,
    (
        *("id", "etag", "description", "created_at", "updated_at"),
        *("matter{id}", "contact{id}"),
    ),
    params={"limit": "200"},
)
USERS = Resource(
    "users",
    "/api/v4/users.json",
    User,
    (
        *("id", "etag", "name", "first_name", "last_name", "email", "enabled"),
        *("account_owner", "roles", "updated_at"),
    ),
    params={"limit": "2000", "order": "id(asc)"},
)
CUSTOM_FIELDS = Resource(
    "custom_fields",
    "/api/v4/custom_fields.json",
    CustomField,
    (
        *("id", "etag", "name", "parent_type", "field_type", "deleted", "displayed", "updated_at"),
        "picklist_options{id,option,deleted_at}",
    ),
    params=_IN_ID_ORDER,
)
PRACTICE_AREAS = Resource(
    "practice_areas",
    "/api/v4/practice_areas.json",
    PracticeArea,
    ("id", "etag", "name", "code", "category", "updated_at"),
    frozenset({"code", "category"}),
    _IN_ID_ORDER,
)
MATTER_STAGES = Resource(
    "matter_stages",
    "/api/v4/matter_stages.json",
    MatterStage,
    ("id", "etag", "name", "order", "practice_area_id", "updated_at"),
    params={"limit": "200"},
)
WHO_AM_I_PATH = "/api/v4/users/who_am_i.json"
WHO_AM_I_FIELDS = "id,name,email,time_zone,enabled,account_owner,roles,account{id,name}"
