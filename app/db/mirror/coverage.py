"""Coverage: the records that no working login sees, and whether they have changed since they were last counted.

To count them is to look at all sightings of a firm. So whatever changes which records they are notes that, in its own
transaction, and a run counts only when something was noted.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, text, update

from app.db.connections import tables as connection_tables
from app.db.mirror import tables
from app.db.session import Session, reading_in_key_order

PAGE = 5000  # records that one statement looks at
FIRST = 5  # ids that an issue names

_changes = tables.coverage_changes
_logins = connection_tables.connections

# A correlated count makes PostgreSQL look up each record by its key. With a join, right after a first pull and without
# statistics, it could read all sightings of the firm.
_NOTE = text("""
    insert into coverage_changes (account_id) select :account where exists (
        select from unnest(cast(:ids as bigint[])) as wanted (clio_id) where 0 = (
            select count(*) from sightings as seen where seen.account_id = :account
                and seen.resource = :resource and seen.clio_id = wanted.clio_id
                and seen.connection_id = any(array(
                    select connection_id from connections
                    where account_id = :account and status = 'connected' and forget_after is null))))
""")


async def note_unwatched(
    session: Session, account_id: str, resource: str, clio_ids: Collection[int]
) -> None:
    """Note a change of the coverage if no working login sees one of these records now.

    Call it before sightings are added or records are deleted, and after sightings were deleted.
    """
    if clio_ids:
        names = {"account": account_id, "resource": resource, "ids": list(clio_ids)}
        await session.execute(_NOTE, names)


async def note_unless_working(session: Session, account_id: str, connection_id: str) -> None:
    """Note a change of the coverage if this login does not work: it ended while a run read new records as it."""
    await session.execute(_NOTE_ENDED, {"account": account_id, "login": connection_id})


async def note_change(session: Session, account_id: str) -> None:
    """Note that the coverage may have changed."""
    await session.execute(insert(_changes).values(account_id=account_id))


_NOTE_ENDED = text("""
    insert into coverage_changes (account_id) select :account where not exists (
        select from connections where account_id = :account and connection_id = :login
            and status = 'connected')
""")


async def has_changed(session: Session, account_id: str) -> bool:
    """Return whether a change of the coverage was noted since `take_changes`."""
    noted = exists().where(_changes.c.account_id == account_id)
    return bool((await session.execute(select(noted))).scalar_one())


async def take_changes(session: Session, account_id: str) -> bool:
    """Return whether a change of the coverage was noted, and forget it: the caller counts in this transaction."""
    gone = await session.execute(delete(_changes).where(_changes.c.account_id == account_id))
    return gone.rowcount > 0


@dataclass(frozen=True)
class SoleSightings:
    """The number of records that only one connection sees, and the first of their ids."""

    contacts: int = 0
    matters: int = 0
    first_matters: tuple[int, ...] = ()
    first_contacts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """The records that no working login sees, counted.

    `alone` has, for each former connection that sees some of it, how much [S4]. `unseen` has the number of stored
    contacts and matters that no connection sees, working or not.
    """

    alone: Mapping[str, SoleSightings]
    unseen: Mapping[str, int]


# `limit 1` ends each look at the first login that works, and keeps PostgreSQL from making a join of it.
_COUNT = """
    with page as materialized (
        select clio_id from mirror_{resource}
        where account_id = :account and clio_id > :after order by clio_id limit :most
    ), unwatched as materialized (
        select page.clio_id from page where not coalesce((
            select true from sightings as seen where seen.account_id = :account
                and seen.resource = '{resource}' and seen.clio_id = page.clio_id
                and seen.connection_id = any(array(
                    select connection_id from connections
                    where account_id = :account and status = 'connected'
                      and forget_after is null)) limit 1), false)
    )
    select 'alone' as what, former.connection_id, array_agg(unwatched.clio_id) as clio_ids
    from unwatched cross join unnest(cast(:former as text[])) as former (connection_id)
    where 1 = (select count(*) from sightings as seen where seen.account_id = :account
        and seen.resource = '{resource}' and seen.clio_id = unwatched.clio_id
        and seen.connection_id = former.connection_id)
    group by former.connection_id
    union all
    select 'unseen', null, array_agg(unwatched.clio_id) from unwatched
    where 0 = (select count(*) from sightings as seen where seen.account_id = :account
        and seen.resource = '{resource}' and seen.clio_id = unwatched.clio_id)
      and 1 = (select count(*) from mirror_{resource} as stored where stored.account_id = :account
        and stored.clio_id = unwatched.clio_id and {here})
    union all
    select 'page', null, array[max(clio_id), count(*)] from page
