"""People: everyone who was pulled from Clio, in Levitate or not, with tags or with the reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse

from app.api.account_access import SessionDep
from app.api.audience import AudienceDep
from app.api.contacts import ContactQuery, read_contacts
from app.api.deps import NO_NUL
from app.api.new_clients import new_client_body
from app.api.pagination import PageRequest
from app.console.banners import Banners, banner
from app.console.errors import ConsoleRoute
from app.console.names import person_name
from app.console.visit import Visit, VisitDep, show, user_names
from app.console.words import new_clients as new_client_words
from app.db.contacts import clio_contacts, pulled_people, visible_new_clients
from app.db.contacts.contacts import StoredContact
from app.db.contacts.pulled_people import PeopleCounts, PulledPerson
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.rules.profile import names
from app.rules.records import ContactRecord
from app.sync import assess

router = APIRouter(route_class=ConsoleRoute)

PAGE = 25
ALWAYS = frozenset({"Clio", "Person", "Client"})  # a row leaves out what nearly everybody has
Which = Literal["all", "in", "out", "failing"]
Text = Annotated[str, Query(max_length=200, pattern=NO_NUL)]
BANNERS: Banners = {
    "erased": banner("The person is erased.", "Levitate is told to delete the contact."),
}
NO_EMAIL = "No email address in Clio"
YES, NO, UNREAD = ("ok", "Yes"), ("off", "No"), ("bad", "Could not be read")


@dataclass(frozen=True)
class WantedPeople:
    """The people that a page shows: a tab, filters that only those in Levitate can meet, and a place in the list."""

    which: Annotated[Which, Query(alias="show")] = "all"
    tag: Text = ""
    status: Text = ""
    owner: Text = ""
    cursor: Annotated[str | None, Query(max_length=512)] = None

    @property
    def is_filtered(self) -> bool:
        """True if there is a filter."""
        return bool(self.tag or self.status or self.owner)

    def query(self, **other: Any) -> dict[str, Any]:
        """Return the query of another page of the same people."""
        own = {"show": self.which, "tag": self.tag, "status": self.status, "owner": self.owner}
        return {name: value or None for name, value in {**own, **other}.items()}


@dataclass(frozen=True)
class PersonRow:
    """A person as a row shows it: tags if the person is in Levitate, else the reason."""

    href: str
    name: str
    note: str
    state: tuple[str, str]
    tags: Sequence[str] = ()
    reason: str = ""
    owner: str = ""
    automation: str = ""


@dataclass(frozen=True)
class PeopleReader:
    """Reads pages of people for a visit."""

    visit: Visit
    session: Session
    audience: Audience
    owners: dict[str, str]

    async def in_levitate(self, query: ContactQuery) -> tuple[list[PersonRow], str | None]:
        """Return a page of those in Levitate, and the cursor of the next one."""
        rows = await read_contacts(query, self.visit.account, self.audience, self.session)
        return await self._published(rows.items), rows.next_cursor

    async def pulled(self, wanted: WantedPeople) -> tuple[list[PersonRow], str | None]:
        """Return a page of those who were pulled, or of those who are left out."""
        page = PageRequest(wanted.cursor, PAGE).by_number(
            "people", self.visit.account_id, wanted.which
        )
        found = await pulled_people.list_people(
            self.session,
            self.visit.account_id,
            self.audience,
            left_out=wanted.which == "out",
            after=page.after,
            limit=page.fetch,
        )
        rows = page.rows(found, key=lambda one: one.record.clio_id)
        return await self._people(rows.items), rows.next_cursor

    async def unreadable(self, wanted: WantedPeople) -> tuple[list[PersonRow], str | None]:
        """Return a page of records that could not be read."""
        page = PageRequest(wanted.cursor, PAGE).by_number(
            "people", self.visit.account_id, "failing"
        )
        found = await pulled_people.list_unreadable(
            self.session, self.visit.account_id, self.audience, after=page.after, limit=page.fetch
        )
        rows = page.rows(list(found.items()), key=lambda one: one[0])
        return [_unread(self.visit, clio_id) for clio_id, _ in rows.items], rows.next_cursor

    async def search(self, q: str, cursor: str | None) -> tuple[list[PersonRow], str | None]:
        """Return a page of those who match a search. A user finds those in Levitate only [CS-8]."""
        if not self.visit.may_change:
            return await self.in_levitate(ContactQuery(q=q, cursor=cursor, limit=PAGE))
        page = PageRequest(cursor, PAGE).by_number("people-search", self.visit.account_id, q)
        found = await clio_contacts.list_contacts(
            self.session,
            self.visit.account_id,
            q,
            self.audience,
            after=page.after,
            limit=page.fetch,
        )
        rows = page.rows(found, key=lambda one: one.record.clio_id)
        people = [
            PulledPerson(one.record, one.contact_id, one.state)
            for one in rows.items
            if one.record.is_person
        ]
        return await self._people(people), rows.next_cursor

    async def _people(self, found: Sequence[PulledPerson]) -> list[PersonRow]:
        present = [one.record.clio_id for one in found if one.state == "in_scope"]
        loaded = await pulled_people.load_published(
            self.session, self.visit.account_id, self.audience, present
        )
        rows = await self._published(loaded)
        known = {one.clio_id: row for one, row in zip(loaded, rows, strict=True)}
        outside = [one.record.clio_id for one in found if one.record.clio_id not in known]
        decided = await assess.decide_clio_contacts(
            self.visit.services, self.session, self.visit.account_id, outside, self.audience
        )
        return [
            known.get(one.record.clio_id)
            or _outside(self.visit, one, decided.get(one.record.clio_id))
            for one in found
        ]

    async def _published(self, contacts: Sequence[StoredContact]) -> list[PersonRow]:
        ids = [one.clio_id for one in contacts]
        rows = await visible_new_clients.find_by_clio_ids(
            self.session, self.visit.account_id, self.audience, ids
        )
        automations = {
            clio_id: new_client_words.short(new_client_body(row), self.visit.times)
            for clio_id, row in rows.items()
        }
        return [self._row(one, automations.get(one.clio_id, "")) for one in contacts]

    def _row(self, contact: StoredContact, automation: str) -> PersonRow:
        view = contact.view
        person, is_in = view.profile, view.state == "in_scope"
        email = next((one.address for one in person.emails), "")
        owner = view.owner.user_id if view.owner else None
        return PersonRow(
            href=self.visit.url(f"people/{contact.contact_id}"),
            name=person_name(person, email or f"Clio record {contact.clio_id}"),
            note=email or NO_EMAIL,
            state=YES if is_in else NO,
            tags=[tag.label for tag in view.tags if tag.label not in ALWAYS],
            reason="" if is_in else "No longer in Levitate.",
            owner=self.owners.get(owner, "A former user") if owner else "Nobody",
            automation=automation,
        )


def _outside(visit: Visit, one: PulledPerson, decision: assess.ClioDecision | None) -> PersonRow:
    record = one.record
    page = f"people/{one.contact_id}" if one.contact_id else f"people/clio/{record.clio_id}"
    if decision is None:
        reason = "The reason is in records that you do not see in Clio."
    elif decision.assessment.scope.in_scope:
        reason = "Waits to be published."
    else:
        reason = f"{decision.assessment.scope.detail}."
    return PersonRow(visit.url(page), _name(record), _email(record) or NO_EMAIL, NO, reason=reason)


def _unread(visit: Visit, clio_id: int) -> PersonRow:
    return PersonRow(
        visit.url(f"people/clio/{clio_id}"),
        f"Clio record {clio_id}",
        "",
        UNREAD,
        reason="Clio sends this record in a form that cannot be read. Each sync tries again.",
    )


def _name(record: ContactRecord) -> str:
    found = " ".join(part for part in names(record) if part)
    return found or _email(record) or f"Clio record {record.clio_id}"


def _email(record: ContactRecord) -> str | None:
    return next((one.address for one in record.emails if one.address), None)


@router.get("/accounts/{account_id}/people")
async def show_people(
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    wanted: Annotated[WantedPeople, Depends()],
) -> HTMLResponse:
    """Show a page of the people. A user without a role sees those in Levitate."""
    reader = await _reader(visit, session, audience)
    counts = await pulled_people.count_people(session, visit.account_id, audience)
    which: Which = "in" if wanted.is_filtered or not visit.may_change else wanted.which
    if which == "in":
        found = await reader.in_levitate(_contact_query(wanted))
    elif which == "failing":
        found = await reader.unreadable(wanted)
    else:
        found = await reader.pulled(wanted)
    return await _page(reader, found, wanted, counts, which=which)


@router.post("/accounts/{account_id}/people/search")
async def search_people(
    visit: VisitDep,
    session: SessionDep,
    audience: AudienceDep,
    q: Annotated[str, Form(max_length=200, pattern=NO_NUL)] = "",
    cursor: Annotated[str | None, Form(max_length=512)] = None,
) -> HTMLResponse:
    """Show who matches a search. The words are never in an address."""
    reader = await _reader(visit, session, audience)
    counts = await pulled_people.count_people(session, visit.account_id, audience)
    found = await reader.search(q, cursor) if q.strip() else ([], None)
    return await _page(reader, found, WantedPeople(), counts, which="search", q=q)


async def _reader(visit: Visit, session: Session, audience: Audience) -> PeopleReader:
    return PeopleReader(visit, session, audience, await user_names(visit, session))


def _contact_query(wanted: WantedPeople) -> ContactQuery:
    tags = [tag for tag in (wanted.tag, wanted.status) if tag]
    return ContactQuery(
        state="in_scope", tag=tags, owner=wanted.owner or None, cursor=wanted.cursor, limit=PAGE
    )


async def _page(
    reader: PeopleReader,
    found: tuple[list[PersonRow], str | None],
    wanted: WantedPeople,
    counts: PeopleCounts,
    **more: Any,
) -> HTMLResponse:
    rows, next_cursor = found
    owners = sorted(reader.owners.items(), key=lambda one: one[1].casefold())
    shown = {"q": "", **more}
    return await show(
        reader.visit,
        reader.session,
        "people.html",
        banners=BANNERS,
        rows=rows,
        wanted=wanted,
        next_cursor=next_cursor,
        owners=owners[:500],
        counts=counts,
        **shown,
    )
