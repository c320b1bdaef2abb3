"""The input of the rules for a batch of contacts, loaded from the mirror."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Row, bindparam, literal, select, union_all, update

from app.db.json_codec import as_bytes
from app.db.mirror import catalog, staleness, tables
from app.db.mirror.records import CONTACTS, MATTERS, RELATIONSHIPS
from app.db.session import Session, among, any_of, look_up, reading_in_key_order
from app.rules import version
from app.rules.facts import ContactFacts, Departed, RelatedMatter
from app.rules.records import Attorney, ContactRecord, MatterRecord, RelationshipRecord

_contacts = tables.mirror_contacts
_matters = tables.mirror_matters
_relationships = tables.mirror_relationships
_OWN_CONTACTS = _contacts.c.account_id == bindparam("account")
_PEOPLE = select(
    _contacts.c.clio_id,
    as_bytes(_contacts.c.record).label("record"),
    _contacts.c.gone,
    _contacts.c.merged_into,
).where(_OWN_CONTACTS)
_STALE = _PEOPLE.where(_contacts.c.stale).order_by(_contacts.c.clio_id).with_for_update()
_THESE = look_up(_PEOPLE, _contacts.c.clio_id, "ids")
_THESE_LOCKED = look_up(_PEOPLE.with_for_update(), _contacts.c.clio_id, "ids")
_COMPANIES = look_up(
    select(_contacts.c.gone, as_bytes(_contacts.c.record).label("text")).where(_OWN_CONTACTS),
    _contacts.c.clio_id,
    "ids",
)
_LINKS = look_up(
    select(as_bytes(_relationships.c.record).label("record")).where(
        _relationships.c.account_id == bindparam("account")
    ),
    _relationships.c.contact_id,
    "ids",
)
_ONE_MATTER = select(
    _matters.c.clio_id, _matters.c.hidden, as_bytes(_matters.c.record).label("text")
).where(_matters.c.account_id == bindparam("account"))
_MATTERS = union_all(
    look_up(_ONE_MATTER, _matters.c.client_id, "clients"),
    look_up(_ONE_MATTER, _matters.c.clio_id, "ids"),
)
_CLEAR = (
    update(_contacts)
    .where(_OWN_CONTACTS, among(_contacts.c.clio_id, "ids"))
    .values(
        stale=False,
        stale_by_rules=False,
        changed_only_by=None,
        rules_version=bindparam("version"),
        kept=among(_contacts.c.clio_id, "kept_ids"),
    )
)


@dataclass(frozen=True)
class CurrentNames:
    """The current names of areas, stages and attorneys, by id: matters may have an older name [row 25]."""

    practice_areas: Mapping[int, str]
    stages: Mapping[int, str]
    categories: Mapping[int, str] = field(default_factory=dict)
    attorneys: Mapping[int, str] = field(default_factory=dict)

    def of(self, matter: MatterRecord) -> MatterRecord:
        """Return the matter with the current names."""
        area_id = matter.practice_area_id or 0
        now = {
            "practice_area": self.practice_areas.get(area_id, matter.practice_area),
            "practice_area_category": self.categories.get(area_id, matter.practice_area_category),
            "stage": self.stages.get(matter.stage_id or 0, matter.stage),
            "responsible": self._attorney(matter.responsible),
            "originating": self._attorney(matter.originating),
        }
        is_same = all(getattr(matter, name) == value for name, value in now.items())
        return matter if is_same else replace(matter, **now)

    def _attorney(self, attorney: Attorney | None) -> Attorney | None:
        if attorney is None:
            return None
        name = self.attorneys.get(attorney.clio_user_id, attorney.name)
        return attorney if name == attorney.name else Attorney(attorney.clio_user_id, name)


async def load_current_names(session: Session, account_id: str) -> CurrentNames:
    """Return the current names of the firm's practice areas, stages and users."""
    return CurrentNames(
        practice_areas=await catalog.load_names(session, account_id, "practice_areas"),
        stages=await catalog.load_names(session, account_id, "matter_stages"),
        categories=await catalog.load_names(session, account_id, "practice_areas", part="category"),
        attorneys=await catalog.load_names(session, account_id, "users"),
    )


async def load_stale_facts(
    session: Session, account_id: str, spelling: CurrentNames, *, beside: str | None, limit: int
) -> list[ContactFacts]:
    """Return and lock the next stale contacts, by id, with all facts that the rules need.

    `beside` is the run that assesses while a pull is not complete: only those that do not wait for the pull.
    """
    ready = literal(value=True) if beside is None else staleness.can_be_assessed(beside)
    async with reading_in_key_order(session):
        rows = await session.execute(_STALE.where(ready).limit(limit), {"account": account_id})
    return await _facts_or_departed(session, account_id, rows.all(), spelling)


async def load_facts(
    session: Session,
    account_id: str,
    spelling: CurrentNames,
    clio_ids: Collection[int],
    *,
    lock: bool = False,
) -> list[ContactFacts]:
    """Return these contacts, by id, also those deleted in Clio. With `lock` nobody else changes them meanwhile."""
    names = {"account": account_id, "ids": sorted(set(clio_ids))}
    rows = await session.execute(_THESE_LOCKED if lock else _THESE, names)
    return await _facts_or_departed(session, account_id, rows.all(), spelling)


