"""What the rules need of a batch of contacts, put together from the mirror."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from app.db import catalog, tables
from app.db.mirror import CONTACTS, MATTERS, RELATIONSHIPS
from app.db.session import Session, among
from app.rules.facts import ContactFacts, Gone, RelatedMatter
from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord

_contacts = tables.mirror_contacts
_matters = tables.mirror_matters
_relationships = tables.mirror_relationships


@dataclass(frozen=True)
class Spelling:
    """How practice areas and stages are named now, by id: matters may remember an older name [§15 row 25]."""

    practice_areas: Mapping[int, str]
    stages: Mapping[int, str]

    def of(self, matter: MatterRecord) -> MatterRecord:
        """The matter with the names of today."""
        return replace(
            matter,
            practice_area=self.practice_areas.get(
                matter.practice_area_id or 0, matter.practice_area
            ),
            stage=self.stages.get(matter.stage_id or 0, matter.stage),
        )


async def spelling(session: Session, account_id: str) -> Spelling:
    """The names that the firm's practice areas and stages bear now."""
    return Spelling(
        await catalog.names(session, account_id, "practice_areas"),
        await catalog.names(session, account_id, "matter_stages"),
    )


async def stale_facts(
    session: Session, account_id: str, spelling: Spelling, *, limit: int
) -> list[ContactFacts]:
    """The next persons whose assessment is due, by id, with all that the rules need of them."""
    rows = await session.execute(
        select(_contacts.c.record, _contacts.c.gone, _contacts.c.merged_into)
        .where(_contacts.c.account_id == account_id, _contacts.c.stale)
        .order_by(_contacts.c.clio_id)
        .limit(limit)
        .with_for_update()
    )
    stale = [(CONTACTS.codec.load(row.record), row.gone, row.merged_into) for row in rows]
    found = await _facts(session, account_id, [record for record, _, _ in stale], spelling)
    return [
        replace(known, gone=Gone(why, heir)) if why else known
        for known, (_, why, heir) in zip(found, stale, strict=True)
    ]


async def _facts(
    session: Session, account_id: str, people: Sequence[ContactRecord], spelling: Spelling
) -> list[ContactFacts]:
    if not people:
        return []
    ids = [person.clio_id for person in people]
    company_ids = {person.company_id for person in people if person.company_id is not None}
    companies = await _companies(session, account_id, company_ids)
    links = await _links(session, account_id, ids)
    matters = await _matters_of(session, account_id, [*ids, *company_ids], links)
    by_client: dict[int, list[MatterRecord]] = defaultdict(list)
    for clio_id, matter in matters.items():
        matters[clio_id] = spelled = spelling.of(matter)
        if spelled.client_id is not None:
            by_client[spelled.client_id].append(spelled)
    related: dict[int, list[RelatedMatter]] = defaultdict(list)
    for link in links:
        if link.matter_id in matters:
            found = RelatedMatter(matters[link.matter_id], link.description)
            related[link.contact_id].append(found)
    return [
        ContactFacts(
            contact=person,
            company=companies.get(person.company_id or 0),
            own_matters=tuple(by_client.get(person.clio_id, ())),
            company_matters=tuple(by_client.get(person.company_id or 0, ())),
            related_matters=tuple(related.get(person.clio_id, ())),
        )
        for person in people
    ]


async def _companies(
    session: Session, account_id: str, company_ids: Collection[int]
) -> dict[int, ContactRecord]:
    rows = await session.execute(
        select(_contacts.c.clio_id, _contacts.c.record).where(
            _contacts.c.account_id == account_id,
            among(_contacts.c.clio_id, company_ids),
            _contacts.c.gone.is_(None),
        )
    )
    return {row.clio_id: CONTACTS.codec.load(row.record) for row in rows}


async def _links(
    session: Session, account_id: str, contact_ids: Collection[int]
) -> list[RelationshipRecord]:
    rows = await session.execute(
        select(_relationships.c.record)
        .where(
            _relationships.c.account_id == account_id,
            among(_relationships.c.contact_id, contact_ids),
        )
        .order_by(_relationships.c.clio_id)
    )
    return [RELATIONSHIPS.codec.load(row.record) for row in rows]


async def _matters_of(
    session: Session,
    account_id: str,
    client_ids: Collection[int],
    links: Collection[RelationshipRecord],
) -> dict[int, MatterRecord]:
    """The matters of these clients and at the end of these links, by id."""
    wanted = among(_matters.c.client_id, client_ids) | among(
        _matters.c.clio_id, {link.matter_id for link in links}
    )
    rows = await session.execute(
        select(_matters.c.clio_id, _matters.c.record)
        .where(_matters.c.account_id == account_id, wanted)
        .order_by(_matters.c.clio_id)
    )
    return {row.clio_id: MATTERS.codec.load(row.record) for row in rows}


async def settle(session: Session, account_id: str, clio_ids: Collection[int]) -> None:
    """These persons' assessments are no longer due."""
    await session.execute(
        _contacts.update()
        .where(_contacts.c.account_id == account_id, among(_contacts.c.clio_id, clio_ids))
        .values(stale=False)
    )
