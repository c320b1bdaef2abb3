"""The mirror: Clio's records, one per account and record, in the fullest version seen.

Landing a record as the connection saw it before writes nothing. A changed record marks the contacts that depend on it
as stale.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic

from msgspec.structs import replace
from sqlalchemy import Select, Table, bindparam, case, false, func, null, select, true
from sqlalchemy.dialects.postgresql import Insert

from app import rules
from app.db.bulk import BulkInsert
from app.db.json_codec import Codec, as_bytes, codec, digest, is_huge
from app.db.mirror import search_words, staleness, tables, visibility
from app.db.mirror.staleness import Affected
from app.db.mirror.visibility import Sighting, View
from app.db.session import Session, any_of, look_up
from app.rules.record_versions import R, Version, compare
from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord
from app.rules.shown import Sight, sight_of

# An answer lands within this time after Clio was asked. What is said to have changed later has no time of a version.
LATE = timedelta(minutes=15)

_contacts = tables.mirror_contacts
_matters = tables.mirror_matters
_relationships = tables.mirror_relationships


@dataclass(frozen=True)
class Mirror(Generic[R]):
    """The table and the codec of one kind of record; `rows` and `store` write it, `stored` reads what is not gone."""

    name: str
    table: Table
    codec: Codec[R]
    merge: Callable[..., R]
    columns: Callable[[R], dict[str, Any]]
    rows: BulkInsert
    store: Insert
    stored: Select[Any]
    needed: frozenset[str] = frozenset()  # a record is stored only with these fields


@dataclass(frozen=True)
class Reading:
    """The reading of some records: when Clio was asked, and which fields of each record could not be read [row 49].

    The stored values of these fields stay.
    """

    asked_at: datetime | None = None
    unread: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def of(self, clio_id: int) -> frozenset[str]:
        """Return the fields of a record that could not be read."""
        return self.unread.get(clio_id, frozenset())


@dataclass(frozen=True)
class RecordChange(Generic[R]):
    """A record that changed: the version known before, and the version now."""

    known: R | None
    record: R


def _stored(table: Table) -> Select[Any]:
    record = as_bytes(table.c.record).label("record")
    return select(table.c.clio_id, record).where(table.c.account_id == bindparam("account"))


_OF_CONTACT = ("record", "company_id", "stale")
_contact_rows = BulkInsert(
    _contacts, ("clio_id", *_OF_CONTACT), same=("account_id", "changed_only_by")
)
CONTACTS = Mirror(
    "contacts",
    _contacts,
    codec(ContactRecord, lambda record: any(is_huge(one.value) for one in record.custom_values)),
    rules.merge_contact,
    lambda record: {"company_id": record.company_id, "stale": bool(record.is_person)},
    _contact_rows,
    _contact_rows.updating(
        *_OF_CONTACT,
        stale_by_rules=false(),
        gone=null(),
        merged_into=null(),
        changed_only_by=staleness.changed_only_by(_contact_rows.insert.excluded.changed_only_by),
    ),
    look_up(_stored(_contacts).where(_contacts.c.gone.is_(None)), _contacts.c.clio_id, "ids"),
)
_OF_MATTER = ("record", "client_id")
_matter_rows = BulkInsert(_matters, ("clio_id", *_OF_MATTER))
MATTERS = Mirror(
    "matters",
    _matters,
    codec(MatterRecord),
    rules.merge_matter,
    lambda record: {"client_id": record.client_id},
    _matter_rows,
    # The old client of a matter whose client changed: that is how a merge in Clio shows [S6].
    _matter_rows.updating(
        *_OF_MATTER,
        unsettled=true(),
        former_client_id=case(
            (
                _matters.c.client_id.is_distinct_from(_matter_rows.insert.excluded.client_id)
                & _matters.c.client_id.is_not(None),
                _matters.c.client_id,
            ),
            else_=_matters.c.former_client_id,
        ),
    ),
    look_up(_stored(_matters), _matters.c.clio_id, "ids"),
    needed=frozenset({"status"}),
)
_OF_RELATIONSHIP = ("record", "matter_id", "contact_id")
_relationship_rows = BulkInsert(_relationships, ("clio_id", *_OF_RELATIONSHIP))
RELATIONSHIPS = Mirror(
    "relationships",
    _relationships,
    codec(RelationshipRecord),
    rules.merge_relationship,
    lambda record: {"matter_id": record.matter_id, "contact_id": record.contact_id},
    _relationship_rows,
    _relationship_rows.updating(*_OF_RELATIONSHIP),
    look_up(_stored(_relationships), _relationships.c.clio_id, "ids"),
)


async def land_contacts(
    session: Session, view: View, seen: Sequence[ContactRecord], reading: Reading = Reading()
) -> int:
    """Merge contacts into the mirror; changed contacts and the people who work for them become stale.

    A person may have become a company, and a company a person [row 47].
    """
    landed = await _land(session, CONTACTS, view, seen, reading)
    versions = [(change.known, change.record) for change in landed]
    await search_words.land(session, view.account_id, versions)
    changed = [change.record.clio_id for change in landed]
    companies = [change.record.clio_id for change in landed if not change.record.is_person]
    affected = Affected(companies, employees_of=changed)
    await staleness.mark_stale(session, view.account_id, affected, beside=view.beside)
    return len(landed)


async def land_matters(
    session: Session, view: View, seen: Sequence[MatterRecord], reading: Reading = Reading()
) -> int:
    """Merge matters into the mirror; their clients, the clients' people and related contacts become stale."""
    landed = await _land(session, MATTERS, view, seen, reading)
    clients = {one.client_id for one in _versions(landed) if one.client_id is not None}
    matters = [change.record.clio_id for change in landed]
    await staleness.mark_matter_contacts_stale(
        session, view.account_id, client_ids=clients, matter_ids=matters, beside=view.beside
    )
    return len(landed)


