"""The records that webhooks of Clio named, for the run that reads them.

How they are read is in `app/sync/pull/named_records.py`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.mirror import tables as mirror_tables
from app.db.mirror.visibility import View
from app.db.runs import tables
from app.db.runs.leases import Lease
from app.db.session import Session, any_of

MOST = 200  # records of one run; Clio's lists are read instead of more

_table = tables.named_records
_sightings = mirror_tables.sightings
_matters = mirror_tables.mirror_matters


@dataclass(frozen=True)
class NamedRecord:
    """A record of one of Clio's lists, the login whose subscription named it, and whether as a deleted one."""

    resource: str
    clio_id: int
    connection_id: str
    deleted: bool = False


async def add(session: Session, account_id: str, run_id: str, record: NamedRecord) -> int:
    """Let a run read a record; return how many it has to read."""
    row = {
        "account_id": account_id,
        "run_id": run_id,
        "resource": record.resource,
        "clio_id": record.clio_id,
        "connection_id": record.connection_id,
        "deleted": record.deleted,
    }
    statement = insert(_table).values(row)
    deleted = _table.c.deleted | statement.excluded.deleted
    key = list(_table.primary_key.columns)
    await session.execute(
        statement.on_conflict_do_update(index_elements=key, set_={"deleted": deleted})
    )
    records = select(_table.c.resource, _table.c.clio_id).where(_of_run(account_id, run_id))
    counted = select(func.count()).select_from(records.distinct().subquery())
    return (await session.execute(counted)).scalar_one()


async def list_logins(session: Session, lease: Lease) -> set[str]:
    """Return the connections as which records of the run are read: those that named one, and those that see one."""
    own = _of_run(lease.account_id, lease.run_id)
    named = select(_table.c.connection_id).where(own)
    seeing = (
        select(_sightings.c.connection_id)
        .join(_table, _is_sighting(_table.c.resource, _table.c.clio_id))
        .where(own)
    )
    return set((await session.execute(named.union(seeing))).scalars())


async def list_next(
    session: Session, lease: Lease, view: View, resource: str, *, after: int, limit: int
) -> list[int]:
    """Return the next records of a kind, by Clio id, that the connection named or sees."""
    query = _asked_as(lease, view, resource).where(_table.c.clio_id > after)
    page = query.order_by(_table.c.clio_id).limit(limit)
    return list((await session.execute(page)).scalars())


def _asked_as(lease: Lease, view: View, resource: str) -> Select[int]:
    """Select the records of a kind that the connection named or sees."""
    return (
        select(_table.c.clio_id)
        .distinct()
        .where(_of_run(lease.account_id, lease.run_id), _table.c.resource == resource)
        .where((_table.c.connection_id == view.connection_id) | _is_seen(view))
    )


async def list_next_clients(
    session: Session, lease: Lease, view: View, *, after: int, limit: int
) -> list[int]:
    """Return the next clients, by Clio id, of the named matters that the connection sees.

    Those that it named or sees themselves are left out: they are read as named records.
    """
    named_themselves: Select[int] = _asked_as(lease, view, "contacts")
    query = (
        select(_matters.c.client_id)
        .distinct()
        .join(_table, _matters.c.clio_id == _table.c.clio_id)
        .where(_matters.c.account_id == lease.account_id, _matters.c.client_id > after)
        .where(_of_run(lease.account_id, lease.run_id), _table.c.resource == "matters")
        .where(_is_seen(view))
        .where(_matters.c.client_id.not_in(named_themselves))
        .order_by(_matters.c.client_id)
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())


async def find_next_matter(session: Session, lease: Lease, view: View, *, after: int) -> int | None:
    """Return the next named matter, by Clio id, that the connection sees; None if there is no more."""
    query = (
        select(func.min(_table.c.clio_id))
        .where(_of_run(lease.account_id, lease.run_id), _table.c.resource == "matters")
        .where(_table.c.clio_id > after, _is_seen(view))
    )
    found: int | None = (await session.execute(query)).scalar_one()
    return found


async def mark_shown(
    session: Session, lease: Lease, resource: str, clio_ids: Collection[int]
) -> None:
    """Store that Clio showed these records to a login."""
    own = _of_run(lease.account_id, lease.run_id) & (_table.c.resource == resource)
    shown = update(_table).where(own, any_of(_table.c.clio_id, clio_ids))
    await session.execute(shown.values(shown=True))


async def list_not_shown(
    session: Session, lease: Lease, view: View, resource: str, *, deleted_only: bool
) -> list[int]:
    """Return the named records that Clio showed to no login, and that the connection used to see.

    `deleted_only`: those that were named as deleted.
    """
    query = (
        select(_table.c.clio_id)
        .distinct()
        .where(_of_run(lease.account_id, lease.run_id), _table.c.resource == resource)
        .where(~_table.c.shown, _is_seen(view))
    )
    if deleted_only:
        query = query.where(_table.c.deleted)
    return list((await session.execute(query)).scalars())


async def keep_deleted(session: Session, account_id: str, run_id: str) -> None:
    """Keep only what was named as deleted: the run reads Clio's lists, which do not show deletions."""
    await session.execute(delete(_table).where(_of_run(account_id, run_id), ~_table.c.deleted))


async def delete_records(session: Session, account_id: str, run_id: str) -> None:
    """Delete the named records of a run that has ended."""
    await session.execute(delete(_table).where(_of_run(account_id, run_id)))


def _of_run(account_id: str, run_id: str) -> ColumnElement[bool]:
    return (_table.c.account_id == account_id) & (_table.c.run_id == run_id)


def _is_seen(view: View) -> ColumnElement[bool]:
    """Return the condition that the connection sees the named record."""
    own = _sightings.c.connection_id == view.connection_id
    return exists().where(own, _is_sighting(_table.c.resource, _table.c.clio_id))


def _is_sighting(resource: ColumnElement[str], clio_id: ColumnElement[int]) -> ColumnElement[bool]:
    return (
        (_sightings.c.account_id == _table.c.account_id)
        & (_sightings.c.resource == resource)
        & (_sightings.c.clio_id == clio_id)
    )
