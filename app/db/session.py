"""The database and the transaction of an account: the only module that begins, commits or rolls back.

A *session* is the handle of one transaction. (A connection is always a Clio login.) Every transaction says whose it is,
and PostgreSQL shows it no row of another account. Those of no single account are in `app/db/system.py`.
"""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy import (
    ColumnElement,
    Select,
    any_,
    bindparam,
    cast,
    func,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from typing_extensions import override

from app.db.connection import (
    Address,
    AddressNotUsable,
    EncryptionRefused,
    beginning_for,
    new_engine,
)
from app.db.failures import causes, sorted_failures
from app.errors import DatabaseUnavailable

T = TypeVar("T")

Session = AsyncConnection


@dataclass(frozen=True)
class Database:
    """The pools of one part of the service: `accounts` connects as the role that sees one account at a time.

    `system` connects as the role of work over all accounts. It is the same pool if one role does everything.
    """

    address: Address
    accounts: AsyncEngine
    system: AsyncEngine

    async def dispose(self) -> None:
        """Close the connections that nobody uses."""
        await self.accounts.dispose()
        await self.system.dispose()


# Rows in one INSERT. Hundreds of rows make statements of a megabyte with thousands of parameters, which fragment the
# memory: 40,000 contacts took 20 MiB more at the peak, and more with each thousand.
ROWS_AT_ONCE = 50
_DO_NOT_SORT = text("set local enable_sort = off")
_SORT = text("set local enable_sort to default")
OLDEST_POSTGRESQL = 15  # the oldest PostgreSQL version that is supported
_LACKS = "it lacks a table or a column of this version; check the name of the database, and restore what is missing"
_LOCKED = (
    "a statement did not end in time; look in pg_stat_activity for a transaction that holds a lock"
)
# Why it does not do its work although the server can be reached, and what to do.
_REFUSALS: dict[type[Exception], str] = {
    AddressNotUsable: (
        "its address cannot be used: sslmode=verify-full without sslrootcert, or a setting in options that it refuses"
    ),
    EncryptionRefused: (
        "it offers no encrypted connection, which sslmode in the address demands; switch ssl on in the server"
    ),
    ssl.SSLCertVerificationError: (
        "its certificate is refused: it is for another host than the address names, has ended or was revoked, or no"
        " authority in the file sslrootcert has signed it"
    ),
    ssl.SSLError: "no safe connection is possible; check its certificate, and sslmode in the address",
    asyncpg.InvalidAuthorizationSpecificationError: (
        "it refuses the user, the password, or a connection without TLS; correct them, or sslmode, in the address"
    ),
    asyncpg.InsufficientPrivilegeError: (
        "the user may not connect, or not use its tables; grant the rights to the user"
    ),
    asyncpg.InvalidCatalogNameError: "it has no database with that name; create it",
    asyncpg.UndefinedTableError: _LACKS,
    asyncpg.UndefinedColumnError: _LACKS,
    asyncpg.ReadOnlySQLTransactionError: (
        "it is read-only: a standby, a full disk, or a user who may only read; connect to the primary, or change that"
    ),
    asyncpg.LockNotAvailableError: _LOCKED,
    asyncpg.QueryCanceledError: _LOCKED,
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
    """Return the waits for connections of these pools, which grow as they are used."""
    pool = database.accounts.pool
    assert isinstance(pool, _MeasuredPool)  # noqa: S101  # `open_database` chose it
    return pool.measured


@dataclass(frozen=True)
class PoolLimits:
    """The limits of one part's pools: connections that stay open, the most at once, and seconds to wait.

    `system` is the most of the pool for work over all accounts, of which one stays open; 0 if there is none. `wait` is
    the longest wait for a connection of a pool, `statement` the longest wait for a response.
    """

    kept: int
    most: int
    system: int = 2
    wait: float = 20.0
    statement: float = 60.0


# Each part of the service has pools of its own, so that none takes the connections of another.
API_POOL = PoolLimits(kept=5, most=10, system=3, wait=5.0, statement=20.0)
WORKER_POOL = PoolLimits(kept=5, most=12)
DELIVERY_POOL = PoolLimits(kept=1, most=1, system=4)
CLOCK_POOL = PoolLimits(kept=1, most=3, system=3)
PROBE_POOL = PoolLimits(kept=1, most=1, system=0, wait=2.0, statement=2.0)


def open_database(address: Address, limits: PoolLimits = WORKER_POOL) -> Database:
    """Return the pools for this address; every wait has a limit, so a silent database raises [F14]."""
    measured = PoolWaits()
    if address.has_one_role or not limits.system:
        most = max(limits.most, limits.system)
        accounts = _open_pool(address, limits, kept=limits.kept, most=most, measured=measured)
        return Database(address, accounts, accounts)
    return Database(
        address,
        _open_pool(address, limits, kept=limits.kept, most=limits.most, measured=measured),
        _open_pool(address.for_system(), limits, kept=1, most=limits.system, measured=measured),
    )


def _open_pool(
    address: Address, limits: PoolLimits, *, kept: int, most: int, measured: PoolWaits
) -> AsyncEngine:
    engine = new_engine(
        address,
        deadline=limits.statement,
        poolclass=_MeasuredPool,
        pool_pre_ping=True,
        pool_size=kept,
        max_overflow=most - kept,
        pool_timeout=limits.wait,
        json_serializer=_json,
        json_deserializer=from_json,
        insertmanyvalues_page_size=ROWS_AT_ONCE,
    )
    assert isinstance(engine.pool, _MeasuredPool)  # noqa: S101
    engine.pool.measured = measured
    return engine


class JsonText(str):
    """Text that is JSON already: it is stored in a JSONB column unchanged."""

    __slots__ = ()


def _json(value: Any) -> str:
    return value if isinstance(value, JsonText) else to_json(value).decode()


@asynccontextmanager
async def transaction(
    database: Database, account_id: str, *, durable: bool = True
) -> AsyncIterator[Session]:
    """Open a transaction of an account: committed when the block ends, rolled back when it raises.

    It sees and changes rows of this account only. One that is not `durable` does not wait for the disk, and holds its
    locks for a shorter time: only for what may be lost if the server crashes. Raises DatabaseUnavailable.
    """
    async with begun(database.accounts, account_id, durable=durable) as session:
        yield session


@asynccontextmanager
async def begun(
    engine: AsyncEngine, account_id: str | None, *, durable: bool = True
) -> AsyncIterator[Session]:
    """Open a transaction on a pool, of an account or, with None, of none. Raises DatabaseUnavailable.

    Only `app/db` calls it; who is outside says whose its transaction is.
    """
    with sorted_failures():
        async with AsyncExitStack() as stack:
            with beginning_for(account_id, durable=durable):
                session = await stack.enter_async_context(engine.begin())
            yield session


async def ping(database: Database) -> None:
    """Return when the database answers. Raises DatabaseUnavailable."""
    async with begun(database.accounts, None):
        pass


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
        asyncpg.InsufficientPrivilegeError,
    )


def _refusal(failure: DatabaseUnavailable) -> type[Exception] | None:
    """Return the reason for which the server refused to do its work, or None if it did not answer."""
    found = (kind for cause in causes(failure) for kind in _REFUSALS if isinstance(cause, kind))
    return next(found, None)


async def server_version(database: Database) -> int:
    """Return the major version of the PostgreSQL server."""
    version = text("select current_setting('server_version_num')::int / 10000")
    async with begun(database.accounts, None) as session:
        return int((await session.execute(version)).scalar_one())


@asynccontextmanager
async def reading_in_key_order(session: Session) -> AsyncIterator[None]:
    """Let PostgreSQL read a page by its key while the block runs; it never sorts a table to take its first rows.

    It would do that for a large firm if it had no statistics, or a plan that is best for a small firm.
    """
    await read_in_key_order(session)
    yield
    await session.execute(_SORT)


async def read_in_key_order(session: Session) -> None:
    """Do what `reading_in_key_order` does until the transaction ends."""
    await session.execute(_DO_NOT_SORT)


def any_of(column: ColumnElement[T], values: Iterable[T]) -> ColumnElement[bool]:
    """Return the condition that the column is one of these values, sent as one array.

    `in_` sends a parameter for each value, and PostgreSQL accepts at most 32,767 of them.
    """
    return column == _any_element(literal(list(values), ARRAY(column.type)))


def among(column: ColumnElement[T], name: str) -> ColumnElement[bool]:
    """Return the condition of `any_of` for a statement that is made once: its values are the parameter of this name.

    A statement that runs for each page or batch is made once, because making it costs more than the rest of its way.
    """
    return column == _any_element(bindparam(name, type_=ARRAY(column.type)))


def _any_element(values: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the elements of an array whose length PostgreSQL does not know when it plans.

    For a known long array and a firm that it takes for small it would read the whole firm instead.
    """
    return any_(cast(select(values).scalar_subquery(), values.type))


def look_up(rows: Select[Any], key: ColumnElement[Any], name: str) -> Select[Any]:
    """Return a query of the `rows` whose key is in an array, the parameter of this name without duplicates.

    Each is searched by its index, whatever PostgreSQL knows of the table: `offset` keeps the subquery apart. With
    `among` it may read the whole firm if it has no statistics, as in a first run, or those of smaller firms. Rows that
    are locked are locked in the order of the array.
    """
    wanted = func.unnest(bindparam(name, type_=ARRAY(key.type)))
    each = wanted.table_valued("key", name="wanted").render_derived()
    found = rows.where(key == each.c.key).correlate(each).offset(0).lateral("found")
    return select(found).select_from(each).join(found, true())
