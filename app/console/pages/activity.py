"""Activity: who did what, and the syncs with their reports."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from app.api import audit, run_reports, runs
from app.api.account_access import SessionDep
from app.api.audience import AudienceBeforehand, AudienceDep
from app.api.authentication import CallerDep
from app.api.deps import NO_NUL, RunId
from app.api.pagination import ListRequest
from app.console.errors import ConsoleRoute
from app.console.names import sentence
from app.console.visit import DetachedVisitDep, Visit, VisitDep, show, user_names
from app.console.words import runs as run_words
from app.console.words.audit import deed, who
from app.db.accounts import console_sessions
from app.db.accounts.audit import AuditFilter
from app.db.runs.run_list import RunFilter
from app.db.session import Session

router = APIRouter(route_class=ConsoleRoute)

PAGE = 50
Cursor = Annotated[str | None, Query(max_length=512)]
Status = Literal["queued", "running", "succeeded", "interrupted", "failed", "cancelled"]


@router.get("/accounts/{account_id}/activity")
async def show_activity(
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    person: Annotated[str, Query(max_length=128, pattern=NO_NUL)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """Show what people did, newest first."""
    page = await audit.list_audit(
        visit.account,
        audience,
        session,
        ListRequest(cursor, PAGE, "newest"),
        AuditFilter(person or None),
    )
    names = await _names(visit, session)
    return await show(
        visit,
        session,
        "activity.html",
        entries=[(one, who(one, names), deed(one, names)) for one in page.data],
        page=page,
        cursor=cursor,
        chosen=person,
        people=sorted(names.items(), key=lambda one: one[1].casefold())[:500],
    )


async def _names(visit: Visit, session: Session) -> dict[str, str]:
    """Return the names of the firm's users, and of others who were in the console lately."""
    visitors = await console_sessions.list_names(session, visit.account_id)
    return visitors | await user_names(visit, session)


@router.get("/accounts/{account_id}/activity/syncs")
async def show_syncs(
    visit: VisitDep,
    session: SessionDep,
    status: Annotated[Status | None, Query()] = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Show the syncs, newest first."""
    page = await runs.list_runs(
        visit.account,
        visit.services,
        session,
        ListRequest(cursor, PAGE, "newest"),
        RunFilter(status=status),
    )
    return await show(
        visit,
        session,
        "syncs.html",
        syncs=[(run, run_words.title(run)) for run in page.data],
        page=page,
        cursor=cursor,
        wanted_status=status,
        states=run_words.STATES,
    )


@router.get("/accounts/{account_id}/activity/syncs/{run_id}")
async def show_sync(run_id: RunId, visit: VisitDep, session: SessionDep) -> HTMLResponse:
    """Show one sync: what it read and changed, and its problems."""
    run = await runs.get_run(run_id, visit.account, visit.services, session)
    names = await _names(visit, session)
    return await show(
        visit,
        session,
        "sync.html",
        run=run,
        title=run_words.title(run),
        state=run_words.STATES.get(run.status, ("off", run.status)),
        problems=[sentence(one.detail, names) for one in run.problems],
    )


@router.get("/accounts/{account_id}/activity/syncs/{run_id}/report")
async def download_report(
    run_id: RunId,
    visit: DetachedVisitDep,
    audience: AudienceBeforehand,
    caller: CallerDep,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "csv",
) -> Response:
    """Download the report of a sync: everybody whom it changed."""
    await runs.require_run(run_id, visit.account, visit.services)
    answer = await run_reports.get_run_report(
        run_id, visit.account, audience, caller, visit.services, form
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{run_id}.{form}"'
    return answer
