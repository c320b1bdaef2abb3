"""A firm's settings: read, replace and patch them, list their versions, preview a change."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic_core import to_json

from app.api import schemas, settings_document
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.audience import RequireRoleBeforehand, RequireRoleForAll
from app.api.deps import ServicesDep
from app.api.pagination import ListDep, PageDep, PageQuery, PageRequest
from app.api.preconditions import (
    IfMatch,
    MergePatchOnly,
    PreconditionRequired,
    UnsupportedMediaType,
    VersionConflict,
    merge_patch_body,
    require_match,
)
from app.api.problems import problems
from app.db.accounts import settings
from app.db.accounts.audit import Actor
from app.db.accounts.settings import StoredSettings
from app.db.session import Session, transaction
from app.errors import InvalidRequest
from app.rules.settings import Settings
from app.sync import assess
from app.sync.assess import Preview, PreviewPage, Shown
from app.sync.services import Services

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["settings"],
)

EVENTS = "text/event-stream"
BATCHES_PER_EVENT = 5  # of the stream of a preview, with 200 people each


@dataclass(frozen=True)
class Edit:
    """A change of settings by a caller who has read the current version. The settings are locked until it ends."""

    services: Services
    session: Session
    current: StoredSettings
    account_id: str
    actor: Actor
    note: str | None = None  # why, in the words of the person; a request of the API has none

    async def save(
        self, new: Settings, response: Response, kept: Sequence[str] = ()
    ) -> schemas.SettingsSaved:
        """Store the next version and return it; sets the ETag of the response. `kept` are pointers to name."""
        saved = await assess.change_settings(
            self.services, self.session, self.account_id, new, self.actor, self.note
        )
        response.headers["ETag"] = _etag(saved.stored)
        version = _version_body(saved.stored)
        return schemas.SettingsSaved(**dict(version), run_id=saved.run_id, kept=list(kept))


async def begin_edit(
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Edit:
    """Lock the settings for a change; raises PreconditionRequired or VersionConflict."""
    stored = await settings.lock_current(session, account.account_id)
    require_match(if_match, _etag(stored))
    return Edit(services, session, stored, account.account_id, actor)


EditDep = Annotated[Edit, Depends(begin_edit)]
Patch = Annotated[dict[str, Any], merge_patch_body({"tags": {"location": {"city": True}}})]
_EDIT_PROBLEMS = problems(RoleRequired, PreconditionRequired, VersionConflict)


@router.get("/settings", dependencies=[RequireRoleForAll], responses=problems(RoleRequired))
async def get_settings(
    account: AccountDep, session: SessionDep, response: Response
) -> schemas.SettingsVersion:
    """Return the current settings. Version 1 has the defaults."""
    stored = await settings.get_current(session, account.account_id)
    response.headers["ETag"] = _etag(stored)
    return _version_body(stored)


@router.put("/settings", dependencies=[RequireRole], responses=_EDIT_PROBLEMS)
async def put_settings(
    body: schemas.Settings, edit: EditDep, response: Response
) -> schemas.SettingsSaved:
    """Replace all settings. If the change can affect contacts, all are assessed again, without requests to Clio."""
    new, kept = settings_document.replace(edit.current.settings, body)
    return await edit.save(new, response, kept)


@router.patch(
    "/settings",
    dependencies=[RequireRole],
    responses={**_EDIT_PROBLEMS, **problems(UnsupportedMediaType)},
)
async def patch_settings(
    edit: EditDep, _: MergePatchOnly, patch: Patch, response: Response
) -> schemas.SettingsSaved:
    """Change some settings. If the change can affect contacts, all are assessed again, without requests to Clio."""
    new = settings_document.apply_patch(edit.current.settings, patch)
    return await edit.save(new, response)


@router.get(
    "/settings/versions", dependencies=[RequireRoleForAll], responses=problems(RoleRequired)
)
async def list_settings_versions(
    account: AccountDep, session: SessionDep, asked: ListDep
) -> schemas.Page[schemas.SettingsVersion]:
    """Return all versions of the settings, each with its author. Their time is `updated_at`."""
    query = asked.by_number("settings-versions", account.account_id)
    found = await settings.list_versions(session, account.account_id, query.page)
    rows = query.rows(found, key=lambda stored: stored.version)
    return rows.page(map(_version_body, rows.items))


@router.post(
    "/settings/preview",
    dependencies=[RequireRoleBeforehand],
    response_model=schemas.Preview,
    responses={
        200: {"content": {EVENTS: {"schema": {"type": "string"}}}},
        **problems(RoleRequired),
    },
)
async def preview_settings(
    body: schemas.PreviewIn,
    account: AccountWithoutSession,
    services: ServicesDep,
    page: PageDep,
    request: Request,
) -> Response:
    """Return what other settings would change, computed by the same function as in a run. Nothing is stored.

    Every page has the counts of the whole firm. A cursor is valid only for the same candidate and while the current
    settings do not change.

    With `Accept: text/event-stream` the response is a stream of server-sent events. Those named `summary` have the
    counts of the people who were assessed so far. The last one is named `preview` and has the whole response; a stream
    that ends without it was cut off.
    """
    asked = await begin_preview(body, account.account_id, services, page)
    if EVENTS in request.headers.get("accept", ""):
        return EventSourceResponse(_preview_events(asked))
    preview = await asked.compute()
    return JSONResponse(_preview_body(preview, asked.query))


@dataclass(frozen=True)
class AskedPreview:
    """A preview that was asked for: the settings were checked, and nothing is computed yet."""

    services: Services
    account_id: str
    candidate: Settings
    query: PageQuery
    show: Shown = Shown.ALL

    def follow(self) -> AsyncIterator[Preview]:
        """Yield the preview after each batch of people; the last one is complete."""
        wanted = PreviewPage(self.query.after, self.query.limit, self.show)
        return assess.follow_preview(self.services, self.account_id, self.candidate, wanted)

    async def steps(self) -> AsyncIterator[Preview]:
        """Yield the preview after the first batch, after each `BATCHES_PER_EVENT`, and at the end."""
        number = 0
        async for preview in self.follow():
            if preview.complete or number % BATCHES_PER_EVENT == 0:
                yield preview
            number += 1

    async def compute(self) -> Preview:
        """Return the whole preview."""
        preview = [one async for one in self.follow() if one.complete]
        return preview[0]


async def begin_preview(
    body: schemas.PreviewIn,
    account_id: str,
    services: Services,
    page: PageRequest,
    show: Shown = Shown.ALL,
) -> AskedPreview:
    """Check the settings of a preview, and the cursor of its page. `show` limits the page, not the counts."""
    async with transaction(services.database, account_id) as session:
        stored = await settings.get_current(session, account_id)
        candidate = await _check_candidate(session, account_id, stored.settings, body)
    document = json.dumps(settings.to_document(candidate))
    shown = () if show is Shown.ALL else (show.value,)
    query = page.by_number("preview", account_id, stored.version, document, *shown)
    return AskedPreview(services, account_id, candidate, query, show)


async def _preview_events(asked: AskedPreview) -> AsyncIterator[bytes]:
    async for preview in asked.steps():
        if preview.complete:
            yield _event("preview", _preview_body(preview, asked.query))
        else:
            yield _event("summary", _summary_body(preview))


def _event(name: str, body: dict[str, Any]) -> bytes:
    return format_sse_event(event=name, data_str=to_json(body).decode())


def _preview_body(preview: Preview, query: PageQuery) -> dict[str, Any]:
    return {
        "summary": _summary_body(preview),
        "data": [{"seq": None, **change.body} for change in preview.page],
        "next_cursor": query.cursor(preview.page[-1].clio_id) if preview.more else None,
        "has_more": preview.more,
    }


def _summary_body(preview: Preview) -> dict[str, Any]:
    summary = schemas.PreviewSummary.model_validate(preview.summary, from_attributes=True)
    return summary.model_dump()


async def _check_candidate(
    session: Session, account_id: str, current: Settings, body: schemas.PreviewIn
) -> Settings:
    """Return the settings to preview; raises InvalidRequest with pointers into the body."""
    try:
        candidate = settings_document.apply_patch(current, body.settings)
        await assess.check_settings(session, account_id, candidate, current)
    except InvalidRequest as invalid:
        raise invalid.below("/settings") from None
    return candidate


def _etag(stored: StoredSettings) -> str:
    return f'"{stored.version}"'


def _version_body(stored: StoredSettings) -> schemas.SettingsVersion:
    return schemas.SettingsVersion(
        version=stored.version,
        settings=settings_document.to_body(stored.settings),
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
        note=stored.note,
    )
