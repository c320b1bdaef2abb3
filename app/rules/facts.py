"""What the rules look at: the facts of one contact, what all contacts of a firm share, and what the firm chose."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.rules.records import ContactRecord, MatterRecord


@dataclass(frozen=True, slots=True)
class RelatedMatter:
    """A visible matter that the contact is linked to otherwise than as its client [TG-12]."""

    matter: MatterRecord
    description: str | None = None
    relationship_id: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a picklist."""

    label: str | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class CustomField:
    """The definition of a custom field, in Clio's words; `options` of a picklist by their ids."""

    field_id: int
    name: str | None
    field_type: str | None
    parent_type: str | None = "Contact"
    deleted: bool = False
    options: Mapping[int, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Departed:
    """That a contact left Clio, or our sight for good; `merged_into` is who seems to have taken its place [S6]."""

    reason: str
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class FirmFacts:
    """What all contacts of an account share.

    `users` are the ids of the *active* Levitate users; `attorneys` leads from a Clio user's id to the
    Levitate user it stands for, by manual mapping, connection or e-mail [OW-9]; who maps to nobody is absent.
    `fields` are the definitions of custom fields by id, those of matters and deleted ones among them.
    """

    country: str
    primary_user_id: str | None = None
    users: frozenset[str] = frozenset()
    attorneys: Mapping[int, str] = field(default_factory=dict)
    fields: Mapping[int, CustomField] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """All that is known of one contact: the record, its company, its matters.

    `own_matters` have this contact as their client, `company_matters` its company (empty unless there is one),
    `related_matters` name it in a relationship; the lists come in any order. `hidden` are the ids of those of
    these matters that a connected user of unrestricted contact visibility does not see [row 22]. Of one that
    is `gone` nothing else counts.
    """

    contact: ContactRecord
    company: ContactRecord | None = None
    own_matters: tuple[MatterRecord, ...] = ()
    company_matters: tuple[MatterRecord, ...] = ()
    related_matters: tuple[RelatedMatter, ...] = ()
    hidden: frozenset[int] = frozenset()
    gone: Departed | None = None
