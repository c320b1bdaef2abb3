"""The rate limit of each Clio login, shared by all processes: one row per login.

The row is locked while a process changes the window; times are of the database's clock, which all processes share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.connections import tables
from app.db.session import Session

_table = tables.budgets
_COLUMNS = (_table.c.call_limit, _table.c.given, _table.c.ends, _table.c.tail)
_NOW = func.extract("epoch", func.clock_timestamp()).label("now")

T = TypeVar("T")


@dataclass(frozen=True)
class StoredWindow:
    """The current window of a login; `ends` is in seconds of the database's clock.

    `tail` are the requests given in the window's last seconds.
    """

    limit: int | None
    given: int
    ends: float
    tail: int = 0


async def read_window(
    session: Session, account_id: str, connection_id: str
) -> tuple[StoredWindow | None, float]:
    """Return the stored window of a login, None if there is none, and the time now by the same clock."""
    own = (_table.c.account_id == account_id) & (_table.c.connection_id == connection_id)
    row = (await session.execute(select(*_COLUMNS, _NOW).where(own))).one_or_none()
    if row is None:
        return None, 0.0
    return _window_of(row), float(row.now)


async def update_window(
    session: Session,
    account_id: str,
    connection_id: str,
    step: Callable[[StoredWindow | None, float], tuple[StoredWindow, T]],
) -> T:
    """Apply `step` to the stored window and the time now, store its new window and return its result."""
    own = (_table.c.account_id == account_id) & (_table.c.connection_id == connection_id)
    locked = select(*_COLUMNS).where(own).with_for_update().cte("locked")
    # Outside the subquery, so that it is the time when the row was locked, not when the wait for it began.
    query = select(locked, _NOW)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        key = {"account_id": account_id, "connection_id": connection_id}
        first = insert(_table).values(**key, given=0, ends=0.0).on_conflict_do_nothing()
        await session.execute(first)
        row = (await session.execute(query)).one()
    after, result = step(_window_of(row), float(row.now))
    new = {"call_limit": after.limit, "given": after.given, "ends": after.ends, "tail": after.tail}
    await session.execute(_table.update().where(own).values(new))
    return result


def _window_of(row: Any) -> StoredWindow | None:
    if not row.ends:
        return None
    return StoredWindow(row.call_limit, row.given, row.ends, row.tail)
