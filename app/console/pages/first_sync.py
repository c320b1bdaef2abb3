"""The first sync of a firm: how far it is, and with `after_review` what it would publish and the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import issues, runs, schemas
from app.api.account_access import SessionDep
from app.api.acting_user import RequireRole
from app.api.audience import AudienceDep, WriterAudience
from app.api.deps import HoldId
from app.api.issues import HoldRequest
from app.api.pagination import ListRequest
from app.console.banners import Banner, Banners, count_in
from app.console.errors import ConsoleRoute
from app.console.pages.progress import newest_people
from app.console.visit import Visit, VisitDep, show, user_names
from app.console.words.left_out import left_out
from app.db.contacts import holds
from app.db.runs.run_list import RunFilter
from app.db.session import Session

router = APIRouter(route_class=ConsoleRoute)

SHOWN_TAGS, SHOWN_OWNERS = 8, 6
BANNERS: Banners = {
    "emit": lambda query: Banner(
        f"{count_in(query):,} people enter Levitate now, and their automations start.",
        "A sync does it; it takes about a minute for 10,000 people.",
    ),
    "hold": lambda query: Banner(
        f"{count_in(query):,} people enter Levitate now.",
        "Their automations wait in Automations and holds.",
    ),
    "suppress": lambda query: Banner(
        f"{count_in(query):,} people enter Levitate now, without automations.",
        "People who become clients after today get theirs.",
    ),
}


@dataclass(frozen=True)
class Review:
    """The effect of a release of the first publication, with the names of the owners."""

    hold: schemas.Hold
    summary: schemas.PreviewSummary
    tags: Sequence[tuple[str, int]]
    owners: Sequence[tuple[str, str | None, int]]
    reasons: Sequence[tuple[str, int]]

    @property
    def left_out(self) -> int:
        """The number of people who would stay out."""
        return sum(n for _, n in self.reasons)


@router.get("/accounts/{account_id}/first-sync")
async def show_first_sync(
    visit: VisitDep, session: SessionDep, audience: AudienceDep
) -> HTMLResponse:
    """Show how far the first sync is, what it would publish, or how it ended."""
    first = await runs.list_runs(
        visit.account,
        visit.services,
        session,
        ListRequest(limit=1, order="oldest"),
        RunFilter(kind="initial"),
    )
    run = first.data[0] if first.data else None
    waiting = await issues.list_holds(visit.account, audience, session, ListRequest(), "open")
    review = next((hold for hold in waiting.data if hold.kind == "first_publication"), None)
    return await show(
        visit,
        session,
        "first_sync.html",
        banners=BANNERS,
        run=run,
        running=run,
        shown_tags=SHOWN_TAGS,
        shown_owners=SHOWN_OWNERS,
        review=await _review(visit, session, review) if review else None,
        hides=review is not None and review.summary is None,
        after_review=visit.account.fields.publish == "after_review",
        people=await newest_people(visit, session, audience),
    )


async def _review(visit: Visit, session: Session, hold: schemas.Hold) -> Review | None:
    summary = hold.summary
    if not isinstance(summary, schemas.PreviewSummary):
        return None
    names = await user_names(visit, session)
    reasons = summary.by_state_reason.items()
    return Review(
        hold=hold,
        summary=summary,
        tags=sorted(summary.tags_added.items(), key=lambda one: (-one[1], one[0])),
        owners=[(_owner_name(one, names), one.user_id, one.n) for one in summary.by_owner],
        reasons=[(left_out(reason), n) for reason, n in sorted(reasons, key=lambda one: -one[1])],
    )


def _owner_name(one: schemas.OwnerCount, names: dict[str, str]) -> str:
    if one.user_id is None:
        return "Nobody"
    return names.get(one.user_id, "A user who is no longer listed")


@router.post("/accounts/{account_id}/first-sync/decision/{hold_id}", dependencies=[RequireRole])
async def decide(
    hold_id: HoldId,
    visit: VisitDep,
    session: SessionDep,
    audience: WriterAudience,
    decision: Annotated[Literal["emit", "suppress", "hold", "settings"], Form()],
) -> RedirectResponse:
    """Publish everybody who waits, with or without automations; or go to the settings and decide nothing."""
    if decision == "settings":
        return visit.back("settings")
    held = await holds.get_hold(session, visit.account_id, hold_id)
    request = HoldRequest(hold_id, visit.account_id, visit.actor, audience, visit.services.now())
    await issues.release_hold(request, session, schemas.ReleaseDecision(new_clients=decision))
    return visit.back("first-sync", done=decision, n=held.count)
