"""Contacts and the change feed: bodies out."""

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
    """The company a person works for."""

    clio_id: str
    name: str | None


class Email(BaseModel):
    """An e-mail address; the first of a list is the primary one."""

    address: str
    kind: str | None
    primary: bool


class Phone(BaseModel):
    """A phone number: E.164 where it could be parsed, and as written in Clio."""

    number: str | None
    raw: str
    kind: str | None
    primary: bool


class Address(BaseModel):
    """A postal address; `clio_primary` is Clio's own flag."""

    kind: str | None
    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    primary: bool
    clio_primary: bool


class Tag(BaseModel):
    """A managed tag."""

    label: str
    category: str
    restricted: bool


class Owner(BaseModel):
    """Who keeps the relationship, and the rule that said so."""

    user_id: str | None
    rule: str
    matter_clio_id: str | None
    detail: str | None


class KeyFact(BaseModel):
    """A short labelled value; a custom date names its field, and a doubtful value bears a flag."""

    kind: str
    label: str
    value: str
    field_id: str | None = None
    flag: str | None = None

    @model_serializer(mode="wrap")
    def _without_gaps(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}


class Contact(BaseModel):
    """A person, as Levitate holds it."""

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
    """Labels that the contact bore in Levitate before we granted them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"labels": ["Client", "Golf"]}]}
    )

    labels: Annotated[list[Label], Field(min_length=1, max_length=200)]


class Preexisting(BaseModel):
    """All labels that a contact is known to have borne before."""

    contact_id: str
    labels: list[str]


class FieldChange(BaseModel):
    """A field's value before and after."""

    model_config = ConfigDict(populate_by_name=True)

    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class OwnerChange(BaseModel):
    """From one owner to another."""

    before: str | None = Field(alias="from")
    after: str | None = Field(alias="to")
    rule: str | None
    matter_clio_id: str | None


class ToldChange(BaseModel):
    """What happened to one contact, and the contact after it."""

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


class Change(ToldChange):
    """One line of the change feed."""

    seq: int
    run_id: str | None  # None: no run, a person did it


class ChangePage(BaseModel):
    """Lines of the feed in order. Store `next_cursor` after each page and go on from there, for ever."""

    data: list[Change]
    next_cursor: str
    has_more: bool
