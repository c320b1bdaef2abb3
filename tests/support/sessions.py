"""Transactions of a test itself, which sees all accounts: it prepares rows and looks at them as their owner.

What a test tries out runs in a transaction of the service, `transaction` or `system_transaction`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache

from pydantic_core import from_json
from sqlalchemy import Engine, NullPool, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import session as sessions
from app.db.connection import Address, new_engine
from app.db.session import Database, Session, begun


@asynccontextmanager
async def as_owner(database: Database) -> AsyncIterator[Session]:
    """Open a transaction of the role that owns the tables, on a connection of its own."""
    async with begun(_owner(database.address.for_migrations().url), None) as session:
        yield session


@cache
def _owner(url: str) -> AsyncEngine:
    """Return an engine that keeps no connection, so that nobody must close it."""
    return new_engine(
        Address(url),
        deadline=60.0,
        poolclass=NullPool,
        json_serializer=sessions._json,
        json_deserializer=from_json,
        insertmanyvalues_page_size=sessions.ROWS_AT_ONCE,
    )


def engines_of(database: Database) -> set[Engine]:
    """Return the engines of a database, for listeners of their events: those of the service and the test's own."""
    own = _owner(database.address.for_migrations().url)
    return {database.accounts.sync_engine, database.system.sync_engine, own.sync_engine}


def listen(database: Database, name: str, heard: Callable[..., object]) -> None:
    """Call a function at each event of this name, such as `before_cursor_execute`."""
    for engine in engines_of(database):
        event.listen(engine, name, heard)


def unlisten(database: Database, name: str, heard: Callable[..., object]) -> None:
    """End `listen`."""
    for engine in engines_of(database):
        event.remove(engine, name, heard)


@asynccontextmanager
async def looking(database: Database) -> AsyncIterator[Session]:
    """Open a connection of the owner without a transaction: each look is one round trip and sees what is there now."""
    async with _owner(database.address.for_migrations().url).connect() as session:
        await session.execution_options(isolation_level="AUTOCOMMIT")
        yield session
