"""The preview of settings that are not saved: as a stream beside the form, or with the whole page without a script."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from app.api import settings
from app.api.audience import RequireRoleBeforehand
from app.api.settings import AskedPreview
from app.console.errors import ConsoleRoute
from app.console.pages.settings import Form, read_sent, show_form
from app.console.rendering import render
from app.console.settings.differences import differences, was
from app.console.settings.document import OPTIONS, on_top_of
from app.console.settings.offers import Names, load_names
from app.console.settings.preview import ShownPreview, ask, counts_of, people_of
from app.console.settings.versions import load_values
from app.console.visit import DetachedVisitDep, Visit, fragment_values, show_fragment
from app.db.session import Session, transaction
from app.sync.assess import Preview, Shown

router = APIRouter(route_class=ConsoleRoute)


@router.post("/accounts/{account_id}/settings/preview", dependencies=[RequireRoleBeforehand])
async def preview_form(visit: DetachedVisitDep) -> Response:
    """Show what the values of the form would change; `show` in the form asks for the people of one count."""
    async with transaction(visit.services.database, visit.account_id) as session:
        form = await _form_on_top(visit, session)
        names = await load_names(visit, session)
    show, cursor = await _wanted_people(visit)
    found = await ask(visit, form.saved_values, form.values, show or Shown.ALL, cursor)
    changes = differences(form.saved_values, form.values, names.fields)
    panel = ShownPreview(changes, {} if isinstance(found, AskedPreview) else found)
    is_fragment = "hx-request" in visit.request.headers
    if not isinstance(found, AskedPreview):
        if is_fragment:
            return show_fragment(visit, "settings_preview.html", **_panel(form, panel, names))
        return await _whole_page(visit, replace(form, mistakes=panel.mistakes))
    if is_fragment and show is None:
        return EventSourceResponse(_stream(visit, form, found, panel, names))
    preview = await found.compute()
    people = people_of(preview, found, names)
    if is_fragment:
        return show_fragment(visit, "settings_people.html", people=people)
    counted = _counted(panel, preview, names)
    return await _whole_page(visit, replace(form, preview=counted, people=people if show else None))


async def _form_on_top(visit: Visit, session: Session) -> Form:
    """Return the form with what the person changed on top of the version in force."""
    saved = await settings.get_settings(visit.account, session, Response())
    sent = await read_sent(visit, session, saved)
    base = await load_values(visit, session, sent.version)
    form = Form(saved, sent.values, sent.note)
    return replace(form, values=on_top_of(form.saved_values, base, sent.values))


async def _wanted_people(visit: Visit) -> tuple[Shown | None, str | None]:
    """Return whose list was asked for, and the cursor of its page: `owners`, or `owners` and a cursor after a space."""
    form = await visit.request.form()
    name, _, cursor = str(form.get("show", "")).partition(" ")
    return (Shown(name), cursor or None) if name in set(Shown) else (None, None)


async def _whole_page(visit: Visit, form: Form) -> Response:
    async with transaction(visit.services.database, visit.account_id) as session:
        return await show_form(visit, session, form, status=422 if form.mistakes else 200)


async def _stream(
    visit: Visit, form: Form, asked: AskedPreview, panel: ShownPreview, names: Names
) -> AsyncIterator[bytes]:
    """Yield the panel with the counts so far, and at the end with all."""
    async for preview in asked.steps():
        counted = _counted(panel, preview, names)
        text = render(
            "settings_preview.html", **_panel(form, counted, names), **fragment_values(visit)
        )
        yield format_sse_event(data_str=text)


def _counted(panel: ShownPreview, preview: Preview, names: Names) -> ShownPreview:
    counts = counts_of(preview.summary, names)
    return replace(panel, counts=counts, people=preview.people, complete=preview.complete)


def _panel(form: Form, panel: ShownPreview, names: Names) -> dict[str, Any]:
    """Return what the panel shows, and the mark of each option of the form beside it."""
    marks = {
        option.place: was(option, form.saved_values, form.values, names.fields)
        for option in OPTIONS
    }
    return {"preview": panel, "marks": marks, "form": form}
