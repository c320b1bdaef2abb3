"""What a run or an expired attempt finds out late never overwrites what the user has done since [S9, API-16]."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import main
from app.clio import webhooks
from app.crypto import hash_secret
from app.db import issues as stored_issues
from app.db.accounts import accounts
from app.db.accounts.audit import Actor
from app.db.connections.connections import Connection, Status
from app.db.runs import run_requests
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.errors import Problem
from app.sync import issues
from app.sync.account_erasure import start_account_erasure
from app.sync.connections import disconnect_login, give_up_reconnects, receive_webhook
from app.sync.connections.clio_webhooks import Address
from app.sync.writeback import formatting
from tests.e2e.connections.test_oauth_flow import connection
from tests.e2e.writeback.test_writeback import EMAIL, post
from tests.integration.sync.connections.test_tokens import login
from tests.support.postgres import until_waiting_for_lock
from tests.support.sessions import as_owner
from tests.support.world import PATIENCE, World

REFUSED = Problem("needs_reconnect", "Clio no longer accepts this login")


async def end(world: World, known: Connection) -> bool:
    """Do what a run does when Clio has refused a login."""
    async with as_owner(world.app.state.services.database) as session:
        status, now = Status.NEEDS_RECONNECT, main.now()
        return await issues.connection_ended(session, known, status, REFUSED, now=now)


async def reported(world: World) -> tuple[str, list[str], int]:
    """Return the connection's status, its open issues, and how many events told of a needed reconnect."""
    found = (await connection(world))["status"]
    codes = [issue["code"] async for issue in world.all("issues", status="open")]
    codes = [code for code in codes if code != "coverage_lost"]
    async with as_owner(world.app.state.services.database) as session:
        sent = text("select count(*) from events where kind = 'connection.needs_reconnect'")
        return found, codes, (await session.execute(sent)).scalar_one()


async def test_a_refusal_of_an_older_authorisation_changes_nothing(pulled: World):
    # S9: the user has connected again before the run ends the connection
    known = await login(pulled)
    assert "clio=connected" in await pulled.connect("u_ann", 501)
    assert not await end(pulled, known)
    await pulled.settled()
    assert await reported(pulled) == ("connected", [], 0)
    assert (await pulled.run())["status"] == "succeeded"


async def test_a_refusal_that_waits_for_a_callback_changes_nothing(pulled: World):
    known = await login(pulled)
    services = pulled.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as callback:
        await accounts.lock_account(callback, "hp")
        ended = group.create_task(end(pulled, known))
        await until_waiting_for_lock(pulled.dsn, ended)
        await callback.execute(text("update connections set connected_at = clock_timestamp()"))
    assert not ended.result()
    assert await reported(pulled) == ("connected", [], 0)


async def test_a_callback_that_waits_for_a_refusal_connects_the_login(pulled: World):
    known = await login(pulled)
    services = pulled.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as run:
        status, now = Status.NEEDS_RECONNECT, main.now()
        assert await issues.connection_ended(run, known, status, REFUSED, now=now)
        connecting = group.create_task(pulled.connect("u_ann", 501))
        await until_waiting_for_lock(pulled.dsn, connecting)
    assert "clio=connected" in connecting.result()
    assert await reported(pulled) == ("connected", [], 1)


async def test_a_connection_deleted_during_a_run_stays_deleted(pulled: World):
    async with asyncio.TaskGroup() as group, pulled.clio_transport.paused("/api/v4/matters"):
        group.create_task(pulled.run())
        await pulled.clio_transport.waiting.wait()
        path = f"/v1/accounts/hp/connections/{(await connection(pulled))['id']}"
        assert (await pulled.api.delete(path)).status_code == 204
    found, codes, sent = await reported(pulled)
    assert (found, "needs_reconnect" in codes, sent) == ("disconnected", False, 0)


