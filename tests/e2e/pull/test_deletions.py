"""Records deleted in Clio are removed by a full run; many removals in one run wait for a person."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from app import main
from app.db.contacts import holds
from tests.support.sessions import as_owner
from tests.support.world import World


def firm(world: World) -> Any:
    return world.simulator.firms[0]


def labels(contact: dict[str, Any]) -> set[str]:
    return {tag["label"] for tag in contact["tags"]}


async def issues(world: World, status: str = "open") -> list[dict[str, Any]]:
    return [issue async for issue in world.all("issues", status=status)]


async def test_a_deleted_contact_is_removed_by_a_full_run_only(pulled: World):
    # S1
    before = await pulled.contacts()
    firm(pulled).delete("contact", 1002)
    await pulled.run("incremental")
    assert await pulled.contacts() == before
    run = await pulled.run("full")
    bram = (await pulled.contacts())["1002"]
    assert (bram["state"], bram["state_reason"]) == ("deleted", "removed_in_clio")
    assert (bram["id"], bram["last_name"], bram["tags"], bram["owner"], bram["key_facts"]) == (
        before["1002"]["id"], "Okafor", [], None, [],
    )  # fmt: skip
    line = (await pulled.changes())[-1]
    assert (line["kind"], line["clio_id"], line["contact"]) == ("contact.deleted", "1002", bram)
    assert run["counts"]["left"] == 1
    await pulled.run("full")
    assert (await pulled.changes())[-1] == line


async def test_a_contact_that_returns_is_the_same_contact_and_no_new_client(pulled: World):
    # S1, NC-4, CS-8
    record = dict(firm(pulled).find("contact", 1002))
    firm(pulled).delete("contact", 1002)
    await pulled.run("full")
    firm(pulled).put("contact", record)
    run = await pulled.run("full")
    bram = (await pulled.contacts())["1002"]
    assert (bram["state"], bram["state_reason"]) == ("in_scope", None)
    assert run["counts"]["new_clients"] == 0


async def test_a_deleted_matter_removes_its_tags_and_the_flag_keeps_the_client(pulled: World):
    # S1, TG-8
    firm(pulled).delete("matter", 201)
    await pulled.run("full")
    alice = (await pulled.contacts())["1001"]
    assert {"Client", "Past Client"} <= labels(alice)
    assert not {"Active Client", "Family Law"} & labels(alice)


async def test_the_client_tag_is_removed_without_flag_and_matters_but_the_new_client_row_stays(
    pulled: World,
):
    # TG-8, NC-4
    firm(pulled).delete("matter", 203)
    firm(pulled).put("contact", {"id": 1002, "is_client": False})
    await pulled.run("full")
    assert (await pulled.contacts())["1002"]["state"] == "out_of_scope"
    firm(pulled).put("contact", {"id": 1002, "is_client": True})
    run = await pulled.run("full")
    assert "Client" in labels((await pulled.contacts())["1002"])
    assert run["counts"]["new_clients"] == 0


async def test_a_removed_relationship_is_found_although_nothing_else_changed(pulled: World):
    # OV-4, row 25
    link = {"id": 303, "matter_id": 207, "contact_id": 1001, "description": "Witness"}
    firm(pulled).put("relationship", link)
    await pulled.run()
    assert "Related Contacts" in labels((await pulled.contacts())["1001"])
    firm(pulled).delete("relationship", 303)
    await pulled.run("full")
    assert "Related Contacts" not in labels((await pulled.contacts())["1001"])


async def test_a_deleted_company_removes_the_data_that_its_people_had_from_it(pulled: World):
    # S1, C-6
    firm(pulled).delete("matter", 207)
    firm(pulled).delete("contact", 2001)
    await pulled.run("full")
    gail = (await pulled.contacts())["1007"]
    assert (gail["state"], gail["state_reason"]) == ("out_of_scope", "not_a_client")


async def test_a_404_for_a_restricted_login_proves_nothing(pulled: World):
    # row 32: only a 404 for an unrestricted login proves that a contact was deleted
    await pulled.connect("u_cat", 503)
    await pulled.settled()
    logins = (await pulled.api.get("/v1/accounts/hp/connections")).json()["data"]
    (ann,) = [login["id"] for login in logins if login["user_id"] == "u_ann"]
    await pulled.api.delete(f"/v1/accounts/hp/connections/{ann}")
    firm(pulled).delete("contact", 1002)
    before = await pulled.contacts()
    await pulled.run("full")
    assert await pulled.contacts() == before
    await pulled.connect("u_ann", 501)
    await pulled.settled()
    await pulled.run("full")
    assert (await pulled.contacts())["1002"]["state"] == "deleted"


async def test_a_shorter_list_counts_when_a_later_run_finds_the_same(pulled: World):
    # F20: the second run, at least an hour later, requests each missing record
    for contact_id in range(3000, 3025):
        name = {"type": "Person", "name": "Many", "last_name": "Many"}
        firm(pulled).put("contact", {"id": contact_id, **name})
    await pulled.run("full")
    for contact_id in range(3000, 3025):
        firm(pulled).delete("contact", contact_id)
    firm(pulled).delete("contact", 1002)
    await pulled.run("full")
    assert (await pulled.contacts())["1002"]["state"] == "in_scope"
    (issue,) = await issues(pulled)
    assert issue["code"] == "listing_shrank"
    (at,) = re.findall(r"The full run of the slot at (.+) UTC, or one", issue["detail"])
    told = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert told > main.now() + timedelta(minutes=55)
    status = (await pulled.api.get("/v1/accounts/hp/status")).json()
    next_slot = datetime.fromisoformat(status["next_run_at"])
    assert told == next_slot.replace(second=0, microsecond=0) or next_slot < main.now() + timedelta(
        hours=1
    )
    with time_machine.travel(main.now() + timedelta(hours=2), tick=True):
        await pulled.run("full")
        assert (await pulled.contacts())["1002"]["state"] == "deleted"
        await pulled.run("full")
    assert await issues(pulled) == []


async def grow(world: World, count: int, first: int = 3000) -> None:
    """Add clients with the client flag to the firm."""
    for contact_id in range(first, first + count):
        name = {"type": "Person", "name": f"P {contact_id}", "last_name": f"P{contact_id}"}
        firm(world).put("contact", {"id": contact_id, "is_client": True, **name})
    await world.run()


async def shrink(world: World, count: int) -> None:
    for contact_id in range(3000, 3000 + count):
        firm(world).put("contact", {"id": contact_id, "is_client": False})
    await world.run()


async def test_many_removals_wait_until_a_person_releases_them(pulled: World):
    # S5
    await grow(pulled, 30)
    before = await pulled.contacts()
    await shrink(pulled, 21)
    assert await pulled.contacts() == before
    (hold,) = [hold async for hold in pulled.all("holds")]
    assert (hold["kind"], hold["status"], hold["count"]) == ("removals", "open", 21)
    (issue,) = await issues(pulled)
    assert (issue["code"], issue["subject"]) == ("shrink_held", {"kind": "hold", "id": hold["id"]})
    await pulled.run("full")
    assert await pulled.contacts() == before, "a held removal stays held"
    answer = await pulled.api.post(f"/v1/accounts/hp/holds/{hold['id']}/release")
    assert answer.status_code == 200, answer.text
    await pulled.settled()
    assert len(await pulled.contacts(state="out_of_scope")) == 21
    assert {line["cause"] for line in (await pulled.changes())[-21:]} == {"manual"}
    assert await issues(pulled) == []
    again = await pulled.api.post(f"/v1/accounts/hp/holds/{hold['id']}/release")
    assert (again.status_code, again.json()["code"]) == (409, "hold_already_decided")


async def test_many_contacts_stay_when_a_person_discards_their_removal(pulled: World):
    # S5
    await grow(pulled, 30)
    before = await pulled.contacts()
    await shrink(pulled, 21)
    (hold,) = [hold async for hold in pulled.all("holds")]
    role = {"Levitate-Role": "user"}
    refused = await pulled.api.post(f"/v1/accounts/hp/holds/{hold['id']}/discard", headers=role)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
    answer = await pulled.api.post(f"/v1/accounts/hp/holds/{hold['id']}/discard")
    assert answer.json()["status"] == "discarded"
    await pulled.run("full")
    assert await pulled.contacts() == before
    assert await issues(pulled) == []


async def test_a_contact_that_is_a_client_again_leaves_the_hold_automatically(pulled: World):
    # S5
    await grow(pulled, 30)
    await shrink(pulled, 21)
    for contact_id in range(3000, 3021):
        firm(pulled).put("contact", {"id": contact_id, "is_client": True, "title": "Back"})
    await pulled.run()
    assert await issues(pulled) == []
    assert [hold async for hold in pulled.all("holds")] == []
    assert (await pulled.contacts())["3000"]["title"] == "Back"


async def test_few_removals_need_no_decision(pulled: World):
    # S5: exactly 20 contacts of a larger firm
    await grow(pulled, 30)
    await shrink(pulled, 20)
    assert len(await pulled.contacts(state="out_of_scope")) == 20
    assert [hold async for hold in pulled.all("holds")] == []


async def test_few_removals_leave_in_steps(pulled: World, monkeypatch: pytest.MonkeyPatch):
    # S5
    monkeypatch.setattr("app.sync.assess.shrink_guard.AT_ONCE", 4)
    await grow(pulled, 30)
    await shrink(pulled, 19)
    gone = await pulled.contacts(state="out_of_scope")
    assert gone.keys() == {str(3000 + n) for n in range(19)}
    assert [hold async for hold in pulled.all("holds")] == []


async def test_a_removal_that_a_run_finds_after_it_released_others_happens_in_that_run(
    pulled: World,
):
    # S5, S6: who was replaced is known only when all others are assessed
    await grow(pulled, 1)
    old = firm(pulled).find("contact", 1002)
    firm(pulled).delete("contact", 1002)
    firm(pulled).put("contact", {**old, "id": 7002})
    for matter_id in firm(pulled).ids("matter"):
        if firm(pulled).find("matter", matter_id)["client_id"] == 1002:
            firm(pulled).put("matter", {"id": matter_id, "client_id": 7002})
    await shrink(pulled, 1)
    contacts = await pulled.contacts()
    assert contacts["3000"]["state"] == "out_of_scope"
    assert contacts["1002"]["state"] == "deleted"
    assert [hold async for hold in pulled.all("holds")] == []


async def test_what_an_ended_run_had_gathered_is_decided_by_the_next_one(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # S5: the run was ended between its assessments and its decision
    monkeypatch.setattr("app.sync.assess.shrink_guard.AT_ONCE", 4)
    await grow(pulled, 30)
    async with as_owner(pulled.app.state.services.database) as session:
        await holds.add_removals(session, "hp", "run_ended", range(3000, 3011), now=main.now())
    for contact_id in range(3000, 3011):
        firm(pulled).put("contact", {"id": contact_id, "is_client": False})
    await pulled.run()
    assert len(await pulled.contacts(state="out_of_scope")) == 11
    async with as_owner(pulled.app.state.services.database) as session:
        left = await session.execute(text("select count(*) from hold_items"))
        assert left.scalar_one() == 0
        assert await holds.find_abandoned(session, "hp", except_run_id="") is None


async def test_a_change_of_settings_can_remove_many_contacts_but_not_announce_many_clients(
    pulled: World,
):
    # S5, NC-7, row 21: a preview shows who would leave; the surge guard applies in any case
    await grow(pulled, 30)
    await pulled.choose({"scope": {"segment": {"include_any": ["Family Law"]}}})
    assert list(await pulled.contacts(state="in_scope")) == ["1001"]
    assert [hold async for hold in pulled.all("holds")] == []
    await grow(pulled, 55, first=4000)
    await pulled.choose({"scope": {"segment": {"include_any": []}}})
    (hold,) = [hold async for hold in pulled.all("holds")]
    assert (hold["kind"], hold["status"], hold["count"]) == ("new_clients", "open", 55)


async def test_a_contact_that_was_merged_in_clio_names_its_possible_replacement(pulled: World):
    # S6, F18
    twin = {**firm(pulled).find("contact", 1002), "id": 1012}
    firm(pulled).put("contact", twin)
    firm(pulled).put("matter", {"id": 203, "client_id": 1012})
    await pulled.run()
    firm(pulled).delete("contact", 1002)
    await pulled.run("full")
    bram = (await pulled.contacts())["1002"]
    assert bram["state"] == "deleted"
    why = (await pulled.api.get(f"/v1/accounts/hp/contacts/{bram['id']}/explain")).json()
    assert "1012" in why["scope"]["detail"]
    assert {"Client", "Past Client"} <= labels((await pulled.contacts())["1012"])
