"""The progress of a sync that moves by itself: server-sent events with the parts of pages that show it."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from app.api import runs
from app.api.runs import Ended
from app.console.errors import ConsoleRoute
from app.console.rendering import render
from app.console.visit import DetachedVisitDep, Visit, fragment_values
from app.db.runs.runs import newest_run
from app.db.session import transaction

router = APIRouter(route_class=ConsoleRoute)

PARTS = {"banner": "progress_banner.html", "panel": "progress_panel.html"}


@router.get("/accounts/{account_id}/progress")
async def follow_progress(
    visit: DetachedVisitDep,
    ended: Ended,
    part: Annotated[Literal["banner", "panel"], Query()] = "banner",
) -> Response:
    """Stream a part of a page for the newest sync until it has ended; nothing if there is none."""
    async with transaction(visit.services.database, visit.account_id) as session:
        newest = await newest_run(session, visit.account_id)
    if newest is None:
        return Response(status_code=204)
    follow = runs.follow_run(newest.run_id, visit.account, visit.services, ended)
    return EventSourceResponse(_parts(visit, PARTS[part], follow))


async def _parts(
    visit: Visit, template: str, follow: AsyncIterator[object]
) -> AsyncIterator[bytes]:
    async for event in follow:
        run = getattr(event, "data")  # noqa: B009
        text = render(template, running=run, **fragment_values(visit))
        yield format_sse_event(data_str=text)
