"""The listener and the migrator of a database that is silent: both notice it in time (F14)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from app.db import connection, migrate, notifications
from app.db.connection import Address
from app.errors import DatabaseUnavailable
from app.sync import background, supervisor
from tests.support.database_proxy import DatabaseProxy, database_proxy
from tests.support.world import PATIENCE

GO_ON_WITHIN = 10.0  # seconds after the database is back


@pytest.fixture
async def proxy(dsn: str) -> AsyncIterator[DatabaseProxy]:
    async with database_proxy(dsn) as running:
        yield running


async def listen(proxy: DatabaseProxy, started: Callable[[], None] = lambda: None) -> None:
    async with asyncio.timeout(PATIENCE):
        await notifications.listen(
            Address(proxy.dsn),
            lambda *_: None,
            started=started,
            turned=lambda: None,
            stopping=asyncio.Event(),
        )


def test_a_silent_database_is_noticed_early_enough_to_go_on_in_time():
    noticed = notifications.CHECK_SECONDS + notifications.TIMEOUT
    assert noticed + supervisor.FIRST_DELAY < GO_ON_WITHIN
    for delay in (supervisor.LONGEST_DATABASE_DELAY, background.PREPARE_AGAIN_SECONDS):
        assert connection.CONNECT_SECONDS + delay < GO_ON_WITHIN


async def test_a_listener_does_not_wait_for_the_end_of_a_silent_connection(
    proxy: DatabaseProxy, monkeypatch: pytest.MonkeyPatch
):
    async def close(*_: Any, **__: Any) -> None:
        raise AssertionError("a silent connection was closed in good order")

    monkeypatch.setattr(asyncpg.Connection, "close", close)
    monkeypatch.setattr(notifications, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(notifications, "TIMEOUT", 0.5)
    with pytest.raises(DatabaseUnavailable):
        await listen(proxy, started=proxy.silence)


async def test_a_listener_and_a_migration_give_up_to_connect_to_a_silent_database(
    proxy: DatabaseProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.05)
    proxy.silence()
    with pytest.raises(DatabaseUnavailable):
        await listen(proxy)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(DatabaseUnavailable):
            await migrate.migrate(Address(proxy.dsn))
