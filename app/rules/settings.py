"""The firm's settings: the settings document of the REST API as frozen values, with its defaults.

Field ids are Clio's; they are integers here, only the API uses strings.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from app.rules.records import MatterStatus

OPEN = frozenset({MatterStatus.OPEN})
OPEN_AND_PENDING = frozenset({MatterStatus.OPEN, MatterStatus.PENDING})


class OwnerSource(StrEnum):  # OW-1..3
    """The source of a contact's owner: the responsible or originating attorney of a matter, or the primary user."""

    RESPONSIBLE_ATTORNEY = "responsible_attorney"
    ORIGINATING_ATTORNEY = "originating_attorney"
    PRIMARY_USER = "primary_user"


class OwnerFallback(StrEnum):  # OW-8
    """The owner of a contact without a usable attorney: the account's primary user, or nobody (`unassigned`)."""

    PRIMARY_USER = "primary_user"
    UNASSIGNED = "unassigned"


class LabelFrom(StrEnum):  # TG-9
    """The source of a practice area's label: its name, or its category in Clio, if it has one."""

    NAME = "name"
    CATEGORY = "category"


class AttorneyTags(StrEnum):  # TG-18
    """The attorneys whose names become tags: none, that of the matter updated last, or those of all matters."""

    NONE = "none"
    MOST_RECENT = "most_recent"
    ALL = "all"


class Representatives(StrEnum):  # C-6
    """The people of a client company who count as its representatives: all or none."""

    ALL = "all"
    NONE = "none"


class LabelFormat(StrEnum):  # CF-2, CF-3
    """The label of a custom field: its value, `name: value`, or its name.

    `default` is the name for a checkbox, the value for a picklist, and `name: value` for all other types.
    """

    DEFAULT = "default"
    VALUE = "value"
    NAME_VALUE = "name_value"
    NAME = "name"


class FallbackAuthor(StrEnum):  # WB-5
    """The login that writes to Clio for a user whose own login does not work.

    `none`: the activity waits for the user. `primary_connection`: the primary user's login, or if that does not work,
    the login that sees most.
    """

    NONE = "none"
    PRIMARY_CONNECTION = "primary_connection"


class InitialSync(StrEnum):  # NC-2
    """The choice for clients found by the first sync.

    `emit`: they are announced. `hold`: they wait for a person's decision. `suppress`: they are never announced.
    """

    EMIT = "emit"
    HOLD = "hold"
    SUPPRESS = "suppress"


@dataclass(frozen=True, slots=True)
class Segment:
    """Only contacts with one of the labels `include_any`, and none of `exclude_any` [CS-6]."""

    include_any: tuple[str, ...] = ()
    exclude_any: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeSettings:
    """The settings that decide which contacts belong in Levitate [CS-1..6, S8]."""

    include_non_clients: bool = False
    include_related: bool = False
    related_role_exclude: tuple[str, ...] = ("opposing*", "adverse*", "judge", "witness")
    primary_email_only: bool = False
    segment: Segment = Segment()
    opt_out_field_id: int | None = None


@dataclass(frozen=True, slots=True)
class OwnershipSettings:
    """The settings that decide who owns a contact [OW-1..11]."""

    source: OwnerSource = OwnerSource.RESPONSIBLE_ATTORNEY
    fallback: OwnerFallback = OwnerFallback.PRIMARY_USER
    prefer_open: bool = False
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class PracticeAreaTags:
    """The tags for practice areas of own matters [TG-9]."""

    enabled: bool = True
    matter_status: frozenset[MatterStatus] = OPEN
    label_from: LabelFrom = LabelFrom.NAME


@dataclass(frozen=True, slots=True)
class MatterTags:
    """A kind of tag that comes from matters in the chosen statuses [TG-10, TG-13, TG-14]."""

    enabled: bool = False
    matter_status: frozenset[MatterStatus] = OPEN_AND_PENDING


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    enabled: bool = False


@dataclass(frozen=True, slots=True)
class LocationTags:
    """The parts of the primary address that become tags [TG-15]."""

    city: bool = False
    state: bool = False
    postal_code: bool = False
    country: bool = False


@dataclass(frozen=True, slots=True)
class CustomFieldTag:
    """A custom field whose values become tags, and the format of the label [CF-1..3]."""

    field_id: int
    label_format: LabelFormat = LabelFormat.DEFAULT


@dataclass(frozen=True, slots=True)
class TagSettings:
    """The tags that the firm wants [TG-9..18, CF-1..5]."""

    practice_area: PracticeAreaTags = PracticeAreaTags()
    related_practice_area: MatterTags = MatterTags(matter_status=OPEN)
    relationships: Switch = Switch()
    matter_number: MatterTags = MatterTags()
    matter_tag: MatterTags = MatterTags()
    location: LocationTags = LocationTags()
    responsible_attorney: AttorneyTags = AttorneyTags.NONE
    originating_attorney: AttorneyTags = AttorneyTags.NONE
    company_representatives: Representatives = Representatives.ALL
    custom_fields: tuple[CustomFieldTag, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFactSettings:
    """The key facts that the firm wants [KF-1..4]."""

    birthday: bool = True
    clio_id: bool = True
    custom_date_field_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WritebackSettings:
    """The activities that are written to Clio, and the user who writes them [WB-4, WB-5]."""

    email: bool = True
    note: bool = True
    phone_call: bool = True
    text_message: bool = True
    handwritten_card: bool = True
    fallback_author: FallbackAuthor = FallbackAuthor.NONE


@dataclass(frozen=True, slots=True)
class NewClientSettings:
    """The settings that decide when a new client is announced [NC-2, NC-3, NC-6, NC-7]."""

    initial_sync: InitialSync = InitialSync.EMIT
    require_open_matter: bool = False
    surge_threshold: int = 50
    hold_possible_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class RestrictedMatters:
    """The setting that withholds tags that come only from matters with limited permissions [S7]."""

    withhold: bool = False


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """The setting that shows a user only what the user's own login sees in Clio [API-30]. It changes no assessment."""

    respect_visibility: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole settings document."""

    scope: ScopeSettings = field(default_factory=ScopeSettings)
    ownership: OwnershipSettings = field(default_factory=OwnershipSettings)
    tags: TagSettings = field(default_factory=TagSettings)
    key_facts: KeyFactSettings = field(default_factory=KeyFactSettings)
    writeback: WritebackSettings = field(default_factory=WritebackSettings)
    new_client: NewClientSettings = field(default_factory=NewClientSettings)
    restricted_matters: RestrictedMatters = field(default_factory=RestrictedMatters)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
