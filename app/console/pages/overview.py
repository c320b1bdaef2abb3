"""The overview says whether the integration is on, whether it is well, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import accounts, issues, runs, schemas
from app.api.account_access import SessionDep
from app.api.account_changes import AccountChange, etag_of, patch_account
from app.api.acting_user import RequireRole
from app.api.audience import AudienceDep, WriterAudience
from app.api.pagination import ListRequest
from app.api.runs import Asker
from app.console import charts
from app.console.banners import Banners, banner
from app.console.errors import ConsoleRoute
from app.console.seats import list_seats
from app.console.todos import list_todos
from app.console.visit import Visit, VisitDep, show
from app.console.words import health as health_words
from app.db.contacts import visible_contacts
from app.db.contacts.contact_lists import ContactFilter
from app.db.list_pages import ListPage
from app.db.mirror.audience import Audience
from app.db.runs import half_days
from app.db.runs.run_list import RunFilter
from app.db.session import Session

router = APIRouter(route_class=ConsoleRoute)

SHOWN_SEATS = 12  # users, unless all are wanted
MOST_LINKS = 25  # that one button makes
DAYS = 30  # of the chart of syncs
REGIONS = {"us": "the United States", "eu": "Europe", "ca": "Canada", "au": "Australia"}
STATUSES = (  # the client statuses in the order of the bar, and what each means
    ("Active Client", "at least one open matter"),
    ("Pending Client", "only pending and closed matters"),
    ("Past Client", "only closed matters"),
)
NO_MATTER = ("Client, no matter visible", "Clio says client, no login sees a matter")
BANNERS: Banners = {
    "sync": banner("A sync is starting.", "You may close this window."),
    "issue": banner("Marked as done.", "It opens again if its cause is found again."),
    "on": banner("The integration is switched on.", "The next sync reads what has changed since."),
    "off": banner("The integration is switched off.", "People stay in Levitate as they are now."),
}


@dataclass(frozen=True)
class Syncs:
    """The last sync that read Clio, and those of the last 30 days."""

    last: schemas.Run | None
    strip: charts.Strip
    total: int
    failed: int


@router.get("/accounts/{account_id}")
async def show_overview(
    visit: VisitDep, session: SessionDep, audience: AudienceDep
) -> HTMLResponse:
    """Show the health of the firm's integration, who is connected, and what waits."""
    return await overview(visit, session, audience)


async def overview(
    visit: Visit,
    session: Session,
    audience: Audience,
    links: Mapping[str, Any] = MappingProxyType({}),
) -> HTMLResponse:
    """Return the overview; `links` are connect links that were made now, by user."""
    query = visit.request.query_params
    found = await accounts.get_status(visit.account, audience, visit.services, session)
    users = (await accounts.get_users(visit.account, session)).users
    seats = await list_seats(visit, session, users)
    todos = await list_todos(visit, session, audience, seats)
    codes = [one.code for one in found.health_reasons]
    sentence = health_words.sentence(
        found.health,
        codes,
        len(todos),
        ever_connected=any(seat.login and seat.login.connected_at for seat in seats),
    )
    return await show(
        visit,
        session,
        "overview.html",
        banners=BANNERS,
        found=found,
        region=REGIONS.get(visit.account.clio.region) if visit.account.clio else None,
        health=sentence,
        todos=todos,
        seats=seats,
        connected=sum(seat.works for seat in seats),
        links=links,
        coverage={one.connection_id: one.full_view for one in found.coverage},
        missing=[one for one in seats if one.user.active and not one.works][:MOST_LINKS],
        shown_seats=len(seats) if links or query.get("users") == "all" else SHOWN_SEATS,
        meanings=dict([*STATUSES, NO_MATTER]),
        etag=etag_of(visit.account),
        offered=[(region.value, REGIONS[region.value]) for region in visit.services.regions],
        bar=await _status_bar(visit, session, audience, found.contacts.in_scope),
        syncs=await _syncs(visit, session),
        running=found.run if found.run and found.run.finished_at is None else None,
    )


async def _status_bar(
    visit: Visit, session: Session, audience: Audience, in_scope: int
) -> list[charts.Part]:
    """Return those in Levitate by their client status. Whoever has none is the rest."""
    counts = []
    for label, _ in STATUSES:
        wanted = ContactFilter(state="in_scope", tag=label)
        found = (session, visit.account_id, wanted, audience, ListPage(1, ()))
        counts.append((label, await visible_contacts.count_contacts(*found)))
    rest = max(0, in_scope - sum(n for _, n in counts))
    return charts.bar([*counts, (NO_MATTER[0], rest)])


async def _syncs(visit: Visit, session: Session) -> Syncs:
    since = visit.services.now() - timedelta(days=DAYS)
    zone = visit.account.fields.time_zone
    found = await half_days.count_half_days(session, visit.account_id, zone, since=since)
    newest = await runs.list_runs(
        visit.account,
        visit.services,
        session,
        ListRequest(limit=20, order="newest"),
        RunFilter(status="succeeded"),
    )
    reading = [run for run in newest.data if run.reads == "lists"]
    return Syncs(
        last=reading[0] if reading else None,
        strip=charts.strip(found, visit.times, DAYS),
        total=sum(one.syncs for one in found),
        failed=sum(one.failed for one in found),
    )


@router.post("/accounts/{account_id}/syncs", dependencies=[RequireRole])
async def sync_now(
    visit: VisitDep,
    session: SessionDep,
    audience: WriterAudience,
    once: Annotated[str, Form(max_length=64)],
) -> RedirectResponse:
    """Request a sync of what has changed."""
    asker = Asker(visit.account, session, audience)
    await runs.create_run(schemas.RunIn(kind="incremental"), asker, visit.log, once)
    return visit.back(done="sync")


@router.post("/accounts/{account_id}/switch", dependencies=[RequireRole])
async def switch(
    visit: VisitDep,
    session: SessionDep,
    enabled: Annotated[bool, Form()],
    etag: Annotated[str, Form(max_length=200)],
) -> RedirectResponse:
    """Switch the integration on or off, unless the account has changed since the page was shown."""
    change = AccountChange(session, visit.account_id, visit.actor, visit.services.now())
    await patch_account(change, None, {"enabled": enabled}, Response(), etag)
    return visit.back(done="on" if enabled else "off")


@router.post("/accounts/{account_id}/issues/{issue_id}/resolve", dependencies=[RequireRole])
async def mark_issue_done(
    issue_id: str, visit: VisitDep, session: SessionDep, audience: WriterAudience
) -> RedirectResponse:
    """Mark an issue as done."""
    await issues.resolve_issue(
        issue_id, visit.account, visit.services, session, visit.actor, audience
    )
    return visit.back(done="issue")
