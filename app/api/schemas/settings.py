"""The settings document in requests and responses. Its versions are in `settings_versions`.

`app.rules.settings` has the same defaults; a test compares both with the contract.
"""

from typing import Annotated

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from app.api.schemas.base import Body, In, no_nul, visible
from app.rules.records import MatterStatus
from app.rules.settings import (
    AttorneyTags,
    FallbackAuthor,
    InitialSync,
    LabelFormat,
    LabelFrom,
    OwnerFallback,
    OwnerSource,
    Representatives,
)

FieldId = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{0,17}$"),
    Field(description="Clio's id of a custom field."),
]
Words = Annotated[
    list[
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
            AfterValidator(no_nul),
            AfterValidator(visible),
        ]
    ],
    Field(max_length=200),
]
Statuses = Annotated[list[MatterStatus], Field(min_length=1, max_length=3)]


class Segment(In):
    """Limits the scope by tags. An empty list has no effect."""

    include_any: Words = []
    """Labels of which a contact must have at least one. At most 200, each with at most 120 characters."""

    exclude_any: Words = []
    """Labels of which a contact must have none. At most 200, each with at most 120 characters."""


class ScopeSettings(In):
    """The settings that decide which contacts are in scope.

    Clients are, unless the segment or the opt-out field excludes them, or they have neither name nor email address.
    """

    include_non_clients: StrictBool = False
    """Whether people who are not clients are in scope too."""

    include_related: StrictBool = False
    """Whether people with a relationship to another client's matter are in scope too."""

    related_role_exclude: Words = ["opposing*", "adverse*", "judge", "witness"]
    """Roles in a matter that keep a person who is not a client out of scope, for example `opposing*`. `*` matches any
    text; case does not matter. At most 200."""

    primary_email_only: StrictBool = False
    """Whether Levitate gets only the primary email address of each contact."""

    segment: Segment = Segment()
    """Tags that limit the scope further."""

    opt_out_field_id: FieldId | None = None
    """A checkbox of contacts in Clio that keeps a person out of scope when it is ticked. Null for none."""


class OwnershipSettings(In):
    """The settings that decide who owns a contact."""

    source: OwnerSource = OwnerSource.RESPONSIBLE_ATTORNEY
    """Where the owner comes from: an attorney of the contact's latest matter, or the account's primary user."""

    fallback: OwnerFallback = OwnerFallback.PRIMARY_USER
    """Who owns a contact without a matter or with an attorney who is not an active Levitate user."""

    prefer_open: StrictBool = False
    """Whether open matters come before others. If not, the matter that was updated last decides."""

    sticky: StrictBool = False
    """Whether a contact keeps its owner while one of its matters still names that user as an attorney."""


class PracticeAreaTags(In):
    """Tags for the practice areas of the contact's own matters."""

    enabled: StrictBool = True
    """Whether contacts get these tags."""

    matter_status: Statuses = [MatterStatus.OPEN]
    """The statuses of the matters that count: `open`, `pending`, `closed`. A matter in another status gives no tag."""

    label_from: LabelFrom = LabelFrom.NAME
    """What the label is: the name of the practice area, or its category in Clio."""


class RelatedPracticeAreaTags(In):
    """Tags for the practice areas of other clients' matters that the contact is related to."""

    enabled: StrictBool = False
    """Whether contacts get these tags, for example `Related: Family Law`."""

    matter_status: Statuses = [MatterStatus.OPEN]
    """The statuses of the matters that count: `open`, `pending`, `closed`. A matter in another status gives no tag."""


class MatterTags(In):
    """Tags from the contact's own matters."""

    enabled: StrictBool = False
    """Whether contacts get these tags."""

    matter_status: Statuses = [MatterStatus.OPEN, MatterStatus.PENDING]
    """The statuses of the matters that count: `open`, `pending`, `closed`. A matter in another status gives no tag."""


class Switch(In):
    """An option that is on or off."""

    enabled: StrictBool = False
    """Whether contacts get these tags."""


class LocationTags(In):
    """The parts of the primary address that become tags."""

    city: StrictBool = False
    """Whether the city becomes a tag."""

    state: StrictBool = False
    """Whether the state or province becomes a tag."""

    postal_code: StrictBool = False
    """Whether the postal code becomes a tag."""

    country: StrictBool = False
    """Whether the country becomes a tag."""


class CustomFieldTag(In):
    """A custom field whose values become tags."""

    field_id: FieldId
    """Clio's id of the custom field. The catalog says which fields can be used (`makes_tags`)."""

    label_format: LabelFormat = LabelFormat.DEFAULT
    """How the label is built from the name and the value of the field."""


