"""The erasure of an account deletes all of its data in every case and does not change another account."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.crypto import TokenCipher, new_key
from app.db import job_queue
from app.db.connections import connections
from app.db.outbox import maintenance
from app.db.session import Database, transaction
from app.errors import DatabaseUnavailable
from app.main import now
from app.sync.run import execute_run
from app.sync.services import Services
from tests.support.world import PATIENCE, World

URL = "/v1/accounts/hp"


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def dump(world: World) -> dict[str, list[str]]:
    """Return every row of every table as text, with the payloads of the queue decoded."""
    connection = await asyncpg.connect(world.dsn)
    try:
        names = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by 1"
        )
        found = {}
        for (name,) in names:
            rows = await connection.fetch(f"select t::text as line from {name} t")
            found[name] = sorted(row["line"] for row in rows)
        jobs = await connection.fetch("select convert_from(payload, 'UTF8') as line from pgqueuer")
        return {**found, "jobs": sorted(row["line"] for row in jobs)}
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
    async with transaction(services_of(pulled).database) as session:
        await job_queue.enqueue_run(session, "hp", "run_later", after=timedelta(hours=1))
    before = await dump(pulled)
    words = ('"hp"', "(hp,", ",hp,", "Canary")
    assert {"contacts", "activities", "audit", "events", "jobs", "mirror_contacts"} <= naming(
        before, *words
    )
    assert (await pulled.api.delete(URL)).status_code == 202
    after = await dump(pulled)
    assert naming(after, *words) == set()
    theirs = [line for line in before["contacts"] if line.startswith("(neighbour,")]
    assert after["contacts"] == theirs != []
    assert (await pulled.api.delete(URL)).status_code == 404


async def test_an_account_is_erased_although_its_region_is_no_longer_configured(pulled: World):
    # S15
    pulled.app.state.services = replace(services_of(pulled), regions={})
    assert (await pulled.api.delete(URL)).status_code == 202
    assert (await pulled.api.get(URL)).status_code == 404


async def test_an_account_is_erased_although_no_key_opens_its_tokens(pulled: World):
    # S15, F29
    (login,) = (await pulled.api.get(f"{URL}/connections")).json()["data"]
    foreign = TokenCipher([new_key()]).seal({"access_token": "?"}, row="r")
    async with transaction(services_of(pulled).database) as session:
        await connections.store_tokens(session, "hp", login["id"], foreign)
    assert (await pulled.api.delete(URL)).status_code == 202
    assert (await pulled.api.get(URL)).status_code == 404


async def test_a_job_whose_run_was_erased_ends(pulled: World):
    # S15
    assert await execute_run(services_of(pulled), "hp", "run_that_is_no_more") is None


async def test_activities_of_a_disabled_account_are_not_verified_in_clio(pulled: World):
    # EN-1, WB-7
    await written(pulled)
    later = now() + timedelta(days=1)

    async def due() -> list[str]:
        async with transaction(services_of(pulled).database) as session:
            return await maintenance.list_accounts_to_verify(session, before=later)

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
        async with transaction(database) as session:
            await session.execute(touch, {"id": first})
            await met.wait()
            await session.execute(touch, {"id": second})

    async with transaction(database) as session:
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
    async with transaction(services_of(pulled).database) as session:
        await session.execute(
            text("update runs set status = :status, finished_at = null"), {"status": status}
        )
    account: dict[str, Any] = (await pulled.api.get(URL)).json()
    fields = ("name", "time_zone", "country", "primary_user_id")
    body = {**{name: account[name] for name in fields}, "enabled": False}
    assert (await pulled.api.put(URL, json=body)).status_code == 200
    answer = await pulled.api.get(f"{URL}/runs/{first['id']}")
    assert answer.json()["status"] == "cancelled"
