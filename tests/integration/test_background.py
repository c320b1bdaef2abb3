"""The background work while its database is away, and when a part of it has a defect (F14)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from pgqueuer.db import AsyncpgPoolDriver
from sqlalchemy import text

from app import main
from app.cli.database import check_database
from app.db import connection, session
from app.db.connection import Address
from app.db.session import Database, PoolLimits, open_database, transaction
from app.errors import DatabaseUnavailable
from app.lanes import Lane
from app.simulator.http.server import Simulator
from app.sync import background, database_probe, outages, scheduler, supervisor
from app.sync.background import Background
from app.sync.events import queue_due_endpoints
from app.sync.request_checks import RequestChecks
from app.sync.supervisor import State, Supervisor
from tests.support.database_proxy import DatabaseProxy, database_proxy
from tests.support.postgres import address_of, database_of
from tests.support.sessions import as_owner, listen, unlisten
from tests.support.world import PATIENCE, World, config_for, opened_world

SHORT = 0.05  # seconds, in place of every delay and timeout


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the delays and timeouts, so that a test need not wait for them."""
    for module, name, value in (
        (supervisor, "FIRST_DELAY", SHORT),
        (supervisor, "LONGEST_DATABASE_DELAY", SHORT),
        (outages, "DATABASE_CHECK_SECONDS", SHORT),
        (database_probe, "FRESH_SECONDS", 0.0),
        (background, "PROBE_SECONDS", SHORT),
        (background, "PART_INTERVAL", 2.0),
        (background, "PREPARE_AGAIN_SECONDS", SHORT),
        (connection, "CONNECT_SECONDS", 2.0),
    ):
        monkeypatch.setattr(module, name, value)
    limits = PoolLimits(kept=2, most=6, wait=2.0, statement=2.0)
    monkeypatch.setattr(main, "API_POOL", limits)
    for name in ("CLOCK_POOL", "PROBE_POOL", "DELIVERY_POOL", "WORKER_POOL"):
        monkeypatch.setattr(background, name, limits)


@pytest.fixture
async def proxy(dsn: str) -> AsyncIterator[DatabaseProxy]:
    async with database_proxy(dsn) as running:
        yield running


@pytest.fixture
async def distant(hasty: None, proxy: DatabaseProxy, simulator: Simulator) -> AsyncIterator[World]:
    """The whole service, with its clock, behind a proxy."""
    async with opened_world(proxy.dsn, simulator) as opened, opened:
        yield opened


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.01)


def states(world: World) -> dict[str, State]:
    running: Background = world.app.state.background
    answering = running.probe.answering()
    return {
        part.name: part.state(answering=answering) for part in running.supervisor.parts.values()
    }


async def is_ready(world: World) -> bool:
    return (await world.api.get("/readyz")).status_code == 200


WORKERS = {"worker.earlier_jobs", *(f"worker.{lane.label}" for lane in Lane)}
WAITING_PARTS = {*WORKERS, "due_endpoints", "listener", "request_checks"}


async def is_waiting(world: World) -> bool:
    now = states(world)
    return {now[name] for name in WAITING_PARTS} == {State.WAITING_FOR_DATABASE}


async def check_that_it_goes_on(world: World) -> None:
    """Check that everything works: the API, a run, and every part."""
    await until(partial(is_ready, world))
    await until(lambda: _all_running(world))
    assert (await world.run())["status"] == "succeeded"
    assert world.app.state.background.supervisor.exit_code == 0


async def _all_running(world: World) -> bool:
    return set(states(world).values()) == {State.RUNNING}


async def refused(world: World) -> bool:
    """Return whether the API answers as it must while the database is away."""
    answers = [await world.api.get("/v1/accounts/hp"), await world.api.get("/readyz")]
    health = await world.api.get("/healthz")
    codes = [answer.json().get("code") for answer in answers]
    assert health.status_code == 200  # never a reason to end the process
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
    assert {answer.status_code for answer in answers} <= {200, 503}
    return codes == ["database_unavailable", "not_ready"]


@asynccontextmanager
async def replaced_by_an_empty_one(dsn: str) -> AsyncIterator[None]:
    """Take all tables away until the block ends."""
    await execute(dsn, "alter schema public rename to kept", "create schema public")
    yield
    await execute(dsn, "drop schema public", "alter schema kept rename to public")