async def land_relationships(
    session: Session, view: View, seen: Sequence[RelationshipRecord], reading: Reading = Reading()
) -> int:
    """Merge relationships into the mirror; the contacts at their ends become stale."""
    landed = await _land(session, RELATIONSHIPS, view, seen, reading)
    contacts = {version.contact_id for version in _versions(landed)}
    await staleness.mark_stale(session, view.account_id, Affected(contacts), beside=view.beside)
    return len(landed)


def _versions(landed: Sequence[RecordChange[R]]) -> list[R]:
    return [version for change in landed for version in (change.known, change.record) if version]


async def find_matter_ids(
    session: Session, account_id: str, relationship_ids: Collection[int]
) -> dict[int, int]:
    """Return the matter id of each relationship."""
    rows = await session.execute(
        select(_relationships.c.clio_id, _relationships.c.matter_id).where(
            _relationships.c.account_id == account_id,
            any_of(_relationships.c.clio_id, relationship_ids),
        )
    )
    return {row.clio_id: row.matter_id for row in rows}


@dataclass(frozen=True)
class StaleCounts:
    """The number of persons to assess, and of those among them that wait for an incomplete pull."""

    total: int
    waiting: int


async def count_stale(session: Session, account_id: str, run_id: str) -> StaleCounts:
    """Return how many persons must be assessed, and how many of them this run must leave to an incomplete pull."""
    ready = func.count().filter(staleness.can_be_assessed(run_id))
    stale = (_contacts.c.account_id == account_id) & _contacts.c.stale
    row = (
        await session.execute(
            select(func.count().label("total"), ready.label("ready")).where(stale)
        )
    ).one()
    return StaleCounts(row.total, row.total - row.ready)


async def has_more_than(session: Session, account_id: str, mirror: Mirror[Any], most: int) -> bool:
    """Return whether more than `most` records of a kind are stored."""
    stored = select(mirror.table.c.clio_id).where(mirror.table.c.account_id == account_id)
    beyond = stored.order_by(mirror.table.c.clio_id).offset(most).limit(1)
    return (await session.execute(beyond)).one_or_none() is not None


