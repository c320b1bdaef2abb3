"""Automations and holds: what waits for a person, who it is about, and the decision for all or for some."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from app.api import issues, new_clients, schemas
from app.api.account_access import SessionDep
from app.api.acting_user import RequireRole
from app.api.audience import AudienceDep, WriterAudience
from app.api.deps import HoldId, NewClientId
from app.api.issues import HoldRequest
from app.api.new_client_decisions import Decider, decide_new_clients
from app.api.pagination import ListRequest, PageRequest
from app.console.banners import Banner, Banners, banner, count_in
from app.console.errors import ConsoleRoute
from app.console.visit import Visit, VisitDep, show, user_names
from app.console.words import holds as hold_words
from app.console.words import new_clients as new_client_words
from app.console.words.people import change_title
from app.db.contacts import holds, pulled_people, visible_holds
from app.db.contacts.contacts import StoredContact
from app.db.contacts.new_clients import NewClientFilter
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.sync import assess

router = APIRouter(route_class=ConsoleRoute)

PAGE = 50
BANNERS: Banners = {
    "released": lambda query: Banner(
        f"Decided for {count_in(query):,}: it is carried out.", "It takes up to a minute."
    ),
    "discarded": lambda query: Banner(f"Decided for {count_in(query):,}: it is not carried out."),
    "replayed": banner(
        "The automation is started once more.", "Levitate gets another event for this person."
    ),
}
OF_HOLD: Banners = {
    "nobody": banner(
        "Nothing was decided.", "Choose at least one person, or decide for all.", "warn"
    ),
}
Status = Literal["held", "emitted", "suppressed"]


@router.get("/accounts/{account_id}/holds")
async def show_holds(
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    status: Annotated[Status, Query()] = "held",
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> HTMLResponse:
    """Show what waits, what was decided, and the automations by state."""
    account = visit.account
    waiting = await issues.list_holds(account, audience, session, ListRequest(), "open")
    newest = ListRequest(limit=20, order="newest")
    every = await issues.list_holds(account, audience, session, newest, None)
    asked = ListRequest(cursor, 25, "newest", count=True)
    rows = await new_clients.list_new_clients(
        account, audience, session, asked, NewClientFilter(status=status)
    )
    return await show(
        visit,
        session,
        "holds.html",
        banners=BANNERS,
        waiting=[(one, hold_words.describe(one.kind, one.count)) for one in waiting.data],
        decided=[one for one in every.data if one.status != "open"],
        names=await user_names(visit, session),
        rows=await _with_people(visit, session, audience, rows.data),
        page=rows,
        wanted_status=status,
        cursor=cursor,
        kinds=hold_words.KINDS,
        decisions=hold_words.DECIDED,
        states=new_client_words.STATES,
        waits_for=new_client_words.WAITS_FOR,
        origins=new_client_words.ORIGINS,
    )


async def _with_people(
    visit: Visit, session: Session, audience: Audience, rows: list[schemas.NewClient]
) -> list[tuple[schemas.NewClient, StoredContact | None]]:
    ids = [int(row.clio_id) for row in rows]
    found = await pulled_people.load_published(session, visit.account_id, audience, ids)
    people = {contact.clio_id: contact for contact in found}
    return [(row, people.get(int(row.clio_id))) for row in rows]


@router.get("/accounts/{account_id}/holds/{hold_id}")
async def show_hold(
    hold_id: HoldId,
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> HTMLResponse:
    """Show who waits in a hold, and what each decision would do."""
    hold = await holds.get_hold(session, visit.account_id, hold_id)
    counted = await visible_holds.count_items(session, visit.account_id, audience, [hold_id])
    page = PageRequest(cursor, PAGE).by_number("hold-items", visit.account_id, hold_id)
    asked = assess.AskedItems(visit.account_id, hold_id, audience)
    found = await assess.list_hold_items(
        visit.services, session, asked, after=page.after, limit=page.fetch
    )
    rows = page.rows(found, key=lambda item: item.clio_id)
    names = await user_names(visit, session)
    return await show(
        visit,
        session,
        "hold.html",
        banners=OF_HOLD,
        hold=hold,
        count=counted[hold_id],
        words=hold_words.describe(hold.kind, counted[hold_id]),
        items=[(item, _change(item, names)) for item in rows.items],
        next_cursor=rows.next_cursor,
        cursor=cursor,
    )


def _change(item: assess.HoldItem, names: dict[str, str]) -> str:
    return change_title(item.change, names) if item.change else ""


class HoldForm(BaseModel):
    """The decision of the form: about everybody who waits, or about those who were chosen."""

    decision: Literal["release", "discard"]
    whom: Literal["all", "chosen"] = "all"
    item: Annotated[list[str], Field(max_length=PAGE)] = []

    @property
    def ids(self) -> list[str] | None:
        """The ids of those who were chosen, None for all."""
        return self.item if self.whom == "chosen" else None


@router.post("/accounts/{account_id}/holds/{hold_id}/decide", dependencies=[RequireRole])
async def decide_hold(
    hold_id: HoldId,
    visit: VisitDep,
    session: SessionDep,
    audience: WriterAudience,
    form: Annotated[HoldForm, Form()],
) -> RedirectResponse:
    """Decide about a hold, or about the chosen people of it. Choosing nobody decides nothing."""
    ids = form.ids
    if ids == []:
        return visit.back(f"holds/{hold_id}", done="nobody")
    request = HoldRequest(hold_id, visit.account_id, visit.actor, audience, visit.services.now())
    held = await holds.get_hold(session, visit.account_id, hold_id)
    n = len(ids) if ids else held.count
    if form.decision == "release":
        await issues.release_hold(request, session, schemas.ReleaseDecision(ids=ids))
        return visit.back("holds", done="released", n=n)
    await issues.discard_hold(request, session, schemas.HoldDecision(ids=ids))
    return visit.back("holds", done="discarded", n=n)


@router.post("/accounts/{account_id}/new-clients/decide", dependencies=[RequireRole])
async def decide_automations(
    visit: VisitDep,
    session: SessionDep,
    audience: WriterAudience,
    action: Annotated[Literal["release", "suppress"], Form()],
    once: Annotated[str, Form(max_length=64)],
    new_client: Annotated[list[str], Form(min_length=1, max_length=200)],
) -> RedirectResponse:
    """Start the automation of these new clients who wait, or never start it."""
    decider = Decider(visit.account_id, visit.actor, audience, visit.services)
    body = schemas.ManyNewClients(action=action, ids=new_client)
    await decide_new_clients(body, decider, session, once)
    done = "released" if action == "release" else "discarded"
    return visit.back("holds", done=done, n=len(new_client))


@router.post(
    "/accounts/{account_id}/new-clients/{new_client_id}/replay", dependencies=[RequireRole]
)
async def replay_automation(
    new_client_id: NewClientId, visit: VisitDep, session: SessionDep, audience: WriterAudience
) -> RedirectResponse:
    """Start the automation of a new client once more."""
    found: Any = (new_client_id, visit.account, visit.actor, audience, visit.services, session)
    await new_clients.replay_new_client(*found)
    return visit.back("holds", done="replayed", status="emitted")
