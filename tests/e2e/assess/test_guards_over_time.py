"""The guards count what runs did by themselves in 24 hours: a loss or an import may come slowly [row 54]."""

from typing import Any

import asyncpg
import pytest

from app.sync.assess import shrink_guard
from tests.support.world import World


async def put_clients(world: World, clio_ids: range, *, is_client: bool = True) -> dict[str, Any]:
    """Make these people clients, or no longer clients, and wait for a run."""
    for clio_id in clio_ids:
        name = {"type": "Person", "name": f"P {clio_id}", "last_name": f"P{clio_id}"}
        world.simulator.firms[0].put("contact", {"id": clio_id, "is_client": is_client, **name})
    return await world.run()


async def lose(world: World, clio_ids: range) -> int:
    """Make these people no clients; return how many contacts the run removed."""
    left: int = (await put_clients(world, clio_ids, is_client=False))["counts"]["left"]
    return left


async def release_hold(world: World, count: int) -> None:
    """Release the only open hold, which has this many contacts or new clients."""
    (hold,) = [hold async for hold in world.all("holds", status="open")]
    assert hold["count"] == count
    answer = await world.api.post(f"/v1/accounts/hp/holds/{hold['id']}/release")
    assert answer.status_code == 200, answer.text
    await world.settled()


async def announced(world: World) -> set[str]:
    rows = world.all("new-clients", status="emitted")
    return {row["clio_id"] async for row in rows if row["origin"] != "initial_sync"}


async def a_day_passes(world: World) -> None:
    connection = await asyncpg.connect(world.dsn)
    try:
        await connection.execute("update scope_changes set at = at - interval '25 hours'")
    finally:
        await connection.close()


async def test_new_clients_that_arrive_slowly_are_a_surge(pulled: World):
    # NC-7, row 54: three runs of two clients are an import of six
    await pulled.choose({"new_client": {"surge_threshold": 5}})
    await put_clients(pulled, range(3000, 3002))
    await put_clients(pulled, range(3002, 3004))
    before = await announced(pulled)
    assert len(before) == 4
    await put_clients(pulled, range(3004, 3006))
    assert await announced(pulled) == before, "what was announced stays, this run's clients wait"
    details = [issue["detail"] async for issue in pulled.all("issues", status="open")]
    assert [text.partition(". ")[0] for text in details] == [
        "One run found 2 new clients, after 4 that were announced in the 24 hours before"
    ]
    await release_hold(pulled, count=2)
    await put_clients(pulled, range(3006, 3011))
    assert len(await announced(pulled)) == 11, "after a release the count begins at zero"
    await a_day_passes(pulled)
    await put_clients(pulled, range(3011, 3016))
    assert len(await announced(pulled)) == 16


async def test_contacts_that_leave_slowly_wait_for_a_decision(pulled: World):
    # S5, row 54
    await put_clients(pulled, range(3000, 3045))
    assert await lose(pulled, range(3000, 3012)) == 12
    assert await lose(pulled, range(3012, 3020)) == 8
    assert await lose(pulled, range(3020, 3022)) == 0
    assert len(await pulled.contacts(state="out_of_scope")) == 20, "those that left stay away"
    await release_hold(pulled, count=2)
    assert await lose(pulled, range(3022, 3042)) == 20, "after a release the count begins at zero"
    await a_day_passes(pulled)
    assert await lose(pulled, range(3042, 3045)) == 3


async def test_removals_by_settings_are_not_counted(pulled: World):
    # rows 21, 54
    await put_clients(pulled, range(3000, 3045))
    family = {"scope": {"segment": {"include_any": ["Family Law"]}}}
    await pulled.choose(family)
    assert len(await pulled.contacts(state="out_of_scope")) > 20
    await pulled.choose({"scope": {"segment": {"include_any": []}}})
    assert await lose(pulled, range(3000, 3020)) == 20


async def test_the_share_is_of_the_contacts_of_a_day_ago(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # S5, row 54: 37 contacts yesterday, 67 today, and 4 are more than a tenth of yesterday's
    monkeypatch.setattr(shrink_guard, "MAX_REMOVALS", 2)
    await put_clients(pulled, range(3000, 3030))
    await a_day_passes(pulled)
    await put_clients(pulled, range(3030, 3060))
    assert await lose(pulled, range(3030, 3034)) == 0
    await release_hold(pulled, count=4)
    assert await lose(pulled, range(3034, 3037)) == 3
