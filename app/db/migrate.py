"""Brings the schema of a database to the version that the code expects, once, however many processes start.

So are the rights and policies: a restore of a dump may have lost them, because the roles belong to the server.

Migrations have connections and timeouts of their own: a statement may take hours, but it waits only for seconds for a
lock, because everything that the service does would queue behind it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import asyncpg
import structlog
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import rights_check, tables
from app.db.connection import Address, new_engine
from app.db.events import event_list
from app.db.failures import causes
from app.db.session import Database, begun
from app.errors import DatabaseUnavailable

_SCRIPTS = Path(__file__).parents[2] / "migrations"
log = structlog.get_logger(__name__)
_LOCK = 0x1E717A7E  # of an advisory lock: one process migrates, the others wait


class SchemaState(StrEnum):
    """The schema of a database compared with the one that the code expects.

    `newer`: a revision that the code does not know, but on which it can run. `too_new`: it cannot.
    """

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    TOO_NEW = "too_new"


_LOCKED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class MigrationBlocked(Exception):
    """Another transaction held a lock that a migration needs, each time that the migration was tried."""


@dataclass(frozen=True)
class LockWaits:
    """The seconds that a migration waits for a lock, the number of attempts, and the seconds between them."""

    lock: float = 5
    attempts: int = 6
    pause: float = 5


def alembic_config() -> AlembicConfig:
    """Return Alembic's configuration, without a file."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


async def migrate(address: Address, waits: LockWaits = LockWaits()) -> None:
    """Bring schema, rights and policies to the newest revision, in one transaction. Order restored events again.

    Raises MigrationBlocked, and CannotStart if a role is missing that this user may not create; nothing is changed
    then. It is tried again if another transaction held a lock for too long, or they waited for each other.

    Of several processes that migrate at the same time, one does it and the others wait until it is done.
    """
    async with _migrator(address) as migrator:
        for attempt in range(waits.attempts):
            if attempt:
                await asyncio.sleep(waits.pause)  # what waited behind the migration goes on
            try:
                await _migrate_once(migrator, waits.lock)
            except (DBAPIError, DatabaseUnavailable) as error:
                if not any(isinstance(each, _LOCKED) for each in causes(error)):
                    raise
            else:
                return
    raise MigrationBlocked


@asynccontextmanager
async def _migrator(address: Address) -> AsyncIterator[AsyncEngine]:
    """Yield an engine whose statements and transactions may take any time; a pooler may limit them, so it is direct."""
    owner = address.for_migrations()
    migrator = new_engine(owner, deadline=None, name="levitate-clio migrate", poolclass=NullPool)
    try:
        yield migrator
    finally:
        await migrator.dispose()


async def _migrate_once(migrator: AsyncEngine, lock_seconds: float) -> None:
    """Wait for the other processes that migrate, however long; then migrate with a limit for the wait for locks."""
    async with begun(migrator, None) as session:
        is_free = text("select pg_try_advisory_xact_lock(:key)")
        if not (await session.execute(is_free, {"key": _LOCK})).scalar_one():
            log.info("migration_waits")
            await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        limit = text("select set_config('lock_timeout', :milliseconds, true)")
        await session.execute(limit, {"milliseconds": str(int(lock_seconds * 1000))})
        await rights_check.create_roles(session)
        await session.run_sync(_upgrade)
        await rights_check.mend(session)
        await event_list.forget_transactions_of_another_server(session)


async def compare_schema(database: Database) -> SchemaState:
    """Return how the database's schema compares with the one that the code expects."""
    async with begun(database.accounts, None) as session:
        return await session.run_sync(_compare)


async def find_differences(database: Database) -> list[rights_check.Difference]:
    """Return how the rights and policies differ from those of this version, if the schema is that of this version."""
    async with begun(database.accounts, None) as session:
        return await rights_check.find_differences(session)


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _compare(connection: Connection) -> SchemaState:
    there = _current_revision(connection)
    head, known = _revisions()
    if there == head:
        return SchemaState.CURRENT
    if there is None or there in known:
        return SchemaState.OLDER
    oldest = connection.execute(select(tables.schema_compatibility)).scalar_one_or_none()
    return SchemaState.NEWER if oldest in known else SchemaState.TOO_NEW


def _current_revision(connection: Connection) -> str | None:
    """Return the schema's revision, None if this role may not use it: it is not migrated, or has no roles yet.

    Alembic's own function inspects the tables.
    """
    may_use = text("select has_table_privilege(to_regclass('alembic_version'), 'select')")
    if not connection.execute(may_use).scalar_one():
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """Return the newest revision that the code knows, and all of them. Health checks ask every few seconds."""
    scripts = ScriptDirectory.from_config(alembic_config())
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), known
