"""The progress of a run as each login, so that it continues in another process without repeating a call to Clio.

The pages that have landed are in `checkpoints`, and the missing records that are looked up in `lookups`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.db.runs import tables
from app.db.runs.leases import Lease
from app.db.session import Session
from app.errors import Problem

_table = tables.run_logins


@dataclass(frozen=True)
class RunLogin:
    """The progress of a run as one login.

    `connected_at` tells the authorisation that was used. `full_view` is None until Clio has said who the user is.
    `lists` are those that are not read in `pulls`: with the cursor of the next page, or None when there is nothing
    more to read. `retried` has the last id of each list's quarantine that was asked for again, `dropped` the fields
    that Clio no longer knows. `shown` says that the contact of a contact run was returned. `compared` are the lists
    whose missing records are stored as look-ups. `complete` says that the login has read what the run wants of it.
    `waits` says when each list that failed is read again, while others go on.
    """

    connection_id: str
    connected_at: datetime | None
    full_view: bool | None = None
    lists: Mapping[str, str | None] = field(default_factory=dict)
    retried: Mapping[str, int] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    shown: bool = False
    compared: frozenset[str] = frozenset()
    complete: bool = False
    waits: Mapping[str, datetime] = field(default_factory=dict)


async def load_all(session: Session, lease: Lease) -> dict[str, RunLogin]:
    """Return the logins as which the run has done something, by connection."""
    own = (_table.c.account_id == lease.account_id) & (_table.c.run_id == lease.run_id)
    rows = await session.execute(select(_table).where(own))
    return {row.connection_id: _login(row) for row in rows}


async def save(session: Session, lease: Lease, login: RunLogin) -> None:
    """Store what the run has done as a login."""
    values = {
        **{name: getattr(login, name) for name in RunLogin.__dataclass_fields__},
        "lists": dict(login.lists),
        "retried": dict(login.retried),
        "dropped": sorted(login.dropped),
        "problems": [asdict(problem) for problem in login.problems],
        "compared": sorted(login.compared),
        "waits": {name: until.isoformat() for name, until in login.waits.items()},
    }
    statement = insert(_table).values(account_id=lease.account_id, run_id=lease.run_id, **values)
    key = list(_table.primary_key.columns)
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


async def delete_logins(session: Session, account_id: str, run_id: str) -> None:
    """Delete the rows of a run that has ended."""
    own = (_table.c.account_id == account_id) & (_table.c.run_id == run_id)
    await session.execute(delete(_table).where(own))


def _login(row: Any) -> RunLogin:
    found = {name: row._mapping[name] for name in RunLogin.__dataclass_fields__}
    found["dropped"], found["compared"] = frozenset(row.dropped), frozenset(row.compared)
    found["problems"] = tuple(Problem(**problem) for problem in row.problems)
    found["waits"] = {name: datetime.fromisoformat(until) for name, until in row.waits.items()}
    return RunLogin(**found)
