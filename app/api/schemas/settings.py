"""Settings, their preview, the catalog of what can be chosen, the audit: bodies in and out.

The document's defaults stand in `app.rules.settings`; a test holds both against the contract.
"""

from datetime import datetime
from typing import Annotated, Any

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
from app.api.schemas.contacts import ToldChange
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
    Field(description="Clio's id of a custom field"),
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
    """Only contacts with one of these labels, and none of those."""

    include_any: Words = []
    exclude_any: Words = []


class ScopeSettings(In):
    """Who belongs in Levitate. A pattern of a role may hold `*`."""

    include_non_clients: StrictBool = False
    include_related: StrictBool = False
    related_role_exclude: Words = ["opposing*", "adverse*", "judge", "witness"]
    primary_email_only: StrictBool = False
    segment: Segment = Segment()
    opt_out_field_id: FieldId | None = None


class OwnershipSettings(In):
    """Who keeps the relationship."""

    source: OwnerSource = OwnerSource.RESPONSIBLE_ATTORNEY
    fallback: OwnerFallback = OwnerFallback.PRIMARY_USER
    prefer_open: StrictBool = False
    sticky: StrictBool = False


class PracticeAreaTags(In):
    """Practice areas of own matters."""

    enabled: StrictBool = True
    matter_status: Statuses = [MatterStatus.OPEN]
    label_from: LabelFrom = LabelFrom.NAME


class RelatedPracticeAreaTags(In):
    """Practice areas of related matters."""

    enabled: StrictBool = False
    matter_status: Statuses = [MatterStatus.OPEN]


class MatterTags(In):
    """Tags that come of matters in some statuses."""

    enabled: StrictBool = False
    matter_status: Statuses = [MatterStatus.OPEN, MatterStatus.PENDING]


class Switch(In):
    """On or off."""

    enabled: StrictBool = False


class LocationTags(In):
    """Which parts of the primary address become tags."""

    city: StrictBool = False
    state: StrictBool = False
    postal_code: StrictBool = False
    country: StrictBool = False


class CustomFieldTag(In):
    """A custom field that makes tags, and how."""

    field_id: FieldId
    label_format: LabelFormat = LabelFormat.DEFAULT


class TagSettings(In):
    """Which tags the firm wants."""

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
    """Which key facts the firm wants; at most 20 of custom dates."""

    birthday: StrictBool = True
    clio_id: StrictBool = True
    custom_date_field_ids: Annotated[list[FieldId], Field(max_length=20)] = []


class WritebackSettings(In):
    """Which activities are written to Clio, and by whom."""

    email: StrictBool = True
    note: StrictBool = True
    phone_call: StrictBool = True
    text_message: StrictBool = True
    handwritten_card: StrictBool = True
    fallback_author: FallbackAuthor = FallbackAuthor.NONE


class NewClientSettings(In):
    """When a new client is announced."""

    initial_sync: InitialSync = InitialSync.EMIT
    require_open_matter: StrictBool = False
    surge_threshold: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 50


class RestrictedMatters(In):
    """Whether what rests only on permission-limited matters is withheld."""

    withhold: StrictBool = False


class Settings(In):
    """The whole document of a firm's settings. What is left out has its default."""

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
    """One version of a firm's settings; `updated_by` is the Levitate user who made it."""

    version: int
    settings: Settings
    updated_at: datetime
    updated_by: str | None


class SettingsSaved(SettingsVersion):
    """The settings as saved. `run_id` is the re-derivation that started, null when nothing can change."""

    run_id: str | None


class PreviewIn(In):
    """A candidate: a JSON merge patch (RFC 7396) of the settings that hold."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"settings": {"scope": {"include_related": True}}}]},
    )

    settings: dict[str, Any]


class PreviewSummary(BaseModel):
    """Counts over the whole firm.

    Contacts that enter or leave count in `tags_added` and `tags_removed`, not in the two counts of changed ones.
    """

    entering: int
    leaving: int
    contacts_with_tag_changes: int
    tags_added: dict[str, int]
    tags_removed: dict[str, int]
    owner_changes: int
    new_clients: int


class PreviewedChange(ToldChange):
    """A line of the feed as it would be: it has no number and no run yet."""

    seq: None = None
    run_id: None = None


class Preview(BaseModel):
    """What a candidate would change: counts of all of it, and a page of the changes by contact."""

    summary: PreviewSummary
    data: list[PreviewedChange]
    next_cursor: str | None
    has_more: bool


class FieldOption(BaseModel):
    """One choice of a picklist."""

    id: str
    option: str | None
    deleted: bool


class CatalogField(BaseModel):
    """A custom field, and which settings may name it."""

    id: str
    name: str | None
    type: str | None
    parent: str | None
    deleted: bool
    options: list[FieldOption]
    makes_tags: bool
    makes_dates: bool
    makes_opt_out: bool


class CatalogPracticeArea(BaseModel):
    """A practice area."""

    id: str
    name: str | None
    category: str | None
    gone: bool


class CatalogStage(BaseModel):
    """A stage of matters of one practice area."""

    id: str
    name: str | None
    practice_area_id: str | None
    gone: bool


class CatalogUser(BaseModel):
    """A user of the firm in Clio."""

    id: str
    name: str | None
    email: str | None
    enabled: bool | None
    gone: bool


class Catalog(BaseModel):
    """What the firm's Clio offers to choose from, as of the last run. What has `gone` is no longer listed there."""

    custom_fields: list[CatalogField]
    practice_areas: list[CatalogPracticeArea]
    stages: list[CatalogStage]
    users: list[CatalogUser]


class AuditEntry(BaseModel):
    """Who did what when. `details` holds ids, versions and JSON pointers, never client data."""

    id: str
    at: datetime
    user_id: str | None
    role: str | None
    token_id: str | None
    action: str
    subject: str | None
    details: dict[str, Any]