class TagSettings(In):
    """The tags that contacts get, in addition to those that all contacts get."""

    practice_area: PracticeAreaTags = PracticeAreaTags()
    """Tags such as `Family Law`, for the practice areas of the contact's own matters."""

    related_practice_area: RelatedPracticeAreaTags = RelatedPracticeAreaTags()
    """Tags for the practice areas of matters that the contact is related to."""

    relationships: Switch = Switch()
    """Tags with the description of each relationship to a matter, for example `Spouse`."""

    matter_number: MatterTags = MatterTags()
    """Tags with the display numbers of the contact's own matters."""

    matter_tag: MatterTags = MatterTags()
    """Tags with the stage of each own matter, or its status if it has no stage."""

    location: LocationTags = LocationTags()
    """Tags from the primary postal address."""

    responsible_attorney: AttorneyTags = AttorneyTags.NONE
    """Tags with the names of the responsible attorneys."""

    originating_attorney: AttorneyTags = AttorneyTags.NONE
    """Tags with the names of the originating attorneys."""

    company_representatives: Representatives = Representatives.ALL
    """Whether people who work for a client company count as its representatives. They are clients then."""

    custom_fields: Annotated[list[CustomFieldTag], Field(max_length=200)] = []
    """Custom fields of contacts whose values become tags. At most 200, each field once."""


class KeyFactSettings(In):
    """The key facts that contacts get."""

    birthday: StrictBool = True
    """Whether contacts get their birthday."""

    clio_id: StrictBool = True
    """Whether contacts get their id in Clio."""

    custom_date_field_ids: Annotated[list[FieldId], Field(max_length=20)] = []
    """Clio's ids of date fields of contacts whose values become key facts. At most 20, each field once."""


class WritebackSettings(In):
    """The activities that are written to Clio, and as whom. An activity of a kind that is off is skipped."""

    email: StrictBool = True
    """Whether emails are written to Clio."""

    note: StrictBool = True
    """Whether notes are written to Clio."""

    phone_call: StrictBool = True
    """Whether phone calls are written to Clio."""

    text_message: StrictBool = True
    """Whether text messages are written to Clio."""

    handwritten_card: StrictBool = True
    """Whether handwritten cards are written to Clio."""

    fallback_author: FallbackAuthor = FallbackAuthor.NONE
    """With whose Clio login an activity is written if its user has no login that works."""


class NewClientSettings(In):
    """The settings that decide when new clients are announced."""

    initial_sync: InitialSync = InitialSync.EMIT
    """What happens to the clients found by the first sync."""

    require_open_matter: StrictBool = False
    """Whether a client is announced only when there is an open matter."""

    surge_threshold: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 50
    """The number of new clients that one later run may announce. If it finds more, all of them wait for a person."""

    hold_possible_duplicates: StrictBool = False
    """Whether a new client with `possible_duplicate_of` waits for a person instead of being announced. A PUT without
    this field leaves it as it is."""


class RestrictedMatters(In):
    """The setting for matters that not everybody at the firm may see in Clio."""

    withhold: StrictBool = False
    """Whether tags are left out if all their reasons come from such matters. If not, they are only marked."""


class PrivacySettings(In):
    """The setting that decides what a user of the firm is shown."""

    respect_visibility: StrictBool = False
    """Whether a user is shown only the people whom the user's own connected login sees in Clio, and of these only what
    comes from matters that it sees. Then every request that shows people needs `Levitate-User`. A PUT without this
    field leaves it as it is."""


class Settings(Body):
    """All settings of a firm. In a request, a field that is left out usually gets its default value."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "ownership": {"source": "originating_attorney", "fallback": "unassigned"},
                    "tags": {
                        "location": {"city": True},
                        "custom_fields": [{"field_id": "4", "label_format": "name_value"}],
                    },
                }
            ]
        },
    )

    scope: ScopeSettings = ScopeSettings()
    """Which contacts are in scope."""

    ownership: OwnershipSettings = OwnershipSettings()
    """Who owns a contact."""

    tags: TagSettings = TagSettings()
    """Which tags contacts get."""

    key_facts: KeyFactSettings = KeyFactSettings()
    """Which key facts contacts get."""

    writeback: WritebackSettings = WritebackSettings()
    """Which activities are written to Clio."""

    new_client: NewClientSettings = NewClientSettings()
    """When new clients are announced."""

    restricted_matters: RestrictedMatters = RestrictedMatters()
    """What happens with matters that have limited permissions."""

    privacy: PrivacySettings = PrivacySettings()
    """What users of the firm are shown."""
