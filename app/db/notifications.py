"""Notifications of PostgreSQL: sent in the caller's transaction, heard by one connection of each process.

A notification is a hint. It is lost when the connection breaks, so a listener must look by itself after it connected.
A commit that sends one waits for all others that do: send one only if somebody may wait for it.
Add no channel for a second connection: one connection hears them all.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

import asyncpg
from sqlalchemy import text

from app.db.connection import Address, connect
from app.db.failures import sorted_failures
from app.db.session import Session
from app.shutdown import wait_for_stop

CHECK_SECONDS = 2.0  # how often the connection is checked
_NOTIFY = text("select pg_notify(:channel, :payload)")
TIMEOUT = 5.0  # seconds for a statement of the connection, and for closing one that works


class Channel(StrEnum):
    """The subject of a notification. Its payload has ids only."""

    FEED = "feed_appended"  # the payload is the account's id
    RUNS = "run_progressed"  # `key_of` the account and the run; only while somebody follows the run
    CLIO_TOKENS = "clio_tokens_stored"  # `key_of` the account and the connection
    SERVICE_TOKENS = "service_tokens_changed"  # no payload


Hear = Callable[[Channel, str], None]


def key_of(account_id: str, part_id: str) -> str:
    """Return the payload that names a part of an account, which is also the key of those who wait for it."""
    return f"{account_id}/{part_id}"


async def notify(session: Session, channel: Channel, payload: str = "") -> None:
    """Send a notification when the transaction commits. Equal ones of one transaction are sent once."""
    await session.execute(_NOTIFY, {"channel": channel, "payload": payload})


async def listen(
    address: Address,
    hear: Hear,
    *,
    started: Callable[[], None],
    turned: Callable[[], None],
    stopping: asyncio.Event,
) -> None:
    """Pass every notification to `hear` until `stopping` is set.

    `started` is called when the connection listens: what happened before was not heard. `turned` is called every
    `CHECK_SECONDS` while the connection works. Raises DatabaseUnavailable when it breaks or cannot be opened.
    """
    with sorted_failures():
        connection = await connect(address.direct, deadline=TIMEOUT, name="levitate-clio listener")
    try:
        with sorted_failures():
            await _hear_all(connection, hear)
            started()
            while not stopping.is_set():
                await connection.execute("select 1")
                turned()
                await wait_for_stop(stopping, CHECK_SECONDS)
            await connection.close(timeout=TIMEOUT)
    finally:
        connection.terminate()  # does not wait: a connection that broke may never answer


async def _hear_all(connection: asyncpg.Connection, hear: Hear) -> None:
    def heard(_connection: object, _process: int, channel: str, payload: object) -> None:
        hear(Channel(channel), str(payload))

    for channel in Channel:
        await connection.add_listener(channel, heard)
