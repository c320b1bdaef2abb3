"""What tests stand on: a real PostgreSQL with a database for each test, the simulated Clio, the whole service."""

import asyncio
import itertools
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import stamina
from hypothesis import HealthCheck, settings

from app import logs, main
from app.clio.regions import Region
from app.db import embedded, migrate
from app.db.session import Database, open_database
from app.main import Parts, create_app
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.http.server import Simulator
from tests.support.world import Door, World, config_for

_numbers = itertools.count(1)
OURSELVES = ("127.0.0.1", "::1", "localhost")
TEMPLATE = f"levitate_template_{os.getpid()}"  # several test processes may share one server
# Properties are judged by the same examples at every run, and never by how busy the machine is with other things. New
# examples are looked for on purpose: `make test ARGS="--hypothesis-profile=search tests/unit/rules"`.
AT_ANY_PACE = [HealthCheck.too_slow]
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=AT_ANY_PACE
)
settings.register_profile(
    "search", deadline=None, max_examples=2000, suppress_health_check=AT_ANY_PACE
)
settings.load_profile("house")
QUICK = ("fsync", "synchronous_commit", "full_page_writes")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """No test reaches the network: pytest-socket refuses all but this machine and a given test database."""
    config.option.allow_hosts = ",".join(_allowed_hosts())
    config.option.allow_unix_socket = True


def _allowed_hosts() -> list[str]:
    given = os.environ.get("TEST_DATABASE_URL", "")  # noqa: TID251  # a test server, not configuration
    return [*OURSELVES, *filter(None, [urlsplit(given).hostname])]


@pytest.fixture(scope="session", autouse=True)
def no_names_are_looked_up() -> Iterator[None]:
    """pytest-socket watches connections; to ask a name server is a call to the network as well."""
    asked = socket.getaddrinfo

    def guarded(host: Any, *more: Any, **named: Any) -> Any:
        if host and str(host) not in _allowed_hosts() and not _is_address(str(host)):
            raise OSError(f"A test tried to look up {host}")
        return asked(host, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded)
        yield


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def surroundings() -> Iterator[None]:
    """Logs as in production, warnings and worse; retries without their pauses."""
    logs.configure("WARNING", "json")
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A PostgreSQL server with a migrated template: TEST_DATABASE_URL's, or an embedded one for this session."""
    if given := os.environ.get("TEST_DATABASE_URL"):  # noqa: TID251  # a test server, not configuration
        asyncio.run(_prepare(given))
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="lc-pg-") as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder) / "pg")
        try:
            asyncio.run(_prepare(server.dsn, quick=True))
            yield server.dsn
        finally:
            server.stop()


async def _prepare(dsn: str, *, quick: bool = False) -> None:
    """Make the template that each test's database is copied from."""
    connection = await asyncpg.connect(dsn)
    if quick:
        for setting in QUICK:
            await connection.execute(f"alter system set {setting} = off")
        await connection.execute("select pg_reload_conf()")
    await connection.execute(f"drop database if exists {TEMPLATE} with (force)")
    await connection.execute(f"create database {TEMPLATE}")
    await connection.close()
    database = open_database(database_of(dsn, TEMPLATE))
    await migrate.migrate(database)
    await database.dispose()


def database_of(dsn: str, name: str) -> str:
    """The same server's database of another name."""
    head, _, query = dsn.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
async def dsn(server_dsn: str) -> AsyncIterator[str]:
    """An own database for one test."""
    name = f"levitate_test_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(server_dsn)
    await admin.execute(f"create database {name} template {TEMPLATE}")
    try:
        yield database_of(server_dsn, name)
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


@pytest.fixture
def own_dsn(server_dsn: str) -> Iterator[str]:
    """An own, empty database for programs that migrate it themselves."""
    name = f"levitate_own_{os.getpid()}_{next(_numbers)}"
    asyncio.run(_execute(server_dsn, f"create database {name}"))
    yield database_of(server_dsn, name)
    asyncio.run(_execute(server_dsn, f"drop database {name} with (force)"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The test's database, opened."""
    opened = open_database(dsn)
    yield opened
    await opened.dispose()


@pytest.fixture
def simulator() -> Simulator:
    """A simulated Clio with the firm Harlow & Pike, generous with requests."""
    return Simulator(
        [harlow_pike(main.now)],
        now=main.now,
        redirect_uris=["http://service.test/oauth/clio/callback"],
        rate_limit=100_000,
    )


@asynccontextmanager
async def opened_world(dsn: str, simulator: Simulator, **parts: bool) -> AsyncIterator[World]:
    """The whole service on a database, with the simulator for Clio."""
    door = Door(simulator)
    clio = {Region.US: door}
    app = create_app(config_for(dsn), dsn, Parts(clio_transports=clio, **parts))
    async with app.router.lifespan_context(app):
        yield World(app, simulator, dsn, door)


@pytest.fixture
async def world(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """The whole service at work, its clock off: API and workers on an own database, Clio simulated."""
    async with opened_world(dsn, simulator, clock=False) as opened, opened:
        yield opened
