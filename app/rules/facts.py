"""What the rules look at and what they answer, as frozen values.

The records are Clio's contacts, matters and relationships in the shape in which the mirror keeps them;
the facts are what one contact's assessment needs of them. Nothing here computes anything.
Clio's ids are integers in here and strings only at the border of the API.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class MatterStatus(StrEnum):
    """Clio's three matter statuses, in the order in which they outrank one another [C-1]."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class Category(StrEnum):
    """Kinds of tags, in the order in which they are shown and in which they win a collision [TG-21]."""

    DEFAULT = "default"
    CLIENT_STATUS = "client_status"
    PRACTICE_AREA = "practice_area"
    RELATED_PRACTICE_AREA = "related_practice_area"
    RELATIONSHIP = "relationship"
    RELATED_CONTACT = "related_contact"
    MATTER_NUMBER = "matter_number"
    MATTER_TAG = "matter_tag"
    LOCATION = "location"
    PERSONAL_COMPANY = "personal_company"
    ATTORNEY = "attorney"
    CUSTOM_FIELD = "custom_field"


class State(StrEnum):
    """Where a contact stands for Levitate."""

    IN_SCOPE = "in_scope"
    OUT_OF_SCOPE = "out_of_scope"
    DELETED = "deleted"


# --- records: what the mirror keeps of Clio, each in the fullest version seen -------------------


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
    """The value of one custom field; a picklist's value is the id of its option."""

    field_id: int
    value: str | bool | int | float | None = None
    soft_deleted: bool = False


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A Clio contact, person or company."""

    clio_id: int
    is_person: bool
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
    """A Clio matter. `practice_area` and `stage` are names; their ids lead to the current spelling."""

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


# --- input of an assessment ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RelatedMatter:
    """A visible matter that the contact is linked to otherwise than as its client [TG-12]."""

    matter: MatterRecord
    description: str | None = None


@dataclass(frozen=True, slots=True)
class FirmFacts:
    """What all contacts of an account share.

    `users` are the ids of the *active* Levitate users; `attorneys` leads from a Clio user's id to the
    Levitate user it stands for, by manual mapping, connection or e-mail [OW-9]; who maps to nobody is absent.
    """

    country: str
    primary_user_id: str | None = None
    users: frozenset[str] = frozenset()
    attorneys: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """All that is known of one contact: the record, its company, its matters.

    `own_matters` have this contact as their client, `company_matters` its company (empty unless there is one),
    `related_matters` name it in a relationship; the lists come in any order.
    """

    contact: ContactRecord
    company: ContactRecord | None = None
    own_matters: tuple[MatterRecord, ...] = ()
    company_matters: tuple[MatterRecord, ...] = ()
    related_matters: tuple[RelatedMatter, ...] = ()


class OwnerSource(StrEnum):
    """Who owns contacts [OW-1..3]."""

    RESPONSIBLE_ATTORNEY = "responsible_attorney"
    ORIGINATING_ATTORNEY = "originating_attorney"
    PRIMARY_USER = "primary_user"


class OwnerFallback(StrEnum):
    """Who owns a contact for whom no attorney is found [OW-8]."""

    PRIMARY_USER = "primary_user"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What the firm chose; the defaults are those of the help article."""

    owner_source: OwnerSource = OwnerSource.RESPONSIBLE_ATTORNEY
    owner_fallback: OwnerFallback = OwnerFallback.PRIMARY_USER
    practice_area_statuses: frozenset[MatterStatus] = frozenset({MatterStatus.OPEN})


# --- output of an assessment --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule's reason for a label. `because` is one plain sentence for a Success Manager."""

    label: str
    category: Category
    rule: str
    because: str
    matter_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A label with every grant that holds it up; it stays while one grant remains."""

    label: str
    category: Category
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """A matter that the ownership rule looked at, and what came of it."""

    matter_id: int
    status: MatterStatus
    updated_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The Levitate user who keeps the relationship, or None, and the rule that said so."""

    user_id: str | None
    rule: str
    matter_id: int | None = None
    detail: str | None = None
    considered: tuple[Considered, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A short labelled value shown beside a contact."""

    kind: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Company:
    """The company a person works for."""

    clio_id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class ContactEmail:
    """An e-mail address as Levitate gets it: exactly one of a list is primary, the first [DM-4]."""

    address: str
    kind: str | None
    primary: bool


@dataclass(frozen=True, slots=True)
class ContactPhone:
    """A phone number as Levitate gets it: E.164 where it can be parsed, and as written [DM-5]."""

    number: str | None
    raw: str
    kind: str | None
    primary: bool


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """An address as Levitate gets it: the first listed is primary, Clio's own flag beside it [DM-8]."""

    kind: str | None
    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    primary: bool
    clio_primary: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's pulled data, mapped [DM-1..8]."""

    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    prefix: str | None = None
    title: str | None = None
    company: Company | None = None
    emails: tuple[ContactEmail, ...] = ()
    phones: tuple[ContactPhone, ...] = ()
    addresses: tuple[ContactAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Whether the contact belongs in Levitate. `reason` says what keeps it out (api.md §6), None when it is in."""

    in_scope: bool
    rule: str
    detail: str
    reason: str | None = None


class Basis(StrEnum):
    """What makes somebody a client, strongest first [NC-2, §15 row 19]."""

    FLAG = "flag"
    MATTER = "matter"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Client:
    """What the ledger of new clients records of a client [NC-2]."""

    basis: Basis
    client_since: date | None
    has_open_matter: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of one contact. Out of scope there are no tags, owner, key facts or client."""

    scope: Scope
    profile: Profile
    tags: tuple[Tag, ...] = ()
    owner: Owner | None = None
    key_facts: tuple[KeyFact, ...] = ()
    client: Client | None = None


# --- what Levitate holds, and how it changes ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class TagView:
    """A tag as Levitate sees it."""

    label: str
    category: Category


@dataclass(frozen=True, slots=True)
class OwnerView:
    """An owner as Levitate sees it."""

    user_id: str | None
    rule: str
    matter_id: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact as Levitate holds it: what `diff` compares and the API serves."""

    state: State
    state_reason: str | None
    profile: Profile
    tags: tuple[TagView, ...] = ()
    owner: OwnerView | None = None
    key_facts: tuple[KeyFact, ...] = ()


class ChangeKind(StrEnum):
    """Kinds of feed lines that an assessment can lead to."""

    ADDED = "contact.added"
    UPDATED = "contact.updated"
    OUT_OF_SCOPE = "contact.out_of_scope"
    DELETED = "contact.deleted"


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """From one owner to another; `rule` and `matter_id` are the new owner's, None when there is none."""

    before: str | None
    after: str | None
    rule: str | None
    matter_id: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two views of one contact.

    `fields` names each changed field of the profile, the state and the key facts with its value before and after.
    """

    kind: ChangeKind
    fields: Mapping[str, tuple[object, object]]
    tags_added: tuple[str, ...]
    tags_removed: tuple[str, ...]
    owner: OwnerChange | None
