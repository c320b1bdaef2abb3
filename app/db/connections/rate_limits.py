"""The rate limit of each Clio login, shared by all processes: one row per login.

The row is locked while a process changes the window; times are of the database's clock, which all processes share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.connections import tables
from app.db.session import Session

_table = tables.budgets
_NAMED = {
    "limit": _table.c.call_limit,
    "given": _table.c.given,
    "ends": _table.c.ends,
    "tail": _table.c.tail,
}
_NOW = func.extract("epoch", func.clock_timestamp()).label("now")
_OWN = (_table.c.account_id == bindparam("account")) & (
    _table.c.connection_id == bindparam("login")
)
_READ = select(*_NAMED.values(), _NOW).where(_OWN)
# The time is outside the subquery, so that it is that of the locked row, not of the beginning of the wait for it.
_LOCKED = select(select(*_NAMED.values()).where(_OWN).with_for_update().cte("locked"), _NOW)
_STORE = (
    update(_table)
    .where(_OWN)
    .values(
        {column: bindparam(f"new_{column.name}", type_=column.type) for column in _NAMED.values()}
    )
)

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
    names = {"account": account_id, "login": connection_id}
    row = (await session.execute(_READ, names)).one_or_none()
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
    names = {"account": account_id, "login": connection_id}
    row = (await session.execute(_LOCKED, names)).one_or_none()
    if row is None:
        key = {"account_id": account_id, "connection_id": connection_id}
        first = insert(_table).values(**key, given=0, ends=0.0).on_conflict_do_nothing()
        await session.execute(first)
        row = (await session.execute(_LOCKED, names)).one()
    after, result = step(_window_of(row), float(row.now))
    new = {f"new_{column.name}": getattr(after, name) for name, column in _NAMED.items()}
    await session.execute(_STORE, {**names, **new})
    return result


def _window_of(row: Any) -> StoredWindow | None:
    if not row.ends:
        return None
    return StoredWindow(row.call_limit, row.given, row.ends, row.tail)
