"""A connection's tokens: sealed in the database, refreshed once by any number of processes [S9, AU-2]."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
import time_machine

from app import main
from app.db.connections import connections, stored_tokens
from app.db.session import Session, open_database
from app.sync.connections import tokens
from app.sync.connections.tokens import StoredTokens
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.world import PATIENCE, World


async def login(world: World) -> connections.Connection:
    async with as_owner(world.app.state.services.database) as session:
        return (await connections.list_connected(session, "hp"))[0]


async def test_five_processes_with_one_refused_token_refresh_once(world: World):
    # F12
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    services, mine = world.app.state.services, await login(world)
    sources = [StoredTokens(services, mine) for _ in range(5)]
    refused = await sources[0].token()
    world.simulator.log.clear()
    async with asyncio.TaskGroup() as group:
        renewed = [group.create_task(source.renew(refused)) for source in sources]
    assert len({task.result() for task in renewed}) == 1
    assert refused not in {task.result() for task in renewed}
    assert len(world.simulator.requests("/oauth/token")) == 1


async def test_who_waits_for_another_process_to_refresh_asks_the_database_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    # S9: once to learn that it must wait, and once when the tokens are stored
    monkeypatch.setattr(tokens, "LOOK_AGAIN_AFTER", PATIENCE)
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    services, mine = world.app.state.services, await login(world)
    refused, looks = await StoredTokens(services, mine).token(), []
    lock = stored_tokens.lock_tokens

    async def counted(session: Session, *ids: str) -> str | None:
        looks.append(asyncio.current_task())
        return await lock(session, *ids)

    async with world.clio_transport.paused("/oauth/token"), asyncio.TaskGroup() as group:
        first = group.create_task(StoredTokens(services, mine).renew(refused))
        await world.clio_transport.waiting.wait()
        monkeypatch.setattr(stored_tokens, "lock_tokens", counted)
        second = group.create_task(StoredTokens(services, mine).renew(refused))
        await asyncio.wait({second}, timeout=0.6)
        assert looks == [second]
        world.clio_transport._open.set()
    assert first.result() == second.result() != refused
    assert looks.count(second) == 2


async def test_two_processes_refresh_a_token_early_and_once(world: World):
    # S9: the first process refreshes it ten minutes before its end; the other one reads the stored token
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    services, mine = world.app.state.services, await login(world)
    other = open_database(address_of(world.dsn))
    sources = [StoredTokens(services, mine), StoredTokens(replace(services, database=other), mine)]
    old = {await source.token() for source in sources}
    world.simulator.log.clear()
    with time_machine.travel(main.now() + timedelta(days=30, minutes=-9), tick=True):
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(source.token()) for source in sources]
    await other.dispose()
    assert len({task.result() for task in asked}) == 1
    assert not old & {task.result() for task in asked}
    assert len(world.simulator.requests("/oauth/token")) == 1


async def test_a_client_secret_that_clio_refuses_opens_an_issue_and_disconnects_nobody(
    world: World,
):
    # S9: invalid_client means that our configuration is wrong
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    oauth = world.simulator.oauth["us"]
    known, oauth._secret = oauth._secret, "another"
    oauth.expire_access_tokens()
    run = await world.run()
    assert (run["status"], [p["code"] for p in run["problems"]]) == (
        "failed",
        ["clio_misconfigured"],
    )
    status = (await world.api.get("/v1/accounts/hp/status")).json()
    assert (status["health"], status["connections"]["connected"]) == ("needs_attention", 1)
    (issue,) = [issue async for issue in world.all("issues", status="open")]
    assert (issue["code"], issue["severity"]) == ("clio_misconfigured", "error")
    oauth._secret = known
    assert (await world.run())["status"] == "succeeded"
    assert [issue async for issue in world.all("issues", status="open")] == []


async def test_no_token_is_stored_in_plain_text(world: World):
    # AU-2, T6
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    token = await StoredTokens(world.app.state.services, await login(world)).token()
    connection = await asyncpg.connect(world.dsn)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
        for table in tables:
            rows = await connection.fetch(f'select t::text from "{table["tablename"]}" t')
            assert not any(token in row[0] for row in rows), table["tablename"]
    finally:
        await connection.close()