@asynccontextmanager
async def closed_for_maintenance(dsn: str) -> AsyncIterator[None]:
    """Let the database accept no connection until the block ends."""
    name, other = urlsplit(dsn).path[1:], database_of(dsn, "postgres")
    ending = f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    await execute(other, f"alter database {name} allow_connections false", ending)
    yield
    await execute(other, f"alter database {name} allow_connections true")


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def test_everything_goes_on_after_the_database_refused_connections(
    distant: World, proxy: DatabaseProxy
):
    # F14
    await distant.create_account()
    await distant.connect("u_ann", 501)
    proxy.refuse()
    await until(partial(is_waiting, distant))
    await until(partial(refused, distant))
    ready = (await distant.api.get("/readyz")).json()
    assert ready["detail"].startswith("The database does not respond; check it")
    assert {part["name"] for part in ready["parts"]} > WAITING_PARTS
    proxy.restore()
    await check_that_it_goes_on(distant)


@pytest.mark.parametrize("away", [replaced_by_an_empty_one, closed_for_maintenance])
async def test_everything_goes_on_after_the_database_was(
    distant: World, dsn: str, away: Callable[[str], AbstractAsyncContextManager[None]]
):
    # F14: an administrator or a failover did it; a new process would not repair it
    await distant.create_account()
    await distant.connect("u_ann", 501)
    await distant.settled()
    async with away(dsn):
        await until(partial(refused, distant))
        for name in (*WORKERS, "due_endpoints"):
            await until(partial(_is, distant, name, State.WAITING_FOR_DATABASE))
    await check_that_it_goes_on(distant)


async def test_everything_goes_on_after_the_database_was_silent(
    distant: World, proxy: DatabaseProxy
):
    # F14
    await distant.create_account()
    await distant.connect("u_ann", 501)
    await distant.settled()
    proxy.silence()
    await until(partial(refused, distant))
    await until(partial(is_waiting, distant))
    proxy.restore()
    await check_that_it_goes_on(distant)


async def test_everything_goes_on_after_the_database_was_read_only(distant: World, dsn: str):
    # F14: 25006 comes from a standby, or from a server whose disk is full
    await distant.create_account()
    await distant.connect("u_ann", 501)
    await distant.settled()
    await alter(dsn, "set default_transaction_read_only = on")
    patch = {"name": "x", "time_zone": "Europe/Paris", "country": "FR", "primary_user_id": "u_off"}

    async def is_refused() -> bool:
        answer = await distant.api.put("/v1/accounts/hp", json={**patch, "enabled": True})
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 503

    await until(is_refused)
    await until(lambda: _is(distant, "worker.incremental", State.WAITING_FOR_DATABASE))
    await alter(dsn, "reset default_transaction_read_only")
    await check_that_it_goes_on(distant)


async def _is(world: World, name: str, state: State) -> bool:
    return states(world)[name] is state


async def alter(dsn: str, setting: str) -> None:
    """Change a setting of the database and end its sessions, so that new ones have it."""
    database = open_database(address_of(dsn))
    name = urlsplit(dsn).path.removeprefix("/")
    async with as_owner(database) as connection:
        await connection.execute(text("set transaction read write"))
        await connection.execute(text(f'alter database "{name}" {setting}'))
        await connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    await database.dispose()


async def test_a_process_starts_while_the_database_is_away_and_works_when_it_is_back(
    hasty: None, own_dsn: str, simulator: Simulator
):
    # F14; the schema is migrated when the database is back
    async with database_proxy(own_dsn) as proxy:
        proxy.refuse()
        config, address = config_for(proxy.dsn), Address(proxy.dsn)
        prepare = partial(check_database, config=config, migrates=True)
        app = main.create_app(config, address, main.Parts(), prepare)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": "Bearer a-bootstrap-token-of-32-characters"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://service.test", headers=headers
            ) as api,
        ):
            answer = await api.get("/v1/accounts")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert (await api.get("/readyz")).status_code == 503
            proxy.restore()

            async def is_ready() -> bool:
                return (await api.get("/readyz")).status_code == 200

            await until(is_ready)
            assert (await api.get("/v1/accounts")).json()["data"] == []


# --- defects ---------------------------------------------------------------------------------------


class Injection:
    """Raises an error that nobody knows at one of the calls to the database, counted from 1."""

    def __init__(self) -> None:
        self.left = 0
        self.raised = 0

    def arm(self, number: int) -> None:
        """Raise at the call with this number from now on, once."""
        self.left, self.raised = number, 0

    def call(self, *_: Any) -> None:
        """Count a call."""
        self.left -= 1
        if self.left == 0:
            self.raised += 1
            raise LookupError("an error that nobody expects")


