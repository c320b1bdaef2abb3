"""Transactions: which failures mean that the database is not available."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable

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
    database = open_database(f"postgresql://nobody@127.0.0.1:{port}/nothing")
    async with server:
        with pytest.raises(DatabaseUnavailable):
            async with transaction(database):
                pass
    await database.dispose()


async def test_no_statement_and_no_idle_transaction_lasts_longer_than_a_minute(database: Database):
    # F14: a wait without a limit would stop a worker for ever
    async with transaction(database) as session:
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            shown = await session.execute(text(f"show {setting}"))
            assert shown.scalar_one() == "1min"
