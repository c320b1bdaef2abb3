"""The engine and the transaction: the only module that begins, commits or rolls back.

A *session* is the handle of one transaction. (A connection is always a Clio login.)
"""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, any_, literal, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from typing_extensions import override

from app.db.connection import Address, AddressNotUsable, new_engine
from app.db.failures import causes, sorted_failures
from app.errors import DatabaseUnavailable

T = TypeVar("T")

Session = AsyncConnection
Database = AsyncEngine

# Rows in one INSERT. Hundreds of rows make statements of a megabyte with thousands of parameters, which fragment the
# memory: 40,000 contacts took 20 MiB more at the peak, and more with each thousand.
ROWS_AT_ONCE = 50
OLDEST_POSTGRESQL = 15  # the oldest PostgreSQL version that is supported
# Why there is no connection although the server can be reached, and what to do.
_REFUSALS: dict[type[Exception], str] = {
    AddressNotUsable: "its address has an option that cannot be used; see the options of libpq",
    ssl.SSLError: "no safe connection is possible; check its certificate, and sslmode in the address",
    asyncpg.InvalidAuthorizationSpecificationError: (
        "it refuses the user or the password; correct them in the address"
    ),
    asyncpg.InsufficientPrivilegeError: (
        "the user may not connect, or not use its tables; grant the rights to the user"
    ),
    asyncpg.InvalidCatalogNameError: "it has no database with that name; create it",
    asyncpg.TooManyConnectionsError: "it has no connection left; raise max_connections",
    asyncpg.CannotConnectNowError: "it is starting up or shutting down; try again",
    asyncpg.ProtocolViolationError: (
        "a pooler refuses the connection; see its log, and the section PgBouncer of docs/operations.md"
    ),
}


@dataclass
class PoolWaits:
    """The number and the seconds of the waits for a connection of a pool whose connections were all in use."""

    waits: int = 0
    seconds: float = 0.0


class _MeasuredPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool, which also counts the waits."""

    _sqla_logger_namespace = "sqlalchemy.pool.measured"
    measured: PoolWaits

    @override
    def _do_get(self) -> Any:
        is_full = self.checkedout() >= self.size() + self._max_overflow
        began = monotonic()
        try:
            return super()._do_get()
        finally:
            if is_full:
                self.measured.waits += 1
                self.measured.seconds += monotonic() - began

    @override
    def recreate(self) -> "_MeasuredPool":
        pool = super().recreate()
        assert isinstance(pool, _MeasuredPool)  # noqa: S101  # SQLAlchemy makes the same class
        pool.measured = self.measured
        return pool


def waits_of(database: Database) -> PoolWaits:
    """Return the waits for connections of this pool, which grow as it is used."""
    pool = database.pool
    assert isinstance(pool, _MeasuredPool)  # noqa: S101  # `open_database` chose it
    return pool.measured


@dataclass(frozen=True)
class PoolLimits:
    """The limits of one connection pool: connections that stay open, the most at once, and seconds to wait.

    `wait` is the longest wait for a connection of the pool, `statement` the longest wait for a response.
    """

    kept: int
    most: int
    wait: float = 20.0
    statement: float = 60.0


# Each part of the service has a pool of its own, so that none takes the connections of another.
API_POOL = PoolLimits(kept=5, most=10, wait=5.0, statement=20.0)
WORKER_POOL = PoolLimits(kept=5, most=12)
DELIVERY_POOL = PoolLimits(kept=2, most=4)
CLOCK_POOL = PoolLimits(kept=1, most=3)
PROBE_POOL = PoolLimits(kept=1, most=1, wait=2.0, statement=2.0)


def open_database(address: Address, limits: PoolLimits = WORKER_POOL) -> Database:
    """Return an engine for this address; every wait has a limit, so a silent database raises [F14]."""
    database = new_engine(
        address,
        deadline=limits.statement,
        poolclass=_MeasuredPool,
        pool_pre_ping=True,
        pool_size=limits.kept,
        max_overflow=limits.most - limits.kept,
        pool_timeout=limits.wait,
        json_serializer=_json,
        json_deserializer=from_json,
        insertmanyvalues_page_size=ROWS_AT_ONCE,
    )
    assert isinstance(database.pool, _MeasuredPool)  # noqa: S101
    database.pool.measured = PoolWaits()
    return database


class JsonText(str):
    """Text that is JSON already: it is stored in a JSONB column unchanged."""

    __slots__ = ()


def _json(value: Any) -> str:
    return value if isinstance(value, JsonText) else to_json(value).decode()


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Session]:
    """Open a transaction: committed when the block ends, rolled back when it raises. Raises DatabaseUnavailable."""
    with sorted_failures():
        async with database.begin() as session:
            yield session


def unavailable_reason(failure: DatabaseUnavailable) -> str:
    """Return why the database is not available, for the operator."""
    refusal = _refusal(failure)
    return _REFUSALS[refusal] if refusal else "it cannot be reached; check that it is running"


def is_misconfigured(failure: DatabaseUnavailable) -> bool:
    """Return whether the address is wrong, so that waiting does not help."""
    return _refusal(failure) in (
        AddressNotUsable,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    )


def _refusal(failure: DatabaseUnavailable) -> type[Exception] | None:
    """Return the reason for which the server refused the connection, or None if it did not answer."""
    found = (kind for cause in causes(failure) for kind in _REFUSALS if isinstance(cause, kind))
    return next(found, None)


async def server_version(session: Session) -> int:
    """Return the major version of the PostgreSQL server."""
    asked = await session.execute(text("select current_setting('server_version_num')::int / 10000"))
    return int(asked.scalar_one())


@asynccontextmanager
async def reading_in_key_order(session: Session) -> AsyncIterator[None]:
    """Let PostgreSQL read a page by its key while the block runs; it never sorts a table to take its first rows.

    It would do that for a large firm if it had no statistics, or a plan that is best for a small firm.
    """
    await session.execute(text("set local enable_sort = off"))
    yield
    await session.execute(text("set local enable_sort to default"))


def any_of(column: ColumnElement[T], values: Iterable[T]) -> ColumnElement[bool]:
    """Return the condition that the column is one of these values, sent as one array.

    `in_` sends a parameter for each value, and PostgreSQL accepts at most 32,767 of them.
    """
    return column == any_(literal(list(values), ARRAY(column.type)))
