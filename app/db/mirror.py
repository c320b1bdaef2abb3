"""The mirror: Clio's records, each once per account in the fullest version seen, and who sees them.

Landing what is known already writes nothing. What changed makes the contacts it touches stale.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app import rules
from app.db import tables
from app.db.records import Codec, codec
from app.db.session import Session, among
from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord

R = TypeVar("R", ContactRecord, MatterRecord, RelationshipRecord)

_contacts = tables.mirror_contacts
_matters = tables.mirror_matters
_relationships = tables.mirror_relationships


@dataclass(frozen=True)
class Mirror(Generic[R]):
    """How one kind of record is kept."""

    name: str
    table: Table
    codec: Codec[R]
    merge: Callable[..., R]
    columns: Callable[[R], dict[str, Any]]


@dataclass(frozen=True)
class View:
    """Whose eyes a page was seen with."""

    account_id: str
    connection_id: str
    full_view: bool


@dataclass(frozen=True)
class Landed(Generic[R]):
    """A record that changed: what was known before, and what is now."""

    known: R | None
    record: R


CONTACTS = Mirror(
    "contacts",
    _contacts,
    codec(ContactRecord),
    rules.merge_contact,
    lambda record: {"company_id": record.company_id, "stale": bool(record.is_person)},
)
MATTERS = Mirror(
    "matters",
    _matters,
    codec(MatterRecord),
    rules.merge_matter,
    lambda record: {"client_id": record.client_id},
)
RELATIONSHIPS = Mirror(
    "relationships",
    _relationships,
    codec(RelationshipRecord),
    rules.merge_relationship,
    lambda record: {"matter_id": record.matter_id, "contact_id": record.contact_id},
)


async def land_contacts(session: Session, view: View, seen: Sequence[ContactRecord]) -> int:
    """Lay contacts over what is known; a changed person is stale, so are a changed company's people."""
    landed = await _land(session, CONTACTS, view, seen)
    companies = [change.record.clio_id for change in landed if not change.record.is_person]
    await mark_stale(session, view.account_id, _employees(view.account_id, companies))
    return len(landed)


async def land_matters(session: Session, view: View, seen: Sequence[MatterRecord]) -> int:
    """Lay matters over what is known; stale are their clients, the clients' people and those related."""
    landed = await _land(session, MATTERS, view, seen)
    versions = [
        version for change in landed for version in (change.known, change.record) if version
    ]
    clients = {version.client_id for version in versions if version.client_id is not None}
    matters = [change.record.clio_id for change in landed]
    await mark_touched(session, view.account_id, client_ids=clients, matter_ids=matters)
    return len(landed)


async def land_relationships(
    session: Session, view: View, seen: Sequence[RelationshipRecord]
) -> int:
    """Lay relationships over what is known; stale are the contacts at their ends."""
    landed = await _land(session, RELATIONSHIPS, view, seen)
    versions = [
        version for change in landed for version in (change.known, change.record) if version
    ]
    await mark_stale(session, view.account_id, {version.contact_id for version in versions})
    return len(landed)


async def mark_stale(session: Session, account_id: str, contact_ids: Any) -> None:
    """Say that these persons' assessments are due: a collection of Clio ids or a query of them."""
    if isinstance(contact_ids, Collection) and not contact_ids:
        return
    due = (
        select(_contacts.c.clio_id)
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id.in_(contact_ids))
        .where(~_contacts.c.stale, _contacts.c.record["is_person"].as_boolean())
        .order_by(_contacts.c.clio_id)  # every writer of several contacts goes in this order
        .with_for_update()
        .cte("due")
    )
    await session.execute(
        update(_contacts)
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id == due.c.clio_id)
        .values(stale=True)
    )


async def mark_touched(
    session: Session, account_id: str, *, client_ids: Collection[int], matter_ids: Collection[int]
) -> None:
    """Make stale whom matters concern: their clients, the clients' people and those related to them."""
    if not matter_ids:
        return
    related = select(_relationships.c.contact_id).where(
        _relationships.c.account_id == account_id, among(_relationships.c.matter_id, matter_ids)
    )
    await mark_stale(session, account_id, client_ids)
    await mark_stale(session, account_id, _employees(account_id, client_ids))
    await mark_stale(session, account_id, related)


