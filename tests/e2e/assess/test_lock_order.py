"""Concurrent decisions lock rows in one order and see each other."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from app.db.connections import connections, stored_tokens
from app.db.connections.attempts import OAuthAttempt
from app.db.connections.connections import ClioLogin
from app.db.contacts import erasures, new_clients
from app.db.contacts.holds import HoldKind
from app.db.events import endpoints
from app.db.events.endpoints import Endpoint, TooManyEndpoints
from app.db.list_pages import ListPage
from app.db.mirror import staleness
from app.db.session import Database
from app.lanes import Lane
from app.main import now
from app.rules.new_clients import HeldFor
from app.simulator.http.server import Simulator
from app.sync.assess import hold_issues, new_client_holds
from tests.e2e.pull.test_deletions import grow, shrink
from tests.support.postgres import until_waiting_for_lock
from tests.support.sessions import as_owner
from tests.support.slices import do_slice
from tests.support.world import World, opened_world


async def test_a_hold_is_released_while_a_run_assesses_its_contacts(pulled: World):
    # S5: the run locks the contacts and then the hold; the release must use the same order
    await grow(pulled, 30)
    await shrink(pulled, 21)
    (hold,) = [hold async for hold in pulled.all("holds")]
    services = pulled.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as run:
        await staleness.mark_unchanged_stale(run, "hp", range(3000, 3021))
        address = f"/v1/accounts/hp/holds/{hold['id']}/release"
        release = group.create_task(pulled.api.post(address))
        await until_waiting_for_lock(pulled.dsn, release)
        await hold_issues.stop_waiting(run, "hp", HoldKind.REMOVALS, range(3000, 3021), now=now())
    answer = release.result()
    assert (answer.status_code, answer.json()["code"]) == (404, "hold_not_found")


async def test_a_surge_is_released_while_a_person_decides_one_of_its_clients(pulled: World):
    # NC-7: the same for a new-client row and its hold
    await pulled.choose({"new_client": {"surge_threshold": 1}})
    await grow(pulled, 2)
    (hold,) = [hold async for hold in pulled.all("holds")]
    services = pulled.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as person:
        first, second = await new_clients.lock_held(person, "hp", HeldFor.SURGE)
        address = f"/v1/accounts/hp/holds/{hold['id']}/release"
        release = group.create_task(pulled.api.post(address))
        await until_waiting_for_lock(pulled.dsn, release)
        await new_client_holds.discard(person, "hp", [first, second], now=now())
        decided = [first.clio_id, second.clio_id]
        await new_client_holds.stop_waiting(person, "hp", decided, now=now())
    answer = release.result()
    assert (answer.status_code, answer.json()["code"]) == (404, "hold_not_found")


async def test_two_endpoints_added_at_the_same_time_are_counted_together(
    database: Database, dsn: str
):
    made = Endpoint("", "bootstrap", "https://x.test", ("*",), "", True, None, now(), now())

    async def add(name: str) -> str:
        try:
            async with as_owner(database) as session:
                one = replace(made, endpoint_id=name)
                await endpoints.add_endpoint(session, one, sealed_secret="sealed")
        except TooManyEndpoints:
            return "too many"
        return "added"

    for n in range(endpoints.MAX_ENDPOINTS - 1):
        assert await add(f"e{n}") == "added"
    async with asyncio.TaskGroup() as group, as_owner(database) as session:
        last = replace(made, endpoint_id="last")
        await endpoints.add_endpoint(session, last, sealed_secret="sealed")
        other = group.create_task(add("other"))
        await until_waiting_for_lock(dsn, other)
    assert other.result() == "too many"
    async with as_owner(database) as session:
        found = await endpoints.list_endpoints(session, ListPage(100), token_id="bootstrap")
    assert len(found.rows) == endpoints.MAX_ENDPOINTS


async def test_a_decline_in_one_tab_does_not_change_a_login_that_another_tab_just_connected(
    world: World,
):
    # AU-1, AU-2
    await world.create_account()
    callback = await world.approve(await world.start("u_ann"), "decline")
    (login,) = [login async for login in world.all("connections")]
    attempt = OAuthAttempt("hp", "", login["id"], "us", "https://levitate.test", "", now())
    ann = ClioLogin(501, "Ann Harlow", None, full_view=True)
    services = world.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as session:
        await connections.mark_connected(session, attempt, ann, sealed_tokens="sealed", now=now())
        declined = group.create_task(world.api.get(callback))
        await until_waiting_for_lock(world.dsn, declined)
    assert declined.result().headers["location"].endswith("clio=declined")
    async with as_owner(services.database) as session:
        assert (await connections.get_connection(session, "hp", login["id"])).status == "connected"
        assert await stored_tokens.read_tokens(session, "hp", login["id"]) == "sealed"


async def test_a_first_run_reads_a_login_that_connects_while_the_run_looks_for_logins(
    dsn: str, simulator: Simulator
):
    # IS-1, NC-2: otherwise the second run would announce the firm's old clients as a surge
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        key = {"Idempotency-Key": "k"}
        asked = await world.api.post("/v1/accounts/hp/runs", json={"kind": "full"}, headers=key)
        assert asked.status_code == 202
        services = world.app.state.services
        async with asyncio.TaskGroup() as group, as_owner(services.database) as session:
            await erasures.lock_exclusive(
                session, "hp"
            )  # the run looks for logins before it waits for this lock
            first = group.create_task(do_slice(services, Lane.INITIAL))
            await until_waiting_for_lock(dsn, first)
            await world.connect("u_ann", 501)
        assert first.result() == timedelta(0), "the run continues immediately"
        await do_slice(services, Lane.INITIAL)
        assert (await world.runs())[0]["status"] == "succeeded"
        rows = [row async for row in world.all("new-clients")]
        assert {(row["origin"], row["status"]) for row in rows} == {("initial_sync", "emitted")}
