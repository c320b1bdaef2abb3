"""Clio's collections that this service reads: their paths, requested fields and parameters, and the type of a page.

Fields are nested one level, as in Clio. A test checks every name here against Clio's own OpenAPI document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel

from app.clio.models import (
    Communication,
    Contact,
    CustomField,
    Matter,
    MatterStage,
    Note,
    PracticeArea,
    Relationship,
    User,
    WebhookSubscription,
)
from app.clio.reading import Unread

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Resource(Generic[T]):
    """One collection of Clio. `droppable` are fields that are no longer requested if Clio does not know them."""

    name: str
    path: str
    model: type[T]
    fields: tuple[str, ...]
    droppable: frozenset[str] = frozenset()
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UnreadableRecord:
    """A record that cannot be read. `reason` says why in plain words, never with content."""

    clio_id: int | None
    reason: str


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page. `cursor` is the token of the next page, None on the last; `asked_at` is a time of Clio's clock.

    `unread` says, by the ids of the items, which of their values could not be read. Items without anything odd may be
    Structs of `app/clio/quick_pages.py`, with the attributes of the model.
    """

    items: tuple[T, ...]
    unreadable: tuple[UnreadableRecord, ...]
    cursor: str | None
    total: int | None
    asked_at: datetime
    unread: Mapping[int, tuple[Unread, ...]] = field(default_factory=dict)


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
        "email_addresses{name,address,primary}",
        "phone_numbers{name,number,primary}",
        "addresses{name,street,city,province,postal_code,country,primary}",
        "custom_field_values{id,field_name,field_type,value,soft_deleted,custom_field,picklist_option}",
    ),
    frozenset(
        {
            *("prefix", "middle_name", "title", "date_of_birth", "custom_field_values"),
            *("picklist_option", "soft_deleted"),
        }
    ),
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
        "group{id,type}",
        "responsible_attorney{id,name,email,enabled}",
        "originating_attorney{id,name,email,enabled}",
    ),
    frozenset({"matter_stage", "group", "type", "category", "pending_date"}),
    _IN_ID_ORDER,
)
# Relationships and stages accept no order. Clio may end such a list near record 10,000; it is then read in windows.
RELATIONSHIPS = Resource(
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
NOTES = Resource(  # small pages, because one note may be hundreds of pages long
    "notes",
    "/api/v4/notes.json",
    Note,
    ("id", "etag", "detail", "created_at"),
    params={"limit": "50", "order": "id(asc)"},
)
COMMUNICATIONS = Resource(  # the order is needed: the default of this list is date(asc)
    "communications",
    "/api/v4/communications.json",
    Communication,
    ("id", "etag", "created_at", "external_properties{name,value}"),
    params=_IN_ID_ORDER,
)
WEBHOOKS = Resource(  # those of the token's user
    "webhooks",
    "/api/v4/webhooks.json",
    WebhookSubscription,
    ("id", "url"),
    params=_IN_ID_ORDER,
)
WHO_AM_I_PATH = "/api/v4/users/who_am_i.json"
WHO_AM_I_FIELDS = "id,name,email,time_zone,enabled,account_owner,roles,account{id,name}"
