"""Who is a client, and by what: Clio's flag, an own matter, or a client company that the person represents."""

from collections.abc import Iterable
from datetime import date

from app.rules.facts import ContactFacts
from app.rules.records import MatterRecord, MatterStatus
from app.rules.verdicts import Basis, Client


def represents_client(facts: ContactFacts) -> bool:
    """Whether the person's company is a client: the person stands for it in Levitate [C-6, TG-17]."""
    company = facts.company
    return bool(company and company.is_client) or bool(facts.company_matters)


def counted_matters(facts: ContactFacts) -> tuple[MatterRecord, ...]:
    """The matters that count as the person's own: a representative's are also the company's [§15 row 2]."""
    return facts.own_matters + facts.company_matters


def client_of(facts: ContactFacts) -> Client | None:
    """What makes the person a client, strongest first; None for one who is none [CS-1, NC-2]."""
    if not facts.contact.is_person:
        return None
    matters = counted_matters(facts)
    if facts.contact.is_client:
        basis = Basis.FLAG
    elif facts.own_matters:
        basis = Basis.MATTER
    elif represents_client(facts):
        basis = Basis.COMPANY
    else:
        return None
    has_open = any(matter.status is MatterStatus.OPEN for matter in matters)
    return Client(basis, client_since=_earliest(matters), has_open_matter=has_open)


def _earliest(matters: Iterable[MatterRecord]) -> date | None:
    """The earliest open, pending or created date of the matters that count [§15 row 19]."""
    dates = [
        moment
        for matter in matters
        for moment in (
            matter.open_date,
            matter.pending_date,
            matter.created_at.date() if matter.created_at else None,
        )
        if moment is not None
    ]
    return min(dates, default=None)
