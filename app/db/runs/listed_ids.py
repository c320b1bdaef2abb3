"""The ids that a complete list showed, and the records that are missing in it.

The ids of each page are kept until the run has ended, so that a resumed run knows what its first part listed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, text

from app.db.runs import tables
from app.db.runs.leases import Lease
from app.db.session import Session

_table = tables.listed


@dataclass(frozen=True)
class MissingRecords:
    """The records that a complete list lacked: their number, the first of them, and how many were seen before."""

    seen: int
    missing: int
    first: tuple[int, ...]


async def record_page(
    session: Session, lease: Lease, connection_id: str, resource: str, page: Collection[int]
) -> None:
    """Store the ids of a page of a complete list."""
    await session.execute(
        text(
            "insert into listed (account_id, run_id, connection_id, resource, page, clio_ids)"
            " select account_id, run_id, connection_id, resource, pages, cast(:ids as bigint[])"
            " from pulls where account_id = :account and run_id = :run"
            " and connection_id = :connection and resource = :resource"
            " on conflict (account_id, run_id, connection_id, resource, page)"
            " do update set clio_ids = excluded.clio_ids"
        ),
        {**_names(lease, connection_id, resource), "ids": sorted(page)},
    )


async def restart(session: Session, lease: Lease, connection_id: str, resource: str) -> None:
    """Delete the stored ids: the list is read again from its beginning."""
    await session.execute(
        delete(_table).where(
            _table.c.account_id == lease.account_id,
            _table.c.run_id == lease.run_id,
            _table.c.connection_id == connection_id,
            _table.c.resource == resource,
        )
    )


_MISSING = """
    with whole as (
        select from pulls where account_id = :account and run_id = :run
          and connection_id = :connection and resource = :resource and complete and since is null
    ), listed_ids as (
        select unnest(clio_ids) as clio_id from listed
        where account_id = :account and run_id = :run
          and connection_id = :connection and resource = :resource
    ), seen as (
        select clio_id from sightings where account_id = :account and resource = :resource
          and connection_id = :connection and exists (select from whole)
    ), missing as (
        select clio_id from seen except select clio_id from listed_ids
    )
    select (select count(*) from seen) as seen, (select count(*) from missing) as missing,
      array(select clio_id from missing order by clio_id limit :limit) as first
"""


async def find_missing(
    session: Session, lease: Lease, connection_id: str, resource: str, *, limit: int
) -> MissingRecords:
    """Return the records that the connection saw before and that its list did not show.

    All counts are 0 unless this run has read the complete list.
    """
    names = {**_names(lease, connection_id, resource), "limit": limit}
    row = (await session.execute(text(_MISSING), names)).one()
    return MissingRecords(row.seen, row.missing, tuple(row.first))


async def find_listed(
    session: Session, lease: Lease, resource: str, clio_ids: Sequence[int], *, by: str | None = None
) -> set[int]:
    """Return those of these records that one connection (`by`), or any, found listed in this run."""
    rows = await session.execute(
        text(
            "select distinct id from listed, unnest(clio_ids) as id"
            " where account_id = :account and run_id = :run and resource = :resource"
            " and (cast(:by as text) is null or connection_id = :by)"
            " and clio_ids && cast(:ids as bigint[]) and id = any(cast(:ids as bigint[]))"
        ),
        {
            "account": lease.account_id,
            "run": lease.run_id,
            "resource": resource,
            "ids": list(clio_ids),
            "by": by,
        },
    )
    return set(rows.scalars())


async def delete_pages(session: Session, account_id: str, run_id: str) -> None:
    """Delete the stored ids of a run that has ended."""
    await session.execute(
        delete(_table).where(_table.c.account_id == account_id, _table.c.run_id == run_id)
    )


async def delete_ended(session: Session, table: str, *, limit: int) -> int:
    """Delete what runs that have ended left in `listed` or `list_failures`; return how many rows, at most `limit`.

    It goes from run to run by the key, because a run has thousands of rows.
    """
    names = {"limit": limit}
    return (await session.execute(text(_DELETE_ENDED.format(table=table)), names)).rowcount


_DELETE_ENDED = """
    with recursive named as (
        (select account_id, run_id from {table} order by account_id, run_id limit 1)
        union all
        select later.account_id, later.run_id from named cross join lateral (
            select account_id, run_id from {table} rows
            where (rows.account_id, rows.run_id) > (named.account_id, named.run_id)
            order by account_id, run_id limit 1) later
    )
    delete from {table} where ctid = any(array(
        select rows.ctid from named
        join runs on runs.account_id = named.account_id and runs.run_id = named.run_id
        join {table} rows on rows.account_id = named.account_id and rows.run_id = named.run_id
        where runs.finished_at is not null limit :limit))
"""


def _names(lease: Lease, connection_id: str, resource: str) -> dict[str, object]:
    return {
        "account": lease.account_id,
        "run": lease.run_id,
        "connection": connection_id,
        "resource": resource,
    }
