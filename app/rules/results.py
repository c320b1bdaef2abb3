"""The output of the rules: grants, tags, owner, scope, the view that Levitate holds, and its changes.

This module only defines data types.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from app.rules.records import MatterStatus, Record


class Category(StrEnum):
    """The kinds of tags. Tags are shown in this order, and the first category wins a collision [TG-21]."""

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
    """The state of a contact for Levitate."""

    IN_SCOPE = "in_scope"
    OUT_OF_SCOPE = "out_of_scope"
    DELETED = "deleted"


class Grant(Record, frozen=True):
    """One rule's reason for a label. `because` is a plain sentence for a Success Manager.

    `setting` is the JSON pointer of the setting that enables the rule, or None if the rule is always on. `matter_ids`
    are the matters behind the grant; if it is `restricted`, all of them have limited permissions. `source_id` is the
    Clio id of the record that the label comes from, or 0 if the label is fixed.
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
    """The kind of reason why a label was not granted, used for counting."""

    MATTER_STATUS = "matter_status"
    ATTORNEY_NOT_MAPPED = "attorney_not_mapped"
    ROLE_EXCLUDED = "role_excluded"
    TOO_LONG = "too_long"
    UNPARSABLE = "unparsable"
    DELETED = "deleted"
    NOT_USABLE = "not_usable"
    RESTRICTED = "restricted"
    LIMIT = "limit"


class NotGranted(Record, frozen=True):
    """A label that an enabled rule did not grant although somebody may expect it; `why` is a plain sentence."""

    label: str
    rule: str
    why: str
    refusal: Refusal


class Tag(Record, frozen=True):
    """A label with all its grants; the tag stays while one grant remains.

    It is `restricted` if every grant comes only from matters with limited permissions [S7].
    """

    label: str
    category: Category
    grants: tuple[Grant, ...]
    restricted: bool = False


class Considered(Record, frozen=True):
    """A matter that the ownership rule considered, and the outcome."""

    matter_id: int
    status: MatterStatus
    updated_at: datetime | None
    outcome: str


class Owner(Record, frozen=True):
    """The Levitate user who owns the contact, or None, and the rule that decided."""

    user_id: str | None
    rule: str
    matter_id: int | None = None
    detail: str | None = None
    considered: tuple[Considered, ...] = ()


class KeyFact(Record, frozen=True):
    """A short labelled value shown with a contact; `flag` marks a doubtful value [KF-1]."""

    kind: str
    label: str
    value: str
    field_id: int | None = None
    flag: str | None = None


class Company(Record, frozen=True):
    """The company that a person works for."""

    clio_id: int
    name: str | None


class ContactEmail(Record, frozen=True):
    """An e-mail address as Levitate gets it. The first of a list is primary, and no other [DM-4]."""

    address: str
    kind: str | None
    primary: bool


class ContactPhone(Record, frozen=True):
    """A phone number as Levitate gets it: in E.164 if it is valid, and as written in Clio [DM-5]."""

    number: str | None
    raw: str
    kind: str | None
    primary: bool


class ContactAddress(Record, frozen=True):
    """An address as Levitate gets it: the first listed is `primary`; `clio_primary` is Clio's own flag [DM-8]."""

    kind: str | None
    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    primary: bool
    clio_primary: bool


class Profile(Record, frozen=True):
    """A person's data, mapped for Levitate [DM-1..8]."""

    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    prefix: str | None = None
    title: str | None = None
    company: Company | None = None
    emails: tuple[ContactEmail, ...] = ()
    phones: tuple[ContactPhone, ...] = ()
    addresses: tuple[ContactAddress, ...] = ()


class Scope(Record, frozen=True):
    """The decision if a contact is in Levitate. `reason` is the code of why not [API-22], None if it is in scope."""

    in_scope: bool
    rule: str
    detail: str
    reason: str | None = None


class Basis(StrEnum):
    """The reasons that make a person a client, the strongest first [NC-2, row 19]."""

    FLAG = "flag"
    MATTER = "matter"
    COMPANY = "company"


class Client(Record, frozen=True):
    """The facts that the ledger of new clients records about a client [NC-2]."""

    basis: Basis
    client_since: date | None
    has_open_matter: bool


class Assessment(Record, frozen=True):
    """The result of the rules for one contact. Out of scope there are no tags, owner, key facts or client.

    `client` is what the ledger of new clients may record now. `client_waits` says why the ledger must wait,
    for a client who is in scope [NC-3, S7]. `merged_into` is the Clio id of the contact that a deleted one became [S6].
    """

    scope: Scope
    profile: Profile
    tags: tuple[Tag, ...] = ()
    owner: Owner | None = None
    key_facts: tuple[KeyFact, ...] = ()
    client: Client | None = None
    client_waits: str | None = None
    not_granted: tuple[NotGranted, ...] = ()
    merged_into: int | None = None


class TagView(Record, frozen=True):
    """A tag as Levitate sees it."""

    label: str
    category: Category
    restricted: bool = False


class OwnerView(Record, frozen=True):
    """An owner as Levitate sees it."""

    user_id: str | None
    rule: str
    matter_id: int | None = None
    detail: str | None = None


class ContactView(Record, frozen=True):
    """A contact as Levitate holds it: what `diff` compares and the API serves.

    `merged_into` is our id of the contact that it became in Clio [S6].
    """

    state: State
    state_reason: str | None
    profile: Profile
    tags: tuple[TagView, ...] = ()
    owner: OwnerView | None = None
    key_facts: tuple[KeyFact, ...] = ()
    merged_into: str | None = None


class ChangeKind(StrEnum):
    """The kinds of changes in the change feed that come from an assessment."""

    ADDED = "contact.added"
    UPDATED = "contact.updated"
    OUT_OF_SCOPE = "contact.out_of_scope"
    DELETED = "contact.deleted"


class OwnerChange(Record, frozen=True):
    """A change of the owner; `rule` and `matter_id` belong to the new owner, None if there is none."""

    before: str | None
    after: str | None
    rule: str | None
    matter_id: int | None


class Change(Record, frozen=True):
    """The difference between two views of one contact.

    `fields` maps each changed field of the profile, the state and the key facts to its values before and after.
    """

    kind: ChangeKind
    fields: Mapping[str, tuple[object, object]]
    tags_added: tuple[str, ...]
    tags_removed: tuple[str, ...]
    owner: OwnerChange | None
