"""A firm's settings: read, replace, patch, their versions, what a candidate would change, what can be chosen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from app.api import cursors, schemas
from app.api.deps import (
    AccountDep,
    ActorDep,
    Cursor,
    Limit,
    RequireRole,
    RoleRequired,
    ServicesDep,
    SessionDep,
)
from app.api.problems import pointer_of, problems
from app.db.accounts import settings
from app.db.accounts.audit import Actor
from app.db.accounts.settings import StoredSettings
from app.db.mirror import catalog
from app.db.mirror.catalog import CatalogItem
from app.db.session import Session, transaction
from app.errors import AppError, InvalidRequest
from app.rules import settings_check
from app.rules.settings import Settings
from app.rules.settings_check import Use
from app.sync import assess
from app.sync.services import Services

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["settings"],
)

MERGE_PATCH = "application/merge-patch+json"


class PreconditionRequired(AppError):
    """Whoever changes settings says which version was seen."""

    status = 428
    code = "precondition_required"
    title = "Send If-Match with the ETag of the settings that you change"


class VersionConflict(AppError):
    """Somebody else changed the settings since they were read."""

    status = 412
    code = "version_conflict"
    title = "The settings were changed since; read them again and repeat your change"


class UnsupportedMediaType(AppError):
    """A patch of another kind than a JSON merge patch."""

    status = 415
    code = "unsupported_media_type"
    title = f"Send a JSON merge patch: Content-Type: {MERGE_PATCH} or application/json"


def require_merge_patch(request: Request) -> None:
    """Only JSON merge patches; JSON of no special kind is read as one."""
    kind = request.headers.get("content-type", MERGE_PATCH).partition(";")[0].strip().lower()
    if kind not in (MERGE_PATCH, "application/json"):
        raise UnsupportedMediaType(headers={"Accept-Patch": MERGE_PATCH})


@dataclass(frozen=True)
class Edit:
    """A change of settings under way: nobody else makes one, and the caller has seen what holds."""

    services: Services
    session: Session
    before: StoredSettings
    account_id: str
    actor: Actor

    async def save(self, new: Settings, response: Response) -> schemas.SettingsSaved:
        """Make the next version; answers it."""
        saved = await assess.change_settings(self.services, self.session, self.account_id, new, self.actor)
        response.headers["ETag"] = _etag(saved.stored)
        version = _version_out(saved.stored)
        return schemas.SettingsSaved(**dict(version), run_id=saved.run_id)


async def begin_edit(
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
    if_match: Annotated[
        str | None, Header(description="The `ETag` of the version that is changed", max_length=512)
    ] = None,
) -> Edit:
    """Lock the settings; raises PreconditionRequired or VersionConflict."""
    if if_match is None:
        raise PreconditionRequired
    stored = await settings.lock_current(session, account.account_id)
    seen = {tag.strip() for tag in if_match.split(",")}
    if not seen & {"*", _etag(stored)}:
        raise VersionConflict(headers={"ETag": _etag(stored)})
    return Edit(services, session, stored, account.account_id, actor)


EditDep = Annotated[Edit, Depends(begin_edit)]
Patch = Annotated[
    dict[str, Any],
    Body(
        media_type=MERGE_PATCH,
        description="A JSON merge patch (RFC 7396): what is null goes back to its default",
        examples=[{"tags": {"location": {"city": True}}}],
    ),
]
_CHANGING = problems(RoleRequired, PreconditionRequired, VersionConflict)


@router.get("/settings")
async def get_settings(
    account: AccountDep, session: SessionDep, response: Response
) -> schemas.SettingsVersion:
    """The settings that hold; version 1 is the defaults."""
    stored = await settings.get_current(session, account.account_id)
    response.headers["ETag"] = _etag(stored)
    return _version_out(stored)


@router.put("/settings", dependencies=[RequireRole], responses=_CHANGING)
async def put_settings(
    body: schemas.Settings, edit: EditDep, response: Response
) -> schemas.SettingsSaved:
    """Replace the settings whole. All contacts are judged anew where that can change one, without asking Clio."""
    return await edit.save(_settings(body), response)


@router.patch(
    "/settings",
    dependencies=[RequireRole],
    responses={**_CHANGING, **problems(UnsupportedMediaType)},
)
async def patch_settings(
    edit: EditDep,
    _: Annotated[None, Depends(require_merge_patch)],
    patch: Patch,
    response: Response,
) -> schemas.SettingsSaved:
    """Change a part of the settings. All contacts are judged anew where that can change one, without asking Clio."""
    return await edit.save(patched(edit.before.settings, patch), response)


@router.get("/settings/versions")
async def list_settings_versions(
    account: AccountDep, session: SessionDep, cursor: Cursor = None, limit: Limit = 50
) -> schemas.Page[schemas.SettingsVersion]:
    """Every version there ever was, oldest first, with who made it and when."""
    asked = ("settings-versions", account.account_id)
    after = cursors.after_number(cursor, *asked)
    found = await settings.list_versions(session, account.account_id, after=after, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    return schemas.Page(
        data=[_version_out(stored) for stored in page],
        next_cursor=cursors.encode(page[-1].version, *asked) if more else None,
        has_more=more,
    )


@router.post(
    "/settings/preview",
    response_model=schemas.Preview,
)
async def preview_settings(
    body: schemas.PreviewIn,
    account: AccountDep,
    services: ServicesDep,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What other settings would change, made by the very function that the sync uses; nothing is stored.

    The counts are of the whole firm on every page. A cursor belongs to its candidate and to the settings that held.
    """
    account_id = account.account_id
    async with transaction(services.database) as session:
        stored = await settings.get_current(session, account_id)
        try:
            candidate = patched(stored.settings, body.settings)
            await assess.check_settings(session, account_id, candidate, stored.settings)
        except InvalidRequest as invalid:
            raise invalid.below("/settings") from None
    asked = ("preview", account_id, stored.version, json.dumps(settings.to_document(candidate)))
    after = cursors.after_number(cursor, *asked)
    found = await assess.preview_settings(services, account_id, candidate, after=after, limit=limit)
    summary = schemas.PreviewSummary.model_validate(found.summary, from_attributes=True)
    following = cursors.encode(found.page[-1].clio_id, *asked) if found.more else None
    return JSONResponse(
        {
            "summary": summary.model_dump(),
            "data": [{"seq": None, **change.body} for change in found.page],
            "next_cursor": following,
            "has_more": found.more,
        }
    )