async def _land(
    session: Session, mirror: Mirror[R], view: View, seen: Sequence[R], reading: Reading
) -> list[RecordChange[R]]:
    """Merge and store the records that the connection did not see in this version before, in the order of their ids."""
    by_id = {one.clio_id: one for one in seen}  # if one is twice on a page, the last one counts
    digests = {id_: _digest(mirror, record, reading.of(id_)) for id_, record in by_id.items()}
    before = await visibility.load_sightings(session, view, mirror.name, by_id)
    new = sorted(id_ for id_ in by_id if id_ not in before or before[id_].digest != digests[id_])
    if not new:
        return []
    known = await _known(session, mirror, view.account_id, new)
    new = [id_ for id_ in new if id_ in known or not reading.of(id_) & mirror.needed]
    fully = (
        set()
        if view.full_view
        else await visibility.find_seen_by_full_view(session, view, mirror.name, new)
    )
    versions = {
        id_: compare(
            known.get(id_),
            _completed(by_id[id_], known.get(id_), view.unseen | reading.of(id_)),
            _sight(mirror, known.get(id_), before.get(id_), view),
            full_view=view.full_view,
            defers=id_ in fully or id_ not in before,
            latest=reading.asked_at and reading.asked_at + LATE,
        )
        for id_ in new
    }
    landed = await _changes(session, mirror, view, known, versions)
    await _upsert(session, mirror, view, landed)
    first_seen = [clio_id for clio_id in new if clio_id not in before]
    seen_by_others = [clio_id for clio_id in first_seen if clio_id in known]
    await visibility.note_first_seen(session, view, mirror.name, first_seen, known=seen_by_others)
    sights = {id_: (digests[id_], version.sight) for id_, version in versions.items()}
    await visibility.record_sightings(session, view, mirror.name, sights)
    return landed


async def _changes(
    session: Session,
    mirror: Mirror[R],
    view: View,
    known: Mapping[int, R],
    versions: Mapping[int, Version[R]],
) -> list[RecordChange[R]]:
    """Merge the versions into the known records; return those that this changes."""
    clearing = [clio_id for clio_id, version in versions.items() if version.may_clear]
    others = await visibility.load_other_sights(session, view, mirror.name, clearing)
    merged = {
        clio_id: version.merged(mirror.merge, others.get(clio_id, ()))
        for clio_id, version in versions.items()
    }
    return [
        RecordChange(known.get(clio_id), record)
        for clio_id, record in merged.items()
        if record != known.get(clio_id)
    ]


def _completed(seen: R, known: R | None, unseen: Collection[str]) -> R:
    """Return a version with the stored values of what could not be seen or read in it."""
    if known is None or not unseen:
        return seen
    return replace(seen, **{name: getattr(known, name) for name in unseen})


def _sight(
    mirror: Mirror[R], known: R | None, sighting: Sighting | None, view: View
) -> Sight | None:
    """Return what the login was shown before; of a row of the previous release that is known if it is the record."""
    if sighting is None or sighting.sight is not None or known is None:
        return sighting.sight if sighting else None
    if sighting.digest != mirror.codec.digest(known):
        return None
    return sight_of(known, None, full_view=view.full_view)


def _digest(mirror: Mirror[R], record: R, unread: frozenset[str]) -> bytes:
    """Return the digest of a version. What cannot be read belongs to it: an empty value in its place is a change."""
    shown = mirror.codec.digest(record)
    return digest(shown + ",".join(sorted(unread)).encode()) if unread else shown


async def _known(
    session: Session, mirror: Mirror[R], account_id: str, clio_ids: Collection[int]
) -> dict[int, R]:
    """Return the stored records; records that are gone do not count."""
    names = {"account": account_id, "ids": list(clio_ids)}
    rows = (await session.execute(mirror.stored, names)).all()
    records = mirror.codec.load_all(row.record for row in rows)
    return {row.clio_id: record for row, record in zip(rows, records, strict=True)}


async def _upsert(
    session: Session, mirror: Mirror[R], view: View, landed: Sequence[RecordChange[R]]
) -> None:
    if not landed:
        return
    rows = [
        {
            "clio_id": change.record.clio_id,
            "record": mirror.codec.dump(change.record),
            **mirror.columns(change.record),
        }
        for change in landed
    ]
    same = {"changed_only_by": view.beside} if mirror.table is _contacts else {}
    await session.execute(
        mirror.store, mirror.rows.parameters(rows, account_id=view.account_id, **same)
    )
