"""Makes the database of the soak fail for a while: stopped, read-only, silent, out of connections, slow.

The service reaches the server through a proxy. The faults that a server makes itself are made at the server.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg

from app.db import embedded
from tests.chaos.loops import LoopThread
from tests.support.database_proxy import DatabaseProxy

DELAY = 0.1  # seconds for everything that a slow database sends or gets
MOST_CONNECTIONS = 200  # more than the server allows


@contextmanager
def stopped_server(folder: Path) -> Iterator[None]:
    """Stop the server as a crash would. Start it again when the block ends; it recovers from its log."""
    pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    try:
        yield
    finally:
        embedded.start(folder).share.close()  # the first share keeps the server running


class DatabaseFaults:
    """The faults by name; each is a context manager that ends the fault."""

    def __init__(self, folder: Path, dsn: str, proxy: DatabaseProxy, loop: LoopThread) -> None:
        self._folder = folder
        self._dsn = dsn
        self._proxy = proxy
        self._loop = loop

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server as a crash would, and start it again at the end."""
        with stopped_server(self._folder):
            yield

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Refuse every write, as a standby or a server with a full disk does."""
        self._set_read_only("on")
        try:
            yield
        finally:
            self._set_read_only("off")

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Accept connections and answer nothing."""
        with self._ended_by_restore(self._proxy.silence):
            yield

    @contextmanager
    def out_of_connections(self) -> Iterator[None]:
        """End all connections of the service and take every connection that the server has."""
        with ExitStack() as stack:
            taken = self._loop.run(self._take_connections())
            stack.callback(lambda: self._loop.run(_close(taken)))
            yield

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Delay every message in both directions."""
        with self._ended_by_restore(lambda: self._proxy.slow_down(DELAY)):
            yield

    @contextmanager
    def _ended_by_restore(self, begin: Callable[[], None]) -> Iterator[None]:
        self._loop.run(_call(begin))
        try:
            yield
        finally:
            self._loop.run(_call(self._proxy.restore))

    def _set_read_only(self, value: str) -> None:
        self._loop.run(
            self._execute(
                "set default_transaction_read_only = off",
                f"alter system set default_transaction_read_only = {value}",
                "select pg_reload_conf()",
            )
        )

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _take_connections(self) -> list[asyncpg.Connection]:
        others = (
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await self._execute(others)
        taken = list[asyncpg.Connection]()
        while len(taken) < MOST_CONNECTIONS:
            try:
                taken.append(await asyncpg.connect(self._dsn))
            except asyncpg.TooManyConnectionsError:
                return taken
        raise AssertionError("the server has no limit of connections")


async def _close(connections: list[asyncpg.Connection]) -> None:
    for connection in connections:
        await connection.close()


async def _call(step: Callable[[], None]) -> None:
    """Call a function in the loop to which its objects belong."""
    step()
