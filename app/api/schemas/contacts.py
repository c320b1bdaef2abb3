"""Request and response bodies of contacts. Changes of contacts are in `changes`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from app.api.schemas.base import Body, Schema, visible

KeyFactBody = Annotated[
    dict[str, Any],
    Field(
        description="A short value with a label that Levitate shows with a contact. It has the fields `kind`"
        " (`birthday`, `clio_id` or `custom_date`), `label` and `value` (a date, or Clio's id of the contact). A custom"
        " date also has `field_id`, Clio's id of its field. A birthday before 1901 or after the record's last change"
        " also has `flag`: `implausible`."
    ),
]
Label = Annotated[
    str,
    StringConstraints(max_length=300, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
    AfterValidator(visible),
]


class Company(Schema):
    """The company that a person works for."""

    clio_id: str
    """Clio's id of the company."""

    name: str | None
    """The name of the company. Null if it is not known."""


class Email(Schema):
    """An email address."""

    address: str
    """The email address as written in Clio."""

    kind: str | None
    """The label in Clio, for example `Work` or `Home`. Null if there is none."""

    primary: bool
    """Whether this is the primary address. The first address of a contact is, and no other."""


class Phone(Schema):
    """A phone number."""

    number: str | None
    """The number in E.164 format, without its extension, for example `+19195550102`. Null if it is not a valid
    number."""

    raw: str
    """The field as written in Clio. Several numbers in one field are several phones with the same `raw`."""

    kind: str | None
    """The label in Clio, for example `Mobile`. Null if there is none."""

    primary: bool
    """Whether this is the primary number. The first number of a contact is, and no other."""


class Address(Schema):
    """A postal address."""

    kind: str | None
    """The label in Clio, for example `Home`. Null if there is none."""

    street: str | None
    """The street and house number. Null if there is none."""

    city: str | None
    """The city. Null if there is none."""

    state: str | None
    """The state or province, as written in Clio. Null if there is none."""

    postal_code: str | None
    """The postal code. Null if there is none."""

    country: str | None
    """The country, as written in Clio. Null if there is none."""

    primary: bool
    """Whether this is the primary address for Levitate. The first address of a contact is, and no other."""

    clio_primary: bool
    """Whether the address is marked as primary in Clio."""


class Tag(Schema):
    """A tag that this service gives to a contact."""

    label: str
    """The text of the tag. Labels that differ only in case or spaces are the same tag."""

    category: str
    """The kind of tag: `default`, `client_status`, `practice_area`, `related_practice_area`, `relationship`,
    `related_contact`, `matter_number`, `matter_tag`, `location`, `personal_company`, `attorney` or `custom_field`."""

    restricted: bool
    """Whether all reasons for the tag come from matters with limited permissions in Clio."""


class Owner(Schema):
    """The Levitate user who owns a contact, and the rule that chose this user."""

    user_id: str | None
    """Levitate's id of the user. Null if nobody owns the contact."""

    rule: str
    """How the owner was chosen. `responsible_attorney` and `originating_attorney`: the attorney of a matter.
    `primary_user`: by the setting `ownership.source`. `fallback`: the primary user, because no attorney can be the
    owner. `sticky`: the previous owner stays. `unassigned`: nobody. `not_shown`: by a matter that the acting user does
    not see in Clio, if the account limits its users."""

    matter_clio_id: str | None
    """Clio's id of the matter that names the owner. Null if no matter decided."""

    detail: str | None
    """A code or a sentence that says why the rule applied, for example `no_visible_matter`. Null if the rule says it
    all."""


class KeyFact(Schema):
    """A short value with a label that Levitate shows with a contact."""

    kind: str
    """The kind of value: `birthday`, `clio_id` or `custom_date`."""

    label: str
    """The label to show: `Birthday`, `Clio ID`, or the name of the custom field."""

    value: str
    """The value: a date (`YYYY-MM-DD`) or Clio's id of the contact."""

    field_id: str | None = None
    """Clio's id of the custom field. It is present only for a `custom_date`."""

    flag: str | None = None
    """`implausible` for a birthday before 1901 or after the record's last change. It is present only then."""

    @model_serializer(mode="wrap")
    def _without_gaps(self, dump: SerializerFunctionWrapHandler) -> KeyFactBody:
        return {name: value for name, value in dump(self).items() if value is not None}


class Contact(Schema):
    """A person, as Levitate should store it."""

    id: str
    """Our id of the contact (`con_…`). It stays the same when the contact leaves and returns."""

    clio_id: str
    """Clio's id of the contact."""

    clio_url: str
    """The page of the contact in Clio."""

    version: int
    """The version of the contact: 1 at first, and one more with each change in the change feed."""

    state: Literal["in_scope", "out_of_scope", "deleted"]
    """`in_scope`: the contact belongs in Levitate. `out_of_scope`: it no longer does. `deleted`: it was deleted in
    Clio. Outside the scope names and addresses stay as they were, without tags, owner and key facts."""

    state_reason: str | None
    """Why the contact is not in scope: `not_a_client`, `role_excluded`, `segment`, `opt_out`, `settings`,
    `no_name_or_email`, `removed_in_clio`, or `not_visible` (no login sees it any more). Null if it is in scope, or if
    the reason is not shown to the acting user."""

    first_name: str | None
    """The first name. Null if there is none."""

    middle_name: str | None
    """The middle name. Null if there is none."""

    last_name: str | None
    """The last name. Null if there is none."""

    prefix: str | None
    """The form of address before the name, for example `Dr.`. Null if there is none."""

    title: str | None
    """The job title. Null if there is none."""

    company: Company | None
    """The company that the person works for. Null if there is none."""

    emails: list[Email]
    """The email addresses, the primary one first. Only that one if `scope.primary_email_only` is on."""

    phones: list[Phone]
    """The phone numbers, the primary one first."""

    addresses: list[Address]
    """The postal addresses in Clio's order; the first one is primary."""

    tags: list[Tag]
    """The tags that this service gives to the contact. Tags that users added in Levitate are not listed."""

    owner: Owner | None
    """Who owns the contact in Levitate, and why. Null outside the scope."""

    key_facts: list[KeyFact]
    """The key facts that the settings ask for. Empty outside the scope."""

    merged_into: str | None = None
    """Our id of the contact that took the place of this one, if it was deleted in Clio by a merge. Null if that is not
    known."""

    first_synced_at: datetime
    """When the contact first entered the scope (RFC 3339, UTC)."""

    updated_at: datetime
    """When the contact last changed here (RFC 3339, UTC)."""


class PreexistingIn(Body):
    """Labels that the contact already had in Levitate before this service granted them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"labels": ["Client", "Golf"]}]},
    )

    labels: Annotated[list[Label], Field(min_length=1, max_length=200)]
    """The labels, 1 to 200, each with at most 300 characters. They are added to those already stored."""


class Preexisting(Schema):
    """All labels that a contact is known to have had before this service granted them. They are never removed."""

    contact_id: str
    """Our id of the contact."""

    labels: list[str]
    """The labels, in alphabetical order without regard to case."""


class Export(Schema):
    """Everything that is held about one person."""

    contact_id: str
    """Our id of the contact."""

    clio_id: str
    """Clio's id of the contact."""

    exported_at: datetime
    """When the export was made (RFC 3339, UTC)."""

    held: dict[str, list[dict[str, Any]]]
    """The rows about the person by table. `docs/retention.md` says what each table is for and how long it is kept."""
