"""Every connection to PostgreSQL notices that the server's machine or the network is gone (F14)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.db import job_queue, notifications
from app.db.connection import TCP_OPTIONS, Address
from app.db.session import Database, open_database, transaction
from tests.support.database_proxy import database_proxy
from tests.support.postgres import address_of
from tests.support.world import PATIENCE

SETTINGS = {
    "application_name": "levitate-clio",
    "statement_timeout": "1min",
    "idle_in_transaction_session_timeout": "1min",
    "plan_cache_mode": "force_custom_plan",
}


@pytest.fixture
async def address(dsn: str) -> AsyncIterator[str]:
    """The address of the test's database over TCP."""
    async with database_proxy(dsn) as proxy:
        yield proxy.dsn


def is_watched(connection: Any) -> bool:
    """Return whether the system probes the connection as configured; some systems lack some of the options."""
    used = connection._transport.get_extra_info("socket")
    wanted = {name: value for name, value in TCP_OPTIONS.items() if hasattr(socket, name)}
    found = {name: used.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in wanted}
    return bool(used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) and found == wanted


def test_a_quiet_connection_and_an_unconfirmed_message_are_given_up_within_ten_seconds():
    probes = TCP_OPTIONS["TCP_KEEPINTVL"] * TCP_OPTIONS["TCP_KEEPCNT"]
    assert TCP_OPTIONS["TCP_KEEPIDLE"] + probes < 10
    assert TCP_OPTIONS["TCP_USER_TIMEOUT"] < 10_000


async def test_every_connection_understands_the_options_of_libpq(address: str):
    given = Address(f"{address}?sslmode=prefer")
    database = open_database(given)
    async with transaction(database, "hp"), job_queue.worker_pool(given) as pool:
        assert await pool.fetchval("select 1") == 1
    await database.dispose()


async def test_the_connections_of_the_service_are_watched(address: str):
    database = open_database(address_of(address))
    async with transaction(database, "hp") as session:
        driver = (await session.get_raw_connection()).driver_connection
        assert is_watched(driver)
    await database.dispose()


@pytest.fixture
async def pooled(dsn: str) -> AsyncIterator[Database]:
    """The test's database, used as behind a pooler in transaction mode."""
    database = open_database(replace(address_of(dsn), past_pooler=dsn))
    yield database
    await database.dispose()


async def test_behind_a_pooler_each_transaction_has_its_settings_and_the_connection_has_none(
    pooled: Database,
):
    shown = text(f"select {', '.join(f'current_setting({name!r})' for name in SETTINGS)}")
    async with transaction(pooled, "hp") as session:
        assert tuple((await session.execute(shown)).one()) == tuple(SETTINGS.values())
    async with pooled.accounts.connect() as session:
        await session.execution_options(isolation_level="AUTOCOMMIT")
        assert not set((await session.execute(shown)).one()) & set(SETTINGS.values())


async def test_behind_a_pooler_a_transaction_has_no_more_round_trips_and_keeps_no_statement(
    pooled: Database,
):
    sent: list[str] = []
    async with transaction(pooled, "hp") as session:
        driver: Any = (await session.get_raw_connection()).driver_connection
        driver.add_query_logger(lambda logged: sent.append(logged.query))
    sent.clear()
    async with transaction(pooled, "hp") as session:
        for _ in range(10):  # the driver prepares a statement that is repeated
            kept = await session.execute(text("select name from pg_prepared_statements"))
            assert kept.all() in ([], [("",)])
    assert [query.partition(";")[0] for query in sent] == ["BEGIN", "COMMIT"]


async def test_the_connections_of_the_workers_are_watched(address: str):
    async with job_queue.worker_pool(address_of(address)) as pool, pool.acquire() as connection:
        assert is_watched(connection)


async def test_the_connection_of_the_listener_is_watched(
    address: str, monkeypatch: pytest.MonkeyPatch
):
    seen, connect, stopping = list[bool](), asyncpg.connect, asyncio.Event()

    async def look(*where: Any, **how: Any) -> Any:
        connection = await connect(*where, **how)
        seen.append(is_watched(connection))
        return connection

    monkeypatch.setattr(asyncpg, "connect", look)
    async with asyncio.timeout(PATIENCE):
        await notifications.listen(
            Address(address),
            lambda *_: None,
            started=stopping.set,
            turned=lambda: None,
            stopping=stopping,
        )
    assert seen == [True]


async def test_a_released_connection_of_the_workers_costs_no_statement_and_keeps_no_transaction(
    dsn: str,
):
    sent: list[str] = []
    async with job_queue.worker_pool(address_of(dsn)) as pool:
        async with pool.acquire() as connection:
            connection.add_query_logger(lambda record: sent.append(record.query))
            process = connection.get_server_pid()
            await connection.execute("select 1")
        assert sent == ["select 1"]
        async with pool.acquire() as connection:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # asyncpg reports it
            await connection.execute("begin; create temporary table left_open ()")
        async with pool.acquire() as connection:
            assert connection.get_server_pid() == process
            assert not connection.is_in_transaction()
            assert await connection.fetchval("select to_regclass('left_open')") is None