async def _facts_or_departed(
    session: Session, account_id: str, rows: Sequence[Row[Any]], spelling: CurrentNames
) -> list[ContactFacts]:
    found = await _facts(
        session, account_id, CONTACTS.codec.load_all(row.record for row in rows), spelling
    )
    return [
        replace(known, departed=Departed(row.gone, row.merged_into)) if row.gone else known
        for known, row in zip(found, rows, strict=True)
    ]


async def load_facts_after(
    session: Session, account_id: str, spelling: CurrentNames, *, after: int, limit: int
) -> list[ContactFacts]:
    """Return contacts that may be published, with a higher Clio id, by id, stale or not; nothing is locked."""
    page = (
        select(as_bytes(_contacts.c.record))
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id > after)
        .where(staleness.may_be_published(account_id), _contacts.c.gone.is_(None))
        .order_by(_contacts.c.clio_id)
        .limit(limit)
    )
    async with reading_in_key_order(session):
        rows = await session.execute(page)
    return await _facts(session, account_id, CONTACTS.codec.load_all(rows.scalars()), spelling)


async def _facts(
    session: Session, account_id: str, people: Sequence[ContactRecord], spelling: CurrentNames
) -> list[ContactFacts]:
    if not people:
        return []
    ids = [person.clio_id for person in people]
    named = {person.company_id for person in people if person.company_id is not None}
    companies, company_ids = await _companies(session, account_id, named)
    links = await _links(session, account_id, ids)
    matters, hidden = await _matters_of(session, account_id, [*ids, *company_ids], links)
    by_client: dict[int, list[MatterRecord]] = defaultdict(list)
    for clio_id, matter in matters.items():
        matters[clio_id] = spelled = spelling.of(matter)
        if spelled.client_id is not None:
            by_client[spelled.client_id].append(spelled)
    related: dict[int, list[RelatedMatter]] = defaultdict(list)
    for link in links:
        if link.matter_id in matters:
            found = RelatedMatter(matters[link.matter_id], link.description, link.clio_id)
            related[link.contact_id].append(found)
    return [
        _with_hidden(
            hidden,
            ContactFacts(
                contact=person,
                company=companies.get(person.company_id or 0),
                own_matters=tuple(by_client.get(person.clio_id, ())),
                company_matters=tuple(by_client[person.company_id])
                if person.company_id in company_ids
                else (),
                related_matters=tuple(related.get(person.clio_id, ())),
            ),
        )
        for person in people
    ]


def _with_hidden(hidden: Collection[int], facts: ContactFacts) -> ContactFacts:
    """Return the facts with those of their matters that are hidden from somebody."""
    if not hidden:
        return facts
    matters = (
        *facts.own_matters,
        *facts.company_matters,
        *(link.matter for link in facts.related_matters),
    )
    found = frozenset(matter.clio_id for matter in matters if matter.clio_id in hidden)
    return replace(facts, hidden=found) if found else facts


async def _companies(
    session: Session, account_id: str, named: Collection[int]
) -> tuple[dict[int, ContactRecord], set[int]]:
    """Return the companies that exist among the contacts that people work for, and the ids of all that are no persons.

    Clio may still name a person there who was a company [row 47].
    """
    stored = (await session.execute(_COMPANIES, {"account": account_id, "ids": list(named)})).all()
    records = CONTACTS.codec.load_all(row.text for row in stored)
    people = {record.clio_id for record in records if record.is_person}
    existing = {
        record.clio_id: record
        for record, row in zip(records, stored, strict=True)
        if row.gone is None and record.clio_id not in people
    }
    return existing, set(named) - people


async def _links(
    session: Session, account_id: str, contact_ids: Collection[int]
) -> list[RelationshipRecord]:
    rows = await session.execute(_LINKS, {"account": account_id, "ids": list(contact_ids)})
    links = RELATIONSHIPS.codec.load_all(rows.scalars())
    return sorted(links, key=lambda link: link.clio_id)


async def _matters_of(
    session: Session,
    account_id: str,
    client_ids: Collection[int],
    links: Collection[RelationshipRecord],
) -> tuple[dict[int, MatterRecord], set[int]]:
    """Return the matters of these clients and of these relationships, by id, and the ids of hidden ones."""
    names = {"clients": list(client_ids), "ids": list({link.matter_id for link in links})}
    rows = (await session.execute(_MATTERS, {"account": account_id, **names})).all()
    matters = MATTERS.codec.load_all(row.text for row in rows)
    by_id = sorted(matters, key=lambda matter: matter.clio_id)
    return {matter.clio_id: matter for matter in by_id}, {row.clio_id for row in rows if row.hidden}


async def find_behind(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> frozenset[int]:
    """Return those of these persons who were never assessed with the current version of the rules [row 56]."""
    rows = await session.execute(
        select(_contacts.c.clio_id)
        .where(_contacts.c.account_id == account_id, any_of(_contacts.c.clio_id, clio_ids))
        .where(_contacts.c.rules_version < version.VERSION)
    )
    return frozenset(rows.scalars())


async def clear_stale(
    session: Session, account_id: str, clio_ids: Collection[int], *, kept: Collection[int]
) -> None:
    """Clear the stale mark of these persons, who were assessed with the current rules.

    Of those in `kept` something is published that the rules would remove.
    """
    names = {"account": account_id, "ids": list(clio_ids), "kept_ids": list(kept)}
    await session.execute(_CLEAR, {**names, "version": version.VERSION})
