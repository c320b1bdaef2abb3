"""The Clio users of a firm: who they are in Levitate, and how many contacts depend on each [OW-9]."""

from typing import Any

from tests.support.world import World

URL = "/v1/accounts/hp/attorneys"


async def listed(world: World, **asked: Any) -> list[dict[str, Any]]:
    return [one async for one in world.all("attorneys", **asked)]


async def test_each_attorney_has_the_number_of_contacts_with_a_matter_of_theirs(pulled: World):
    firm, contacts = pulled.simulator.firms[0], await pulled.contacts()
    in_scope = {one["clio_id"] for one in contacts.values() if one["state"] == "in_scope"}
    expected: dict[str, set[str]] = {}
    seen = [one for one in firm.ids("matter") if firm.sees(501, "matter", one)]  # by Ann
    for matter_id in seen:
        matter = firm.find("matter", matter_id) or {}
        for role in ("responsible_attorney_id", "originating_attorney_id"):
            if str(matter["client_id"]) in in_scope and matter.get(role):
                expected.setdefault(str(matter[role]), set()).add(str(matter["client_id"]))
    found = await listed(pulled)
    assert {one["clio_user_id"]: one["contacts"] for one in found} == {
        one["clio_user_id"]: len(expected.get(one["clio_user_id"], ())) for one in found
    }
    assert any(one["contacts"] for one in found)


async def test_a_person_chosen_by_hand_or_nobody_is_a_mapping(pulled: World):
    everybody = await listed(pulled, limit=1)
    assert [int(one["clio_user_id"]) for one in everybody] == sorted(
        int(one["clio_user_id"]) for one in everybody
    )
    unmapped = await listed(pulled, unmapped=True)
    assert {one["clio_user_id"] for one in unmapped} == {
        one["clio_user_id"] for one in everybody if one["mapped_by"] is None
    }
    assert unmapped
    chosen = unmapped[0]["clio_user_id"]
    await pulled.api.put(f"{URL}/{chosen}", json={"user_id": None})
    left = await listed(pulled, unmapped=True)
    assert left == unmapped[1:]
