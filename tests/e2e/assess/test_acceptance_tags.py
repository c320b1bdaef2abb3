"""Tags: the acceptance examples of requirements.md section 7, through HTTP."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.support.harlow_pike import clio, contact, explain, known, lines_of, person, tags
from tests.support.sessions import as_owner
from tests.support.world import World

RELATED = {"scope": {"include_related": True}}


def on(**rules: Any) -> dict[str, object]:
    return {"tags": rules}


async def test_a_matter_that_opens_again_changes_past_client_to_active_client(pulled: World):
    # TG-6, TG-4, NC-4
    clio(pulled).put("matter", {"id": 203, "status": "open", "close_date": None})
    run = await pulled.run()
    line = (await lines_of(pulled, "1002"))[-1]
    assert (set(line["tags_added"]), line["tags_removed"]) == (
        {"Active Client", "Real Estate"},
        ["Past Client"],
    )
    assert run["counts"]["new_clients"] == 0


async def test_a_contact_has_one_status_with_open_before_pending_before_closed(pulled: World):
    # TG-4, TG-5, TG-7, C-1, C-2: Jon has one matter of each status; Hugo has the flag and no visible matter
    status = {"Active Client", "Pending Client", "Past Client"}
    found = []
    for matter_id in (None, 209, 210):
        if matter_id is not None:
            clio(pulled).put("matter", {"id": matter_id, "status": "closed"})
            await pulled.run()
        found.append(await tags(pulled, "1010") & (status | {"Client"}))
    assert found == [
        {"Client", "Active Client"},
        {"Client", "Pending Client"},
        {"Client", "Past Client"},
    ]
    assert await tags(pulled, "1008") & (status | {"Client"}) == {"Client"}


async def test_practice_areas_come_from_matters_in_the_chosen_statuses(pulled: World):
    # TG-9, C-7, row 10
    areas = {"Family Law", "Estate Planning", "Family", "Wills And Estates"}
    assert await tags(pulled, "1001") & areas == {"Family Law"}
    await pulled.choose(on(practice_area={"matter_status": ["open", "closed"]}))
    assert await tags(pulled, "1001") & areas == {"Family Law", "Estate Planning"}
    await pulled.choose(on(practice_area={"label_from": "category"}))
    assert await tags(pulled, "1001") & areas == {"Family", "Wills And Estates"}
    await pulled.choose(on(practice_area={"enabled": False}))
    assert not await tags(pulled, "1001") & areas


async def test_related_people_get_the_matters_area_and_their_role_if_chosen(
    pulled: World,
):
    # TG-10, TG-11, TG-12
    await pulled.choose(RELATED)
    plain = {"Clio", "Person", "Personal", "Related Contacts"}
    assert await tags(pulled, "1005") == plain
    await pulled.choose(on(related_practice_area={"enabled": True}))
    assert await tags(pulled, "1005") == plain | {"Related: Family Law"}
    await pulled.choose(on(relationships={"enabled": True}))
    assert await tags(pulled, "1005") == plain | {"Related: Family Law", "Spouse"}
    clio(pulled).put("relationship", {"id": 301, "description": "  ex-Spouse "})
    await pulled.run()
    line = (await lines_of(pulled, "1005"))[-1]
    assert (line["tags_added"], line["tags_removed"]) == (["ex-Spouse"], ["Spouse"])


async def test_a_client_who_is_a_witness_in_another_matter_is_also_a_related_contact(pulled: World):
    # TG-12, rows 1, 3: an excluded role excludes no client; a relationship to the client's own matter does not count
    own = {"id": 303, "matter_id": 201, "contact_id": 1001, "description": "Self"}
    clio(pulled).put("relationship", own)
    await pulled.run()
    assert "Related Contacts" not in await tags(pulled, "1001")
    witness = {"id": 304, "matter_id": 207, "contact_id": 1001, "description": "Witness"}
    clio(pulled).put("relationship", witness)
    await pulled.run()
    assert {"Related Contacts", "Active Client"} <= await tags(pulled, "1001")


async def test_matter_numbers_and_matter_tags_are_two_kinds_and_both_are_off_by_default(
    pulled: World,
):
    # TG-13, TG-14, TG-19, C-10, C-11: closed matters give neither by default
    before = await tags(pulled, "1001")
    await pulled.choose(on(matter_number={"enabled": True}))
    assert await tags(pulled, "1001") - before == {"00201-Moreno"}
    assert {"00209-Reyes", "00210-Reyes"} <= await tags(pulled, "1010")
    await pulled.choose(on(matter_number={"enabled": False}, matter_tag={"enabled": True}))
    assert await tags(pulled, "1001") - before == {"Discovery"}
    assert await tags(pulled, "1010") >= {"Open", "Pending"}
    bram = await tags(pulled, "1002")
    assert not {"Closing", "Closed"} & bram
    await pulled.choose(on(matter_tag={"matter_status": ["open", "pending", "closed"]}))
    assert await tags(pulled, "1002") - bram == {"Closing"}
    assert await tags(pulled, "1001") - before == {"Discovery", "Closed"}


async def test_four_settings_tag_the_location_of_the_address_that_is_primary_in_levitate(
    pulled: World,
):
    # TG-15, TG-1, C-8: the first address, not the one with Clio's flag
    before, told = await tags(pulled, "1001"), []
    for part in ("city", "state", "postal_code", "country"):
        await pulled.choose(on(location={part: True}))
        told += (await lines_of(pulled, "1001"))[-1]["tags_added"]
    assert told == ["Raleigh", "NC", "27601", "US"]
    assert await tags(pulled, "1001") - before == set(told)


async def test_an_employee_of_a_company_that_is_not_a_client_is_personal(pulled: World):
    # TG-16, TG-17, C-6
    clio(pulled).put("contact", {"id": 2001, "is_client": False})
    await pulled.run()
    assert {"Company", "Client", "Active Client"} <= await tags(pulled, "1007"), (
        "a client because of its matter"
    )
    clio(pulled).put("matter", {"id": 207, "client_id": 1002})
    await pulled.run()
    gail = await contact(pulled, "1007")
    assert (gail["state"], gail["state_reason"]) == ("out_of_scope", "not_a_client")
    await pulled.choose({"scope": {"include_non_clients": True}})
    assert await tags(pulled, "1007") == {"Clio", "Person", "Personal"}


async def test_employees_of_client_companies_represent_them_unless_the_settings_exclude_representatives(
    pulled: World,
):
    # C-6, TG-17, NC-4: an employee with a matter of her own is a client in any case
    clio(pulled).put("matter", {**known(pulled, "matter", 205), "id": 213, "client_id": 1007})
    await pulled.run()
    both = {"Client", "Active Client", "Business Law", "Company"}
    assert await tags(pulled, "1007") == {"Clio", "Person"} | both
    rows = [row async for row in pulled.all("new-clients")]
    await pulled.choose(on(company_representatives="none"))
    alone = {"Clio", "Person", "Client", "Past Client", "Personal"}
    assert await tags(pulled, "1007") == alone
    assert [row async for row in pulled.all("new-clients")] == rows


@pytest.mark.parametrize(
    ("choice", "alice", "deniz"),
    [
        ("most_recent", {"Ann Harlow"}, {"Dana Voss"}),
        ("all", {"Ann Harlow", "Ben Pike"}, {"Dana Voss"}),
    ],
)
async def test_attorneys_make_tags_with_their_names_whether_in_levitate_or_not(
    pulled: World, choice: str, alice: set[str], deniz: set[str]
):
    # TG-18, C-17
    names = ("1001", alice), ("1004", deniz)
    before = {clio_id: await tags(pulled, clio_id) for clio_id, _ in names}
    await pulled.choose(on(responsible_attorney=choice))
    for clio_id, expected in names:
        gained = await tags(pulled, clio_id) - before[clio_id]
        assert gained == {f"Responsible Attorney: {name}" for name in expected}
    await pulled.choose(on(responsible_attorney="none", originating_attorney=choice))
    gained = await tags(pulled, "1001") - before["1001"]
    assert gained == {"Originating Attorney: Ben Pike"}


async def test_an_attorneys_tag_has_the_current_name_although_the_matters_are_not_read_again(
    pulled: World,
):
    # TG-18, row 25
    await pulled.choose(on(responsible_attorney="all"))
    assert "Responsible Attorney: Ann Harlow" in await tags(pulled, "1001")
    clio(pulled).put("user", {"id": 501, "name": "Ann Harlow-Bright"})
    run = await pulled.run()
    assert run["counts"]["pulled"]["matters"] == 0
    found = await tags(pulled, "1001")
    assert "Responsible Attorney: Ann Harlow-Bright" in found
    assert "Responsible Attorney: Ann Harlow" not in found


async def test_a_stages_tag_has_the_current_name_although_the_matters_are_not_read_again(
    pulled: World,
):
    # TG-14, row 25
    await pulled.choose(
        on(matter_tag={"enabled": True, "matter_status": ["open", "pending", "closed"]})
    )
    stage = clio(pulled).find("matter_stage", 21)
    assert stage is not None
    before = {i for i in await pulled.contacts() if stage["name"] in await tags(pulled, i)}
    assert before
    clio(pulled).put("matter_stage", {"id": 21, "name": "Renamed stage"})
    run = await pulled.run()
    assert run["counts"]["pulled"]["matters"] == 0
    after = {i for i in await pulled.contacts() if "Renamed stage" in await tags(pulled, i)}
    assert after == before


async def test_a_tag_that_a_user_added_by_hand_is_never_removed(pulled: World):
    # TG-20: a label that the contact had before, and a label that this service never grants
    bram = await contact(pulled, "1002")
    url = f"/v1/accounts/hp/contacts/{bram['id']}/preexisting-tags"
    answer = await pulled.api.post(url, json={"labels": ["VIP", "family  law"]})
    assert answer.status_code == 200, answer.text
    matter = {"id": 203, "status": "open", "practice_area_id": 11}
    clio(pulled).put("matter", matter)
    await pulled.run()
    assert "Family Law" in (await lines_of(pulled, "1002"))[-1]["tags_added"]
    clio(pulled).put("matter", {"id": 203, "status": "closed"})
    await pulled.run()
    line = (await lines_of(pulled, "1002"))[-1]
    assert line["tags_removed"] == ["Active Client"]
    assert line["tags_added"] == ["Past Client"]
    removed = {label for told in await lines_of(pulled, "1002") for label in told["tags_removed"]}
    assert not {"VIP", "Family Law"} & removed


async def test_a_label_of_a_user_is_known_by_what_can_be_seen_of_it(pulled: World):
    # TG-20, row 51: also where an older release folded it in another way
    chloe = await contact(pulled, "1003")
    url = f"/v1/accounts/hp/contacts/{chloe['id']}/preexisting-tags"
    unseen = await pulled.api.post(url, json={"labels": ["\u200b\u2060"]})
    assert (unseen.status_code, unseen.json()["code"]) == (422, "invalid_request")
    answer = await pulled.api.post(url, json={"labels": ["\u200bCafe\u0301 Law"]})
    assert answer.status_code == 200, answer.text
    async with as_owner(pulled.app.state.services.database) as session:
        await session.execute(text("update preexisting_tags set folded = 'as it was before'"))
    link = {"id": 399, "matter_id": 201, "contact_id": 1003, "description": "Caf\u00e9 Law"}
    clio(pulled).put("relationship", link)
    await pulled.choose(on(relationships={"enabled": True}))
    await pulled.run()
    assert "Caf\u00e9 Law" in await tags(pulled, "1003")
    for tag in ("CAF\u00c9 LAW\ufeff", "cafe\u0301\u200b law"):
        assert list(await pulled.contacts(tag=tag)) == ["1003"]
    clio(pulled).put("relationship", {**link, "description": "Friend"})
    await pulled.run()
    assert "Caf\u00e9 Law" not in await tags(pulled, "1003")
    assert "Caf\u00e9 Law" not in (await lines_of(pulled, "1003"))[-1]["tags_removed"]


async def test_a_label_with_two_grants_stays_as_long_as_one_of_them_remains(pulled: World):
    # TG-21, row 11
    address = {"id": 1, "name": "Home", "street": "1 Broadway", "postal_code": "10001"}
    at = {**address, "city": "New York", "province": "new york", "country": "US", "primary": True}
    clio(pulled).put("contact", person(3001, is_client=True, addresses=[at]))
    await pulled.run()
    await pulled.choose(on(location={"city": True, "state": True}))
    places = [tag["label"] for tag in (await contact(pulled, "3001"))["tags"]]
    assert places.count("New York") == 1
    assert "new york" not in places
    held = {tag["label"]: tag["grants"] for tag in (await explain(pulled, "3001"))["tags"]}
    assert {grant["setting"] for grant in held["New York"]} == {
        "/tags/location/city",
        "/tags/location/state",
    }
    clio(pulled).put("contact", {"id": 3001, "addresses": [{**at, "city": "Albany"}]})
    await pulled.run()
    line = (await lines_of(pulled, "3001"))[-1]
    assert "Albany" in line["tags_added"]
    assert "new york" in {label.casefold() for label in await tags(pulled, "3001")}
    assert line["tags_removed"] == []
