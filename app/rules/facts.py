"""The input of the rules: the facts of one contact, and the facts that all contacts of a firm share."""

from collections.abc import Mapping

from msgspec import field

from app.rules.records import ContactRecord, MatterRecord, Record


class RelatedMatter(Record, frozen=True):
    """A visible matter that names the contact in a relationship, not as its client [TG-12]."""

    matter: MatterRecord
    description: str | None = None
    relationship_id: int = 0


class Option(Record, frozen=True):
    """One choice of a picklist."""

    label: str | None
    deleted: bool = False


class CustomField(Record, frozen=True):
    """The definition of a custom field, with Clio's values; `options` maps the ids of a picklist's options."""

    field_id: int
    name: str | None
    field_type: str | None
    parent_type: str | None = "Contact"
    deleted: bool = False
    options: Mapping[int, Option] = field(default_factory=dict)


class Departed(Record, frozen=True):
    """A contact that left Clio, or that no connected user sees any more.

    `merged_into` is the contact that it was probably merged into [S6].
    """

    reason: str
    merged_into: int | None = None


class FirmFacts(Record, frozen=True):
    """The facts that all contacts of an account share.

    `users` are the ids of the *active* Levitate users. `attorneys` maps a Clio user's id to a Levitate user, by manual
    mapping, connection or e-mail [OW-9]; a Clio user without a Levitate user is absent. `fields` are the definitions
    of custom fields by id, including deleted ones and those of matters.
    """

    country: str
    primary_user_id: str | None = None
    users: frozenset[str] = frozenset()
    attorneys: Mapping[int, str] = field(default_factory=dict)
    fields: Mapping[int, CustomField] = field(default_factory=dict)


class ContactFacts(Record, frozen=True):
    """Everything known about one contact: the record, its company, its matters.

    The client of `own_matters` is this contact, the client of `company_matters` is its company, and `related_matters`
    name the contact in a relationship; the order does not matter. `hidden` are the ids of the matters among these that
    a connected user with full contact visibility does not see [row 22]. If `departed` is set, nothing else counts.
    """

    contact: ContactRecord
    company: ContactRecord | None = None
    own_matters: tuple[MatterRecord, ...] = ()
    company_matters: tuple[MatterRecord, ...] = ()
    related_matters: tuple[RelatedMatter, ...] = ()
    hidden: frozenset[int] = frozenset()

    departed: Departed | None = None
