"""Migrations: up, down and up again, and a schema equal to the tables in the code."""

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from app.db import migrate, tables
from app.db.migrate import SchemaState
from app.db.session import Database, transaction


def differences(connection: Connection) -> list[object]:
    ours = {
        "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("pgqueuer"))
    }
    context = MigrationContext.configure(connection, opts={**ours, "compare_server_default": True})
    return list(compare_metadata(context, tables.metadata))


def move(connection: Connection, to: str) -> None:
    config = migrate.alembic_config()
    config.attributes["connection"] = connection
    (command.downgrade if to == "base" else command.upgrade)(config, to)


async def names(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_migrations_go_up_down_and_up_and_equal_the_tables(database: Database, dsn: str):
    async with transaction(database) as session:
        assert await session.run_sync(differences) == []
        await session.run_sync(move, "base")
    assert await names(dsn) == {"alembic_version"}
    assert await migrate.compare_schema(database) is SchemaState.OLDER
    await migrate.migrate(database)
    await migrate.migrate(database)
    assert await migrate.compare_schema(database) is SchemaState.CURRENT
    async with transaction(database) as session:
        assert await session.run_sync(differences) == []


async def test_a_schema_that_this_version_does_not_know_is_newer(database: Database):
    async with transaction(database) as session:
        await session.execute(text("update alembic_version set version_num = '9999'"))
    assert await migrate.compare_schema(database) is SchemaState.NEWER


OF_NO_ACCOUNT = {
    "service_tokens": "token_id",
    "webhook_endpoints": "endpoint_id",
    "key_check": "check_id",
    "address_key": "key_id",
    "chores": "name",
}


def test_every_primary_key_begins_with_the_account_except_in_tables_of_no_account():
    for table in tables.metadata.tables.values():
        first = next(iter(table.primary_key.columns)).name
        assert first == OF_NO_ACCOUNT.get(table.name, "account_id"), table.name


def test_every_unique_key_contains_the_account():
    for table in tables.metadata.tables.values():
        for index in table.indexes:
            assert not index.unique or "account_id" in index.columns
