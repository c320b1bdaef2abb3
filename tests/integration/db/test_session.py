"""Transactions: which failures mean that the database is not available."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.db import job_queue
from app.db.connection import TRUSTED_SECONDS, Address
from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable
from app.lanes import Lane

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def close_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def close_after_startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the first message of the client, refuse TLS, and close the connection."""
    await reader.read(8)
    writer.write(b"N")
    await reader.read(1)
    writer.close()


@pytest.mark.parametrize("behaviour", [close_at_once, close_after_startup])
async def test_a_server_that_crashes_while_a_client_connects_is_not_available(behaviour: Server):
    # F14: a process must wait for the database, not end
    server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = open_database(Address(f"postgresql://nobody@127.0.0.1:{port}/nothing"))
    async with server:
        with pytest.raises(DatabaseUnavailable):
            async with transaction(database, "hp"):
                pass
    await database.dispose()


async def test_no_statement_and_no_idle_transaction_lasts_longer_than_a_minute(database: Database):
    # F14: a wait without a limit would stop a worker for ever
    async with transaction(database, "hp") as session:
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            shown = await session.execute(text(f"show {setting}"))
            assert shown.scalar_one() == "1min"


async def test_a_job_that_is_the_first_statement_belongs_to_the_transaction(database: Database):
    # the queue uses the driver's connection, so SQLAlchemy does not see its statements
    async def enqueue_and_fail() -> None:
        async with transaction(database, "hp") as session:
            await job_queue.want(session, Lane.WRITE_BACK, "hp")
            raise LookupError

    with pytest.raises(LookupError):
        await enqueue_and_fail()
    async with transaction(database, "hp") as session:
        assert (await job_queue.measure(session))[Lane.WRITE_BACK.label].jobs == 0
        await job_queue.want(session, Lane.WRITE_BACK, "hp")
    async with transaction(database, "hp") as session:
        assert (await job_queue.measure(session))[Lane.WRITE_BACK.label].jobs == 1


async def test_a_kept_connection_is_checked_with_one_round_trip_unless_it_was_just_used(
    database: Database,
):
    sent: list[str] = []

    async def query() -> int:
        async with transaction(database, "hp") as session:
            found = await session.execute(text("select pg_backend_pid()"))
            return int(found.scalar_one())

    async with transaction(database, "hp") as session:
        driver: Any = (await session.get_raw_connection()).driver_connection
        first = driver.get_server_pid()
        driver.add_query_logger(lambda logged: sent.append(logged.query))
    sent.clear()
    assert await query() == first
    driver.answered_at -= TRUSTED_SECONDS
    assert await query() == first
    begin_and_end = [
        "BEGIN;set local app.account = E'hp';",
        "COMMIT;",
    ]  # prepared statements are not logged
    assert sent == [*begin_and_end, "select 1", *begin_and_end]
    driver.terminate()
    assert await query() != first
