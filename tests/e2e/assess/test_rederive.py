"""A rederive run continues in slices: each contact is assessed and published once, and Clio is not asked."""

from dataclasses import replace
from time import monotonic

import pytest

from app.clio.call_budget import CallBudget
from app.lanes import Lane
from app.sync.assess import assess
from tests.support.slices import do_slice, do_slices
from tests.support.world import World, opened_world

EVERYBODY = {"tags": {"responsible_attorney": "all"}, "key_facts": {"clio_id": False}}


async def unfinished(world: World) -> list[str]:
    return [run["id"] for run in await world.runs() if run["finished_at"] is None]


async def test_a_rederive_run_whose_slices_have_one_batch_continues_where_it_stopped(
    dsn, simulator, monkeypatch: pytest.MonkeyPatch
):
    # TG-1, F23: the run resumes after each interruption, also if the settings change in between
    monkeypatch.setattr(assess, "BATCH_SIZE", 3)
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        await do_slices(world.app.state.services, Lane.INITIAL)
        lines, known = len(await world.changes()), await world.contacts()
        simulator.log.clear()
        run_id = (await world.patch_settings(EVERYBODY)).json()["run_id"]
        short = replace(world.app.state.services, open_budget=lambda: CallBudget(monotonic, 0.0))
        cuts = 0
        while (await unfinished(world))[0] == run_id:
            await do_slice(short, Lane.INCREMENTAL)
            cuts += 1
            assert len(await world.changes()) <= lines + 3 * cuts
            if cuts == 1:
                await world.patch_settings({"key_facts": {"clio_id": True}})
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
        await do_slices(world.app.state.services, Lane.INCREMENTAL)
        told = (await world.changes())[lines + len(ids) :]
        assert sorted(line["clio_id"] for line in told) == sorted(known)
        assert {line["kind"] for line in told} == {"contact.updated"}
