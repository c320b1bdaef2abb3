"""The progress of a sync that moves by itself: server-sent events with the parts of pages that show it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent, format_sse_event

from app.api import runs
from app.api.audience import AudienceBeforehand
from app.api.runs import Ended
from app.console.errors import ConsoleRoute
from app.console.rendering import render
from app.console.visit import DetachedVisitDep, Visit, fragment_values
from app.db.contacts import visible_contacts
from app.db.contacts.contact_lists import ContactFilter
from app.db.contacts.contacts import StoredContact
from app.db.list_pages import ListPage
from app.db.mirror.audience import Audience
from app.db.runs.runs import newest_run
from app.db.session import Session, transaction

router = APIRouter(route_class=ConsoleRoute)

SHOWN_PEOPLE = 5  # of those who came last


@router.get("/accounts/{account_id}/progress")
async def follow_progress(
    visit: DetachedVisitDep,
    audience: AudienceBeforehand,
    ended: Ended,
    part: Annotated[Literal["banner", "panel"], Query()] = "banner",
) -> Response:
    """Stream a part of a page for the newest sync until it has ended; nothing if there never was one."""
    async with transaction(visit.services.database, visit.account_id) as session:
        newest = await newest_run(session, visit.account_id)
    if newest is None:
        return Response(status_code=204)
    events = runs.follow_run(newest.run_id, visit.account, visit.services, ended)
    parts = _banners(visit, events) if part == "banner" else _panels(visit, audience, events)
    return EventSourceResponse(parts)


async def _banners(visit: Visit, events: AsyncIterator[ServerSentEvent]) -> AsyncIterator[bytes]:
    async for event in events:
        yield _part("progress_banner.html", running=event.data, **fragment_values(visit))


async def _panels(
    visit: Visit, audience: Audience, events: AsyncIterator[ServerSentEvent]
) -> AsyncIterator[bytes]:
    async for event in events:
        async with transaction(visit.services.database, visit.account_id) as session:
            people = await newest_people(visit, session, audience)
        values = {"running": event.data, "people": people, **fragment_values(visit)}
        yield _part("progress_panel.html", **values)


def _part(template: str, **values: Any) -> bytes:
    return format_sse_event(data_str=render(template, **values))


async def newest_people(visit: Visit, session: Session, audience: Audience) -> list[StoredContact]:
    """Return the people who entered Levitate last."""
    page = ListPage(SHOWN_PEOPLE, (), order="newest")
    wanted = ContactFilter(state="in_scope")
    return await visible_contacts.list_contacts(session, visit.account_id, wanted, audience, page)