async def test_a_run_reads_again_as_a_login_that_was_connected_again_meanwhile(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    pulled.simulator.oauth["us"].revoke_user(501)
    original = issues.connection_ended

    async def connect_first(*args: Any, **named: Any) -> bool:
        assert "clio=connected" in await pulled.connect("u_ann", 501)
        return await original(*args, **named)

    monkeypatch.setattr(issues, "connection_ended", connect_first)
    run = await pulled.run()
    assert (run["status"], run["problems"]) == ("succeeded", [])
    await pulled.settled()
    assert await reported(pulled) == ("connected", [], 0)


async def later(world: World, **after: float) -> int:
    """Let the scheduler give up attempts after a time."""
    now = main.now() + timedelta(**after)
    return await give_up_reconnects(replace(world.app.state.services, now=lambda: now))


async def test_a_reconnect_that_expires_leaves_the_login_as_it_was(pulled: World):
    # a first attempt of another user is not touched
    assert await end(pulled, await login(pulled))
    before = await connection(pulled)
    await pulled.start("u_ann")
    await pulled.start("u_ann")
    during = await connection(pulled)
    await pulled.start("u_ben")
    assert (during["status"], during["problem"]) == ("pending", before["problem"])
    assert await later(pulled, minutes=9) == 0
    assert await later(pulled, minutes=11) == 1
    assert await later(pulled, minutes=11) == 0
    after = {one["user_id"]: one async for one in pulled.all("connections")}
    assert (after["u_ann"], after["u_ben"]["status"]) == (before, "pending")
    codes = [issue["code"] async for issue in pulled.all("issues", status="open")]
    assert "needs_reconnect" in codes


@pytest.mark.parametrize("given_up_first", [False, True])
async def test_a_reconnect_that_is_declined_needs_a_reconnect_again(
    pulled: World, *, given_up_first: bool
):
    assert await end(pulled, await login(pulled))
    callback = await pulled.approve(await pulled.start("u_ann"), "decline")
    if given_up_first:
        assert await later(pulled, minutes=11) == 1
    await pulled.api.get(callback)
    assert (await connection(pulled))["problem"]["code"] == "declined"
    assert await reported(pulled) == ("needs_reconnect", ["needs_reconnect"], 1)
    assert "clio=connected" in await pulled.connect("u_ann", 501)
    assert await later(pulled, minutes=30) == 0
    await pulled.settled()
    assert await reported(pulled) == ("connected", [], 1)


async def handshake(world: World, _: Connection) -> None:
    services = world.app.state.services
    address = Address(hash_secret("address"), "hp")
    await receive_webhook(services, address, b"", handshake="secret", signature=None)


async def start(world: World, _: Connection) -> None:
    await world.start("u_ann")


async def disconnect(world: World, known: Connection) -> None:
    services = world.app.state.services
    await disconnect_login(services, "hp", known.connection_id, actor=Actor())


async def resolve(world: World, _: Connection) -> None:
    async with as_owner(world.app.state.services.database) as session:
        await stored_issues.resolve_issues(session, "hp", "run_failed", now=main.now())


async def resolve_one(world: World, _: Connection) -> None:
    (issue,) = [issue async for issue in world.all("issues", status="open")]
    await world.api.post(f"/v1/accounts/hp/issues/{issue['id']}/resolve")


async def erase(world: World, _: Connection) -> None:
    await start_account_erasure(world.app.state.services, "hp", actor=Actor())


@pytest.mark.parametrize("change", [handshake, start, disconnect, end, resolve, resolve_one, erase])
async def test_each_change_locks_the_account_before_its_other_rows(
    pulled: World, change: Callable[[World, Connection], Coroutine[Any, Any, object]]
):
    # otherwise it waits for an OAuth callback, which has locked the account and then waits for it
    services, known = pulled.app.state.services, await login(pulled)
    model = next(iter(webhooks.WATCHED_FIELDS))
    async with as_owner(services.database) as session:
        found = stored_issues.Finding("run_failed", "It failed")
        await stored_issues.open_issue(session, "hp", found, now=main.now())
        waiting = RunRequest(Kind.FULL, Trigger.MANUAL, after=timedelta(hours=1))
        await run_requests.request_run(session, "hp", waiting, now=main.now())
        address = text("update subscriptions set token_hash = :hash where model = :model")
        await session.execute(address, {"hash": hash_secret("address"), "model": model})
    async with asyncio.TaskGroup() as group, as_owner(services.database) as callback:
        await accounts.lock_account(callback, "hp")
        changing = group.create_task(change(pulled, known))
        await until_waiting_for_lock(pulled.dsn, changing)
        assert not changing.done()
        tables = {"connections", "subscriptions", "issues", "runs"}
        if change is erase:
            tables.remove("runs")  # they are locked before, and a callback skips them
        for table in tables:
            await callback.execute(text(f"select 1 from {table} for update nowait"))


async def test_html_is_converted_before_a_transaction_is_opened(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    converting, released = threading.Event(), threading.Event()
    original = formatting.format_body

    def slow(*args: Any) -> str:
        converting.set()
        assert released.wait(PATIENCE)
        return original(*args)

    monkeypatch.setattr(formatting, "format_body", slow)
    in_use = pulled.app.state.services.database.accounts.pool
    async with asyncio.TaskGroup() as group:
        posting = group.create_task(post(pulled, EMAIL))
        await asyncio.to_thread(converting.wait, PATIENCE)
        try:
            async with asyncio.timeout(3):
                while in_use.checkedout():
                    await asyncio.sleep(0.02)
        finally:
            released.set()
    assert posting.result()["status"] in ("queued", "sending", "written")
