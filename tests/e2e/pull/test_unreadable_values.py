"""Clio sends a value or a record in a form that cannot be read: the rest of the page is stored [F16, row 49]."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.sessions import as_owner
from tests.support.world import World

Edit = Callable[[dict[str, Any]], object]


def editing(resource: str, clio_id: int | None, change: Edit) -> Callable[[str, bytes], bytes]:
    """Return an edit of one record of a list, or of all its records."""

    def edit(path: str, body: bytes) -> bytes:
        if path != f"/api/v4/{resource}.json":
            return body
        document = json.loads(body)
        for record in document["data"]:
            if clio_id in (None, record["id"]):
                change(record)
        return json.dumps(document).encode()

    return edit


async def issues(world: World, code: str) -> dict[str, str]:
    found = [issue async for issue in world.all("issues", status="open")]
    return {issue["subject"]["id"]: issue["detail"] for issue in found if issue["code"] == code}


async def records(world: World, table: str) -> dict[int, dict[str, Any]]:
    async with as_owner(world.app.state.services.database) as session:
        rows = await session.execute(text(f"select clio_id, record from {table}"))
        return {row.clio_id: row.record for row in rows}


async def test_a_value_that_cannot_be_read_keeps_its_stored_value_and_the_rest_is_updated(
    pulled: World,
):
    before = (await records(pulled, "mirror_contacts"))[1001]
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge"})

    def spoil(record: dict[str, Any]) -> None:
        record["date_of_birth"] = ""
        record["phone_numbers"] = "none"
        record["custom_field_values"][0]["value"] = ["41", "42"]

    pulled.clio_transport.edit = editing("contacts", 1001, spoil)
    run = await pulled.run()
    assert (run["status"], run["counts"]["quarantined"]) == ("succeeded", 0)
    stored = (await records(pulled, "mirror_contacts"))[1001]
    kept = {name: stored[name] for name in ("date_of_birth", "phones", "custom_values")}
    assert kept == {name: before[name] for name in kept}
    assert (await pulled.contacts())["1001"]["title"] == "Judge"
    found = await issues(pulled, "value_unreadable")
    assert set(found) == {
        "contacts.date_of_birth",
        "contacts.phone_numbers",
        "contacts.custom_field_values.1",
    }
    assert "The field date_of_birth of contacts in Clio (Clio ids 1001) is not a date" in found[
        "contacts.date_of_birth"
    ]  # fmt: skip

    pulled.clio_transport.edit = None
    await pulled.run("full")
    assert await issues(pulled, "value_unreadable") == {}
    assert (await records(pulled, "mirror_contacts"))[1001] == stored | {"title": "Judge"}


async def test_an_empty_value_in_place_of_an_unreadable_one_clears_the_field(pulled: World):
    # the version that cannot be read is another version than the empty one
    spoilt = editing("contacts", 1001, lambda record: record.update(title=["?"]))
    emptied = editing("contacts", 1001, lambda record: record.update(title=None))
    for edit, title in ((spoilt, "Teacher"), (emptied, None)):
        pulled.clio_transport.edit = edit
        await pulled.run("full")
        assert (await pulled.contacts())["1001"]["title"] == title


async def test_a_new_form_of_a_field_of_all_contacts_opens_one_issue(pulled: World):
    def spoil(record: dict[str, Any]) -> None:
        record["title"] = {"en": record["title"]}

    pulled.clio_transport.edit = editing("contacts", None, spoil)
    run = await pulled.run("full")
    assert (run["status"], run["counts"]["changed"]) == ("succeeded", 0)
    (detail,) = (await issues(pulled, "value_unreadable")).values()
    assert "1001" in detail
    assert (await pulled.contacts())["1001"]["title"] == "Teacher"


async def test_a_value_of_a_record_that_is_gone_has_no_issue(pulled: World):
    pulled.clio_transport.edit = editing(
        "contacts", 1002, lambda record: record.update(title=["?"])
    )
    await pulled.run("full")
    assert list(await issues(pulled, "value_unreadable")) == ["contacts.title"]
    pulled.simulator.firms[0].delete("contact", 1002)
    await pulled.run("full")
    assert await issues(pulled, "value_unreadable") == {}


async def test_the_issue_of_a_value_does_not_name_an_erased_person(pulled: World):
    # S15
    pulled.clio_transport.edit = editing(
        "contacts", 1001, lambda record: record.update(title=["?"])
    )
    await pulled.run("full")
    contact_id = (await pulled.contacts())["1001"]["id"]
    answer = await pulled.api.delete(f"/v1/accounts/hp/contacts/{contact_id}")
    assert answer.status_code == 204
    assert await issues(pulled, "value_unreadable") == {}
    await pulled.run("full")
    assert await issues(pulled, "value_unreadable") == {}


@pytest.mark.parametrize("status", ["Archived", None, 5])
async def test_a_matter_keeps_its_status_and_a_new_one_waits_until_its_status_can_be_read(
    pulled: World, status: Any
):
    firm = pulled.simulator.firms[0]
    before = await records(pulled, "mirror_matters")
    firm.put("matter", {"id": 201, "display_number": "M-201"})
    firm.put("matter", {**(firm.find("matter", 201) or {}), "id": 299})

    def spoil(record: dict[str, Any]) -> None:
        if record["id"] in (201, 299):
            record["status"] = status

    pulled.clio_transport.edit = editing("matters", None, spoil)
    assert (await pulled.run())["status"] == "succeeded"
    stored = await records(pulled, "mirror_matters")
    assert set(stored) == set(before)
    assert (stored[201]["status"], stored[201]["number"]) == (before[201]["status"], "M-201")
    (detail,) = (await issues(pulled, "value_unreadable")).values()
    assert "(Clio ids 201, 299)" in detail
    pulled.clio_transport.edit = None
    await pulled.run("full")
    assert 299 in await records(pulled, "mirror_matters")
    assert await issues(pulled, "value_unreadable") == {}


async def test_a_matter_that_is_gone_before_its_status_could_be_read_has_no_issue(pulled: World):
    # row 49: it was never stored, so no list lacks it
    clio = pulled.simulator.firms[0]
    clio.put("matter", {**(clio.find("matter", 201) or {}), "id": 999, "status": "Archived"})
    await pulled.run()
    assert (await issues(pulled, "value_unreadable")).keys() == {"matters.status"}
    clio.delete("matter", 999)
    await pulled.run("full")
    await pulled.run("full")
    assert await issues(pulled, "value_unreadable") == {}


async def test_a_definition_keeps_its_options_while_they_cannot_be_read(pulled: World):
    before = await pulled.contacts()
    pulled.clio_transport.edit = editing(
        "custom_fields", None, lambda record: record.update(picklist_options="?", name=5)
    )
    await pulled.run("full")
    async with as_owner(pulled.app.state.services.database) as session:
        query = "select record from catalog_items where resource = 'custom_fields' order by clio_id"
        found = [row.record for row in await session.execute(text(query))]
    assert {item["name"] for item in found} == {"5"}
    assert any(item["picklist_options"] for item in found)
    assert (await pulled.contacts()).keys() == before.keys()
    assert list(await issues(pulled, "value_unreadable")) == ["custom_fields.picklist_options"]
    pulled.clio_transport.edit = None
    await pulled.connect("u_ben", 502)
    pulled.simulator.oauth["us"].revoke_user(501)
    await pulled.settled()
    await pulled.run("full")
    assert await issues(pulled, "value_unreadable") == {}


async def test_a_record_that_is_not_json_is_quarantined_and_the_page_lands(pulled: World):
    pulled.simulator.firms[0].put("contact", {"id": 1002, "title": "Judge"})
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "XXX"})

    def edit(path: str, body: bytes) -> bytes:
        return body.replace(b'"XXX"', b'"\\ud800"') if path == "/api/v4/contacts.json" else body

    pulled.clio_transport.edit = edit
    run = await pulled.run()
    assert (run["status"], run["counts"]["quarantined"]) == ("succeeded", 1)
    contacts = await pulled.contacts()
    assert (contacts["1002"]["title"], contacts["1001"]["title"]) == ("Judge", "Teacher")
    detail = (await issues(pulled, "record_quarantined"))["1001"]
    assert "(its text is not valid Unicode)" in detail
    pulled.clio_transport.edit = None
    await pulled.run()
    assert await issues(pulled, "record_quarantined") == {}
    assert (await pulled.contacts())["1001"]["title"] == "XXX"


async def test_a_new_record_that_is_gone_before_it_could_be_read_has_no_issue(pulled: World):
    clio = pulled.simulator.firms[0]
    clio.put("contact", {**(clio.find("contact", 1001) or {}), "id": 7001, "title": "XXX"})
    pulled.clio_transport.edit = lambda _, body: body.replace(b'"XXX"', b'"\\ud800"')
    await pulled.run()
    assert (await issues(pulled, "record_quarantined")).keys() == {"7001"}
    pulled.clio_transport.edit = None
    clio.delete("contact", 7001)
    await pulled.run("full")
    await pulled.run("full")
    assert await issues(pulled, "record_quarantined") == {}


async def test_a_title_of_five_megabytes_does_not_reach_the_feed(pulled: World):
    pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "x" * 5_000_000})
    await pulled.run()
    line = (await pulled.changes())[-1]
    assert line["fields"]["title"]["to"] == "x" * 1_000
    assert len(json.dumps(line)) < 20_000
