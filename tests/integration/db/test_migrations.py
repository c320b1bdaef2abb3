"""Migrations: up, down and up again, and a schema equal to the tables in the code."""

import asyncio
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from app.cli.database import check_schema, migrate_schema
from app.db import migrate, tables
from app.db.connection import Address
from app.db.migrate import SchemaState
from app.db.session import Database, open_database
from app.errors import CannotStart
from tests.support.sessions import as_owner


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
    async with as_owner(database) as session:
        assert await session.run_sync(differences) == []
        await session.run_sync(move, "base")
    assert await names(dsn) == {"alembic_version"}
    assert await migrate.compare_schema(database) is SchemaState.OLDER
    async with as_owner(database) as session:
        await session.execute(text("drop table alembic_version"))
    assert await migrate.compare_schema(database) is SchemaState.OLDER
    await migrate.migrate(Address(dsn))
    await migrate.migrate(Address(dsn))
    assert await migrate.compare_schema(database) is SchemaState.CURRENT
    async with as_owner(database) as session:
        assert await session.run_sync(differences) == []


async def newer_schema(database: Database, *, oldest: str) -> None:
    """Do what a later release's migration does that this version does not know."""
    async with as_owner(database) as session:
        await session.execute(text("alter table chores add column later text"))
        await session.execute(
            text("update schema_compatibility set oldest_revision = :it"), {"it": oldest}
        )
        await session.execute(text("update alembic_version set version_num = '9999'"))


async def test_a_process_starts_on_a_schema_that_is_newer_by_one_release_only(
    database: Database, dsn: str
):
    async with as_owner(database) as session:
        head = (await session.execute(text("select version_num from alembic_version"))).scalar_one()
    await newer_schema(database, oldest=head)
    assert await migrate.compare_schema(database) is SchemaState.NEWER
    await check_schema(database)
    await migrate_schema(database)
    assert await migrate.compare_schema(database) is SchemaState.NEWER  # it stays as it is
    async with as_owner(database) as session:
        await session.execute(text("update schema_compatibility set oldest_revision = '9998'"))
    assert await migrate.compare_schema(database) is SchemaState.TOO_NEW
    with pytest.raises(CannotStart, match="newer levitate-clio"):
        await check_schema(database)


async def test_a_statement_and_a_transaction_of_a_migration_may_take_any_time(
    dsn: str, monkeypatch: pytest.MonkeyPatch
):
    def look(connection: Connection) -> None:
        limits = ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
        found = [connection.execute(text(f"show {name}")).scalar_one() for name in limits]
        assert found == ["0", "0", "5s"]
        driver: Any = connection.connection.driver_connection
        assert driver._config.command_timeout is None

    monkeypatch.setattr(migrate, "_upgrade", look)
    await migrate.migrate(Address(dsn))


async def test_a_migration_that_waits_for_a_lock_gives_up_soon_and_holds_up_nobody(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
):
    tries = []

    def change(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("alter table chores add column later text"))

    monkeypatch.setattr(migrate, "_upgrade", change)
    waits = migrate.LockWaits(lock=0.2, attempts=2, pause=0)
    async with as_owner(database) as session:
        await session.execute(text("select * from chores"))
        with pytest.raises(migrate.MigrationBlocked):
            await migrate.migrate(Address(dsn), waits)
        assert len(tries) == 2
        async with as_owner(database) as other:
            await other.execute(text("insert into chores values ('x', now())"))
    await migrate.migrate(Address(dsn), waits)
    assert len(tries) == 3


async def test_a_migration_that_loses_a_deadlock_is_tried_again(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
):
    locked, tries = asyncio.Event(), []
    waits_for_chores = text(
        "select 1 from pg_locks where not granted and relation = 'chores'::regclass"
    )

    def change(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("set local deadlock_timeout = '10ms'"))
        connection.execute(text("lock table chores"))
        locked.set()
        while len(tries) == 1 and not connection.execute(waits_for_chores).one_or_none():
            connection.execute(text("select pg_sleep(0.02)"))
        connection.execute(text("lock table sweeps"))

    monkeypatch.setattr(migrate, "_upgrade", change)
    async with as_owner(database) as session, asyncio.TaskGroup() as group:
        await session.execute(text("set local deadlock_timeout = '1h'"))
        await session.execute(text("lock table sweeps"))
        waits = migrate.LockWaits(attempts=2, pause=0)
        migrating = group.create_task(migrate.migrate(Address(dsn), waits))
        await locked.wait()
        await session.execute(text("lock table chores"))
        await session.commit()
        await migrating
    assert len(tries) == 2


async def test_of_two_migrations_at_the_same_time_one_waits_and_finds_nothing_to_do(own_dsn: str):
    address, waits = Address(own_dsn), migrate.LockWaits(lock=0.05, attempts=1)
    empty = open_database(address)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(migrate.migrate(address, waits))
    assert await migrate.compare_schema(empty) is SchemaState.CURRENT
    await empty.dispose()


OF_NO_ACCOUNT = {
    "service_tokens": "token_id",
    "console_sessions": "link_hash",
    "service_audit": "entry_id",
    "webhook_endpoints": "endpoint_id",
    "key_check": "check_id",
    "address_key": "key_id",
    "chores": "name",
    "sweeps": "name",
    "schema_compatibility": "oldest_revision",
}


def test_every_primary_key_begins_with_the_account_except_in_tables_of_no_account():
    for table in tables.metadata.tables.values():
        first = next(iter(table.primary_key.columns)).name
        assert first == OF_NO_ACCOUNT.get(table.name, "account_id"), table.name


def test_every_unique_key_contains_the_account():
    for table in tables.metadata.tables.values():
        for index in table.indexes:
            assert not index.unique or "account_id" in index.columns
