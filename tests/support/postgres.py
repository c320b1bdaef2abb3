"""The PostgreSQL server of a test session, and databases on it that are copies of a template."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from app.db import embedded, migrate
from app.db.connection import Address
from app.db.embedded import ROLES
from tests.support.sessions import kept_connections

MIGRATED = "migrated"  # the template with the schema and no rows
MEMORY = Path("/dev/shm")  # noqa: S108  # a database is copied there in 15 ms, on a disk in 200
NEEDED_BYTES = (
    1024**3
)  # bytes that must be free there: a server uses 90 MiB; containers often have 64 MiB
# Settings of a test server: it need not survive a crash, and it plans a statement once for each connection. A plan for
# the values of each execution takes longer to make than the few rows of a test take to read.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "plan_cache_mode": "force_generic_plan",
}
PATIENCE = 120.0  # seconds after which a wait fails
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server, possibly shared by test processes. `copy` is the SQL option for copying a template."""

    dsn: str
    copy: str = ""

    def address(self, name: str) -> str:
        """Return the address of a database of this server."""
        return database_of(self.dsn, name)

    def template(self, name: str) -> str:
        """Return the name of this process's template."""
        return f"levitate_{name}_{os.getpid()}"

    @asynccontextmanager
    async def database(self, template: str | None = None) -> AsyncIterator[str]:
        """Yield the address of a new database, a copy of the template or empty; drop it at the end."""
        name = f"levitate_test_{os.getpid()}_{next(_numbers)}"
        copied = f"template {self.template(template)} {self.copy}" if template else ""
        admin = await asyncpg.connect(self.dsn)
        await admin.execute(f"create database {name} {copied}")
        try:
            async with kept_connections(self.address(name)):
                yield self.address(name)
        finally:
            await admin.execute(f"drop database {name} with (force)")
            await admin.close()

    async def new_template(self, name: str, base: str | None = None) -> str:
        """Create a template, a copy of another or empty; return its address. The caller must close its connections."""
        made, copied = self.template(name), f"template {self.template(base)}" if base else ""
        await self.execute(f"drop database if exists {made} with (force)")
        await self.execute(f"create database {made} {copied}")
        return self.address(made)

    async def execute(self, *statements: str) -> None:
        """Run statements on the server's own database."""
        admin = await asyncpg.connect(self.dsn)
        for statement in statements:
            await admin.execute(statement)
        await admin.close()


def database_of(dsn: str, name: str) -> str:
    """Return the address of another database of the same server."""
    head, _, query = dsn.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def address_of(dsn: str) -> Address:
    """Return the address for the service of a database of a test server, given that of its owner."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    run, system = (parts._replace(netloc=f"{role}:{role}@{host}").geturl() for role in ROLES)
    return Address(run, system=system, owner=dsn)


async def until_waiting_for_lock(dsn: str, task: "asyncio.Task[Any]") -> None:
    """Wait until the task has ended, or a session of this database waits for a lock."""
    connection = await asyncpg.connect(dsn)
    waiting = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not task.done() and not await connection.fetchval(waiting):
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


@contextmanager
def running_server(given: str | None) -> Iterator[Server]:
    """Yield the given server, or an embedded one until the block ends, with a migrated template."""
    if given:
        server = Server(given)
        asyncio.run(_prepare(server))
        asyncio.run(
            server.execute(*(f"alter role {role} login password '{role}'" for role in ROLES))
        )
        yield server
        return
    with tempfile.TemporaryDirectory(prefix="lc-pg-", dir=fastest_folder()) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        started = embedded.start(Path(folder) / "pg")
        try:
            server = Server(started.dsn, copy="strategy file_copy")
            asyncio.run(_prepare(server, *_fast_settings()))
            yield server
        finally:
            started.stop()


def fastest_folder() -> Path | None:
    """Return a folder in memory if it has enough space, else None for the default folder."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= NEEDED_BYTES else None


def _fast_settings() -> Iterator[str]:
    """Yield statements that make the server faster but not crash-safe."""
    for setting, value in FAST.items():
        yield f"alter system set {setting} = {value}"
    yield "select pg_reload_conf()"


async def _prepare(server: Server, *statements: str) -> None:
    await server.execute(*statements)
    await migrate.migrate(Address(await server.new_template(MIGRATED)))
