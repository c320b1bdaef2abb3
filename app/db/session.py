"""The engine and the transaction: the only module that begins, commits or rolls back.

A *session* is the handle of one transaction. (A connection is always a Clio login.)
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy import BigInteger, Column, ColumnElement, any_, literal, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.errors import DatabaseUnavailable

Session = AsyncConnection
Database = AsyncEngine

_SERVER_LIMITS = {
    "application_name": "levitate-clio",
    "statement_timeout": "60000",
    "idle_in_transaction_session_timeout": "60000",
}

# Rows in one INSERT. Hundreds of rows make statements of a megabyte with thousands of parameters, which fragment the
# memory: 40,000 contacts took 20 MiB more at the peak, and more with each thousand.
ROWS_AT_ONCE = 50
OLDEST_POSTGRESQL = 15  # the oldest PostgreSQL version that is supported
# The reasons that the server itself gives when it refuses a connection.
_REFUSALS: dict[type[Exception], str] = {
    asyncpg.InvalidAuthorizationSpecificationError: "it refuses the user or the password",
    asyncpg.InvalidCatalogNameError: "it has no database with that name; create it",
    asyncpg.TooManyConnectionsError: "it has no connection left; raise max_connections",
    asyncpg.CannotConnectNowError: "it is starting up or shutting down; try again",
}
# A connection that broke, also while it was being opened.
_NO_CONNECTION: tuple[type[Exception], ...] = (asyncpg.PostgresConnectionError, *_REFUSALS)


def open_database(dsn: str) -> Database:
    """Return an engine for a `postgresql://` address; every wait has a limit, so a silent database raises [F14]."""
    options: dict[str, Any] = {
        "command_timeout": 60,
        "timeout": 10,
        "server_settings": _SERVER_LIMITS,
    }
    return create_async_engine(
        dsn.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        pool_timeout=20,
        connect_args=options,
        json_serializer=_json,
        json_deserializer=from_json,
        insertmanyvalues_page_size=ROWS_AT_ONCE,
    )


class JsonText(str):
    """Text that is JSON already: it is stored in a JSONB column unchanged."""

    __slots__ = ()


def _json(value: Any) -> str:
    return value if isinstance(value, JsonText) else to_json(value).decode()


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Session]:
    """Open a transaction: committed when the block ends, rolled back when it raises. Raises DatabaseUnavailable."""
    try:
        async with database.begin() as session:
            yield session
    except (OperationalError, InterfaceError, OSError, TimeoutError) as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        cause = error.orig and error.orig.__cause__
        if isinstance(
            cause, asyncpg.DeadlockDetectedError
        ):  # the other transaction continued; this one may be tried again
            raise DatabaseUnavailable from cause
        if error.connection_invalidated or isinstance(cause, _NO_CONNECTION):
            raise DatabaseUnavailable from cause or error
        raise


def unavailable_reason(failure: DatabaseUnavailable) -> str:
    """Return why the database is not available, for the operator."""
    for kind, words in _REFUSALS.items():
        if isinstance(failure.__cause__, kind):
            return words
    return "it cannot be reached; check that it is running"


async def server_version(session: Session) -> int:
    """Return the major version of the PostgreSQL server."""
    asked = await session.execute(text("select current_setting('server_version_num')::int / 10000"))
    return int(asked.scalar_one())


def any_of(column: Column[Any], clio_ids: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that the column is one of these ids, sent as one array: one statement for any number."""
    return column == any_(literal(list(clio_ids), ARRAY(BigInteger)))
