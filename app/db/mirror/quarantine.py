"""The quarantine: records that could not be read, with the reason and never with their content [F16, row 34].

There is one row for each record and login. It names the first and the last run that met the record.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import distinct_on

from app.db.connections import tables as connection_tables
from app.db.mirror import tables
from app.db.mirror.audience import Audience
from app.db.mirror.visibility import View
from app.db.runs import tables as run_tables
from app.db.session import Session, among

_table = tables.quarantine

_last_run = func.coalesce(_table.c.last_run_id, _table.c.run_id)

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
    rows = {
        (item.resource, item.clio_id): {
            "account": account_id,
            "run": run_id,
            "now": now,
            **asdict(item),
        }
        for item in aside
    }
    if rows:
        await session.execute(_ADD, list(rows.values()))


# A record that was readable in between is met for the first time again. The previous release stored a row for each run
# that met a record; they become one.
_ADD = text("""
    with known as (
        delete from quarantine where account_id = :account and resource = :resource
          and clio_id = :clio_id and connection_id = :connection_id
          and (resolved_at is null or run_id = :run)
        returning run_id, found_at
    ), first as (
        select run_id, found_at from known
        union all select cast(:run as text), cast(:now as timestamptz)
        order by found_at, run_id limit 1
    )
    insert into quarantine (account_id, resource, clio_id, connection_id, run_id, found_at,
      last_run_id, last_found_at, reason)
    select :account, :resource, :clio_id, :connection_id, run_id, found_at, :run, :now, :reason from first
""")


_RESOLVE = (
    update(_table)
    .where(_table.c.account_id == bindparam("account"), _table.c.resource == bindparam("list"))
    .where(among(_table.c.clio_id, "ids"), _table.c.connection_id == bindparam("login"))
    .where(_table.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("now"))
)


async def resolve_records(
    session: Session, view: View, resource: str, clio_ids: Collection[int], *, now: datetime
) -> None:
    """Resolve records that the connection was shown in a readable form."""
    names = {"account": view.account_id, "list": resource, "login": view.connection_id}
    await session.execute(_RESOLVE, {**names, "ids": list(clio_ids), "now": now})


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
            " and q.resolved_at is null and coalesce(q.last_run_id, q.run_id) <> :run"
            " and p.account_id = q.account_id and p.run_id = :run and p.connection_id = q.connection_id"
            " and p.resource = q.resource and p.complete and p.since is null"
        ),
        {"now": now, "account": account_id, "run": run_id, "connection": connection_id},
    )


async def list_waiting(
    session: Session, view: View, resource: str, *, run_id: str, after: int, limit: int
) -> list[int]:
    """Return the first waiting records of a connection's list that this run has not met, those after `after`."""
    own = (
        select(_table.c.clio_id)
        .where(_table.c.account_id == view.account_id, _table.c.resource == resource)
        .where(_table.c.connection_id == view.connection_id, _table.c.clio_id > after)
        .where(_table.c.resolved_at.is_(None), _table.c.clio_id != UNKNOWN_ID)
    )
    rows = await session.execute(
        own.except_(own.where(_last_run == run_id)).order_by("clio_id").limit(limit)
    )
    return list(rows.scalars())


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
        .order_by(_table.c.resource, _table.c.clio_id, _last_run.desc())
        .limit(limit)
    )
    return [QuarantinedRecord(*row) for row in rows]


async def list_by_run(
    session: Session, account_id: str, run_id: str, audience: Audience, *, limit: int
) -> list[QuarantinedRecord]:
    """Return the records that a run met: the first run, the last one, and those in between that read the list.

    A run that reads a list as a login asks that login again for what is quarantined, and the ids of runs grow. Records
    that the audience does not see are left out.
    """
    pulls = run_tables.pulls
    read_again = (
        exists()
        .where(pulls.c.account_id == account_id, pulls.c.run_id == run_id)
        .where(pulls.c.connection_id == _table.c.connection_id)
        .where(pulls.c.resource == _table.c.resource)
    )
    seen = audience.limited_to(_table.c.resource, account_id, _table.c.clio_id)
    between = (_table.c.run_id < run_id) & (_last_run > run_id) & read_again
    rows = await session.execute(
        select(_table.c.resource, _table.c.clio_id, _table.c.connection_id, _table.c.reason)
        .distinct()
        .where(_table.c.account_id == account_id)
        .where(or_(_table.c.clio_id == UNKNOWN_ID, *seen) if seen else true())
        .where((_table.c.run_id == run_id) | (_last_run == run_id) | between)
        .order_by(_table.c.resource, _table.c.clio_id, _table.c.connection_id)
        .limit(limit)
    )
    return [QuarantinedRecord(*row) for row in rows]
