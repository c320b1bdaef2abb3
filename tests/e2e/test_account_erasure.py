"""The erasure of an account deletes all of its data in every case and does not change another account."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.crypto import TokenCipher, new_key
from app.db import job_queue
from app.db.accounts import deletion
from app.db.connections import connections, stored_tokens
from app.db.outbox import maintenance
from app.db.runs import run_requests, runs
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Database, Session, transaction
from app.errors import DatabaseUnavailable
from app.lanes import DEAUTHORISATION, ERASURE, RUN_LANES, SUBSCRIPTIONS, Lane, housekeeping_key
from app.main import now
from app.sync.lost_work import queue_due_work
from app.sync.scheduler import propose_slots
from app.sync.services import Services
from tests.support.first_run import AfterFirstRun
from tests.support.postgres import Server
from tests.support.sessions import as_owner
from tests.support.slices import do_slice
from tests.support.world import ACCOUNT, PATIENCE, World, opened_world

URL = "/v1/accounts/hp"


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def dump(world: World) -> dict[str, list[str]]:
    """Return every row of every table as text, with the keys of the jobs."""
    connection = await asyncpg.connect(world.dsn)
    try:
        names = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by 1"
        )
        found = {}
        for (name,) in names:
            rows = await connection.fetch(f"select t::text as line from {name} t")
            found[name] = sorted(row["line"] for row in rows)
        jobs = await connection.fetch("select convert_from(payload, 'UTF8') as key from pgqueuer")
        return {**found, "jobs": sorted(f'"{row["key"]}"' for row in jobs)}
    finally:
        await connection.close()


def naming(dumped: dict[str, list[str]], *words: str) -> set[str]:
    return {
        table for table, lines in dumped.items() for line in lines if any(w in line for w in words)
    }


async def written(world: World) -> None:
    body = {
        "kind": "note", "user_id": "u_ann", "clio_contact_id": "1002", "subject": "Canary",
        "occurred_at": "2026-03-02T12:00:00Z", "body": "Canary",
    }  # fmt: skip
    headers = {"Idempotency-Key": "note"}
    answer = await world.api.post(f"{URL}/activities", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(PATIENCE):
        url = f"{URL}/activities/{answer.json()['id']}"
        while (await world.api.get(url)).json()["status"] != "written":
            await asyncio.sleep(0.05)
    await world.idle()


async def test_nothing_of_an_erased_account_is_left_and_another_account_is_unchanged(pulled: World):
    # S15, T15
    await pulled.create_account("neighbour")
    await pulled.connect("u_ben", 502, "neighbour")
    await pulled.settled("neighbour")
    endpoint = {"url": "https://levitate.test/hooks", "events": ["*"], "description": ""}
    assert (await pulled.api.post("/v1/webhook-endpoints", json=endpoint)).status_code == 201
    await written(pulled)
    async with as_owner(services_of(pulled).database) as session:
        await job_queue.want_later(session, Lane.PERSON, "hp", after=timedelta(minutes=1))
    before = await dump(pulled)
    words = ('"hp"', "(hp,", ",hp,", "Canary")
    assert {"contacts", "activities", "audit", "events", "jobs", "mirror_contacts"} <= naming(
        before, *words
    )
    assert (await pulled.erase())["status"] == "done"
    after = await dump(pulled)
    assert naming(after, *words) == {"erasures", "service_audit"}
    assert "Canary" not in str(after)
    theirs = [line for line in before["contacts"] if line.startswith("(neighbour,")]
    assert after["contacts"] == theirs != []
    assert (await pulled.api.delete(URL)).status_code == 404


async def no_region(world: World) -> None:
    world.app.state.services = replace(services_of(world), regions={})


async def no_key(world: World) -> None:
    (login,) = (await world.api.get(f"{URL}/connections")).json()["data"]
    foreign = TokenCipher([new_key()]).seal({"access_token": "?"}, row="r")
    async with as_owner(services_of(world).database) as session:
        await stored_tokens.store_tokens(session, "hp", login["id"], foreign)


@pytest.mark.parametrize("obstacle", [no_region, no_key])
async def test_what_clio_could_not_be_told_for_seven_days_is_left_to_a_person(
    after_first_run: AfterFirstRun, server: Server, obstacle: Callable[[World], Awaitable[None]]
):
    # S15, API-16, F29: the region is no longer configured, or no key opens the tokens
    async with standing(server, after_first_run) as world:
        await obstacle(world)
        (login,) = (await world.api.get(f"{URL}/connections")).json()["data"]
        erasure = (await world.api.delete(URL)).headers["location"]
        await erase_all(world)
        receipt = (await world.api.get(erasure)).json()
        assert (receipt["status"], receipt["finished_at"]) == ("running", None)
        assert [each["code"] for each in receipt["remaining"]] == ["deauthorization"]
        assert naming(await dump(world), login["id"]) == {"revocations"}
        await later(timedelta(days=6, hours=23), world)
        assert (await world.api.get(erasure)).json()["status"] == "running"
        await later(timedelta(days=7), world)
        receipt = (await world.api.get(erasure)).json()
        (left,) = receipt["remaining"]
        assert (receipt["status"], left["code"]) == ("incomplete", "deauthorization_failed")
        assert "u_ann" in left["detail"]
        assert "Clio user 501" in left["detail"]
        assert naming(await dump(world), login["id"]) == set()
        answer = await world.api.put(URL, json=ACCOUNT)
        assert (answer.status_code, answer.json()["code"]) == (409, "erasure_in_progress")
        assert "/v1/erasures/era_" in answer.json()["detail"]  # the response to DELETE may be lost


# --- in steps, which are killed ----------------------------------------------------------------


@asynccontextmanager
async def standing(server: Server, start: AfterFirstRun) -> AsyncIterator[World]:
    """The service after the first run, without workers and clock: a test does their work."""
    async with (
        server.database(start.template) as dsn,
        opened_world(dsn, start.simulator(), clock=False, workers=False) as world,
        world,
    ):
        yield world


async def housekeep(world: World, task: str, services: Services | None = None) -> timedelta | None:
    """Do a slice of a task of housekeeping."""
    key = housekeeping_key(task, "hp")
    return await do_slice(services or services_of(world), Lane.HOUSEKEEPING, key)


async def erase_all(world: World) -> None:
    while await housekeep(world, ERASURE) is not None:
        pass


async def later(after: timedelta, world: World) -> None:
    """Tell Clio what is due after a time."""
    with time_machine.travel(main.now() + after, tick=True):
        await housekeep(world, DEAUTHORISATION)


class Killed(Exception):
    """Ends a transaction, or what comes after it, like the end of the process."""


def kill_in_transactions(patch: pytest.MonkeyPatch) -> None:
    """Roll back most transactions of an erasure, or commit them and do nothing of what follows."""
    chance = random.Random(11)  # noqa: S311  # the same in every run

    @asynccontextmanager
    async def killed(database: Database, account_id: str) -> AsyncIterator[Session]:
        fate = chance.choice(["rolled back", "cut off", "done"])
        async with transaction(database, account_id) as session:
            yield session
            if fate == "rolled back":
                raise Killed
        if fate == "cut off":
            raise Killed

    for module in ("app.sync.account_erasure", "app.sync.connections.revocations"):
        patch.setattr(f"{module}.transaction", killed)


async def test_an_erasure_continues_after_a_kill_in_any_of_its_transactions(
    server: Server, after_first_run: AfterFirstRun, monkeypatch: pytest.MonkeyPatch
):
    # S15
    async with standing(server, after_first_run) as world:
        await world.connect("u_ben", 502)
        erasure = (await world.api.delete(URL)).headers["location"]
        monkeypatch.setattr("app.sync.account_erasure.ROWS_IN_A_STEP", 4)
        kill_in_transactions(monkeypatch)
        kills, erased = 0, False
        while not erased:
            try:
                await erase_all(world)
                await housekeep(world, DEAUTHORISATION)
                erased = True
            except Killed:
                kills += 1
        assert kills > 15
        monkeypatch.undo()
        for minutes in (2, 8, 40):  # attempts that were cut off are due again
            await later(timedelta(minutes=minutes), world)
        assert (await world.api.get(erasure)).json()["status"] == "done"
        assert naming(await dump(world), '"hp"', "(hp,", ",hp,") == {"erasures", "service_audit"}
        assert world.simulator.oauth["us"]._grants == {}


async def test_a_late_job_of_an_erasure_spares_the_account_that_was_created_again(pulled: World):
    # S15
    await pulled.erase()
    await pulled.create_account()
    assert await housekeep(pulled, ERASURE) is None
    assert (await pulled.api.get(f"{URL}/users")).json()["users"]


async def test_a_step_of_an_erasure_deletes_a_limited_number_of_rows(
    server: Server, after_first_run: AfterFirstRun
):
    # S15: a firm may have 200,000 contacts
    async with standing(server, after_first_run) as world:
        before = len(naming_lines(await dump(world)))
        async with as_owner(services_of(world).database) as session:
            assert await deletion.delete_some_rows(session, "hp", limit=30) == 30
        assert before - 30 <= len(naming_lines(await dump(world))) < before


def naming_lines(dumped: dict[str, list[str]]) -> list[str]:
    owned = {table.name for table in deletion.owned_tables()}
    return [line for table, lines in dumped.items() if table in owned for line in lines]


async def test_an_erasure_that_lost_its_job_is_queued_again(
    server: Server, after_first_run: AfterFirstRun
):
    # S15
    async with standing(server, after_first_run) as world:
        await world.api.delete(URL)
        await queue_due_work(services_of(world))
        assert len((await dump(world))["jobs"]) == 1
        async with as_owner(services_of(world).database) as session:
            await session.execute(text("delete from pgqueuer"))
        await queue_due_work(services_of(world))
        (job,) = (await dump(world))["jobs"]
        assert job == '"erasure:hp"'


async def test_an_account_that_is_being_erased_does_not_exist_for_anybody(
    server: Server, after_first_run: AfterFirstRun
):
    # S15: API, runs, slots, subscriptions and OAuth; nothing has been deleted yet
    async with standing(server, after_first_run) as world:
        services = services_of(world)
        async with as_owner(services.database) as session:
            await session.execute(text("update subscriptions set due_at = now()"))
        reached = replace(services, public_url="https://service.test")
        await housekeep(world, SUBSCRIPTIONS, reached)
        (hook, *_) = world.simulator.webhooks.hooks.values()
        callback = await world.approve(await world.start("u_ben"), 502)
        key = {"Idempotency-Key": "k"}
        run = (await world.api.post(f"{URL}/runs", json={"kind": "full"}, headers=key)).json()
        assert (await world.api.delete(URL)).status_code == 202
        for path in ("", "/status", "/runs", f"/runs/{run['id']}", "/contacts", "/connections"):
            answer = await world.api.get(URL + path)
            assert (answer.status_code, answer.json()["code"]) == (404, "account_not_found"), path
        assert (await world.api.delete(URL)).status_code == 404
        assert (await world.api.get("/v1/accounts")).json()["data"] == []
        put = await world.api.put(URL, json=ACCOUNT)
        assert (put.status_code, put.json()["code"]) == (409, "erasure_in_progress")
        assert (await world.api.get(callback)).status_code == 400
        assert (await world.api.post(urlsplit(hook.url).path, content=b"{}")).status_code == 404
        async with as_owner(services.database) as session:
            late = RunRequest(Kind.INCREMENTAL, Trigger.MANUAL)
            late_run = await run_requests.request_run(session, "hp", late, now=main.now())
            (login,) = await connections.list_connected(session, "hp")
            assert await stored_tokens.read_tokens(session, "hp", login.connection_id) is None
        assert await do_slice(services, late_run.lane) is not None
        assert await propose_slots(services) == 0
        async with as_owner(services.database) as session:
            unchanged = await runs.get_run(session, "hp", late_run.run_id)
        assert unchanged.status is runs.Status.QUEUED
        assert await do_slice(services, Lane.WRITE_BACK) is None


async def test_a_job_whose_account_was_erased_ends(pulled: World):
    # S15
    await pulled.erase()
    for lane in (*RUN_LANES, Lane.WRITE_BACK):
        assert await do_slice(services_of(pulled), lane) is None


async def test_activities_of_a_disabled_account_are_not_verified_in_clio(pulled: World):
    # EN-1, WB-7
    await written(pulled)
    later = now() + timedelta(days=2)

    async def due() -> list[str]:
        async with as_owner(services_of(pulled).database) as session:
            return await maintenance.list_accounts_to_verify(session, ["hp"], now=later)

    assert await due() == ["hp"]
    account: dict[str, Any] = (await pulled.api.get(URL)).json()
    fields = ("name", "time_zone", "country", "primary_user_id")
    body = {**{name: account[name] for name in fields}, "enabled": False}
    assert (await pulled.api.put(URL, json=body)).status_code == 200
    assert await due() == []


async def test_the_loser_of_a_deadlock_gets_an_error_that_allows_a_retry(database: Database):
    met = asyncio.Barrier(2)

    async def update(first: str, second: str) -> None:
        touch = text("update service_tokens set name = name || '.' where token_id = :id")
        async with as_owner(database) as session:
            await session.execute(touch, {"id": first})
            await met.wait()
            await session.execute(touch, {"id": second})

    async with as_owner(database) as session:
        for token_id in ("a", "b"):
            made = "insert into service_tokens values (:id, 'x', 'x', null, now(), null)"
            await session.execute(text(made), {"id": token_id})
    ended = []

    async def one(first: str, second: str) -> None:
        try:
            await update(first, second)
        except DatabaseUnavailable:
            ended.append("again")
        else:
            ended.append("done")

    async with asyncio.TaskGroup() as group:
        group.create_task(one("a", "b"))
        group.create_task(one("b", "a"))
    assert sorted(ended) == ["again", "done"]


@pytest.mark.parametrize("status", ["queued", "interrupted"])
async def test_a_waiting_run_does_not_continue_after_its_account_was_disabled(
    pulled: World, status: str
):
    # EN-1
    (first,) = await pulled.runs()
    async with as_owner(services_of(pulled).database) as session:
        await session.execute(
            text("update runs set status = :status, finished_at = null"), {"status": status}
        )
    account: dict[str, Any] = (await pulled.api.get(URL)).json()
    fields = ("name", "time_zone", "country", "primary_user_id")
    body = {**{name: account[name] for name in fields}, "enabled": False}
    assert (await pulled.api.put(URL, json=body)).status_code == 200
    answer = await pulled.api.get(f"{URL}/runs/{first['id']}")
    assert answer.json()["status"] == "cancelled"
