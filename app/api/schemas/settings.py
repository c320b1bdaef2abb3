"""Request and response bodies of settings and their versions.

`app.rules.settings` has the same defaults; a test compares both with the contract.
"""

from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from app.api.schemas.base import In, no_nul
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
    Field(description="The id of a custom field in Clio"),
]
Words = Annotated[
    list[
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
            AfterValidator(no_nul),
        ]
    ],
    Field(max_length=200),
]
Statuses = Annotated[list[MatterStatus], Field(min_length=1, max_length=3)]


class Segment(In):
    """Limits the scope to contacts with one of `include_any` and none of `exclude_any`. An empty list has no effect."""

    include_any: Words = []
    exclude_any: Words = []


class ScopeSettings(In):
    """The settings that decide which contacts are in scope. `*` in a role pattern matches any text."""

    include_non_clients: StrictBool = False
    include_related: StrictBool = False
    related_role_exclude: Words = ["opposing*", "adverse*", "judge", "witness"]
    primary_email_only: StrictBool = False
    segment: Segment = Segment()
    opt_out_field_id: FieldId | None = None


class OwnershipSettings(In):
    """The settings that decide who owns a contact."""

    source: OwnerSource = OwnerSource.RESPONSIBLE_ATTORNEY
    fallback: OwnerFallback = OwnerFallback.PRIMARY_USER
    prefer_open: StrictBool = False
    sticky: StrictBool = False


class PracticeAreaTags(In):
    """Tags for the practice areas of the contact's own matters."""

    enabled: StrictBool = True
    matter_status: Statuses = [MatterStatus.OPEN]
    label_from: LabelFrom = LabelFrom.NAME


class RelatedPracticeAreaTags(In):
    """Tags for the practice areas of matters that the contact is related to."""

    enabled: StrictBool = False
    matter_status: Statuses = [MatterStatus.OPEN]


class MatterTags(In):
    """Tags from matters with one of these statuses."""

    enabled: StrictBool = False
    matter_status: Statuses = [MatterStatus.OPEN, MatterStatus.PENDING]


class Switch(In):
    """An option that is on or off."""

    enabled: StrictBool = False


class LocationTags(In):
    """The parts of the primary address that become tags."""

    city: StrictBool = False
    state: StrictBool = False
    postal_code: StrictBool = False
    country: StrictBool = False


class CustomFieldTag(In):
    """A custom field whose values become tags, and the format of their labels."""

    field_id: FieldId
    label_format: LabelFormat = LabelFormat.DEFAULT


class TagSettings(In):
    """The tags that contacts get."""

    practice_area: PracticeAreaTags = PracticeAreaTags()
    related_practice_area: RelatedPracticeAreaTags = RelatedPracticeAreaTags()
    relationships: Switch = Switch()
    matter_number: MatterTags = MatterTags()
    matter_tag: MatterTags = MatterTags()
    location: LocationTags = LocationTags()
    responsible_attorney: AttorneyTags = AttorneyTags.NONE
    originating_attorney: AttorneyTags = AttorneyTags.NONE
    company_representatives: Representatives = Representatives.ALL
    custom_fields: Annotated[list[CustomFieldTag], Field(max_length=200)] = []


class KeyFactSettings(In):
    """The key facts that contacts get. At most 20 custom date fields."""

    birthday: StrictBool = True
    clio_id: StrictBool = True
    custom_date_field_ids: Annotated[list[FieldId], Field(max_length=20)] = []


class WritebackSettings(In):
    """The activities that are written to Clio, and the author used when the user has no connection."""

    email: StrictBool = True
    note: StrictBool = True
    phone_call: StrictBool = True
    text_message: StrictBool = True
    handwritten_card: StrictBool = True
    fallback_author: FallbackAuthor = FallbackAuthor.NONE


class NewClientSettings(In):
    """Settings of the announcement of new clients. More than `surge_threshold` in one run wait for a decision."""

    initial_sync: InitialSync = InitialSync.EMIT
    require_open_matter: StrictBool = False
    surge_threshold: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 50


class RestrictedMatters(In):
    """The setting that withholds results that depend only on matters with limited permissions."""

    withhold: StrictBool = False


class Settings(In):
    """All settings of a firm. A field that is left out has its default value."""

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
    ownership: OwnershipSettings = OwnershipSettings()
    tags: TagSettings = TagSettings()
    key_facts: KeyFactSettings = KeyFactSettings()
    writeback: WritebackSettings = WritebackSettings()
    new_client: NewClientSettings = NewClientSettings()
    restricted_matters: RestrictedMatters = RestrictedMatters()


class SettingsVersion(BaseModel):
    """One version of a firm's settings. `updated_by` is the Levitate user who saved it."""

    version: int
    settings: Settings
    updated_at: datetime
    updated_by: str | None


class SettingsSaved(SettingsVersion):
    """The saved settings. `run_id` is the run that applies them, or null when no contact can change."""

    run_id: str | None