"""
_COUNTS = {
    "contacts": text(_COUNT.format(resource="contacts", here="stored.gone is null")),
    "matters": text(_COUNT.format(resource="matters", here="true")),
}


async def count_coverage(session: Session, account_id: str, former: Collection[str]) -> Coverage:
    """Return what no working login sees; looks at each contact and matter of the firm once, `PAGE` in a statement.

    `former` are the connections that worked once.
    """
    names = {"account": account_id, "former": list(former), "most": PAGE}
    found = {resource: _Found() for resource in _COUNTS}
    for resource, query in _COUNTS.items():
        after: int | None = 0
        while after is not None:
            async with reading_in_key_order(session):
                rows = (await session.execute(query, {**names, "after": after})).all()
            after = found[resource].add(rows)
    return Coverage(
        {
            login: SoleSightings(
                contacts=found["contacts"].alone[login],
                matters=found["matters"].alone[login],
                first_matters=tuple(found["matters"].first[login]),
                first_contacts=tuple(found["contacts"].first[login]),
            )
            for login in former
            if any(one.alone[login] for one in found.values())
        },
        {resource: one.unseen for resource, one in found.items()},
    )


@dataclass
class _Found:
    """The counts from the pages of one kind of records that were read so far."""

    alone: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    unseen: int = 0

    def add(self, rows: Sequence[Any]) -> int | None:
        """Add a page; return the Clio id after which the next one begins, None at the end."""
        following: int | None = None
        for row in rows:
            if row.what == "alone":
                self.alone[row.connection_id] += len(row.clio_ids)
                self.first[row.connection_id] += sorted(row.clio_ids)
                del self.first[row.connection_id][FIRST:]
            elif row.what == "unseen":
                self.unseen += len(row.clio_ids or ())
            else:
                last, count = row.clio_ids
                following = last if count == PAGE else None
        return following


@dataclass(frozen=True)
class ExpiredPage:
    """The records of a page of sightings whose every viewer left, and after which Clio id the next page begins."""

    clio_ids: tuple[int, ...]
    next: int | None


# A page can end within the sightings of a record; that record belongs to the next page.
_EXPIRED = text("""
    with page as materialized (
        select clio_id, connection_id from sightings
        where account_id = :account and resource = :resource and clio_id > :after
        order by clio_id, connection_id limit :most
    ), page_end as (
        select case when count(*) = :most then max(clio_id) end as cut_off from page
    ), expired as (
        select clio_id from page, page_end where clio_id < cut_off or cut_off is null
        group by clio_id
        having bool_and(connection_id = any(array(
            select connection_id from connections
            where account_id = :account and left_at < :before)))
    )
    select array(select clio_id from expired) as clio_ids,
      (select cut_off - 1 from page_end) as next
""")


async def list_expired(
    session: Session, account_id: str, resource: str, *, left_before: datetime, after: int, limit: int
) -> ExpiredPage:  # fmt: skip
    """Return records whose every viewer left before a moment, from the next `limit` sightings [S4].

    `limit` must be greater than the number of logins of the account.
    """
    names = {"account": account_id, "resource": resource, "before": left_before}
    async with reading_in_key_order(session):
        found = await session.execute(_EXPIRED, {**names, "after": after, "most": limit})
    row = found.one()
    return ExpiredPage(tuple(sorted(row.clio_ids)), row.next)


async def must_sweep(session: Session, account_id: str, *, left_before: datetime) -> bool:
    """Return whether `list_expired` may find something: a login left before a moment, and not all was looked at since.

    It must be looked at again when a change of the coverage was noted.
    """
    left = (_logins.c.account_id == account_id) & (_logins.c.left_at < left_before)
    unswept = _logins.c.swept_to.is_(None) | (_logins.c.swept_to <= _logins.c.left_at)
    found = (await session.execute(select(unswept).where(left))).scalars().all()
    return any(found) or (bool(found) and await has_changed(session, account_id))


async def store_sweep(session: Session, account_id: str, *, left_before: datetime) -> None:
    """Store that everything was removed that only logins could see that left before a moment."""
    left = (_logins.c.account_id == account_id) & (_logins.c.left_at < left_before)
    await session.execute(update(_logins).where(left).values(swept_to=left_before))
