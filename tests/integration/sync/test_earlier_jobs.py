"""Jobs that the previous release queued are done under their old names.

`tests/integration/test_data_of_the_previous_release.py` has jobs that it really queued, of every name but `erasure`.
"""

import json

import asyncpg
import pytest

from app.db.job_queue import EARLIER_JOBS
from app.lanes import ERASURE, Lane, housekeeping_key
from app.simulator.http.server import Simulator
from app.sync.earlier_jobs import wake_lane_of
from tests.support import pinned
from tests.support.world import World, opened_world

EARLIER = json.loads((pinned.PINNED / "earlier_jobs.json").read_text())
LANES = {
    "run": (Lane.INITIAL, "hp"),
    "writeback": (Lane.WRITE_BACK, "hp"),
    "sweep": (Lane.WRITE_BACK, "hp"),
    "erasure": (Lane.HOUSEKEEPING, housekeeping_key(ERASURE, "hp")),
}


def payload_of(name: str) -> bytes:
    return json.dumps({**EARLIER[name]["payload"], "account_id": "hp"}).encode()


@pytest.mark.parametrize("name", EARLIER_JOBS)
async def test_an_earlier_job_wakes_the_lane_of_its_work(dsn: str, simulator: Simulator, name: str):
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        await world.create_account()
        await world.connect("u_ann", 501)
        connection = await asyncpg.connect(dsn)
        await connection.execute("delete from pgqueuer")
        await wake_lane_of(world.app.state.services, name, payload_of(name))
        queued = await connection.fetch(
            "select entrypoint, convert_from(payload, 'UTF8') from pgqueuer"
        )
        await connection.close()
        lane, key = LANES[name]
        assert [tuple(row) for row in queued] == [(lane.label, key)]


async def test_a_run_and_an_erasure_that_the_previous_release_queued_are_done(
    dsn: str, simulator: Simulator
):
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        await world.create_account()
        await world.connect("u_ann", 501)
    await replace_jobs(dsn, "run")
    async with opened_world(dsn, simulator, clock=False) as world:
        assert [run["status"] for run in await world.settled()] == ["succeeded"]
        await finished(world)
    async with opened_world(dsn, simulator, clock=False, workers=False) as world:
        answer = await world.api.delete("/v1/accounts/hp")
        assert answer.status_code == 202, answer.text
    await replace_jobs(dsn, "erasure")
    async with opened_world(dsn, simulator, clock=False) as world:
        await finished(world)
        receipt = (await world.api.get(answer.headers["location"])).json()
    assert receipt["status"] == "done"


async def replace_jobs(dsn: str, name: str) -> None:
    """Leave one job in the queue, as the previous release queued it."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("delete from pgqueuer")
    await connection.execute(
        "insert into pgqueuer (priority, status, entrypoint, dedupe_key, payload) values (0, 'queued', $1, $2, $3)",
        *(name, EARLIER[name]["key"], payload_of(name)),
    )
    await connection.close()


async def finished(world: World) -> None:
    """Wait until the queue is empty."""
    await world.none_left("select count(*) from pgqueuer")
