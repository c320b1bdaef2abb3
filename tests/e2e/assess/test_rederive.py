"""An interrupted rederive run continues: each contact is assessed and published once, and Clio is not asked."""

from typing import Any

import pytest

from app.sync.assess import assess
from app.sync.run import execute_run
from tests.support.world import World, opened_world

EVERYBODY = {"tags": {"responsible_attorney": "all"}, "key_facts": {"clio_id": False}}


async def work(world: World, run_id: str) -> Any:
    """Execute the run once, as a worker does."""
    return await execute_run(world.app.state.services, "hp", run_id)


async def test_a_rederive_run_interrupted_after_each_batch_continues_where_it_stopped(
    dsn, simulator, monkeypatch: pytest.MonkeyPatch
):
    # TG-1, F23: the run resumes after each interruption, also if the settings change in between
    monkeypatch.setattr(assess, "BATCH_SIZE", 3)
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        (first,) = await world.runs()
        await work(world, first["id"])
        lines, known = len(await world.changes()), await world.contacts()
        simulator.log.clear()
        run_id = (await world.patch_settings(EVERYBODY)).json()["run_id"]
        world.app.state.services.stopping.set()
        cuts = 0
        while await work(world, run_id) is not None:
            cuts += 1
            assert len(await world.changes()) <= lines + 3 * cuts
            if cuts == 1:
                await world.patch_settings({"key_facts": {"clio_id": True}})
        world.app.state.services.stopping.clear()
        runs = {run["id"]: run for run in await world.runs()}
        assert cuts >= 3
        assert (runs[run_id]["status"], runs[run_id]["settings_version"]) == ("succeeded", 2)
        assert simulator.requests() == []
        told = (await world.changes())[lines:]
        ids = [line["clio_id"] for line in told]
        assert sorted(ids) == sorted(
            known
        )  # each contact once: all lost the key fact with the Clio id
        assert {line["run_id"] for line in told} == {run_id}
        # the change in between belongs to the next run, with its own version
        await work(world, (await world.runs())[-1]["id"])
        told = (await world.changes())[lines + len(ids) :]
        assert sorted(line["clio_id"] for line in told) == sorted(known)
        assert {line["kind"] for line in told} == {"contact.updated"}
