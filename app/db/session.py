"""The engine and the transaction: the only place that opens, commits or rolls back.

A *session* is the handle of one transaction. (The word connection belongs to Clio logins.)
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

# Rows in one INSERT. A batch of hundreds in one makes texts of a megabyte with thousands of parameters, which leave
# the memory in pieces: 40,000 contacts took 20 MiB more at the peak, and more with each thousand.
ROWS_AT_ONCE = 50
OLDEST_POSTGRESQL = 15  # the oldest PostgreSQL that this service promises to run on
# What the server itself says when it lets nobody in.
_REFUSALS: dict[type[Exception], str] = {
    asyncpg.InvalidAuthorizationSpecificationError: "it refuses the user or the password",
    asyncpg.InvalidCatalogNameError: "it has no database of that name; create it",
    asyncpg.TooManyConnectionsError: "it has no connection left; raise max_connections",
    asyncpg.CannotConnectNowError: "it is starting up or shutting down; try again",
}


def open_database(dsn: str) -> Database:
    """An engine for a `postgresql://` address whose every wait has an end: a silent database raises [F14]."""
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
    """Text that is JSON already: it goes into a JSONB column as it is."""

    __slots__ = ()


def _json(value: Any) -> str:
    return value if isinstance(value, JsonText) else to_json(value).decode()


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    try:
        async with database.begin() as session:
            yield session
    except (OperationalError, InterfaceError, OSError, TimeoutError) as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        cause = error.orig and error.orig.__cause__
        if isinstance(cause, asyncpg.DeadlockDetectedError):  # the other one went on; so may this
            raise DatabaseUnavailable from cause
        if error.connection_invalidated or isinstance(cause, tuple(_REFUSALS)):
            raise DatabaseUnavailable from cause or error
        raise


def unavailable_reason(failure: DatabaseUnavailable) -> str:
    """Why the database is not available, for the one who runs it."""
    for kind, words in _REFUSALS.items():
        if isinstance(failure.__cause__, kind):
            return words
    return "it cannot be reached; see that it runs"


async def server_version(session: Session) -> int:
    """The major version of the PostgreSQL server."""
    asked = await session.execute(text("select current_setting('server_version_num')::int / 10000"))
    return int(asked.scalar_one())


def any_of(column: Column[Any], clio_ids: Iterable[int]) -> ColumnElement[bool]:
    """The column is one of these Clio ids; one array, so that the statement stays the same for any number."""
    return column == any_(literal(list(clio_ids), ARRAY(BigInteger)))
