"""Response bodies of the catalog: what settings can choose from in Clio."""

from pydantic import BaseModel


class FieldOption(BaseModel):
    """One option of a picklist."""

    id: str
    option: str | None
    deleted: bool


class CatalogField(BaseModel):
    """A custom field. `makes_tags`, `makes_dates` and `makes_opt_out` say which settings may use it."""

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
    """A practice area in Clio."""

    id: str
    name: str | None
    category: str | None
    gone: bool


class CatalogStage(BaseModel):
    """A matter stage of one practice area in Clio."""

    id: str
    name: str | None
    practice_area_id: str | None
    gone: bool


class CatalogUser(BaseModel):
    """A Clio user of the firm."""

    id: str
    name: str | None
    email: str | None
    enabled: bool | None
    gone: bool


class Catalog(BaseModel):
    """The items of Clio that settings can name, as of the last run. Items with `gone` are no longer listed in Clio."""

    custom_fields: list[CatalogField]
    practice_areas: list[CatalogPracticeArea]
    stages: list[CatalogStage]
    users: list[CatalogUser]
