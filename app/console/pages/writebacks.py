"""Writebacks: whether an activity arrived in Clio, and if not, who can help."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import accounts, activities
from app.api.account_access import SessionDep
from app.api.acting_user import RequireRole
from app.api.activities import AskedActivity
from app.api.audience import AudienceDep, WriterAudience
from app.api.deps import NO_NUL, ActivityId
from app.api.pagination import ListRequest
from app.console.banners import Banners, banner
from app.console.errors import ConsoleRoute
from app.console.visit import VisitDep, show
from app.console.words import writebacks as words
from app.db.contacts import pulled_people
from app.db.outbox.activities import ActivityFilter

router = APIRouter(route_class=ConsoleRoute)

PAGE = 50
BANNERS: Banners = {
    "retried": banner("It is tried again.", "Levitate first looks whether Clio has it already."),
    "cancelled": banner("It is cancelled.", "Nothing was written to Clio."),
}
Status = Literal["queued", "sending", "written", "skipped", "blocked", "failed", "cancelled"]
Kind = Literal["email", "note", "phone_call", "handwritten_card", "text_message"]
Text = Annotated[str, Query(max_length=128, pattern=NO_NUL)]


@dataclass(frozen=True)
class WantedActivities:
    """The activities that the page shows."""

    status: Annotated[Status | Literal[""], Query()] = ""
    kind: Annotated[Kind | Literal[""], Query()] = ""
    user: Text = ""
    contact: Text = ""
    cursor: Annotated[str | None, Query(max_length=512)] = None

    def query(self, **other: str | None) -> dict[str, str | None]:
        """Return the query of another page of the same activities."""
        own = {"status": self.status, "kind": self.kind, "user": self.user, "contact": self.contact}
        return {name: value or None for name, value in {**own, **other}.items()}


@router.get("/accounts/{account_id}/writebacks")
async def show_writebacks(
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    wanted: Annotated[WantedActivities, Depends()],
) -> HTMLResponse:
    """Show activities with their state, newest first. Their texts are not shown."""
    asked = ListRequest(wanted.cursor, PAGE, "newest")
    chosen = ActivityFilter(
        wanted.contact or None, wanted.status or None, wanted.kind or None, wanted.user or None
    )
    page = await activities.list_activities(
        visit.account, audience, visit.services, session, asked, chosen
    )
    users = (await accounts.get_users(visit.account, session)).users
    ids = {int(one.clio_contact_id) for one in page.data if one.clio_contact_id}
    people = await pulled_people.load_published(session, visit.account_id, audience, ids)
    return await show(
        visit,
        session,
        "writebacks.html",
        banners=BANNERS,
        page=page,
        wanted=wanted,
        users=users[:500],
        names={user.id: user.name for user in users},
        people={str(one.clio_id): one for one in people},
        kinds=words.KINDS,
        states=words.STATES,
        reason=words.reason,
    )


@router.post("/accounts/{account_id}/writebacks/{activity_id}/retry", dependencies=[RequireRole])
async def retry_writeback(
    activity_id: ActivityId, visit: VisitDep, session: SessionDep, audience: WriterAudience
) -> RedirectResponse:
    """Try a failed or blocked activity again."""
    asked = AskedActivity(visit.account, activity_id, audience)
    await activities.retry_activity(asked, visit.log, visit.services, session, Response())
    return visit.back("writebacks", done="retried")


@router.post("/accounts/{account_id}/writebacks/{activity_id}/cancel", dependencies=[RequireRole])
async def cancel_writeback(
    activity_id: ActivityId, visit: VisitDep, session: SessionDep, audience: WriterAudience
) -> RedirectResponse:
    """Cancel an activity that is certainly not in Clio yet."""
    await activities.cancel_activity(
        activity_id, visit.account, visit.log, audience, visit.services, session
    )
    return visit.back("writebacks", done="cancelled")
