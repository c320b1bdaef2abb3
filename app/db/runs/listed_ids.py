"""The ids that complete lists showed. What they lack is found in `lookups`.

The ids of each page are kept until the run has ended, so that a resumed run knows what its first part listed.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from app.db.runs import tables
from app.db.runs.checkpoints import Pull
from app.db.runs.leases import Lease
from app.db.session import Session

_table = tables.listed
_PAGE = insert(_table)
_STORE_PAGE = _PAGE.on_conflict_do_update(
    index_elements=list(_table.primary_key.columns), set_={"clio_ids": _PAGE.excluded.clio_ids}
)
PER_RUN = (
    "listed",
    "list_failures",
    "run_logins",
    "lookups",
    "named_records",
)  # rows that only an unfinished run needs


async def record_page(
    session: Session, lease: Lease, pull: Pull, clio_ids: Collection[int]
) -> None:
    """Store the ids of the page of a complete list that the pull has just landed."""
    key = {"account_id": lease.account_id, "run_id": lease.run_id, "page": pull.pages}
    of_list = {"connection_id": pull.connection_id, "resource": pull.resource}
    await session.execute(_STORE_PAGE, {**key, **of_list, "clio_ids": sorted(clio_ids)})


async def load_listed(session: Session, lease: Lease, pull: Pull) -> set[int]:
    """Return all ids that a list showed; none unless each of its pages is stored. It is meant for small lists.

    The previous release stores no pages of small lists, and may have read the first ones.
    """
    own = _is_list(lease, pull.connection_id, pull.resource)
    pages = list((await session.execute(select(_table.c.clio_ids).where(own))).scalars())
    return {clio_id for page in pages for clio_id in page} if len(pages) == pull.pages else set()


async def restart(session: Session, lease: Lease, connection_id: str, resource: str) -> None:
    """Delete the stored ids: the list is read again from its beginning."""
    await session.execute(delete(_table).where(_is_list(lease, connection_id, resource)))


async def delete_pages(session: Session, account_id: str, run_id: str) -> None:
    """Delete the stored ids of a run that has ended."""
    await session.execute(
        delete(_table).where(_table.c.account_id == account_id, _table.c.run_id == run_id)
    )


async def delete_ended(session: Session, table: str, *, limit: int) -> int:
    """Delete what runs that have ended left in a table of `PER_RUN`; return how many rows, at most `limit`.

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


def _is_list(lease: Lease, connection_id: str, resource: str) -> ColumnElement[bool]:
    return (
        (_table.c.account_id == lease.account_id)
        & (_table.c.run_id == lease.run_id)
        & (_table.c.connection_id == connection_id)
        & (_table.c.resource == resource)
    )
