"""Contacts as they may be shown to an audience: those whom it sees, without the parts whose reasons it does not see.

Where everybody is shown, no further statement is made.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from app.db.contacts import contact_lists, contacts, tables
from app.db.contacts.contact_lists import ContactFilter, PageAsked
from app.db.contacts.contacts import (
    STORED,
    ContactNotFound,
    ExplainedContact,
    StoredContact,
    explanations,
    stored_contacts,
)
from app.db.json_codec import as_bytes
from app.db.list_pages import ListPage
from app.db.mirror import audience as audiences
from app.db.mirror.audience import Audience
from app.db.mirror.search_words import load_country
from app.db.session import Session, any_of
from app.rules.results import Assessment
from app.rules.search_words import has_terms, parse_search, words_of_profile
from app.rules.texts import compared
from app.rules.visible_parts import Seen, named_matters, visible_assessment, visible_view

AT_ONCE = 200  # contacts that one statement reads, of which only some may be wanted

_table = tables.contacts
_EXPLAINED = (
    *STORED,
    _table.c.run_id,
    as_bytes(_table.c.view).label("text"),
    as_bytes(_table.c.explanation).label("reasons"),
)


@dataclass(frozen=True)
class Asked:
    """The contacts, by Clio id, of whom to find out what a login sees, and further matters and companies to look at.

    With `explain` it is found out for each whether the login sees all matters, else for those who are not in scope.
    """

    assessments: Mapping[int, Assessment]
    matters: Collection[int] = ()
    companies: Collection[int] = ()
    explain: bool = False


async def get_explained(
    session: Session, account_id: str, contact_id: str, audience: Audience
) -> ExplainedContact:
    """Return one contact with its explanation, as the audience may be shown it; raises ContactNotFound."""
    found = await contacts.get_explained(session, account_id, contact_id, audience)
    shown = await _limit(session, account_id, audience, [found], explain=True)
    if not shown:  # the login has lost it just now
        raise ContactNotFound
    return shown[0]


async def list_contacts(
    session: Session, account_id: str, wanted: ContactFilter, audience: Audience, page: ListPage
) -> list[StoredContact]:
    """Return a page of contacts, as the audience may be shown them."""
    if audience.login is None:
        return await contact_lists.list_contacts(session, account_id, wanted, page)
    found: list[StoredContact] = []
    async for some in _wanted_contacts(session, account_id, PageAsked(wanted, page, audience)):
        found += some
        if len(found) >= page.limit:
            break
    return found[: page.limit]


async def count_contacts(
    session: Session, account_id: str, wanted: ContactFilter, audience: Audience, page: ListPage
) -> int:
    """Return how many contacts all pages of a list have together for the audience."""
    asked = PageAsked(wanted, replace(page, after=()), audience)
    if audience.login is None or not _looks_at_parts(wanted):
        return await contact_lists.count_contacts(session, account_id, asked)
    total = 0
    async for some in _wanted_contacts(session, account_id, asked):
        total += len(some)
    return total


async def _wanted_contacts(
    session: Session, account_id: str, asked: PageAsked
) -> AsyncIterator[list[StoredContact]]:
    """Yield the contacts that are wanted and shown, those of one statement at a time."""
    country = await load_country(session, account_id)
    page, looks = asked.page, _looks_at_parts(asked.wanted)
    page = replace(page, limit=max(page.limit, AT_ONCE) if looks else page.limit)
    while True:
        rows = await _read(session, account_id, replace(asked, page=page))
        shown = [one.contact for one in await _limit(session, account_id, asked.audience, rows)]
        yield [one for one in shown if _is_wanted(one, asked.wanted, country)]
        if len(rows) < page.limit:
            return
        last = rows[-1].contact
        by_time = (last.first_synced_at, last.contact_id)
        page = replace(page, after=by_time if page.order else by_time[1:])


async def load_by_clio_id(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> dict[int, ExplainedContact]:
    """Return those of these published contacts whom the audience sees, by Clio id, with all parts."""
    rows = await session.execute(
        select(*_EXPLAINED)
        .where(_table.c.account_id == account_id, any_of(_table.c.clio_id, clio_ids))
        .where(*audience.limited_to("contacts", account_id, _table.c.clio_id))
    )
    return {one.contact.clio_id: one for one in _explained(rows.all())}


async def load_visible(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> list[ExplainedContact]:
    """Return the same contacts with the parts that the audience may be shown."""
    known = await load_by_clio_id(session, account_id, audience, clio_ids)
    return await _limit(session, account_id, audience, [*known.values()])


async def load_seen(
    session: Session, account_id: str, audience: Audience, asked: Asked
) -> dict[int, Seen]:
    """Return what a login sees of these contacts, by Clio id; those whom it does not see are absent."""
    of = asked.assessments
    fields = await audiences.load_shown_fields(session, account_id, audience, of.keys())
    matters = {*asked.matters, *(matter for one in of.values() for matter in named_matters(one))}
    companies = {
        *asked.companies,
        *(one.profile.company.clio_id for one in of.values() if one.profile.company),
    }
    seen_matters = await audiences.find_seen(session, account_id, audience, "matters", matters)
    seen_companies = await audiences.find_seen(session, account_id, audience, "contacts", companies)
    unsure = {key for key in fields if asked.explain or not of[key].scope.in_scope}
    partly = await audiences.find_partly_seen(session, account_id, audience, unsure)
    return {
        clio_id: Seen(seen_matters, seen_companies, shown, whole=clio_id in unsure - partly)
        for clio_id, shown in fields.items()
    }


def limit_explained(found: ExplainedContact, seen: Seen) -> ExplainedContact:
    """Return a contact with the parts that a login may be shown."""
    assessment = visible_assessment(found.assessment, seen)
    view = visible_view(found.contact.view, assessment, seen)
    return replace(found, contact=replace(found.contact, view=view), assessment=assessment)


async def _limit(
    session: Session,
    account_id: str,
    audience: Audience,
    found: Sequence[ExplainedContact],
    *,
    explain: bool = False,
) -> list[ExplainedContact]:
    """Return contacts whom the audience sees with the parts that it may be shown."""
    if audience.login is None or not found:
        return list(found)
    assessments = {one.contact.clio_id: one.assessment for one in found}
    companies = {
        one.contact.view.profile.company.clio_id
        for one in found
        if one.contact.view.profile.company is not None
    }
    asked = Asked(assessments, companies=companies, explain=explain)
    seen = await load_seen(session, account_id, audience, asked)
    known = [one for one in found if one.contact.clio_id in seen]
    return [limit_explained(one, seen[one.contact.clio_id]) for one in known]


async def _read(session: Session, account_id: str, asked: PageAsked) -> list[ExplainedContact]:
    page = await contact_lists.page_of(session, account_id, asked, _EXPLAINED)
    return _explained((await session.execute(page)).all())


def _explained(rows: Sequence[object]) -> list[ExplainedContact]:
    """Return the contacts of rows with the columns `_EXPLAINED`."""
    found = stored_contacts(rows)
    reasons = explanations.load_all(row.reasons for row in rows)  # type: ignore[attr-defined]
    return [
        ExplainedContact(contact, assessment, row.run_id)  # type: ignore[attr-defined]
        for row, contact, assessment in zip(rows, found, reasons, strict=True)
    ]


def _looks_at_parts(wanted: ContactFilter) -> bool:
    """Return whether a filter looks at what may not be shown, so that some rows are not wanted after all."""
    return bool(wanted.labels) or wanted.q is not None or wanted.problem == "no_email"


def _is_wanted(contact: StoredContact, wanted: ContactFilter, country: str) -> bool:
    """Return whether a contact has in what is shown of it what a filter wants: the row has also what is not shown."""
    profile = contact.view.profile
    if not {*wanted.labels} <= {compared(tag.label) for tag in contact.view.tags}:
        return False
    if wanted.problem == "no_email" and profile.emails:
        return False
    terms = None if wanted.q is None else parse_search(wanted.q, country)
    return terms is None or has_terms(words_of_profile(profile, country), contact.clio_id, terms)
