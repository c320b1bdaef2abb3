"""The service behind PgBouncer in transaction mode, which has few connections to the server."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text

from app.db import job_queue
from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable
from app.lanes import Lane
from tests.chaos.processes import TOKEN, Stack, running_stack
from tests.chaos.writeback import wait_for_activities
from tests.support.commands import refusal
from tests.support.pgbouncer import Pooler, pgbouncer
from tests.support.postgres import Server
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Receiver, receiving

ACCOUNT = "hp"
SERVER_CONNECTIONS = 3
FAULTS = re.compile(r"prepared statement|database_unavailable|part_failed|_crashed|run_broke")


@pytest.fixture(scope="module")
def pooler(server: Server) -> Iterator[Pooler]:
    """PgBouncer before the server of the tests."""
    with pgbouncer(server.dsn, server_connections=SERVER_CONNECTIONS) as running:
        yield running


@pytest.fixture
async def pooled(dsn: str, pooler: Pooler) -> AsyncIterator[Database]:
    """The test's database behind PgBouncer."""
    database = open_database(pooler.address(dsn))
    yield database
    await database.dispose()


def connections(pooler: Pooler, dsn: str, what: str) -> int:
    """Return how many connections of this kind for this database the log of PgBouncer has."""
    name = urlsplit(dsn).path.removeprefix("/")
    return sum(
        f" {name}/" in line and line.endswith(what) for line in pooler.log.read_text().splitlines()
    )


def poll(stack: Stack) -> list[dict[str, Any]]:
    """Wait for the first lines of the account's feed; return them."""
    url = f"{stack.service.url}/v1/accounts/{ACCOUNT}/changes?wait=30"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.get(url, headers=headers, trust_env=False, timeout=60).raise_for_status()
    lines: list[dict[str, Any]] = answer.json()["data"]
    return lines


def first_lines(stack: Stack) -> list[dict[str, Any]]:
    """Connect the account while a reader waits for its feed; return the lines that woke the reader."""
    with ThreadPoolExecutor() as threads:
        lines = threads.submit(poll, stack)
        waiting = "levitate_clio_waiting_readers 1.0"
        wait_until(lambda: waiting in stack.api.get("/metrics").text, "no reader waits")
        stack.approve(ACCOUNT, "u_1", user=601)
        return lines.result()


def write_note(stack: Stack) -> None:
    """Write a note on a contact to Clio."""
    contact = next(stack.all(f"/v1/accounts/{ACCOUNT}/contacts"))
    note = {
        "kind": "note",
        "user_id": "u_1",
        "clio_contact_id": contact["clio_id"],
        "occurred_at": "2026-03-02T12:00:00Z",
        "subject": "A call",
        "body": "We talked.",
    }
    url, key = f"/v1/accounts/{ACCOUNT}/activities", {"Idempotency-Key": "a-call"}
    stack.api.post(url, json=note, headers=key).raise_for_status()
    (written,) = wait_for_activities(stack, ACCOUNT).values()
    assert written["status"] == "written"


def use(stack: Stack, receiver: Receiver) -> None:
    """Use every part of the service once, as Levitate's backend does."""
    stack.create(ACCOUNT)
    stack.api.post("/v1/webhook-endpoints", json={"url": receiver.url}).raise_for_status()
    assert first_lines(stack), "the listener heard no notification"
    (run,) = stack.wait_for_runs(ACCOUNT)
    assert (run["status"], run["kind"]) == ("succeeded", "initial")
    write_note(stack)
    wait_until(lambda: bool(receiver.received), "no event was posted")
    ready = stack.get("/readyz")
    assert {part["state"] for part in ready["parts"]} == {"running"}


async def test_the_whole_service_works_with_few_connections_to_the_server(
    tmp_path: Path, own_dsn: str, pooler: Pooler
):
    address = pooler.address(own_dsn)
    environment = {
        "LEVITATE_CLIO_DATABASE_POOLER": "transaction",
        "LEVITATE_CLIO_DATABASE_URL": address.url,
        "LEVITATE_CLIO_SYSTEM_DATABASE_URL": address.for_system().url,
        "LEVITATE_CLIO_DIRECT_DATABASE_URL": address.direct,
        "LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1",
    }
    async with receiving(Receiver()) as receiver:
        with running_stack(tmp_path, own_dsn, contacts=60, environment=environment) as stack:
            await asyncio.to_thread(use, stack, receiver)
    assert FAULTS.findall((tmp_path / "serve.log").read_text()) == []
    users = ("levitate_run", "levitate_system")
    clients = sum(connections(pooler, own_dsn, f"user={user} tls=no") for user in users)
    servers = connections(pooler, own_dsn, "new connection to server")
    assert 1 < servers <= len(users) * SERVER_CONNECTIONS < clients


async def test_transactions_share_connections_of_the_server_and_keep_their_settings(
    pooled: Database,
):
    asked = text(
        "select pg_backend_pid(), current_setting('statement_timeout'), app_account(), cast(:n as int)"
    )

    async def work(nth: int) -> int:
        async with transaction(pooled, f"firm-{nth}") as session:
            await job_queue.want(session, Lane.INITIAL, f"firm-{nth}")
            process, limit, account, number = (await session.execute(asked, {"n": nth})).one()
            assert (limit, account, number) == ("1min", f"firm-{nth}", nth)
            return int(process)

    async with asyncio.TaskGroup() as group:
        working = [group.create_task(work(nth)) for nth in range(100)]
    assert len({task.result() for task in working}) <= SERVER_CONNECTIONS
    async with transaction(pooled, ACCOUNT) as session:
        assert (await job_queue.measure(session))[Lane.INITIAL.label].jobs == 100


async def test_a_connection_works_after_a_failure_and_after_the_server_ended_its_own(
    pooled: Database,
):
    async def fail(statement: str) -> None:
        async with transaction(pooled, ACCOUNT) as session:
            await session.execute(text(statement))

    with pytest.raises(DatabaseUnavailable):
        await fail("select * from no_such_table")
    with pytest.raises(DatabaseUnavailable):
        await fail("select pg_terminate_backend(pg_backend_pid())")
    async with transaction(pooled, ACCOUNT) as session:
        assert (await session.execute(text("select 1"))).scalar_one() == 1


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DIRECT_DATABASE_URL"])
def test_a_pooler_in_place_of_the_server_is_reported_in_one_line(
    own_dsn: str, pooler: Pooler, variable: str
):
    url, environment = pooler.address(own_dsn).url, dict[str, str]()
    if variable == "DIRECT_DATABASE_URL":
        environment = {"database_pooler": "transaction", "direct_database_url": f"{url}?"}
    assert refusal("migrate", database_url=url, **environment) == [
        f"The database of LEVITATE_CLIO_{variable} is not available: a pooler refuses the connection;"
        " see its log, and the section PgBouncer of docs/operations.md"
    ]
