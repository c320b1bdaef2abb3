"""Slices that tell Clio of revocations and renew subscriptions: in turn over the accounts, and nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import text

from app import main
from app.clio.oauth import Tokens
from app.db.connections import clio_subscriptions, connections, revocations
from app.lanes import DEAUTHORISATION, ERASURE, SUBSCRIPTIONS, Lane, housekeeping_key
from app.simulator.faults.faults import Fault
from app.sync.connections import clio_webhooks
from app.sync.connections import revocations as sync_revocations
from app.sync.connections.tokens import seal_tokens
from app.sync.lost_work import queue_due_work
from tests.integration.sync.test_lost_work import execute, jobs
from tests.integration.sync.test_slices import (
    services_of,
    start_revocation,
    start_subscriptions,
)
from tests.support.account_copies import copy_account
from tests.support.sessions import as_owner
from tests.support.slices import do_slice
from tests.support.world import PATIENCE, World

ROWS = 3  # of each account
Start = Callable[[World], Awaitable[str]]


async def owe_many(world: World, account_id: str) -> None:
    """Owe Clio revocations of an account, whose tokens it does not know."""
    services = services_of(world)
    async with as_owner(services.database) as session:
        (login,) = await connections.list_connected(session, "hp")
        mine = replace(login, account_id=account_id)
        sealed = seal_tokens(
            services.cipher, mine, Tokens(SecretStr("a"), SecretStr("b"), main.now())
        )
        for _ in range(ROWS):
            await revocations.owe(session, mine, sealed, now=main.now())


async def request_many(world: World, account_id: str) -> None:
    """Request subscriptions of a login without tokens: each is put off in a slice."""
    async with as_owner(services_of(world).database) as session:
        lost = "update connections set status = 'needs_reconnect' where account_id = :account"
        await session.execute(text(lost), {"account": account_id})
        (login,) = await connections.list_all(session, account_id)
        models = [f"model_{number}" for number in range(ROWS)]
        await clio_subscriptions.request_subscriptions(
            session, account_id, login.connection_id, models, now=main.now()
        )


async def first_key(world: World) -> str | None:
    """Return the key that a worker would take now, None if no job is due."""
    query = text(
        "select convert_from(payload, 'UTF8') from pgqueuer where status = 'queued'"
        " and execute_after <= clock_timestamp() order by priority desc, id limit 1"
    )
    async with as_owner(services_of(world).database) as session:
        found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


@pytest.mark.parametrize(
    ("task", "add"), [(DEAUTHORISATION, owe_many), (SUBSCRIPTIONS, request_many)]
)
async def test_two_accounts_take_turns(
    idle: World,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    add: Callable[[World, str], Awaitable[None]],
):
    for module in (sync_revocations, clio_webhooks):
        monkeypatch.setattr(module, "BATCH_SIZE", 1)
    await copy_account(idle.dsn, "hp", "copy")
    accounts = ["copy", "hp"]
    for account_id in accounts:
        await add(idle, account_id)
    turns = list[str]()
    while len(turns) <= 2 * ROWS and (key := await first_key(idle)):
        turns.append(key)
        await do_slice(services_of(idle), Lane.HOUSEKEEPING, key)
    assert turns == [housekeeping_key(task, account_id) for account_id in accounts] * ROWS


STARTS: dict[str, tuple[Start, str, timedelta]] = {
    DEAUTHORISATION: (start_revocation, "/oauth/deauthorize", timedelta(minutes=1)),
    SUBSCRIPTIONS: (start_subscriptions, "/api/v4/webhooks", clio_webhooks.RETRY_AFTER),
}


@pytest.mark.parametrize("task", STARTS)
async def test_a_slice_that_is_killed_while_clio_is_asked_is_done_again_later(
    idle: World, task: str
):
    start, path, again = STARTS[task]
    key, services = await start(idle), services_of(idle)
    async with idle.clio_transport.paused(path), asyncio.TaskGroup() as group:
        killed = group.create_task(do_slice(services, Lane.HOUSEKEEPING, key))
        await asyncio.wait_for(idle.clio_transport.waiting.wait(), PATIENCE)
        killed.cancel()
    await execute(idle, "delete from pgqueuer")
    await queue_due_work(services)
    assert await jobs(idle) == [], "another process may have it"
    with time_machine.travel(main.now() + again + timedelta(seconds=1), tick=True):
        await queue_due_work(services)
        assert await jobs(idle) == [f"housekeeping:{key}"]
        await do_slice(services, Lane.HOUSEKEEPING, key)
    await execute(idle, "delete from pgqueuer")
    await queue_due_work(services)
    assert await jobs(idle) == [], "it is done"


async def test_a_subscription_for_which_the_login_has_no_request_left_is_created_in_the_next_window(
    idle: World,
):
    key, services = await start_subscriptions(idle), services_of(idle)
    idle.simulator.faults.add(Fault("rate_limited", path="webhooks", value="30", times=9))
    after = await do_slice(services, Lane.HOUSEKEEPING, key)
    assert after is not None
    assert timedelta(seconds=20) < after <= timedelta(seconds=40)
    assert not idle.simulator.webhooks.hooks


async def unknown_region(world: World) -> None:
    await start_revocation(world)
    world.app.state.services = replace(services_of(world), regions={})


async def lost_login(world: World) -> None:
    await start_subscriptions(world)
    await execute(world, "update connections set status = 'needs_reconnect'")


async def no_https(world: World) -> None:
    await start_subscriptions(world)
    world.app.state.services = replace(services_of(world), public_url="http://service.test")


async def disabled(world: World) -> None:
    await start_revocation(world)
    await start_subscriptions(world)
    await execute(world, "update accounts set enabled = false")


@pytest.mark.parametrize("obstacle", [unknown_region, lost_login, no_https, disabled])
async def test_what_is_due_but_impossible_is_not_queued_again_and_again(
    idle: World, obstacle: Callable[[World], Awaitable[None]]
):
    await obstacle(idle)
    due = await jobs(idle)
    assert due
    for name in due:
        key = name.partition(":")[2]
        await do_slice(services_of(idle), Lane.HOUSEKEEPING, key)
    await execute(idle, "delete from pgqueuer")
    await queue_due_work(services_of(idle))
    assert await jobs(idle) == []


async def test_clio_is_told_of_the_logins_of_an_erased_account(idle: World):
    # S15: the account's other jobs end with it
    services = services_of(idle)
    asked = await idle.api.delete("/v1/accounts/hp")
    assert asked.status_code == 202
    while await do_slice(services, Lane.HOUSEKEEPING, housekeeping_key(ERASURE, "hp")) is not None:
        pass
    deauthorisation = housekeeping_key(DEAUTHORISATION, "hp")
    assert await jobs(idle) == [f"housekeeping:{deauthorisation}"]
    assert (await idle.api.get(asked.headers["location"])).json()["status"] == "running"
    assert await do_slice(services, Lane.HOUSEKEEPING, deauthorisation) is None
    assert idle.simulator.oauth["us"]._grants == {}
    assert (await idle.api.get(asked.headers["location"])).json()["status"] == "done"


async def test_clio_is_told_of_a_login_though_it_never_answers_about_its_subscriptions(
    idle: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sync_revocations, "UNSUBSCRIBE_SECONDS", 0.1)
    monkeypatch.setattr(sync_revocations, "DEADLINE", 20)  # less than one request may take
    services = services_of(idle)
    await do_slice(services, Lane.HOUSEKEEPING, await start_subscriptions(idle))
    assert idle.simulator.webhooks.hooks
    (login,) = (await idle.api.get("/v1/accounts/hp/connections")).json()["data"]
    gone = await idle.api.delete(f"/v1/accounts/hp/connections/{login['id']}")
    assert gone.status_code == 204
    async with idle.clio_transport.paused("/api/v4/webhooks"):
        key = housekeeping_key(DEAUTHORISATION, "hp")
        assert await do_slice(services, Lane.HOUSEKEEPING, key) is None
    assert idle.simulator.oauth["us"]._grants == {}
