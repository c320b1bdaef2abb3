"""The subject of the rules: one contact, with values that several rules need, computed once."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from app.rules.facts import ContactFacts, FirmFacts, RelatedMatter
from app.rules.profile import profile
from app.rules.records import ContactRecord, MatterRecord, MatterStatus, Record
from app.rules.results import Basis, Client, Profile
from app.rules.settings import Representatives, Settings
from app.rules.texts import shown

STATUS_RANK = {status: rank for rank, status in enumerate(MatterStatus)}
WHOLE_ACCOUNT = "AccountGroup"
_NEVER = datetime.min.replace(tzinfo=UTC)


class Subject(Record, frozen=True):
    """A contact with values that follow from its facts and the firm's settings.

    `matters` are the contact's own, plus those of the company it represents, the latest first. `links` are all its
    relationships, `related` those to matters of other clients. `company_is_client` is also true if the contact does not
    represent the company because the firm wants no representatives.
    """

    contact: ContactRecord
    profile: Profile
    company_name: str
    company_is_flagged: bool
    company_is_client: bool
    represents: bool
    own_matters: tuple[MatterRecord, ...]
    company_matters: tuple[MatterRecord, ...]
    matters: tuple[MatterRecord, ...]
    links: tuple[RelatedMatter, ...]
    related: tuple[RelatedMatter, ...]
    restricted: frozenset[int]
    client: Client | None
    firm: FirmFacts
    settings: Settings


def build_subject(facts: ContactFacts, firm: FirmFacts, settings: Settings) -> Subject:
    """Return the subject for a contact. The order of the lists in `facts` does not matter."""
    contact, company = facts.contact, facts.company
    flagged = company is not None and company.is_client
    company_is_client = flagged or bool(facts.company_matters)
    represents = company_is_client and settings.tags.company_representatives is Representatives.ALL
    own = newest_first(facts.own_matters)
    company_matters = newest_first(facts.company_matters) if represents else ()
    matters = newest_first(own + company_matters) if company_matters else own
    links = _sort_links(facts.related_matters)
    return Subject(
        contact=contact,
        profile=profile(facts, firm.country, primary_email_only=settings.scope.primary_email_only),
        company_name=shown(company.name if company else None)
        or shown(contact.company_name)
        or "a company",
        company_is_flagged=flagged,
        company_is_client=company_is_client,
        represents=represents,
        own_matters=own,
        company_matters=company_matters,
        matters=matters,
        links=links,
        related=tuple([link for link in links if link.matter.client_id != contact.clio_id]),
        restricted=_restricted(facts),
        client=_client(contact, own, matters, represents=represents),
        firm=firm,
        settings=settings,
    )


def newest_first(
    matters: Iterable[MatterRecord], *, prefer_open: bool = False
) -> tuple[MatterRecord, ...]:
    """Return each matter once: latest update first; then open, pending, closed; then the higher id [OW-4, row 7]."""
    once = {matter.clio_id: matter for matter in matters}
    if len(once) < 2:
        return tuple(once.values())
    return tuple(
        sorted(
            once.values(),
            key=lambda matter: (
                prefer_open and matter.status is MatterStatus.OPEN,
                matter.updated_at or _NEVER,
                -STATUS_RANK[matter.status],
                matter.clio_id,
            ),
            reverse=True,
        )
    )


def _sort_links(links: tuple[RelatedMatter, ...]) -> tuple[RelatedMatter, ...]:
    if len(links) < 2:
        return links
    return tuple(
        sorted(
            links,
            key=lambda link: (link.relationship_id, link.matter.clio_id, link.description or ""),
        )
    )


def _restricted(facts: ContactFacts) -> frozenset[int]:
    """Return the ids of the matters that not everybody at the firm may see [S7, row 22].

    The group of a matter has the type AccountGroup unless somebody limited the permissions of the matter. A group
    without a visible type says nothing.
    """
    matters = [
        *facts.own_matters,
        *facts.company_matters,
        *[link.matter for link in facts.related_matters],
    ]
    limited = [one.clio_id for one in matters if one.group_type not in (None, WHOLE_ACCOUNT)]
    return facts.hidden.union(limited)


def _client(
    contact: ContactRecord,
    own: tuple[MatterRecord, ...],
    matters: tuple[MatterRecord, ...],
    *,
    represents: bool,
) -> Client | None:
    """Return what makes a person a client, or None. The flag comes before a matter, a matter before a company.

    [CS-1, NC-2, row 19]
    """
    if contact.is_client:
        basis = Basis.FLAG
    elif own:
        basis = Basis.MATTER
    elif represents:
        basis = Basis.COMPANY
    else:
        return None
    has_open = MatterStatus.OPEN in [matter.status for matter in matters]
    return Client(basis, client_since=_client_since(matters), has_open_matter=has_open)


def _client_since(matters: Iterable[MatterRecord]) -> date | None:
    """Return the earliest open, pending or created date of the matters, or None [row 19]."""
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
