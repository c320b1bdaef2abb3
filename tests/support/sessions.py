"""Transactions of a test itself, which sees all accounts: it prepares rows and looks at them as their owner.

What a test tries out runs in a transaction of the service, `transaction` or `system_transaction`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Engine, NullPool, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import session as sessions
from app.db.connection import Address, new_engine
from app.db.session import Database, Session, begun


@asynccontextmanager
async def as_owner(database: Database) -> AsyncIterator[Session]:
    """Open a transaction of the role that owns the tables, on a connection that no transaction of the service uses."""
    async with begun(_owner(database), None) as session:
        yield session


@dataclass(frozen=True)
class _Kept:
    """Connections that stay open between the transactions of one event loop."""

    loop: asyncio.AbstractEventLoop
    engine: AsyncEngine


_kept: dict[str, _Kept] = {}


@asynccontextmanager
async def kept_connections(url: str) -> AsyncIterator[None]:
    """Keep the connections of `as_owner` to a database open until the block ends. Elsewhere each transaction opens one.

    A new connection takes ten times as long as a small transaction: it knows no table yet.
    """
    before, kept = _kept.get(url), _Kept(asyncio.get_running_loop(), _new_engine(url))
    _kept[url] = kept
    try:
        yield
    finally:
        _kept.pop(url)
        if before:
            _kept[url] = before
        await kept.engine.dispose()


def _owner(database: Database) -> AsyncEngine:
    url = database.address.for_migrations().url
    kept = _kept.get(url)
    return kept.engine if kept and kept.loop is asyncio.get_running_loop() else _single(url)


@cache
def _single(url: str) -> AsyncEngine:
    """Return an engine that keeps no connection, so that nobody must close it."""
    return _new_engine(url, poolclass=NullPool)


def _new_engine(url: str, **options: Any) -> AsyncEngine:
    return new_engine(
        Address(url),
        deadline=60.0,
        json_serializer=sessions._json,
        json_deserializer=from_json,
        insertmanyvalues_page_size=sessions.ROWS_AT_ONCE,
        **options,
    )


def engines_of(database: Database) -> set[Engine]:
    """Return the engines of a database, for listeners of their events: those of the service and the test's own."""
    own = _owner(database)
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
    async with _owner(database).connect() as session:
        await session.execution_options(isolation_level="AUTOCOMMIT")
        yield session