@router.get("/catalog")
async def get_catalog(account: AccountDep, session: SessionDep) -> schemas.Catalog:
    """What the firm's Clio offers to choose from, as of the last run."""
    items = {
        resource: await catalog.list_items(session, account.account_id, resource)
        for resource in catalog.RESOURCES
    }
    return schemas.Catalog(
        custom_fields=[_field_out(item) for item in items["custom_fields"]],
        practice_areas=[
            schemas.CatalogPracticeArea(**_named(item), category=item.record.get("category"))
            for item in items["practice_areas"]
        ],
        stages=[
            schemas.CatalogStage(**_named(item), practice_area_id=_text(item, "practice_area_id"))
            for item in items["matter_stages"]
        ],
        users=[
            schemas.CatalogUser(
                **_named(item), email=item.record.get("email"), enabled=item.record.get("enabled")
            )
            for item in items["users"]
        ],
    )


def patched(before: Settings, patch: Mapping[str, Any]) -> Settings:
    """The settings with a merge patch applied (RFC 7396); raises Invalid with pointers into the patch."""
    try:
        whole = schemas.Settings.model_validate(_merged(_wire(before), patch))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise InvalidRequest(errors=[(pointer_of(e["loc"]), e["msg"]) for e in found]) from None
    return _settings(whole)


def _merged(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch of a whole document: it goes no deeper than that, for more is not allowed there anyway."""
    merged = dict(document)
    for name, value in patch.items():
        inside = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(inside, dict):
            merged[name] = _merged(inside, value)
        else:
            merged[name] = value
    return merged


def _etag(stored: StoredSettings) -> str:
    return f'"{stored.version}"'


def _settings(body: schemas.Settings) -> Settings:
    return settings.from_document(body.model_dump(mode="json"))


def _wire(chosen: Settings) -> dict[str, Any]:
    """The document in the words of the contract: there field ids are strings."""
    whole = settings.to_document(chosen)
    scope, tags, facts = whole["scope"], whole["tags"], whole["key_facts"]
    opt_out = scope["opt_out_field_id"]
    scope["opt_out_field_id"] = None if opt_out is None else str(opt_out)
    for field in tags["custom_fields"]:
        field["field_id"] = str(field["field_id"])
    facts["custom_date_field_ids"] = [str(i) for i in facts["custom_date_field_ids"]]
    return whole


def _version_out(stored: StoredSettings) -> schemas.SettingsVersion:
    return schemas.SettingsVersion(
        version=stored.version,
        settings=schemas.Settings.model_validate(_wire(stored.settings)),
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
    )


def _field_out(item: CatalogItem) -> schemas.CatalogField:
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


def _named(item: CatalogItem) -> dict[str, Any]:
    return {"id": str(item.clio_id), "name": item.record.get("name"), "gone": item.gone}


def _text(item: CatalogItem, name: str) -> str | None:
    value = item.record.get(name)
    return None if value is None else str(value)