async def mark_valued(session: Session, account_id: str, field_ids: Collection[int]) -> None:
    """Make stale who has a value of one of these custom fields [CF-5]."""
    holding = or_(
        *(_contacts.c.record.contains({"custom_values": [{"field_id": id_}]}) for id_ in field_ids)
    )
    query = select(_contacts.c.clio_id).where(_contacts.c.account_id == account_id, holding)
    await mark_stale(session, account_id, query)


async def mark_all_stale(session: Session, account_id: str) -> None:
    """Say that every person's assessment is due."""
    everybody = select(_contacts.c.clio_id).where(_contacts.c.account_id == account_id)
    await mark_stale(session, account_id, everybody)


async def count_stale(session: Session, account_id: str) -> int:
    """How many assessments are due."""
    counted = text("select count(*) from mirror_contacts where account_id = :account and stale")
    return int((await session.execute(counted, {"account": account_id})).scalar_one())


async def count_records(session: Session, account_id: str, mirror: Mirror[Any]) -> int:
    """How many records of a kind are known."""
    counted = text(f"select count(*) from {mirror.table.name} where account_id = :account")  # noqa: S608  # a table's own name
    return int((await session.execute(counted, {"account": account_id})).scalar_one())


async def _land(
    session: Session, mirror: Mirror[R], view: View, seen: Sequence[R]
) -> list[Landed[R]]:
    """Merge and store what differs, in id order; note who sees what."""
    differing = await _differing(session, mirror, view.account_id, seen)
    landed = []
    for record, known in differing:
        merged = mirror.merge(known, record, full_view=view.full_view)
        if merged != known:
            landed.append(Landed(known, merged))
    await _upsert(session, mirror, view.account_id, [change.record for change in landed])
    await _sight(session, mirror, view, [record.clio_id for record in seen])
    return landed


async def _differing(
    session: Session, mirror: Mirror[R], account_id: str, seen: Sequence[R]
) -> list[tuple[R, R | None]]:
    """Those seen that are new or unlike the known, in id order, each with the known."""
    by_id = {
        record.clio_id: record for record in seen
    }  # a page may name a record twice: the last counts
    table = mirror.table
    digests = await session.execute(
        select(table.c.clio_id, table.c.digest).where(
            table.c.account_id == account_id, among(table.c.clio_id, by_id)
        )
    )
    same = {row.clio_id for row in digests if row.digest == mirror.codec.digest(by_id[row.clio_id])}
    unlike = sorted(by_id.keys() - same)
    if not unlike:
        return []
    known = await session.execute(
        select(table.c.clio_id, table.c.record).where(
            table.c.account_id == account_id, among(table.c.clio_id, unlike)
        )
    )
    records = {row.clio_id: mirror.codec.load(row.record) for row in known}
    return [(by_id[clio_id], records.get(clio_id)) for clio_id in unlike]


async def _upsert(
    session: Session, mirror: Mirror[R], account_id: str, records: Sequence[R]
) -> None:
    if not records:
        return
    rows = [
        {
            "account_id": account_id,
            "clio_id": record.clio_id,
            "digest": mirror.codec.digest(record),
            "record": mirror.codec.dump(record),
            **mirror.columns(record),
        }
        for record in records
    ]
    statement = insert(mirror.table)
    new = {
        name: statement.excluded[name] for name in rows[0] if name not in {"account_id", "clio_id"}
    }
    key = [mirror.table.c.account_id, mirror.table.c.clio_id]
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=new), rows)


async def _sight(session: Session, mirror: Mirror[R], view: View, clio_ids: Sequence[int]) -> None:
    """Note that the connection sees these records; most days it is noted already."""
    table = tables.sightings
    mine = (
        (table.c.account_id == view.account_id)
        & (table.c.resource == mirror.name)
        & (table.c.connection_id == view.connection_id)
    )
    noted = await session.execute(
        select(table.c.clio_id).where(mine, among(table.c.clio_id, clio_ids))
    )
    new = sorted(set(clio_ids) - set(noted.scalars()))
    if new:
        key = {"account_id": view.account_id, "resource": mirror.name}
        rows = [{**key, "connection_id": view.connection_id, "clio_id": clio_id} for clio_id in new]
        await session.execute(insert(table), rows)


def _employees(account_id: str, company_ids: Collection[int]) -> Any:
    if not company_ids:
        return ()
    return select(_contacts.c.clio_id).where(
        _contacts.c.account_id == account_id, among(_contacts.c.company_id, company_ids)
    )
