"""The settings as a form in the help article's words, with its preview, saving, and earlier versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from app.api import schemas, settings
from app.api.account_access import SessionDep
from app.api.acting_user import RequireRole
from app.api.audience import RequireRoleForAll
from app.api.preconditions import VersionConflict
from app.console.banners import Banner, Banners, count_in
from app.console.errors import ConsoleRoute
from app.console.settings.differences import Difference, default_in_words, differences, was
from app.console.settings.document import (
    GROUPS,
    SentForm,
    Values,
    differing,
    mistakes_by_leaf,
    nested,
    on_top_of,
    read_form,
    values_of_body,
)
from app.console.settings.offers import load_names, load_offers
from app.console.settings.preview import ChangedPeople, ShownPreview
from app.console.settings.versions import author_names, list_versions, load_values
from app.console.visit import Visit, VisitDep, show
from app.console.words.settings_tags import FORMATS
from app.db.accounts import settings as stored_settings
from app.db.session import Session
from app.errors import InvalidRequest
from app.pages.rendering import PageInvalid

router = APIRouter(route_class=ConsoleRoute)

MOST_NOTE = 500  # characters
BANNERS: Banners = {
    "saved": lambda query: Banner(
        f"Saved as version {count_in(query)}.",
        "A sync applies it to everybody now. It takes about a minute for 10,000 people and asks Clio nothing.",
    ),
    "kept": lambda query: Banner(
        f"Saved as version {count_in(query)}.", "Nobody in Levitate changes by it now."
    ),
    "same": lambda _: Banner("Nothing was changed, so nothing was saved.", kind="warn"),
}


@dataclass(frozen=True)
class Conflict:
    """A version that somebody saved while this person was editing."""

    version: int
    author: str
    changes: list[Difference]


@dataclass(frozen=True)
class Form:
    """The content of the form: the version in force, the values, and what became of an attempt to save or preview."""

    saved: schemas.SettingsVersion
    values: Values
    note: str = ""
    going_back_to: int | None = None
    conflict: Conflict | None = None
    mistakes: Mapping[str, str] = field(default_factory=dict)
    preview: ShownPreview | None = None
    people: ChangedPeople | None = None
    was_saving: bool = False

    @property
    def saved_values(self) -> Values:
        """The values of the version in force."""
        return values_of_body(self.saved.settings)


@router.get("/accounts/{account_id}/settings", dependencies=[RequireRoleForAll])
async def show_settings(
    visit: VisitDep,
    session: SessionDep,
    version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> HTMLResponse:
    """Show the settings in force, or an earlier version that would be saved again."""
    saved = await settings.get_settings(visit.account, session, Response())
    values = values_of_body(saved.settings)
    if version is not None and version < saved.version:
        earlier = await load_values(visit, session, version)
        return await show_form(visit, session, Form(saved, earlier, going_back_to=version))
    return await show_form(visit, session, Form(saved, values))


@router.post("/accounts/{account_id}/settings", dependencies=[RequireRole])
async def save_settings(visit: VisitDep, session: SessionDep) -> Response:
    """Save the form as the next version, unless it has a mistake or another version was saved meanwhile."""
    saved = await settings.get_settings(visit.account, session, Response())
    sent = await read_sent(visit, session, saved)
    current = values_of_body(saved.settings)
    try:
        edit = await settings.begin_edit(
            visit.account, visit.actor, visit.services, session, f'"{sent.version}"'
        )
        patch = nested(differing(current, sent.values))
        done = await settings.patch_settings(
            replace(edit, note=sent.note or None), None, patch, Response()
        )
    except VersionConflict:
        return await _show_conflict(visit, session, sent)
    except InvalidRequest as invalid:
        mistakes = mistakes_by_leaf(invalid.errors)
        form = Form(saved, sent.values, sent.note, mistakes=mistakes, was_saving=True)
        return await show_form(visit, session, form, status=422)
    if done.version == sent.version:
        return visit.back("settings", done="same")
    return visit.back("settings", done="saved" if done.run_id else "kept", n=done.version)


async def read_sent(visit: Visit, session: Session, saved: schemas.SettingsVersion) -> SentForm:
    """Return what the form sent, read on top of the version that it showed."""
    form = await visit.request.form()
    text = str(form.get("version", ""))
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if not stored_settings.FIRST_VERSION <= version <= saved.version:
        raise PageInvalid
    base = await load_values(visit, session, version)
    note = str(form.get("note", "")).replace("\0", "").strip()[:MOST_NOTE]
    return SentForm(version, read_form(form, base), note)


async def _show_conflict(visit: Visit, session: Session, sent: SentForm) -> HTMLResponse:
    """Show the newest version with the person's own changes, and who changed what meanwhile."""
    saved = await settings.get_settings(visit.account, session, Response())
    current = values_of_body(saved.settings)
    base = await load_values(visit, session, sent.version)
    names = await load_names(visit, session)
    authors = await author_names(visit, session, names, {saved.updated_by})
    conflict = Conflict(
        saved.version, authors[saved.updated_by], differences(base, current, names.fields)
    )
    values = on_top_of(current, base, sent.values)
    form = Form(saved, values, sent.note, conflict=conflict)
    return await show_form(visit, session, form, status=409)


async def show_form(visit: Visit, session: Session, form: Form, status: int = 200) -> HTMLResponse:
    """Return the page with the form, the preview beside it, and the versions."""
    names = await load_names(visit, session)
    offers = await load_offers(visit, session, form.values, names)
    older = visit.request.query_params.get("older")
    versions = await list_versions(visit, session, names, older)
    authors = await author_names(visit, session, names, {form.saved.updated_by})
    changes = differences(form.saved_values, form.values, names.fields)
    return await show(
        visit,
        session,
        "settings.html",
        status=status,
        banners=BANNERS,
        groups=GROUPS,
        form=form,
        offers=offers,
        preview=form.preview or ShownPreview(changes, form.mistakes),
        versions=versions,
        author=authors[form.saved.updated_by],
        formats=FORMATS,
        most_note=MOST_NOTE,
        default_of=default_in_words,
        was=lambda option: was(option, form.saved_values, form.values, names.fields),
        first_version=stored_settings.FIRST_VERSION,
    )
