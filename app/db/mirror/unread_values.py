"""Values of Clio that could not be read: one row for each record, field and login, never with content [row 49].

The record itself is stored, and the stored value of the field stays. A row goes when the login is shown the field in a
readable form, or sees the record no more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, text
from sqlalchemy.dialects.postgresql import insert

from app.db.mirror import tables
from app.db.session import Session, among, any_of

_table = tables.unread_values

_FORGET = delete(_table).where(
    _table.c.account_id == bindparam("account"),
    _table.c.connection_id == bindparam("login"),
    _table.c.resource == bindparam("list"),
    among(_table.c.clio_id, "ids"),
)
AT_ONCE = 500  # rows that one statement looks for in what a run listed


@dataclass(frozen=True)
class UnreadField:
    """A field that working logins were shown in a form that cannot be read, and the first records with it."""

    resource: str
    field: str
    reason: str
    clio_ids: tuple[int, ...]


async def store(
    session: Session,
    account_id: str,
    connection_id: str,
    resource: str,
    unread: Mapping[int, Mapping[str, str]],
    *,
    now: datetime,
) -> None:
    """Store what of these records the login could not read: the fields of each one, with the reasons.

    What was stored of these records before is replaced.
    """
    names = {"account": account_id, "login": connection_id, "list": resource}
    await session.execute(_FORGET, {**names, "ids": list(unread)})
    about = {"account_id": account_id, "connection_id": connection_id, "resource": resource}
    rows = [
        {**about, "field": field, "clio_id": clio_id, "reason": reason, "found_at": now}
        for clio_id, fields in unread.items()
        for field, reason in fields.items()
    ]
    if rows:
        await session.execute(insert(_table), rows)


async def forget(
    session: Session,
    account_id: str,
    resource: str,
    clio_ids: Collection[int],
    connection_id: str | None = None,
) -> None:
    """Delete the rows of records that a connection no longer sees, or nobody."""
    if not clio_ids:
        return
    own = (_table.c.account_id == account_id) & (_table.c.resource == resource)
    if connection_id is not None:
        own &= _table.c.connection_id == connection_id
    await session.execute(delete(_table).where(own, any_of(_table.c.clio_id, clio_ids)))


async def forget_gone(session: Session, account_id: str, run_id: str, connection_id: str) -> None:
    """Delete the rows of records that were never stored, and that a list lacks that the run read completely.

    No sighting of the login tells that such a record is gone: a matter is not stored while its status cannot be read.
    """
    names = {"account": account_id, "run": run_id, "connection": connection_id, "limit": AT_ONCE}
    await session.execute(_FORGET_GONE, names)


_FORGET_GONE = text("""
    with unstored as materialized (
        select v.resource, v.field, v.clio_id from unread_values v
        join pulls p on p.account_id = v.account_id and p.run_id = :run
            and p.connection_id = v.connection_id and p.resource = v.resource
        where v.account_id = :account and v.connection_id = :connection
            and p.complete and p.since is null and not exists (
                select from sightings s where s.account_id = v.account_id
                and s.connection_id = v.connection_id and s.resource = v.resource and s.clio_id = v.clio_id)
        limit :limit
    )
    delete from unread_values v using unstored u
    where v.account_id = :account and v.connection_id = :connection
        and v.resource = u.resource and v.field = u.field and v.clio_id = u.clio_id and not exists (
            select from listed l where l.account_id = :account and l.run_id = :run
            and l.connection_id = :connection and l.resource = u.resource and u.clio_id = any(l.clio_ids))
""")


async def list_fields(
    session: Session, account_id: str, *, limit: int, records: int
) -> list[UnreadField]:
    """Return the first fields of working logins, each with the first `records` records. Reads no more than these."""
    names = {"account": account_id, "fields": limit, "records": records}
    found: dict[tuple[str, str], UnreadField] = {}
    for row in await session.execute(_FIELDS, names):
        known = found.get((row.resource, row.field))
        ids = {row.clio_id, *(known.clio_ids if known else ())}
        field = UnreadField(row.resource, row.field, row.reason, tuple(sorted(ids)[:records]))
        found[row.resource, row.field] = field
    return [found[key] for key in sorted(found)]


# The next field is found by the key, so that the number of records with one field does not matter.
_FIELDS = text("""
    with recursive fields as (
        (
            select connection_id, resource, field from unread_values where account_id = :account
            order by connection_id, resource, field limit 1
        )
        union all
        select next.connection_id, next.resource, next.field from fields
        cross join lateral (
            select connection_id, resource, field from unread_values
            where account_id = :account and (connection_id, resource, field)
                > (fields.connection_id, fields.resource, fields.field)
            order by connection_id, resource, field limit 1
        ) as next
    ), working as (
        select fields.* from fields
        join connections on connections.account_id = :account
            and connections.connection_id = fields.connection_id and connections.status = 'connected'
        limit :fields
    )
    select working.resource, working.field, first.clio_id, first.reason from working
    cross join lateral (
        select clio_id, reason from unread_values as v
        where v.account_id = :account and v.connection_id = working.connection_id
            and v.resource = working.resource and v.field = working.field
        order by clio_id limit :records
    ) as first
""")
