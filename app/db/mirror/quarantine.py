"""The quarantine: records that could not be read, with the reason and never with their content [F16, row 34].

There is one row per run that met the record. A record waits until one of its rows is resolved; then all are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from app.db.connections import tables as connection_tables
from app.db.mirror import tables
from app.db.mirror.visibility import View
from app.db.session import Session, any_of

_table = tables.quarantine

UNKNOWN_ID = 0  # stands for all records of a list whose id cannot be read


@dataclass(frozen=True)
class QuarantinedRecord:
    """A record that could not be read."""

    resource: str
    clio_id: int
    connection_id: str
    reason: str


async def add_records(
    session: Session,
    run_id: str,
    account_id: str,
    aside: Sequence[QuarantinedRecord],
    *,
    now: datetime,
) -> None:
    """Add the records that a run could not read."""
    if not aside:
        return
    rows = {
        (item.resource, item.clio_id): {
            "account_id": account_id,
            "resource": item.resource,
            "clio_id": item.clio_id,
            "connection_id": item.connection_id,
            "run_id": run_id,
            "reason": item.reason,
            "found_at": now,
        }
        for item in aside
    }
    await session.execute(insert(_table).on_conflict_do_nothing(), list(rows.values()))


async def resolve_records(
    session: Session, view: View, resource: str, clio_ids: Collection[int], *, now: datetime
) -> None:
    """Resolve records that the connection was shown in a readable form."""
    await session.execute(
        update(_table)
        .where(_table.c.account_id == view.account_id, _table.c.resource == resource)
        .where(any_of(_table.c.clio_id, clio_ids), _table.c.connection_id == view.connection_id)
        .where(_table.c.resolved_at.is_(None))
        .values(resolved_at=now)
    )


async def resolve_unknown_ids(
    session: Session, account_id: str, run_id: str, connection_id: str, *, now: datetime
) -> None:
    """Resolve the entries without a known id in lists that the run read completely.

    A list in which the run met another record with an unreadable id keeps its entry.
    """
    await session.execute(
        text(
            "update quarantine q set resolved_at = :now from pulls p"
            " where q.account_id = :account and q.connection_id = :connection and q.clio_id = 0"
            " and q.resolved_at is null and q.run_id <> :run and p.account_id = q.account_id"
            " and p.run_id = :run and p.connection_id = q.connection_id"
            " and p.resource = q.resource and p.complete and p.since is null"
            " and not exists (select from quarantine n where n.account_id = q.account_id"
            " and n.run_id = :run and n.connection_id = q.connection_id"
            " and n.resource = q.resource and n.clio_id = 0)"
        ),
        {"now": now, "account": account_id, "run": run_id, "connection": connection_id},
    )


async def list_waiting(
    session: Session, view: View, *, run_id: str, limit: int
) -> dict[str, list[int]]:
    """Return the first waiting records of a connection that this run has not met, by resource."""
    met = (
        select(_table.c.resource, _table.c.clio_id)
        .where(_table.c.account_id == view.account_id, _table.c.run_id == run_id)
        .where(_table.c.connection_id == view.connection_id)
    )
    rows = await session.execute(
        select(_table.c.resource, _table.c.clio_id)
        .where(_table.c.account_id == view.account_id, _table.c.resolved_at.is_(None))
        .where(_table.c.connection_id == view.connection_id, _table.c.clio_id != UNKNOWN_ID)
        .except_(met)
        .order_by("resource", "clio_id")
        .limit(limit)
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.resource, []).append(row.clio_id)
    return found


async def list_open(session: Session, account_id: str, *, limit: int) -> list[QuarantinedRecord]:
    """Return waiting records, each once, that a working connection met."""
    logins = connection_tables.connections
    rows = await session.execute(
        select(_table.c.resource, _table.c.clio_id, _table.c.connection_id, _table.c.reason)
        .ext(distinct_on(_table.c.resource, _table.c.clio_id))
        .join(
            logins,
            (logins.c.account_id == _table.c.account_id)
            & (logins.c.connection_id == _table.c.connection_id),
        )
        .where(_table.c.account_id == account_id, _table.c.resolved_at.is_(None))
        .where(logins.c.status == "connected")
        .order_by(_table.c.resource, _table.c.clio_id, _table.c.run_id.desc())
        .limit(limit)
    )
    return [QuarantinedRecord(*row) for row in rows]


async def list_by_run(
    session: Session, account_id: str, run_id: str, *, limit: int
) -> list[QuarantinedRecord]:
    """Return the records that a run added."""
    rows = await session.execute(
        select(_table.c.resource, _table.c.clio_id, _table.c.connection_id, _table.c.reason)
        .where(_table.c.account_id == account_id, _table.c.run_id == run_id)
        .order_by(_table.c.resource, _table.c.clio_id, _table.c.connection_id)
        .limit(limit)
    )
    return [QuarantinedRecord(*row) for row in rows]


async def delete_resolved(session: Session, *, before: datetime) -> None:
    """Delete entries that were resolved before a moment."""
    await session.execute(delete(_table).where(_table.c.resolved_at < before))
