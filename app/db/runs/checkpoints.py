"""The progress of each list of a run, and the checkpoints at which the next run begins.

A *cursor* is Clio's token of the next page in an unfinished pull; a *checkpoint* is the `updated_since` of the
next pull. A cursor moves with its page, in one transaction; a checkpoint moves only when the run has succeeded.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.runs import tables
from app.db.runs.leases import Lease
from app.db.session import Session, among

_table = tables.pulls
_checkpoints = tables.checkpoints

_MOVING = (
    *("created_since", "newest", "cursor", "pages", "records"),
    *("total", "unreadable", "passed", "complete"),
)
_THIS = (
    (_table.c.account_id == bindparam("account"))
    & (_table.c.run_id == bindparam("run"))
    & (_table.c.connection_id == bindparam("login"))
    & (_table.c.resource == bindparam("list"))
)
_OPEN = insert(_table).on_conflict_do_nothing()
_PULL = select(_table).where(_THIS)
_MOVE = (
    update(_table)
    .where(_THIS)
    .values(
        **{name: bindparam(f"new_{name}") for name in _MOVING},
        asked_at=func.coalesce(_table.c.asked_at, bindparam("asked", type_=_table.c.asked_at.type)),
    )
)
_OF_RUNS = (
    select(_table)
    .where(_table.c.account_id == bindparam("account"), among(_table.c.run_id, "runs"))
    .order_by(_table.c.run_id, _table.c.connection_id, _table.c.resource)
)
_OF_MANY = text(
    "select p.* from unnest(cast(:accounts as text[]), cast(:runs as text[])) as wanted (account, run)"
    " cross join lateral (select * from pulls where account_id = wanted.account and run_id = wanted.run"
    "  order by connection_id, resource offset 0) p"
)
OVERLAP = timedelta(minutes=15)  # subtracted from a checkpoint, so that no change is missed [OV-4]


@dataclass(frozen=True)
class Pull:
    """One list, as one connection sees it, in one run. `total` is Clio's count, if Clio gave one.

    A list that is read in windows continues at `cursor` of the window that begins at `created_since`; the counts cover
    all windows.
    """

    connection_id: str
    resource: str
    since: datetime | None
    created_since: datetime | None
    newest: datetime | None
    cursor: str | None
    pages: int
    records: int
    total: int | None
    unreadable: int
    passed: int
    complete: bool

    @property
    def met(self) -> int:
        """Records that its pages bore, readable or not."""
        return self.records + self.unreadable


async def open_pull(
    session: Session, lease: Lease, connection_id: str, resource: str, *, since: datetime | None
) -> Pull:
    """Return the pull of this list in this run as it was left, or start one that asks for changes since `since`."""
    key = {
        "account_id": lease.account_id,
        "run_id": lease.run_id,
        "connection_id": connection_id,
        "resource": resource,
    }
    await session.execute(_OPEN, {**key, "since": since})
    names = {"account": lease.account_id, "run": lease.run_id}
    one = await session.execute(_PULL, {**names, "login": connection_id, "list": resource})
    return _pull(one.one())


async def store_pull(
    session: Session, lease: Lease, pull: Pull, *, asked_at: datetime | None = None
) -> None:
    """Store how far a list was read. `asked_at` is when Clio was asked for the page; that of the first page stays."""
    names = {
        "account": lease.account_id,
        "run": lease.run_id,
        "login": pull.connection_id,
        "list": pull.resource,
        "asked": asked_at,
    }
    moved = {f"new_{name}": getattr(pull, name) for name in _MOVING}
    await session.execute(_MOVE, {**names, **moved})


async def add_unreadable(
    session: Session, lease: Lease, connection_id: str, resource: str, count: int
) -> None:
    """Count records of the list that could not be read when they were requested one by one."""
    await session.execute(
        update(_table)
        .where(_one(lease, connection_id, resource))
        .values(unreadable=_table.c.unreadable + count)
    )


async def list_pulls(
    session: Session, account_id: str, run_ids: Sequence[str]
) -> dict[str, list[Pull]]:
    """Return the pulls of each run, by run id."""
    rows = await session.execute(_OF_RUNS, {"account": account_id, "runs": list(run_ids)})
    found: dict[str, list[Pull]] = {run_id: [] for run_id in run_ids}
    for row in rows:
        found[row.run_id].append(_pull(row))
    return found


async def list_pulls_of_many(
    session: Session, runs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[Pull]]:
    """Return the pulls of runs of many accounts, each by account and run."""
    wanted = {"accounts": [account for account, _ in runs], "runs": [run for _, run in runs]}
    found: dict[tuple[str, str], list[Pull]] = {run: [] for run in runs}
    for row in await session.execute(_OF_MANY, wanted):
        found[row.account_id, row.run_id].append(_pull(row))
    return found


async def find_checkpoint(
    session: Session, account_id: str, connection_id: str, resource: str
) -> datetime | None:
    """Return the `updated_since` of the next pull of this list; None if it was never read to its end."""
    query = select(_checkpoints.c.since).where(
        _checkpoints.c.account_id == account_id,
        _checkpoints.c.connection_id == connection_id,
        _checkpoints.c.resource == resource,
    )
    return (await session.execute(query)).scalar_one_or_none()


async def move_checkpoints(session: Session, lease: Lease) -> None:
    """Move the checkpoints of the run's complete lists to when each began, minus the overlap.

    Those of a login that was set aside or stopped working stay [row 53].
    """
    await session.execute(
        text(
            "insert into checkpoints (account_id, connection_id, resource, since)"
            " select account_id, connection_id, resource, asked_at - cast(:overlap as interval) from pulls"
            " where account_id = :account and run_id = :run and complete and connection_id in ("
            "   select connection_id from connections where account_id = :account and status = 'connected'"
            "   except select connection_id from logins_set_aside where account_id = :account and run_id = :run)"
            " on conflict (account_id, connection_id, resource) do update set since = excluded.since"
        ),
        {"overlap": OVERLAP, "account": lease.account_id, "run": lease.run_id},
    )


def _one(lease: Lease, connection_id: str, resource: str) -> ColumnElement[bool]:
    return (
        (_table.c.account_id == lease.account_id)
        & (_table.c.run_id == lease.run_id)
        & (_table.c.connection_id == connection_id)
        & (_table.c.resource == resource)
    )


def _pull(row: Any) -> Pull:
    return Pull(**{name: row._mapping[name] for name in Pull.__dataclass_fields__})
