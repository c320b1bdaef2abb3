"""What the rules answer: grants, tags, owner, scope, what Levitate then holds, and how that changed.

Nothing here computes anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.rules.records import MatterStatus


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


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule's reason for a label. `because` is one plain sentence for a Success Manager.

    `setting` points into the settings document at what switched the rule on, None where nothing can switch it
    off. `matter_ids` are the matters that the grant rests on, all of them permission-limited when `restricted`.
    `source_id` is the Clio id of the record that spells the label, 0 where we do.
    """

    label: str
    category: Category
    rule: str
    because: str
    matter_ids: tuple[int, ...] = ()
    setting: str | None = None
    field_id: int | None = None
    source_id: int = 0
    restricted: bool = False


class Refusal(StrEnum):
    """Why a label was not granted, in one word for counting."""

    MATTER_STATUS = "matter_status"
    ATTORNEY_NOT_MAPPED = "attorney_not_mapped"
    ROLE_EXCLUDED = "role_excluded"
    TOO_LONG = "too_long"
    UNPARSABLE = "unparsable"
    DELETED = "deleted"
    NOT_USABLE = "not_usable"
    RESTRICTED = "restricted"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class NotGranted:
    """What somebody might expect and a rule that is switched on did not give; `why` is one plain sentence."""

    label: str
    rule: str
    why: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Tag:
    """A label with every grant that holds it up; it stays while one grant remains.

    It is `restricted` when every grant rests on permission-limited matters alone [S7].
    """

    label: str
    category: Category
    grants: tuple[Grant, ...]
    restricted: bool = False


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
    """A short labelled value shown beside a contact; `flag` marks one that is passed on though doubtful [KF-1]."""

    kind: str
    label: str
    value: str
    field_id: int | None = None
    flag: str | None = None


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
    """Whether the contact belongs in Levitate. `reason` says what keeps it out [API-22], None when it is in."""

    in_scope: bool
    rule: str
    detail: str
    reason: str | None = None


class Basis(StrEnum):
    """What makes somebody a client, strongest first [NC-2, row 19]."""

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
    """What the rules say of one contact. Out of scope there are no tags, owner, key facts or client.

    `client` is what the ledger of new clients may record now; `client_waits` says why it may not yet, of one
    who is in scope and a client [NC-3, S7].
    """

    scope: Scope
    profile: Profile
    tags: tuple[Tag, ...] = ()
    owner: Owner | None = None
    key_facts: tuple[KeyFact, ...] = ()
    client: Client | None = None
    client_waits: str | None = None
    not_granted: tuple[NotGranted, ...] = ()


@dataclass(frozen=True, slots=True)
class TagView:
    """A tag as Levitate sees it."""

    label: str
    category: Category
    restricted: bool = False


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
