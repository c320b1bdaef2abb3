"""The order of a run's steps: check the fence before a page lands, assess only after a complete pull."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.db.connections import connections
from app.db.runs import checkpoints, turns
from app.db.runs.checkpoints import Pull
from app.db.runs.leases import fenced_transaction
from app.db.runs.run_logins import RunLogin
from app.errors import RunTakenOver
from app.lanes import Lane
from app.simulator.faults.faults import Fault
from app.simulator.http.server import Simulator
from app.sync.connections import clio_for
from app.sync.pull import pages
from app.sync.pull.lander import Lander, run_with_lander
from app.sync.pull.listings import CONTACTS
from app.sync.pull.reader import ConnectionReader
from app.sync.services import Services
from tests.support.sessions import as_owner
from tests.support.world import PATIENCE, World, opened_world


async def rows(world: World, table: str) -> int:
    connection = await asyncpg.connect(world.dsn)
    try:
        count: int = await connection.fetchval(f"select count(*) from {table}")
        return count
    finally:
        await connection.close()


async def cancel(world: World, run: dict[str, Any]) -> None:
    cancelled = await world.api.post(f"/v1/accounts/hp/runs/{run['id']}/cancel")
    assert cancelled.status_code == 200, cancelled.text


async def test_a_page_that_arrives_after_the_lease_was_lost_is_not_stored(
    dsn: str, simulator: Simulator
):
    # I7, F13: a cancellation increases the fence of a run, as a take-over does
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        (run,) = await world.runs()
        services: Services = world.app.state.services
        async with as_owner(services.database) as session:
            lease = await turns.take_turn(
                session, "hp", Lane.INITIAL, length=services.timing.lease, now=services.now()
            )
            (connection,) = await connections.list_connected(session, "hp")
        assert lease is not None
        clio = clio_for(services, connection, Lane.INITIAL)
        lander = Lander(services.database, lease)
        login = RunLogin(connection.connection_id, connection.connected_at, full_view=True)
        reader = ConnectionReader(services, clio, lease, lander, connection, login)
        async with fenced_transaction(services.database, lease) as session:
            pull = await checkpoints.open_pull(
                session, lease, connection.connection_id, CONTACTS.name, since=None
            )
        await cancel(world, run)
        with pytest.raises(RunTakenOver):
            await run_with_lander(lander, lambda: read_pages(reader, pull))
        assert simulator.requests("/api/v4/contacts")
        assert await rows(world, "mirror_contacts") == 0
        assert await rows(world, "sightings") == 0


async def read_pages(reader: ConnectionReader, pull: Pull) -> None:
    await pages._read_pages(reader, CONTACTS, pull, pages._at_once)


async def landed(world: World, what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await rows(world, what) == 0:
            await asyncio.sleep(0.02)


async def test_contacts_of_an_interrupted_pull_are_not_assessed(pulled: World):
    # I4: the matters of a person are in another list than the person
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge"})
    async with pulled.clio_transport.paused("/api/v4/matters"):
        asked = await pulled.api.post(
            "/v1/accounts/hp/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"}
        )
        await landed(pulled, "mirror_contacts where stale")
        await cancel(pulled, asked.json())
        rederived = await pulled.choose({"tags": {"location": {"city": True}}})
        assert rederived is not None
        assert rederived["status"] == "succeeded"
        assert [problem["code"] for problem in rederived["problems"]] == ["waiting_for_pull"]
        assert (await pulled.contacts())["1001"]["title"] == "Teacher"
    assert (await pulled.run())["status"] == "succeeded"
    assert (await pulled.contacts())["1001"]["title"] == "Judge"


async def test_a_first_pull_that_fails_before_its_end_assesses_nobody(world: World):
    # I4, row 35: the failed pull is not complete, so nobody is announced
    await world.create_account()
    world.simulator.faults.add(Fault("refused", path="matters", value="400", times=99))
    async with world.clio_transport.paused("/api/v4/matters"):
        await world.connect("u_ann", 501)
        await landed(world, "mirror_contacts")
    (run,) = await world.settled()
    assert run["status"] == "failed"
    assert await world.contacts() == {}
    assert await rows(world, "new_clients") == 0


async def test_a_rederive_run_does_not_wait_for_an_interrupted_pull(pulled: World):
    # row 53: the pull has touched Alice (1001), and its list of matters waits for Clio
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge"})
    pulled.simulator.faults.add(Fault("status", path="matters", value="500", times=4))
    body, key = {"kind": "full"}, {"Idempotency-Key": "a"}
    async with pulled.clio_transport.paused("/api/v4/matters"):
        asked = (await pulled.api.post("/v1/accounts/hp/runs", json=body, headers=key)).json()
        await landed(pulled, "mirror_contacts where stale")
    assert (await pulled.stopped(asked["id"]))["status"] == "interrupted"
    patched = await pulled.patch_settings({"key_facts": {"clio_id": False}})
    rederived = await pulled.stopped(patched.json()["run_id"])
    assert rederived["status"] == "succeeded"
    assert [problem["code"] for problem in rederived["problems"]] == ["waiting_for_pull"]
    assert rederived["problems"][0]["detail"].startswith("1 contacts wait")
    with_id = [
        clio_id
        for clio_id, contact in (await pulled.contacts()).items()
        if "clio_id" in [fact["kind"] for fact in contact["key_facts"]]
    ]
    assert with_id == ["1001"]
    assert (await pulled.contacts())["1001"]["title"] == "Teacher"
    await pulled.resume()
    run = {run["id"]: run for run in await pulled.settled()}[asked["id"]]
    assert (run["status"], run["settings_version"]) == ("succeeded", 2)
    alice = (await pulled.contacts())["1001"]
    assert alice["title"] == "Judge"
    assert "clio_id" not in [fact["kind"] for fact in alice["key_facts"]]


async def test_before_the_first_complete_pull_a_rederive_run_assesses_nobody(world: World):
    # row 53
    await world.create_account()
    world.simulator.faults.add(Fault("rate_limited", path="matters", value="600"))
    async with world.clio_transport.paused("/api/v4/matters"):
        await world.connect("u_ann", 501)
        await landed(world, "mirror_contacts")
    (initial,) = await world.runs()
    assert (await world.stopped(initial["id"]))["status"] == "interrupted"
    patched = await world.patch_settings({"key_facts": {"clio_id": False}})
    rederived = await world.stopped(patched.json()["run_id"])
    assert rederived["status"] == "succeeded"
    assert [problem["code"] for problem in rederived["problems"]] == ["waiting_for_pull"]
    assert await world.contacts() == {}
