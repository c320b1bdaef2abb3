"""Every connection to PostgreSQL notices that the server's machine or the network is gone (F14)."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.db import job_queue, notifications
from app.db.session import open_database, transaction
from tests.support.database_proxy import database_proxy
from tests.support.world import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the options have other names")


@pytest.fixture
async def address(dsn: str) -> AsyncIterator[str]:
    """The address of the test's database over TCP."""
    async with database_proxy(dsn) as proxy:
        yield proxy.dsn


def seconds_until_given_up(connection: Any) -> tuple[int, float]:
    """Return after how long a quiet connection is given up, and one whose message is not confirmed."""
    used = connection._transport.get_extra_info("socket")
    assert used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    idle, interval, count, sent = (
        used.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names
    )
    return idle + interval * count, sent / 1000


async def test_the_service_notices_within_ten_seconds_that_a_machine_is_gone(address: str):
    database = open_database(address)
    async with transaction(database) as session:
        driver = (await session.get_raw_connection()).driver_connection
        assert max(seconds_until_given_up(driver)) < 10
    await database.dispose()


async def test_the_workers_notice_it_too(address: str):
    async with job_queue.worker_pool(address) as pool, pool.acquire() as connection:
        assert max(seconds_until_given_up(connection)) < 10


async def test_the_listener_notices_it_too(address: str, monkeypatch: pytest.MonkeyPatch):
    seen, connect, stopping = list[tuple[int, float]](), asyncpg.connect, asyncio.Event()

    async def look(*where: Any, **how: Any) -> Any:
        connection = await connect(*where, **how)
        seen.append(seconds_until_given_up(connection))
        return connection

    monkeypatch.setattr(asyncpg, "connect", look)
    async with asyncio.timeout(PATIENCE):
        await notifications.listen(
            address,
            lambda *_: None,
            started=stopping.set,
            turned=lambda: None,
            stopping=stopping,
        )
    assert max(seen[0]) < 10
