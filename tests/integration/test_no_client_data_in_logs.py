"""No statement, no value and no text of the database's driver reaches a log or a stored text [T9].

Each test lets a statement fail whose values, and whose error of PostgreSQL, contain a canary.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import logs, main
from app.db import job_queue
from app.db.accounts import accounts
from app.db.session import Database, Session, transaction
from app.lanes import Lane
from app.sync import worker
from tests.support.commands import run
from tests.support.sessions import as_owner
from tests.support.world import KEY, PATIENCE, TOKEN, World, opened_world

CANARY = "alice-canary@home.test"
STATEMENTS = {
    "a value that is no number": "select cast(:canary as integer)",
    "a key that exists": "insert into users values ('hp', :canary, '', '', true), ('hp', :canary, '', '', true)",
    "a text that is no time": "select cast(cast(:canary as text) as timestamptz)",
}


class Failing:
    """Executes a statement that fails; it notes that it has."""

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self.has_failed = False

    async def __call__(self, session: Session, *_: object, **__: object) -> None:
        try:
            await session.execute(text(self._statement), {"canary": CANARY})
        except DBAPIError:
            self.has_failed = True
            raise


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    logs.configure("WARNING", "json")
    logging.getLogger("asyncio").setLevel(logging.NOTSET)


def log_everything() -> None:
    """Log at the lowest level, also what the service does not allow its libraries to log."""
    logs.configure("DEBUG", "json")
    for name in ("sqlalchemy", "asyncpg", "pgqueuer", "uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)


def read(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    shown = capsys.readouterr()
    assert CANARY not in shown.out + shown.err
    assert "select cast" not in shown.err
    assert "insert into" not in shown.err.lower()
    return [json.loads(line) for line in shown.err.splitlines() if line.startswith("{")]


@pytest.fixture
async def api(dsn: str, simulator: Any) -> AsyncIterator[World]:
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        yield world


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
async def test_a_request_whose_statement_fails(
    api: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
):
    log_everything()
    failing = Failing(statement)
    monkeypatch.setattr(accounts, "get_account", failing)
    answer = await api.api.get("/v1/accounts/hp")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert CANARY not in answer.text
    assert failing.has_failed
    (line,) = [one for one in read(capsys) if one["event"] == "request_failed"]
    assert "Error" in line["error"]
    assert line["frames"]


async def test_the_text_of_an_error_does_not_contain_the_values_of_the_statement(
    database: Database,
):
    # a second lock: nobody shows it
    failing = Failing("select 1 / 0 from (select cast(:canary as text)) given")
    with pytest.raises(DBAPIError) as raised:
        async with transaction(database, "hp") as session:
            await failing(session)
    assert "division by zero" in str(raised.value)
    assert CANARY not in str(raised.value)


async def test_a_slice_whose_statement_fails_also_stores_no_text(
    api: World,
    dsn: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    # pgqueuer stores why a job failed or is repeated, with the text of the exception and of its causes
    log_everything()
    failing = Failing(STATEMENTS["a value that is no number"])

    async def slice_(services: Any, key: str) -> Any:
        async with transaction(services.database, "hp") as session:
            await failing(session)

    monkeypatch.setattr(worker, "WORK", {**worker.WORK, Lane.HOUSEKEEPING: slice_})
    async with as_owner(api.app.state.services.database) as session:
        await job_queue.want(session, Lane.HOUSEKEEPING, "retention:events")
    connection = await asyncpg.connect(dsn)
    try:
        stored = "select traceback::text from pgqueuer_log where traceback is not null"
        async with asyncio.timeout(PATIENCE):
            while not (found := await connection.fetch(stored)):
                await asyncio.sleep(0.02)
    finally:
        await connection.close()
    assert failing.has_failed
    for row in found:
        why = json.loads(row[0])
        assert (why["exception_message"], why["traceback"]) == ("", "")
        assert "Error" in why["exception_type"]
    assert any(line["event"] == "slice_crashed" for line in read(capsys))


def test_a_start_that_fails_is_logged_without_the_text_that_the_server_would_log(
    own_dsn: str, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(main, "background_work", fail)
    ended = run("serve", "--port=0", database_url=own_dsn, encryption_keys=KEY, log_level="DEBUG")
    assert ended.returncode != 0
    assert CANARY not in ended.stderr + ended.stdout
    lines = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert [line["error"] for line in lines if line["event"] == "service_failed"] == ["ValueError"]


async def test_a_whole_pull_logs_no_name_no_address_and_no_secret(
    dsn: str, simulator: Any, capsys: pytest.CaptureFixture[str]
):
    log_everything()
    async with opened_world(dsn, simulator) as world, world:
        await world.create_account()
        assert "clio=connected" in await world.connect("u_ann", 501)
        await world.settled()
        contacts = (await world.contacts()).values()
        await world.idle()
    names = {
        str(one[part]) for one in contacts for part in ("first_name", "last_name") if one[part]
    }
    addresses = {address["address"] for one in contacts for address in one["emails"]}
    assert len(names) > 5
    assert addresses
    grants = simulator.oauth["us"]._grants.values()
    secrets = {secret for one in grants for secret in (one.access_token, one.refresh_token)}
    assert secrets
    shown = capsys.readouterr().err
    assert "run_ended" in shown
    words = {word for line in shown.splitlines() for word in line.replace('"', " ").split()}
    assert not words & names
    assert not [one for one in (*addresses, *secrets, TOKEN, KEY) if one in shown]
