"""Fixtures for all tests: a real PostgreSQL with a database for each test, the simulated Clio, the whole service."""

import asyncio
import functools
import gc
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import stamina
from hypothesis import HealthCheck, settings
from pgqueuer.qm import QueueManager
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from sqlalchemy.util.queue import AsyncAdaptedQueue

from app import logs
from app.db.connection import Dialect
from app.db.session import Database, _MeasuredPool, open_database
from app.simulator.http.server import Simulator
from app.sync import run
from tests.support.first_run import AfterFirstRun, first_run
from tests.support.postgres import MIGRATED, Server, address_of, running_server
from tests.support.world import World, generous_simulator, harlow_and_pike, opened_world

LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
# Properties use the same examples in every run, and the load of the machine does not change the result. To look for
# new examples: `make test ARGS="--hypothesis-profile=search tests/rules"`.
IGNORED_HEALTH_CHECKS = [HealthCheck.too_slow]
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=IGNORED_HEALTH_CHECKS
)
settings.register_profile(
    "search", deadline=None, max_examples=2000, suppress_health_check=IGNORED_HEALTH_CHECKS
)
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep tests off the network: pytest-socket allows only this machine and a given test database."""
    config.option.allow_hosts = ",".join(_allowed_hosts())
    config.option.allow_unix_socket = True
    gc.disable()  # until the tests are collected


def pytest_collection_finish() -> None:
    """Take the modules and the tests from the garbage collector, which would look at all of them again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _allowed_hosts() -> list[str]:
    given = os.environ.get("TEST_DATABASE_URL", "")  # noqa: TID251  # a test server, not configuration
    return [*LOCAL_HOSTS, *filter(None, [urlsplit(given).hostname])]


@pytest.fixture(scope="session", autouse=True)
def no_name_lookups() -> Iterator[None]:
    """Refuse to look up names: that is a call to the network as well, and pytest-socket checks connections only."""
    asked = socket.getaddrinfo

    def guarded(host: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if host and name not in _allowed_hosts() and not _is_address(name):
            raise OSError(f"A test tried to look up {name}")
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
def logs_and_retries() -> Iterator[None]:
    """Log as in production, from warnings up; retry without pauses, or with very short ones."""
    logs.configure("WARNING", "json")
    with stamina.set_testing(True, attempts=4, cap=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "RETRY_WHEN_BUSY", timedelta(milliseconds=50))
        yield


@pytest.fixture(scope="session", autouse=True)
def cached_start_checks() -> Iterator[None]:
    """Do once per process what each start of the service repeats with the same result.

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


@pytest.fixture(scope="session", autouse=True)
def shared_compiled_statements() -> Iterator[None]:
    """Compile each statement once per process. Each engine would do it again, and each start opens five engines."""
    compiled: LRUCache[Any, Any] = LRUCache(2000)
    shared = property(lambda _engine: compiled, lambda _engine, _own: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "_compiled_cache", shared, raising=False)
        # The dialect is part of the key. All engines of the service have the same options.
        patch.setattr(Dialect, "__hash__", lambda dialect: hash(type(dialect)))
        patch.setattr(Dialect, "__eq__", lambda dialect, other: type(dialect) is type(other))
        yield


@pytest.fixture(scope="session", autouse=True)
def shared_facts_of_the_server() -> Iterator[None]:
    """Ask once per process what kind of server it is. Each engine asks at its first connection, in ten round trips."""
    initialize, facts = Dialect.initialize, dict[str, Any]()

    def initialize_once(dialect: Dialect, connection: Any) -> None:
        if not facts:
            before = {**vars(dialect)}
            initialize(dialect, connection)
            found = vars(dialect).items()
            facts.update({name: fact for name, fact in found if before.get(name) is not fact})
        vars(dialect).update(facts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dialect, "initialize", initialize_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def shared_descriptions_of_types() -> Iterator[None]:
    """Ask each server once about each array type and enum. asyncpg asks on each connection, which takes 10 ms."""
    connections: Any = asyncpg.Connection  # the method is private
    ask, known = connections._introspect_types, dict[Any, Any]()

    async def ask_once(connection: Any, types: set[int], *options: Any) -> Any:
        key = (connection._addr, frozenset(types))
        if key not in known:
            known[key] = await ask(connection, types, *options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "_introspect_types", ask_once)
        yield


class _Stack(AsyncAdaptedQueue[Any]):
    """The kept connections of a pool, of which the one that was used last is used next."""

    def __init__(self, maxsize: int = 0, use_lifo: bool = True) -> None:
        super().__init__(maxsize, use_lifo=True)


@pytest.fixture(scope="session", autouse=True)
def few_connections() -> Iterator[None]:
    """Use few connections of each pool: on each of them each statement is prepared and planned, and a test is short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_MeasuredPool, "_queue_class", _Stack)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server with a migrated template: TEST_DATABASE_URL's, or an embedded one for this session."""
    with running_server(os.environ.get("TEST_DATABASE_URL")) as running:  # noqa: TID251  # as above
        yield running


@pytest.fixture(scope="session")
def after_first_run(server: Server) -> AfterFirstRun:
    """Harlow & Pike after the first run: a template database, and the simulated Clio that belongs to it."""
    return asyncio.run(first_run(server, ("u_ann", 501)))


@pytest.fixture(scope="session")
def after_two_logins(server: Server) -> AfterFirstRun:
    """The same after a second login, Ben's: a template and a simulated Clio of its own."""
    return asyncio.run(first_run(server, ("u_ann", 501), ("u_ben", 502)))


@pytest.fixture
def start_state(request: pytest.FixtureRequest) -> AfterFirstRun | None:
    """The state in which the test starts: empty, or after first runs if it uses `pulled`, `idle` or `idle_with_two`."""
    used = {*request.fixturenames}
    if "idle_with_two" in used:
        name = "after_two_logins"
    elif {"pulled", "idle"} & used:
        name = "after_first_run"
    else:
        return None
    start_state: AfterFirstRun = request.getfixturevalue(name)
    return start_state


@pytest.fixture
async def dsn(server: Server, start_state: AfterFirstRun | None) -> AsyncIterator[str]:
    """A database of its own for one test."""
    async with server.database(start_state.template if start_state else MIGRATED) as address:
        yield address


@pytest.fixture
async def own_dsn(server: Server) -> AsyncIterator[str]:
    """An empty database of its own for one test, for programs that migrate it themselves."""
    async with server.database() as address:
        yield address


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The test's database, opened."""
    opened = open_database(address_of(dsn))
    yield opened
    await opened.dispose()


@pytest.fixture
def simulator(start_state: AfterFirstRun | None) -> Simulator:
    """A simulated Clio with the firm Harlow & Pike and a high rate limit."""
    return start_state.simulator() if start_state else generous_simulator(harlow_and_pike())


@pytest.fixture
async def world(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """The running service without its clock: API and workers on a database of their own, with a simulated Clio."""
    async with opened_world(dsn, simulator, clock=False) as opened, opened:
        yield opened


@pytest.fixture
async def pulled(world: World) -> World:
    """The service after the first run of Harlow & Pike, connected by Ann, who sees all contacts."""
    return world


@pytest.fixture
async def idle(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """The service after the first run, without clock and workers: the test does the slices itself."""
    async with opened_world(dsn, simulator, clock=False, workers=False) as opened, opened:
        yield opened


@pytest.fixture
async def idle_with_two(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """The same after the first runs of Ann and Ben, who sees only some of the contacts."""
    async with opened_world(dsn, simulator, clock=False, workers=False) as opened, opened:
        yield opened
