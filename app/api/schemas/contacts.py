"""Request and response bodies of contacts and the change feed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

Label = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


class Company(BaseModel):
    """The company that a person works for."""

    clio_id: str
    name: str | None


class Email(BaseModel):
    """An email address. The first one in the list is the primary one."""

    address: str
    kind: str | None
    primary: bool


class Phone(BaseModel):
    """A phone number. `raw` is as written in Clio; `number` is E.164, or null if `raw` could not be parsed."""

    number: str | None
    raw: str
    kind: str | None
    primary: bool


class Address(BaseModel):
    """A postal address. `clio_primary` is the primary flag in Clio."""

    kind: str | None
    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    primary: bool
    clio_primary: bool


class Tag(BaseModel):
    """A tag that this service manages."""

    label: str
    category: str
    restricted: bool


class Owner(BaseModel):
    """The Levitate user who owns the contact, and the rule that chose this user."""

    user_id: str | None
    rule: str
    matter_clio_id: str | None
    detail: str | None


class KeyFact(BaseModel):
    """A short labelled value. A custom date has the id of its field; a doubtful value has a `flag`."""

    kind: str
    label: str
    value: str
    field_id: str | None = None
    flag: str | None = None

    @model_serializer(mode="wrap")
    def _without_gaps(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}


class Contact(BaseModel):
    """A person, as Levitate should store it."""

    id: str
    clio_id: str
    clio_url: str
    version: int
    state: Literal["in_scope", "out_of_scope", "deleted"]
    state_reason: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    prefix: str | None
    title: str | None
    company: Company | None
    emails: list[Email]
    phones: list[Phone]
    addresses: list[Address]
    tags: list[Tag]
    owner: Owner | None
    key_facts: list[KeyFact]
    first_synced_at: datetime
    updated_at: datetime


class PreexistingIn(BaseModel):
    """Labels that the contact already had in Levitate before this service granted them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"labels": ["Client", "Golf"]}]}
    )

    labels: Annotated[list[Label], Field(min_length=1, max_length=200)]


class Preexisting(BaseModel):
    """All labels that the contact is known to have had before this service granted them."""

    contact_id: str
    labels: list[str]


class FieldChange(BaseModel):
    """A field's value before and after."""

    model_config = ConfigDict(populate_by_name=True)

    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class OwnerChange(BaseModel):
    """A change of the owner, and the rule that chose the new owner."""

    before: str | None = Field(alias="from")
    after: str | None = Field(alias="to")
    rule: str | None
    matter_clio_id: str | None


class ContactChange(BaseModel):
    """A change of one contact, and the contact after the change (null when it was erased)."""

    kind: Literal[
        "contact.added",
        "contact.updated",
        "contact.out_of_scope",
        "contact.deleted",
        "contact.erased",
    ]
    contact_id: str
    clio_id: str
    at: datetime
    cause: Literal["sync", "settings", "users", "manual"]
    fields: dict[str, FieldChange]
    tags_added: list[str]
    tags_removed: list[str]
    owner: OwnerChange | None
    contact: Contact | None


class Change(ContactChange):
    """One entry of the change feed. `run_id` is null when a person made the change."""

    seq: int
    run_id: str | None  # None when no run but a person made the change


class ChangePage(BaseModel):
    """A page of the change feed, in order. Store `next_cursor` after each page and start the next request from it."""

    data: list[Change]
    next_cursor: str
    has_more: bool
