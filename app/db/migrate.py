"""Brings the schema of a database to the version that the code expects, once, however many processes start."""

from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.db.session import Database, transaction

_SCRIPTS = Path(__file__).parents[2] / "migrations"
_LOCK = 0x1E717A7E  # of an advisory lock: one process migrates, the others wait


class SchemaState(StrEnum):
    """The schema of a database compared with the one that the code expects; newer: a revision that it does not know."""

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


def alembic_config() -> AlembicConfig:
    """Return Alembic's configuration, without a file."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


async def migrate(database: Database) -> None:
    """Bring the schema to the newest revision, in one transaction."""
    async with transaction(database) as session:
        await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await session.run_sync(_upgrade)


async def compare_schema(database: Database) -> SchemaState:
    """Return how the database's schema compares with the one that the code expects."""
    async with transaction(database) as session:
        return await session.run_sync(_compare)


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _compare(connection: Connection) -> SchemaState:
    there = MigrationContext.configure(connection).get_current_revision()
    head, known = _revisions()
    if there == head:
        return SchemaState.CURRENT
    return SchemaState.OLDER if there is None or there in known else SchemaState.NEWER


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """Return the newest revision that the code knows, and all of them. Health checks ask every few seconds."""
    scripts = ScriptDirectory.from_config(alembic_config())
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), known
