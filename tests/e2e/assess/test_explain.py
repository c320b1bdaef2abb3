"""Tests of `explain` and of restricted data, through the whole service."""

from typing import Any

import asyncpg
import pytest

from app.db.mirror import catalog, changed_items, records
from app.rules.facts import Option
from tests.support.sessions import as_owner
from tests.support.world import World


def restricted(contact: dict[str, Any]) -> set[str]:
    return {tag["label"] for tag in contact["tags"] if tag["restricted"]}


async def explain(world: World, clio_id: str) -> dict[str, Any]:
    contact = (await world.contacts(clio_id=clio_id))[clio_id]
    answer = await world.api.get(f"/v1/accounts/hp/contacts/{contact['id']}/explain")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_data_from_a_matter_that_ann_does_not_see_is_marked_as_restricted(pulled: World):
    # S7, row 22: only Ben sees matter 208
    assert restricted((await pulled.contacts())["1008"]) == set()
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    contacts = await pulled.contacts()
    assert restricted(contacts["1008"]) == {"Active Client", "Employment"}
    assert not any(restricted(contacts[clio_id]) for clio_id in contacts if clio_id != "1008")
    grants = {tag["label"]: tag["grants"] for tag in (await explain(pulled, "1008"))["tags"]}
    assert grants["Employment"] == [
        {
            "rule": "practice_area",
            "setting": "/tags/practice_area",
            "matter_clio_ids": ["208"],
            "field_id": None,
            "detail": "Practice area of 00208-Brandt (open)",
        }
    ]


async def test_a_second_login_decides_which_matters_are_restricted(world: World):
    # S7: the matter does not change when Ann connects and disconnects, only who sees it
    await world.create_account()
    await world.connect("u_ben", 502)
    await world.settled()
    assert restricted((await world.contacts())["1008"]) == set()
    await world.connect("u_ann", 501)
    await world.settled()
    assert restricted((await world.contacts())["1008"]) == {"Active Client", "Employment"}
    connections = {found["user_id"]: found["id"] async for found in world.all("connections")}
    gone = await world.api.delete(f"/v1/accounts/hp/connections/{connections['u_ann']}")
    assert gone.status_code == 204
    await world.run()
    assert restricted((await world.contacts())["1008"]) == set()


async def test_a_restricted_user_does_not_make_matters_restricted(pulled: World):
    # row 22: Cat's contact visibility is restricted, so a matter that she does not see proves nothing
    pulled.simulator.firms[0].restrict_matter(201, {501, 502})
    await pulled.connect("u_cat", 503)
    await pulled.settled()
    assert restricted((await pulled.contacts())["1001"]) == set()


async def test_explain_of_1004_names_the_unmapped_attorney_and_the_chosen_one(pulled: World):
    # S12, OW-5, OW-7
    found = await explain(pulled, "1004")
    assert found["owner"]["considered"][0]["matter_clio_id"] == "206"
    outcome = found["owner"]["considered"][0]["outcome"]
    assert "Dana Voss (504) is not an active Levitate user" in outcome
    assert "Ann Harlow (501) is u_ann: decides" in outcome
    assert {"label": "Dana Voss", "rule": "responsible_attorney"}.items() <= found["not_granted"][
        1
    ].items()
    assert found["new_client_waits"] is None


async def test_explain_of_1001_says_why_a_closed_matters_area_is_no_tag(pulled: World):
    # S12, TG-9
    assert (await explain(pulled, "1001"))["not_granted"] == [
        {
            "label": "Estate Planning",
            "rule": "practice_area",
            "why": "00202-Moreno is closed; the setting includes only these statuses: open",
        }
    ]


async def stored_values(world: World) -> dict[int, Any]:
    connection = await asyncpg.connect(world.dsn)
    try:
        rows = await connection.fetch(
            "select value ->> 'field_id' as field_id, value -> 'value' as content from mirror_contacts,"
            " jsonb_array_elements(record -> 'custom_values') as value where clio_id = 1001"
        )
    finally:
        await connection.close()
    return {int(row["field_id"]): row["content"] for row in rows}


async def test_values_whose_content_clio_strips_are_kept(pulled: World):
    # clio.md §16.6: a composite id without name, type and value is not an empty field
    before = await stored_values(pulled)
    assert sorted(before) == [1, 2, 3, 4, 5, 6, 7]
    firm = pulled.simulator.firms[0]
    firm.fields_unreadable.add(501)
    firm.put("contact", {"id": 1001, "title": "Judge"})
    await pulled.run("full")
    assert (await pulled.contacts())["1001"]["title"] == "Judge"
    assert await stored_values(pulled) == before


@pytest.mark.parametrize("field_id", [4, 8])
async def test_a_changed_field_makes_only_contacts_with_a_value_of_it_stale(
    pulled: World, field_id: int
):
    # CF-5: Alice has a value of field 4; nobody has a value of field 8
    async with as_owner(pulled.app.state.services.database) as session:
        known = await catalog.load_custom_fields(session, "hp")
        assert (known[4].name, known[4].field_type, known[4].parent_type) == (
            "Referral Source",
            "picklist",
            "Contact",
        )
        assert known[4].options == {9001: Option("Google"), 9002: Option("Friend")}
        gone = {
            "id": field_id,
            "name": "Referral Source",
            "field_type": "picklist",
            "parent_type": "Contact",
            "deleted": True,
            "picklist_options": [
                {"id": 9002, "option": "Friend", "deleted_at": "2026-03-03T00:00:00Z"}
            ],
        }
        await catalog.store_items(session, "hp", "custom_fields", {field_id: gone})
        while await changed_items.mark_next(session, "hp", limit=3):
            pass
        assert (await records.count_stale(session, "hp", "run")).total == (
            1 if field_id == 4 else 0
        )
        changed = (await catalog.load_custom_fields(session, "hp"))[field_id]
        assert (changed.deleted, changed.options) == (True, {9002: Option("Friend", deleted=True)})
