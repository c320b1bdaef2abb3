"""The lists that a login could not read in a run, and the logins that were set aside because of it [row 53].

Both are rows, because a run may be interrupted and resumed several times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.connections import tables as connection_tables
from app.db.runs import tables
from app.db.runs.leases import Lease
from app.db.session import Session
from app.rules.set_aside import limit_end

_table = tables.list_failures
_aside = tables.logins_set_aside
_logins = connection_tables.connections
_SET_ASIDE = (
    select(_aside, _logins.c.user_id, _logins.c.left_at)
    .join(
        _logins,
        (_logins.c.account_id == _aside.c.account_id)
        & (_logins.c.connection_id == _aside.c.connection_id),
    )
    .where(_aside.c.account_id == bindparam("account"))
    .order_by(_aside.c.connection_id)
)


@dataclass(frozen=True)
class ListFailure:
    """The failures of one list for one login in a run: their number, and the time of the first."""

    first_failed_at: datetime
    failures: int


@dataclass(frozen=True)
class SetAside:
    """A login that was set aside and not read completely again; its limit holds until `until`.

    `ever_seen` is how many contacts it has ever seen; None: they must be counted.
    """

    connection_id: str
    user_id: str
    run_id: str
    detail: str
    until: datetime
    has_left: bool
    ever_seen: int | None


async def record_failure(
    session: Session, lease: Lease, connection_id: str, resource: str, *, now: datetime
) -> ListFailure:
    """Count a failure of a list in this run; return the count so far."""
    row = await session.execute(
        insert(_table)
        .values(
            account_id=lease.account_id,
            run_id=lease.run_id,
            connection_id=connection_id,
            resource=resource,
            first_failed_at=now,
            failures=1,
        )
        .on_conflict_do_update(
            index_elements=list(_table.primary_key.columns),
            set_={"failures": _table.c.failures + 1},
        )
        .returning(_table.c.first_failed_at, _table.c.failures)
    )
    return ListFailure(*row.one())


async def list_failed(session: Session, lease: Lease) -> set[tuple[str, str]]:
    """Return the lists that have failed in this run and not been read on since, each as connection and resource."""
    rows = await session.execute(
        select(_table.c.connection_id, _table.c.resource).where(
            _table.c.account_id == lease.account_id, _table.c.run_id == lease.run_id
        )
    )
    return {(row.connection_id, row.resource) for row in rows}


async def forget_failure(session: Session, lease: Lease, connection_id: str, resource: str) -> None:
    """Delete the count of a list that can be read again: only failures in a row set a login aside."""
    await session.execute(
        delete(_table).where(
            _table.c.account_id == lease.account_id,
            _table.c.run_id == lease.run_id,
            _table.c.connection_id == connection_id,
            _table.c.resource == resource,
        )
    )


async def set_aside(
    session: Session, lease: Lease, connection_id: str, resource: str, detail: str, *, now: datetime
) -> None:
    """Set a login aside for the rest of the run. `since` stays that of the first time since its last complete pull."""
    changed = {"run_id": lease.run_id, "resource": resource, "detail": detail}
    key = {"account_id": lease.account_id, "connection_id": connection_id}
    await session.execute(
        insert(_aside)
        .values(**key, **changed, since=now)
        .on_conflict_do_update(index_elements=list(_aside.primary_key.columns), set_=changed)
    )


async def list_set_aside(session: Session, account_id: str) -> Sequence[SetAside]:
    """Return the logins that were set aside and not read completely since, by id."""
    rows = await session.execute(_SET_ASIDE, {"account": account_id})
    return [
        SetAside(
            row.connection_id,
            row.user_id,
            row.run_id,
            row.detail,
            limit_end(row.since, row.left_at),
            has_left=row.left_at is not None,
            ever_seen=row.ever_seen,
        )
        for row in rows
    ]


async def store_ever_seen(
    session: Session, account_id: str, connection_id: str, contacts: int
) -> None:
    """Store how many contacts a login that is set aside has ever seen."""
    own = (_aside.c.account_id == account_id) & (_aside.c.connection_id == connection_id)
    await session.execute(update(_aside).where(own).values(ever_seen=contacts))


async def take_back(session: Session, account_id: str, connection_id: str) -> bool:
    """Delete the row of a login that was read completely, or left long ago; return whether there was one."""
    gone = await session.execute(
        delete(_aside)
        .where(_aside.c.account_id == account_id, _aside.c.connection_id == connection_id)
        .returning(_aside.c.connection_id)
    )
    return gone.one_or_none() is not None


async def delete_failures(session: Session, account_id: str, run_id: str) -> None:
    """Delete the counts of a run that has ended."""
    await session.execute(
        delete(_table).where(_table.c.account_id == account_id, _table.c.run_id == run_id)
    )
