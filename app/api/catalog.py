"""The catalog: the custom fields, practice areas, stages and users of the firm's Clio that settings can name."""

from typing import Any

from fastapi import APIRouter

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.db.mirror import catalog
from app.db.mirror.catalog import CatalogItem
from app.rules import settings_check
from app.rules.settings_check import Use

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["settings"],
)


@router.get("/catalog")
async def get_catalog(account: AccountDep, session: SessionDep) -> schemas.Catalog:
    """Return the custom fields, practice areas, stages and users of the firm's Clio, as of the last run."""
    items = {
        resource: await catalog.list_items(session, account.account_id, resource)
        for resource in catalog.RESOURCES
    }
    return schemas.Catalog(
        custom_fields=[_field_body(item) for item in items["custom_fields"]],
        practice_areas=[
            schemas.CatalogPracticeArea(**_common(item), category=item.record.get("category"))
            for item in items["practice_areas"]
        ],
        stages=[
            schemas.CatalogStage(**_common(item), practice_area_id=_text(item, "practice_area_id"))
            for item in items["matter_stages"]
        ],
        users=[
            schemas.CatalogUser(
                **_common(item), email=item.record.get("email"), enabled=item.record.get("enabled")
            )
            for item in items["users"]
        ],
    )


def _field_body(item: CatalogItem) -> schemas.CatalogField:
    field = catalog.custom_field_of(item)
    return schemas.CatalogField(
        id=str(field.field_id),
        name=field.name,
        type=field.field_type,
        parent=field.parent_type and field.parent_type.lower(),
        deleted=field.deleted,
        options=[
            schemas.FieldOption(id=str(option_id), option=option.label, deleted=option.deleted)
            for option_id, option in field.options.items()
        ],
        makes_tags=settings_check.is_usable(field, Use.TAGS),
        makes_dates=settings_check.is_usable(field, Use.DATES),
        makes_opt_out=settings_check.is_usable(field, Use.OPT_OUT),
    )


def _common(item: CatalogItem) -> dict[str, Any]:
    return {"id": str(item.clio_id), "name": item.record.get("name"), "gone": item.gone}


def _text(item: CatalogItem, name: str) -> str | None:
    value = item.record.get(name)
    return None if value is None else str(value)
