"""One person: tags, owner and facts, each with its reason; what was not granted; and what happened when."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import (
    clio_contacts,
    connections,
    contact_export,
    contact_history,
    contacts,
    runs,
    schemas,
)
from app.api.account_access import SessionDep
from app.api.acting_user import RequireRole
from app.api.audience import (
    AudienceBeforehand,
    AudienceDep,
    WriterAudience,
    WriterAudienceBeforehand,
)
from app.api.authentication import CallerDep
from app.api.clio_contacts import ClioContactId, Reader
from app.api.contact_history import ContactNotYetKnown
from app.api.deps import ContactId
from app.api.pagination import ListRequest
from app.api.runs import Asker
from app.console.banners import Banners, banner
from app.console.errors import ConsoleRoute
from app.console.matter_links import MatterLinks, matter_ids
from app.console.names import person_name
from app.console.visit import DetachedVisitDep, Visit, VisitDep, show, user_names
from app.console.words import new_clients, people
from app.db.accounts.service_tokens import Scope
from app.db.mirror import matter_numbers
from app.db.mirror.audience import Audience
from app.db.session import Session, transaction
from app.sync.assess import NotPulled
from app.sync.services import clio_web_origin

router = APIRouter(route_class=ConsoleRoute)

EVENTS = 30  # of the history, newest first
BANNERS: Banners = {
    "asked": banner(
        "Clio is asked for this person.",
        "Load this page again in a moment to see what it answered.",
    ),
}


@router.get("/accounts/{account_id}/people/{contact_id}")
async def show_person(
    contact_id: ContactId,
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    as_of: Annotated[date | None, Query()] = None,
) -> HTMLResponse:
    """Show one person who is or was in Levitate."""
    now = await _contact(visit, session, audience, contact_id)
    earlier = await _earlier(visit, session, audience, contact_id, as_of)
    explained = await contacts.explain_contact(contact_id, visit.account, audience, session)
    lines = await _history(visit, session, audience, contact_id)
    names = await user_names(visit, session)
    return await show(
        visit,
        session,
        "person.html",
        banners=BANNERS,
        contact=earlier or now,
        name=_name(earlier or now),
        as_of=as_of,
        is_earlier=earlier is not None,
        is_too_early=as_of is not None and earlier is None,
        explained=explained,
        granted=[
            (tag, [people.grant(one, tag.category) for one in tag.grants]) for tag in explained.tags
        ],
        missing=_missing(explained),
        links=await _links(visit, session, explained),
        automation=new_clients.automation(
            explained.new_client, explained.new_client_waits, visit.times
        ),
        history=[(line, people.change_title(line, names)) for line in lines],
        causes=people.CAUSES,
        names=names,
        viewers=await _viewers(visit, session, explained, names),
        owner_reason=people.owner_reason,
        outcome=people.outcome,
        sentence=people.sentence,
    )


async def _earlier(
    visit: Visit, session: Session, audience: Audience, contact_id: str, as_of: date | None
) -> schemas.Contact | None:
    """Return the contact as it was at the end of a day; None without a day, and before the contact was known."""
    if as_of is None:
        return None
    end = datetime.combine(as_of + timedelta(days=1), time(), visit.times.zone)
    try:
        found = await contact_history.read_as_of(
            session, visit.account_id, contact_id, audience, end
        )
    except ContactNotYetKnown:
        return None
    return schemas.Contact.model_validate(found)


async def _contact(
    visit: Visit, session: Session, audience: Audience, contact_id: str
) -> schemas.Contact:
    """Return the contact as it is now. Raises ContactNotFound."""
    account, services = visit.account, visit.services
    found = await contact_history.get_contact(contact_id, account, audience, services, session)
    return cast("schemas.Contact", found)


def _name(contact: schemas.Contact) -> str:
    """Return the name of a person, or the address of one without a name."""
    address = contact.emails[0].address if contact.emails else f"Clio record {contact.clio_id}"
    return person_name(contact, address)


def _missing(explained: schemas.Decision) -> list[people.NotGrantedWords]:
    considered = explained.owner.considered if explained.owner else []
    first = people.not_active(explained.tags, considered)
    return [*([first] if first else []), *people.not_granted(explained.not_granted)]


async def _history(
    visit: Visit, session: Session, audience: Audience, contact_id: str
) -> list[dict[str, Any]]:
    asked = ListRequest(limit=EVENTS, order="newest")
    rows = await contact_history.read_history(contact_id, visit.account, audience, session, asked)
    return [{**line, "at": datetime.fromisoformat(line["at"])} for line in rows.items]


async def _links(visit: Visit, session: Session, explained: schemas.Decision) -> MatterLinks:
    numbers = await matter_numbers.load_numbers(session, visit.account_id, matter_ids(explained))
    return MatterLinks(clio_web_origin(visit.services, visit.account), numbers)


async def _viewers(
    visit: Visit, session: Session, explained: schemas.Decision, names: Mapping[str, str]
) -> list[tuple[str, schemas.Connection]]:
    """Return the users whose logins see the person, with the logins."""
    listed = await connections.list_connections(visit.account, session, ListRequest(limit=200))
    return [
        (names.get(one.user_id, "A former user"), one)
        for one in listed.data
        if one.id in explained.seen_by
    ]


@router.post("/accounts/{account_id}/people/{contact_id}/ask", dependencies=[RequireRole])
async def ask_clio(
    contact_id: ContactId,
    visit: VisitDep,
    session: SessionDep,
    audience: WriterAudience,
    once: Annotated[str, Form(max_length=64)],
) -> RedirectResponse:
    """Let the logins ask Clio for this person."""
    body = schemas.RunIn(contact_id=contact_id)
    await runs.create_run(body, Asker(visit.account, session, audience), visit.log, once)
    return visit.back(f"people/{contact_id}", done="asked")


@router.get("/accounts/{account_id}/people/{contact_id}/export", dependencies=[RequireRole])
async def export_person(
    contact_id: ContactId, visit: DetachedVisitDep, audience: AudienceBeforehand, caller: CallerDep
) -> Response:
    """Download everything that is held about one person."""
    asker = await contact_export.get_asker(visit.account, audience, visit.log)
    answer = await contact_export.export_contact(contact_id, asker, caller, visit.services)
    answer.headers["Content-Disposition"] = f'attachment; filename="{contact_id}.json"'
    return answer


@router.get("/accounts/{account_id}/people/{contact_id}/erase", dependencies=[RequireRole])
async def confirm_erasure(
    contact_id: ContactId, visit: VisitDep, session: SessionDep, audience: AudienceDep
) -> HTMLResponse:
    """Ask whether a person should be erased, and say what that means."""
    contact = await _contact(visit, session, audience, contact_id)
    return await show(visit, session, "erase.html", contact=contact, name=_name(contact))


@router.post("/accounts/{account_id}/people/{contact_id}/erase", dependencies=[RequireRole])
async def erase_person(
    contact_id: ContactId, visit: DetachedVisitDep, audience: WriterAudienceBeforehand
) -> RedirectResponse:
    """Erase a person for good."""
    await contacts.delete_contact(
        contact_id, visit.account, visit.actor, audience, visit.services, Response()
    )
    return visit.back("people", done="erased")


@router.get("/accounts/{account_id}/people/clio/{clio_id}", dependencies=[RequireRole])
async def show_clio_person(
    clio_id: ClioContactId,
    visit: DetachedVisitDep,
    audience: AudienceBeforehand,
    look: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """Show a person of Clio who is not in Levitate: the reason, and what would bring the person there."""
    reader = Reader(visit.account, audience, visit.log, Scope.ADMIN)
    found, is_asked = None, False
    try:
        found = await clio_contacts.explain_clio_contact(clio_id, reader, visit.services, look)
    except NotPulled as unknown:
        is_asked = "run_id" in unknown.members
    async with transaction(visit.services.database, visit.account_id) as session:
        if found is None:
            return await show(
                visit, session, "not_pulled.html", status=404, clio_id=clio_id, is_asked=is_asked
            )
        return await show(
            visit,
            session,
            "clio_person.html",
            found=found,
            name=found.name or f"Clio record {found.clio_id}",
            links=await _links(visit, session, found.decision),
            sentence=people.sentence,
            clio=f"{clio_web_origin(visit.services, visit.account)}/nc/#/contacts/{found.clio_id}",
        )
