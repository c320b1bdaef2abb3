"""Sightings: which connection sees a record, and the digest of the version that it saw last.

A connection that sees the same version as before brings nothing new, even if its view differs from the merged record.
Only what changed within one view is merged into the mirror.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from app.db.connections import tables as connection_tables
from app.db.mirror import tables
from app.db.session import Session, any_of

_table = tables.sightings
_lost = tables.lost_sightings


@dataclass(frozen=True)
class View:
    """The connection through which a page was read; `unseen` are fields of its records that Clio did not show."""

    account_id: str
    connection_id: str
    full_view: bool
    unseen: frozenset[str] = field(default=frozenset())


async def load_digests(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> dict[int, bytes | None]:
    """Return the digests of the versions that the connection saw; records that it never saw are left out."""
    rows = await session.execute(
        select(_table.c.clio_id, _table.c.digest).where(
            _in_view(view, resource), any_of(_table.c.clio_id, clio_ids)
        )
    )
    return {row.clio_id: row.digest for row in rows}


async def record_sightings(
    session: Session, view: View, resource: str, digests: Mapping[int, bytes]
) -> None:
    """Store that the connection sees these records, with the digests of the versions."""
    if not digests:
        return
    statement = insert(_table)
    rows = [
        {
            "account_id": view.account_id,
            "resource": resource,
            "clio_id": clio_id,
            "connection_id": view.connection_id,
            "digest": digest,
        }
        for clio_id, digest in sorted(digests.items())
    ]
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=list(_table.primary_key.columns),
            set_={"digest": statement.excluded.digest},
        ),
        rows,
    )


async def find_seen_by_full_view(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> set[int]:
    """Return those of these records that another working connection with a full view sees."""
    logins = connection_tables.connections
    rows = await session.execute(
        select(_table.c.clio_id)
        .distinct()
        .join(
            logins,
            (logins.c.account_id == _table.c.account_id)
            & (logins.c.connection_id == _table.c.connection_id),
        )
        .where(_table.c.account_id == view.account_id, _table.c.resource == resource)
        .where(any_of(_table.c.clio_id, clio_ids), _table.c.connection_id != view.connection_id)
        .where(logins.c.status == "connected", logins.c.full_view)
    )
    return set(rows.scalars())


async def delete_sightings(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> None:
    """Store that the connection no longer sees these records; they stay as they were last seen.

    Of contacts a mark stays that it saw them once [row 53].
    """
    gone = await session.execute(
        delete(_table)
        .where(_in_view(view, resource), any_of(_table.c.clio_id, clio_ids))
        .returning(_table.c.clio_id)
    )
    lost = sorted(gone.scalars()) if resource == "contacts" else []
    key = {"account_id": view.account_id, "connection_id": view.connection_id}
    if lost:
        marks = [{**key, "clio_id": clio_id} for clio_id in lost]
        await session.execute(insert(_lost).on_conflict_do_nothing(), marks)


async def find_ever_seen(
    session: Session, account_id: str, connection_ids: Collection[str], clio_ids: Collection[int]
) -> set[int]:
    """Return those of these contacts that one of the connections has ever seen [row 53]."""
    if not connection_ids:
        return set()
    rows = await session.execute(
        text(
            "select clio_id from sightings where account_id = :account and resource = 'contacts'"
            " and clio_id = any(cast(:ids as bigint[])) and connection_id = any(cast(:logins as text[]))"
            " union select clio_id from lost_sightings where account_id = :account"
            " and clio_id = any(cast(:ids as bigint[])) and connection_id = any(cast(:logins as text[]))"
        ),
        {"account": account_id, "ids": list(clio_ids), "logins": list(connection_ids)},
    )
    return set(rows.scalars())


async def count_ever_seen(session: Session, account_id: str, connection_id: str) -> int:
    """Return how many contacts the connection has ever seen."""
    counted = await session.execute(
        text(
            "select count(*) from (select clio_id from sightings where account_id = :account"
            "   and resource = 'contacts' and connection_id = :login"
            " union select clio_id from lost_sightings where account_id = :account"
            "   and connection_id = :login) as seen"
        ),
        {"account": account_id, "login": connection_id},
    )
    return int(counted.scalar_one())


async def delete_lost(session: Session, account_id: str, clio_id: int) -> None:
    """Delete the marks of an erased contact."""
    own = (_lost.c.account_id == account_id) & (_lost.c.clio_id == clio_id)
    await session.execute(delete(_lost).where(own))


async def delete_all_sightings(
    session: Session, account_id: str, resource: str, clio_ids: Collection[int]
) -> None:
    """Delete all sightings of records that no longer exist."""
    await session.execute(
        delete(_table).where(
            _table.c.account_id == account_id,
            _table.c.resource == resource,
            any_of(_table.c.clio_id, clio_ids),
        )
    )


@dataclass(frozen=True)
class SoleSightings:
    """The number of records that only one connection sees, and the first of their ids."""

    contacts: int
    matters: int
    first_matters: tuple[int, ...]
    first_contacts: tuple[int, ...]


_SEEN_ALONE = """
    select s.resource, count(*) as n, (array_agg(s.clio_id order by s.clio_id))[1:5] as first
    from sightings s
    where s.account_id = :account and s.connection_id = :connection
      and s.resource in ('contacts', 'matters')
      and not exists (
        select from sightings o join connections c
          on c.account_id = o.account_id and c.connection_id = o.connection_id
        where o.account_id = s.account_id and o.resource = s.resource and o.clio_id = s.clio_id
          and o.connection_id <> s.connection_id and c.status = 'connected')
    group by s.resource
"""


async def count_seen_alone(session: Session, account_id: str, connection_id: str) -> SoleSightings:
    """Return what no other working connection sees [S4]."""
    rows = await session.execute(
        text(_SEEN_ALONE), {"account": account_id, "connection": connection_id}
    )
    found = {row.resource: row for row in rows}
    matters, contacts = found.get("matters"), found.get("contacts")
    return SoleSightings(
        contacts=contacts.n if contacts else 0,
        matters=matters.n if matters else 0,
        first_matters=tuple(matters.first) if matters else (),
        first_contacts=tuple(contacts.first) if contacts else (),
    )


async def count_unseen(session: Session, account_id: str) -> dict[str, int]:
    """Return how many stored contacts and matters no connection sees, working or not."""
    found = {}
    for resource, here in (("contacts", "m.gone is null"), ("matters", "true")):
        counted = text(
            f"select count(*) from mirror_{resource} m where m.account_id = :account and {here}"  # noqa: S608  # our own names
            " and not exists (select from sightings s where s.account_id = m.account_id"
            " and s.resource = :resource and s.clio_id = m.clio_id)"
        )
        names = {"account": account_id, "resource": resource}
        found[resource] = int((await session.execute(counted, names)).scalar_one())
    return found


async def list_expired(
    session: Session, account_id: str, resource: str, *, left_before: datetime, limit: int
) -> list[int]:
    """Return records whose every viewer left before a moment [S4]."""
    rows = await session.execute(
        text(
            "select s.clio_id from sightings s join connections c"
            " on c.account_id = s.account_id and c.connection_id = s.connection_id"
            " where s.account_id = :account and s.resource = :resource"
            " group by s.clio_id having bool_and(coalesce(c.left_at < :before, false))"
            " order by s.clio_id limit :limit"
        ),
        {"account": account_id, "resource": resource, "before": left_before, "limit": limit},
    )
    return list(rows.scalars())


def _in_view(view: View, resource: str) -> Any:
    return (
        (_table.c.account_id == view.account_id)
        & (_table.c.resource == resource)
        & (_table.c.connection_id == view.connection_id)
    )