@contextmanager
def injected(database: Database) -> Iterator[Injection]:
    """Inject errors into the statements of a database."""
    injection = Injection()
    listen(database, "before_cursor_execute", injection.call)
    try:
        yield injection
    finally:
        unlisten(database, "before_cursor_execute", injection.call)


@pytest.fixture
def lasting(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No number of failures ends the process."""
    monkeypatch.setattr(supervisor, "FAILURES_BEFORE_END", 10**6)


@pytest.mark.parametrize("step", [step for step, _ in scheduler._TASKS], ids=lambda s: s.__name__)
async def test_a_task_of_the_scheduler_survives_a_defect_at_each_of_its_calls(
    lasting: None, pulled: World, step: Callable[[Any], Awaitable[Any]]
):
    services = pulled.app.state.services
    with injected(services.database) as injection:
        for number in range(1, 200):
            watched = Supervisor(asyncio.Event(), asyncio.get_running_loop().time)
            part = watched.add(step.__name__, interval=20.0)
            injection.arm(number)
            await watched.complete(part, partial(step, services))
            assert part.state(answering=1000) is State.RUNNING
            if not injection.raised:
                assert number > 1
                return
    raise AssertionError("the task has no last call")


async def test_the_look_at_due_endpoints_survives_a_defect_at_each_of_its_calls(
    lasting: None, pulled: World
):
    services = pulled.app.state.services
    watched = Supervisor(services.stopping, asyncio.get_running_loop().time)
    part = watched.add("due_endpoints", interval=5.0)
    with injected(services.database) as injection:
        async with asyncio.TaskGroup() as group:
            look = partial(queue_due_endpoints, services)
            group.create_task(watched.repeat(part, look, every=SHORT))

            async def recovered(failures: int) -> bool:
                running = part.state(answering=1000) is State.RUNNING
                return part.restarts == failures and running

            for number in range(1, 5):
                injection.arm(number)
                await until(partial(recovered, number))
            services.stopping.set()
    assert part.restarts == 4


async def test_the_workers_survive_a_defect_at_each_of_their_calls(
    lasting: None, pulled: World, monkeypatch: pytest.MonkeyPatch
):
    injection = Injection()
    for method in ("fetch", "execute"):
        call_original = getattr(AsyncpgPoolDriver, method)

        async def counted(*arguments: Any, original: Any = call_original) -> Any:
            injection.call()
            return await original(*arguments)

        monkeypatch.setattr(AsyncpgPoolDriver, method, counted)
    parts = pulled.app.state.background.supervisor.parts

    async def was_raised() -> bool:
        return injection.raised == 1

    for number in range(1, 12):
        injection.arm(number)
        assert (await pulled.run())["status"] == "succeeded"
        await until(was_raised)
    await until(lambda: _all_running(pulled))
    assert sum(parts[name].restarts for name in WORKERS) > 0


# --- pools -----------------------------------------------------------------------------------------


async def test_a_pool_whose_connections_are_all_in_use_is_a_database_that_is_not_available(
    dsn: str,
):
    # a wait of the pool is no defect: the caller tries again
    database = open_database(address_of(dsn), PoolLimits(kept=1, most=1, wait=0.01))
    async with transaction(database, "hp"):
        with pytest.raises(DatabaseUnavailable):
            async with transaction(database, "hp"):
                pass
    waits = session.waits_of(database)
    assert waits.waits == 1
    assert waits.seconds > 0
    await database.dispose()


@asynccontextmanager
async def all_taken(database: Database, count: int) -> AsyncIterator[None]:
    """Keep so many connections of a pool."""
    kept = [await database.accounts.connect() for _ in range(count)]
    try:
        yield
    finally:
        for one in kept:
            await one.close()


async def test_callers_of_the_api_cannot_take_the_connections_of_the_background_work(
    pulled: World,
):
    async with all_taken(pulled.app.state.services.database, session.API_POOL.most):
        parts = pulled.app.state.background.supervisor.parts
        turn = parts["due_endpoints"].last_turn

        async def turned() -> bool:
            return bool(parts["due_endpoints"].last_turn > turn)

        await until(turned)


async def test_a_process_is_ready_when_it_knows_the_tokens(
    idle: World, monkeypatch: pytest.MonkeyPatch
):
    # before that every request with a token gets 503, so that no request may be sent there
    assert (await idle.api.get("/readyz")).status_code == 200
    monkeypatch.setattr(RequestChecks, "has_tokens", False)
    early = await idle.api.get("/readyz")
    assert (early.status_code, early.json()["detail"]) == (503, "The process is starting; wait")
