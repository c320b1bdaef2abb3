"""Response bodies of the catalog: what settings can choose from in Clio."""

from app.api.schemas.base import Schema


class FieldOption(Schema):
    """One option of a picklist in Clio."""

    id: str
    """Clio's id of the option."""

    option: str | None
    """The text of the option. Null if Clio does not give one."""

    deleted: bool
    """Whether the option was deleted in Clio. Contacts can still have it."""


class CatalogField(Schema):
    """A custom field in Clio, and which settings may name it."""

    id: str
    """Clio's id of the field. Settings name the field by this id."""

    name: str | None
    """The name of the field. Null if Clio does not give one."""

    type: str | None
    """The type in Clio, for example `checkbox`, `date`, `picklist` or `text_line`. Null if Clio does not give one."""

    parent: str | None
    """What the field belongs to: `contact` or `matter`. Null if Clio does not say. Settings use fields of contacts."""

    deleted: bool
    """Whether the field was deleted in Clio or is no longer listed there."""

    options: list[FieldOption]
    """The options of a picklist. Empty for other types."""

    makes_tags: bool
    """Whether `tags.custom_fields` may name the field."""

    makes_dates: bool
    """Whether `key_facts.custom_date_field_ids` may name the field."""

    makes_opt_out: bool
    """Whether `scope.opt_out_field_id` may name the field."""


class CatalogPracticeArea(Schema):
    """A practice area in Clio."""

    id: str
    """Clio's id of the practice area."""

    name: str | None
    """The name that the firm gave it. Null if Clio does not give one."""

    category: str | None
    """Clio's general category of it, a word such as `family`. Null if it has none."""

    gone: bool
    """Whether Clio no longer lists it."""


class CatalogStage(Schema):
    """A matter stage of one practice area in Clio."""

    id: str
    """Clio's id of the stage."""

    name: str | None
    """The name of the stage. Null if Clio does not give one."""

    practice_area_id: str | None
    """Clio's id of the practice area that the stage belongs to. Null if Clio does not say."""

    gone: bool
    """Whether Clio no longer lists it."""


class CatalogUser(Schema):
    """A Clio user of the firm."""

    id: str
    """Clio's id of the user."""

    name: str | None
    """The user's name. Null if Clio does not give one."""

    email: str | None
    """The user's email address. Null if Clio does not show one."""

    enabled: bool | None
    """Whether the user is active in Clio. Null if Clio does not say."""

    gone: bool
    """Whether Clio no longer lists the user."""


class Catalog(Schema):
    """The records of the firm in Clio that settings can choose from, as of the last run."""

    custom_fields: list[CatalogField]
    """All custom fields of contacts and matters, also deleted ones, sorted by Clio's id."""

    practice_areas: list[CatalogPracticeArea]
    """All practice areas, also those that are gone, sorted by Clio's id."""

    stages: list[CatalogStage]
    """All matter stages, also those that are gone, sorted by Clio's id."""

    users: list[CatalogUser]
    """All Clio users, also those who are gone, sorted by Clio's id."""
