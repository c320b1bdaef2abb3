"""What a Clio user saw is forgotten when another Clio user takes the connection over (T3, T10)."""

from typing import Any

import pytest

from app.db.mirror import coverage, former_users, hidden_matters, visibility
from app.db.mirror.visibility import View
from app.db.session import transaction
from tests.support.sliced_firm import SlicedFirm, within
from tests.support.walls import WALL, all_for
from tests.support.world import World

CAT = 503  # she sees the contacts of those matters that she sees
SEEN = "select resource, clio_id from sightings join connections using (account_id, connection_id)"


@pytest.fixture
def firm(idle_with_two: World, monkeypatch: pytest.MonkeyPatch) -> SlicedFirm:
    """A firm whose users are shown what their logins see; a slice of its runs does as little as it can."""
    monkeypatch.setattr(former_users, "RECORDS_AT_ONCE", 2)
    return SlicedFirm(idle_with_two, within(seconds=0.0))


async def connection_of(firm: SlicedFirm, user_id: str) -> dict[str, Any]:
    (row,) = await firm.rows(f"select * from connections where user_id = '{user_id}'")
    return row


async def shown(firm: SlicedFirm, user_id: str) -> set[str]:
    return {contact["clio_id"] for contact in await all_for(firm.world, user_id, "contacts")}


def seen_in_clio(firm: SlicedFirm, clio_user: int, clio_ids: set[str]) -> set[str]:
    clio = firm.world.simulator.firms[0]
    return {one for one in clio_ids if clio.sees(clio_user, "contact", int(one))}


async def test_a_user_is_shown_nobody_until_what_the_clio_user_before_saw_is_forgotten(
    firm: SlicedFirm,
):
    await firm.world.choose(WALL)
    before = await shown(firm, "u_ben")
    await firm.world.connect("u_ben", CAT)
    assert await shown(firm, "u_ben") == set()
    queued = [run for run in await firm.world.runs() if run["status"] == "queued"]
    (reading,) = [run["id"] for run in queued if run["kind"] == "coverage"]
    slices = 0
    while (await connection_of(firm, "u_ben"))["forget_after"] is not None:
        assert await shown(firm, "u_ben") == set()
        assert await firm.attempt(reading) is not None
        slices += 1
    assert slices > 5
    firm.budget = within()
    assert (await firm.finish(reading))["status"] == "succeeded"
    after = await shown(firm, "u_ben")
    assert after < before
    assert after == seen_in_clio(firm, CAT, before)


async def test_it_is_forgotten_in_small_steps_over_slices_and_from_the_beginning_after_another_change(
    firm: SlicedFirm,
):
    services = firm.world.app.state.services
    connection_id = (await connection_of(firm, "u_ben"))["connection_id"]
    await firm.rows(
        "insert into lost_sightings select account_id, clio_id, connection_id from connections"
        " cross join (values (1001), (1002)) as lost (clio_id) where user_id = 'u_ben'"
    )
    others = await firm.rows(f"{SEEN} where user_id <> 'u_ben' order by 1, 2")
    steps = 0
    async with transaction(services.database, "hp") as session:
        await former_users.begin_to_forget(session, "hp", connection_id)
        assert await former_users.forget_some(session, "hp")
    assert (await connection_of(firm, "u_ben"))["forget_after"] > 0
    async with transaction(services.database, "hp") as session:
        await former_users.begin_to_forget(session, "hp", connection_id)
    forgetting = True
    while forgetting:
        async with transaction(services.database, "hp") as session:
            forgetting = await former_users.forget_some(session, "hp")
        steps += 1
    assert steps > 5
    assert await firm.rows(f"{SEEN} where user_id = 'u_ben'") == []
    assert await firm.rows("select 1 from lost_sightings") == []
    assert await firm.rows(f"{SEEN} where user_id <> 'u_ben' order by 1, 2") == others


async def test_what_is_not_yet_forgotten_counts_nowhere(firm: SlicedFirm):
    ann, ben = [(await connection_of(firm, user))["connection_id"] for user in ("u_ann", "u_ben")]
    view = View("hp", ben, full_view=True)
    await firm.rows(f"delete from sightings where clio_id = 1002 and connection_id = '{ben}'")
    async with transaction(firm.world.app.state.services.database, "hp") as session:

        async def counts() -> tuple[bool, bool, bool, bool]:
            await coverage.take_changes(session, "hp")
            await coverage.note_unwatched(session, "hp", "contacts", [1002])
            unwatched = await coverage.take_changes(session, "hp")
            return (
                bool(await visibility.load_other_sights(session, view, "contacts", [1001])),
                bool(await visibility.find_seen_by_full_view(session, view, "contacts", [1001])),
                ann in (await hidden_matters.load_viewers(session, "hp")).connection_ids,
                not unwatched,
            )

        assert await counts() == (True, True, True, True)
        assert (await coverage.count_coverage(session, "hp", [ann])).alone == {}
        await former_users.begin_to_forget(session, "hp", ann)
        assert await counts() == (False, False, False, False)
        assert (await coverage.count_coverage(session, "hp", [ann])).alone[ann].contacts == 1
