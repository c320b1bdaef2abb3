"""What tests stand on: a real PostgreSQL with a database for each test, the simulated Clio, the whole service."""

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import pytest
import stamina
from hypothesis import HealthCheck, settings
from pgqueuer.qm import QueueManager

from app import logs
from app.db.session import Database, open_database
from app.simulator.http.server import Simulator
from app.sync import run
from tests.support.first_run import AfterFirstRun, first_run
from tests.support.postgres import MIGRATED, Server, running_server
from tests.support.world import World, generous_simulator, harlow_and_pike, opened_world

OURSELVES = ("127.0.0.1", "::1", "localhost")
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
    """Logs as in production, warnings and worse; retries without their pauses, or nearly so."""
    logs.configure("WARNING", "json")
    with stamina.set_testing(True, attempts=4, cap=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "RETRY_WHEN_BUSY", timedelta(milliseconds=50))
        yield


@pytest.fixture(scope="session", autouse=True)
def done_once() -> Iterator[None]:
    """Do once per process what each start of the service does anew, always with the same outcome.

    Reading the certificates of the system takes 20 ms, pgqueuer's check of its tables 30 statements.
    """
    verify, verified = QueueManager.verify_structure, asyncio.Event()

    async def verify_once(manager: QueueManager) -> None:
        if not verified.is_set():
            await verify(manager)
            verified.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QueueManager, "verify_structure", verify_once)
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server with a migrated template: TEST_DATABASE_URL's, or an embedded one for this session."""
    with running_server(os.environ.get("TEST_DATABASE_URL")) as running:  # noqa: TID251  # as above
        yield running


@pytest.fixture(scope="session")
def after_first_run(server: Server) -> AfterFirstRun:
    """Harlow & Pike after the first run: a template database, and the simulated Clio that belongs to it."""
    return asyncio.run(first_run(server))


@pytest.fixture
def begin(request: pytest.FixtureRequest) -> AfterFirstRun | None:
    """Where the test begins: after the first run if it uses `pulled`, else with nothing."""
    if "pulled" not in request.fixturenames:
        return None
    begin: AfterFirstRun = request.getfixturevalue("after_first_run")
    return begin


@pytest.fixture
async def dsn(server: Server, begin: AfterFirstRun | None) -> AsyncIterator[str]:
    """An own database for one test."""
    async with server.database(begin.template if begin else MIGRATED) as address:
        yield address


@pytest.fixture
async def own_dsn(server: Server) -> AsyncIterator[str]:
    """An own, empty database for programs that migrate it themselves."""
    async with server.database() as address:
        yield address


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The test's database, opened."""
    opened = open_database(dsn)
    yield opened
    await opened.dispose()


@pytest.fixture
def simulator(begin: AfterFirstRun | None) -> Simulator:
    """A simulated Clio with the firm Harlow & Pike, generous with requests."""
    return begin.simulator() if begin else generous_simulator(harlow_and_pike())


@pytest.fixture
async def world(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """The whole service at work, its clock off: API and workers on an own database, Clio simulated."""
    async with opened_world(dsn, simulator, clock=False) as opened, opened:
        yield opened


@pytest.fixture
async def pulled(world: World) -> World:
    """The service after the first run of Harlow & Pike, connected by Ann, who sees all contacts."""
    return world
