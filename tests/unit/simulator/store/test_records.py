"""The simulated Clio's records: conditions, custom values, links, views, deletions (clio.md §20.8 to §20.19)."""

from datetime import datetime
from typing import Any

import pytest

from tests.support.visitor import Visitor

VALUES = (
    "custom_field_values{id,field_name,field_type,value,soft_deleted,custom_field,picklist_option}"
)


@pytest.fixture
async def other(clio) -> Visitor:
    """Another app, which may write contacts and matters."""
    return await Visitor(clio, other=True).login(501)


async def values_of(visitor: Visitor, contact_id: int = 1001) -> dict[int, dict[str, Any]]:
    answer = await visitor.get(f"contacts/{contact_id}.json", fields=VALUES)
    return {
        value["custom_field"]["id"]: value for value in answer.json()["data"]["custom_field_values"]
    }


async def test_a_single_record_has_its_etag_and_time_whatever_fields_are_selected(ann):
    # clio.md §20.8
    answer = await ann.get("contacts/1001.json", fields="name")
    etag = (await ann.get("contacts/1001.json")).json()["data"]["etag"]
    assert answer.headers["ETag"] == etag
    assert etag.startswith('"')
    assert etag.endswith('"')
    assert answer.headers["Last-Modified"] == "Tue, 03 Mar 2026 11:00:00 GMT"


@pytest.mark.parametrize("path", ["contacts/1001.json", "matters/201.json", "users/who_am_i.json"])
async def test_a_record_with_a_known_etag_is_not_sent_again(ann, firm, path):
    # clio.md §20.8
    etag = (await ann.get(path)).headers["ETag"]
    for known in (etag, f'"another", {etag}', "*"):
        answer = await ann.get(path, {"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert (await ann.get(path, {"If-None-Match": '"another"'})).status_code == 200
    assert (await ann.get(path, {"If-None-Match": etag.strip('"')})).status_code == 200
    firm.put("contact", {"id": 1001, "title": "CFO"})
    firm.put("matter", {"id": 201, "status": "closed"})
    firm.put("user", {"id": 501, "name": "Anne"})
    assert (await ann.get(path, {"If-None-Match": etag})).status_code == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Tue, 03 Mar 2026 11:00:00 GMT", 304),
        ("Tue, 03 Mar 2026 10:59:59 GMT", 200),
        ("Tue, 03 Mar 2026 12:00:00 +0100", 304),
        ("yesterday", 200),
    ],
)
async def test_a_record_unchanged_since_a_time_is_not_sent_again(ann, since, status):
    # clio.md §20.8
    answer = await ann.get("contacts/1001.json", {"If-Modified-Since": since})
    assert answer.status_code == status


async def test_lists_ignore_conditional_headers(ann):
    # clio.md §20.8
    etag = (await ann.get("contacts/1001.json")).headers["ETag"]
    answer = await ann.get("contacts.json", {"If-None-Match": etag})
    assert answer.status_code == 200
    assert "ETag" not in answer.headers


async def test_a_change_with_if_match_needs_the_current_etag(other):
    # clio.md §20.8
    etag = (await other.get("contacts/1001.json")).headers["ETag"]
    changed = await other.write("PATCH", "contacts/1001.json", {"title": "CEO"}, {"If-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
    late = await other.write("PATCH", "contacts/1001.json", {"title": "CFO"}, {"If-Match": etag})
    assert (late.status_code, late.json()["error"]["type"]) == (412, "PreconditionFailed")
    assert (await other.get("contacts/1001.json", fields="title")).json()["data"]["title"] == "CEO"
    free = await other.write("PATCH", "contacts/1001.json", {"title": "CFO"})
    assert free.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "contacts/1001.json"),
        ("POST", "contacts.json"),
        ("DELETE", "matters/201.json"),
        ("PUT", "contacts/1001.json"),
        ("POST", "users.json"),
    ],
)
async def test_the_services_app_cannot_write_contacts_or_matters(ann, firm, method, path):
    before = firm.version
    answer = await ann.write(method, path, {"title": "x"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "ForbiddenError")
    assert firm.version == before


async def test_a_persons_name_is_built_from_its_parts(other):
    made = await other.write(
        "POST",
        "contacts.json?fields=id,name,type,primary_email_address,created_at",
        {
            "type": "Person",
            "first_name": "Zoë",
            "last_name": "Ångström",
            "email_addresses": [
                {"name": "Work", "address": "a@mail.test", "default_email": True},
                {"name": "Home", "address": "b@mail.test", "default_email": True},
            ],
        },
    )
    contact = made.json()["data"]
    assert (contact["name"], contact["primary_email_address"]) == ("Zoë Ångström", "b@mail.test")
    refused = await other.write("POST", "contacts.json", {"type": "Person", "name": "Zoë"})
    assert refused.json()["error"]["message"] == "Invalid attributes present for a Person: name"


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({"type": "Person"}, 422, "At least one of first name or last name must be provided"),
        ({"type": "Robot", "name": "R"}, 400, "type"),
        ({"type": "Company"}, 422, "Name"),
        ({"type": "Company", "name": "C", "is_client": True}, 400, "is_client"),
        ({"type": "Company", "name": "C", "addresses": [{"name": "Den"}]}, 400, "Work, Home, Billing, or Other"),
        ({"type": "Company", "name": "C", "addresses": [{"city": "X"}] * 21}, 422, "20"),
        ({"type": "Company", "name": "C", "company": {"id": 77}}, 422, "company"),
        ({"type": "Person", "last_name": "L", "date_of_birth": "1.2.1970"}, 400, "date_of_birth"),
    ],
)  # fmt: skip
async def test_an_invalid_contact_is_refused(other, data, status, words):
    answer = await other.write("POST", "contacts.json", data)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


async def test_parts_are_changed_added_and_deleted_by_id(other):
    change = [{"id": 1, "number": "1"}, {"number": "3"}, {"id": 2, "_destroy": True}]
    answer = await other.write(
        "PATCH", "contacts/1001.json?fields=phone_numbers{id,number}", {"phone_numbers": change}
    )
    assert answer.json()["data"]["phone_numbers"] == [
        {"id": 1, "number": "1"},
        {"id": 3, "number": "3"},
    ]


async def test_values_have_their_own_ids_and_options_are_ids(ann):
    # clio.md §20.11
    values = await values_of(ann)
    assert values[1] | {"custom_field": None} == {
        "id": "checkbox-1",
        "field_name": "Newsletter OK",
        "field_type": "checkbox",
        "value": True,
        "soft_deleted": False,
        "custom_field": None,
        "picklist_option": None,
    }
    assert values[1]["custom_field"].keys() == {"id", "etag"}
    assert (values[4]["id"], values[4]["value"]) == ("picklist-4", "9002")
    assert values[4]["picklist_option"].keys() == {"id", "etag"}
    assert values[4]["picklist_option"]["id"] == 9002


async def test_a_field_that_was_never_filled_is_a_placeholder_and_a_cleared_one_is_absent(
    ann, other
):
    # clio.md §20.11
    before = await values_of(ann)
    assert (before[8]["id"], before[8]["value"], before[8]["field_name"]) == (
        None,
        None,
        "Web Page",
    )
    cleared = [{"id": "text_line-5", "_destroy": True}, {"id": "numeric-3", "value": ""}]
    await other.write("PATCH", "contacts/1001.json", {"custom_field_values": cleared})
    assert before.keys() - (await values_of(ann)).keys() == {3, 5}


async def test_a_value_is_changed_by_its_own_id_and_created_by_the_fields_id(ann, other):
    # clio.md §20.11
    again = [{"custom_field": {"id": 5}, "value": "Ali"}]
    refused = await other.write("PATCH", "contacts/1001.json", {"custom_field_values": again})
    text = "custom field value for custom field 5 already exists"
    assert (refused.status_code, refused.json()["error"]["message"]) == (422, text)
    confused = [{"id": 5, "value": "Ali"}]
    refused = await other.write("PATCH", "contacts/1001.json", {"custom_field_values": confused})
    assert refused.status_code == 422
    right = [{"id": "text_line-5", "value": "Ali"}, {"custom_field": {"id": 8}, "value": "x.test"}]
    changed = await other.write("PATCH", "contacts/1001.json", {"custom_field_values": right})
    assert changed.status_code == 200
    values = await values_of(ann)
    assert (values[5]["value"], values[8]["value"], values[8]["id"]) == ("Ali", "x.test", "url-8")


async def test_a_value_of_a_deleted_field_is_marked(ann, firm):
    # clio.md §20.11
    firm.put("custom_field", {"id": 5, "deleted": True})
    assert (await values_of(ann))[5]["soft_deleted"] is True
    assert await ann.ids("custom_fields.json", deleted="true") == [5]


async def test_a_link_has_the_id_and_the_record(ann, firm):
    # clio.md §20.11
    firm.put("contact", {"id": 1002, "custom_field_values": [
        {"id": "contact-9", "custom_field_id": 9, "value": "1001"}]})  # fmt: skip
    answer = await ann.get("contacts/1002.json", fields="custom_field_values{value,contact,matter}")
    (value,) = answer.json()["data"]["custom_field_values"]
    assert (value["value"], value["contact"]["id"], value["matter"]) == ("1001", 1001, None)
    assert value["contact"].keys() == {"id", "etag"}


async def test_a_user_who_cannot_read_the_fields_gets_values_without_content(ann, firm):
    # clio.md §20.11
    firm.fields_unreadable.add(501)
    refused = await ann.get("custom_fields.json")
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "ForbiddenError")
    value = (await values_of(ann))[4]
    assert value["id"] == "picklist-4"
    assert {value[name] for name in ("field_name", "field_type", "value", "picklist_option")} == {
        None
    }


async def test_relationships_are_a_list_of_their_own(ann):
    # clio.md §20.12
    asked = "id,description,matter{id,client_id},contact{id,type,name}"
    links = await ann.listed("relationships.json", fields=asked)
    assert [(link["matter"]["id"], link["contact"]["id"]) for link in links] == [
        (201, 1005),
        (201, 1009),
    ]
    assert (await ann.get("matters.json", fields="relationships")).status_code == 400


async def test_a_client_can_be_a_related_contact_of_its_own_matter(ann, firm):
    # clio.md §20.12
    firm.put(
        "relationship", {"id": 303, "matter_id": 201, "contact_id": 1001, "description": "Self"}
    )
    link = (await ann.get("relationships/303.json", fields="matter{client_id},contact{id}")).json()[
        "data"
    ]
    assert link["matter"]["client_id"] == link["contact"]["id"]


async def test_a_nested_contact_that_the_user_cannot_see_has_its_id_only(clio, firm, ann):
    # clio.md §20.12, §20.13
    firm.put("contact", {"id": 3001, "type": "Company", "name": "Hidden", "created_by": 501})
    firm.put("contact", {"id": 1001, "company_id": 3001})
    cat = await Visitor(clio).login(503)
    path, asked = "contacts/1001.json", "id,company{id,name,etag}"
    hidden = (await cat.get(path, fields=asked)).json()["data"]["company"]
    assert hidden == {"id": 3001, "redacted": True}
    assert (await ann.get(path, fields=asked)).json()["data"]["company"]["name"] == "Hidden"
    assert (await cat.get("contacts/3001.json")).status_code == 404


async def test_two_users_of_a_firm_see_different_matters_and_contacts(clio, firm):
    # clio.md §20.13
    ann, ben, cat = [await Visitor(clio).login(user_id) for user_id in (501, 502, 503)]
    assert set(await ben.ids("matters.json")) - set(await ann.ids("matters.json")) == {208}
    assert (await ann.get("matters/208.json")).status_code == 404
    # Ann has a role, so only matters are hidden from her. Cat has none and sees only the contacts of her matters.
    assert 1008 in await ann.ids("contacts.json")
    assert 1008 not in await cat.ids("contacts.json")
    firm.put("contact", {"id": 3002, "type": "Person", "name": "Cat's own", "created_by": 503})
    assert 3002 in await cat.ids("contacts.json")
    firm.put("relationship", {"id": 304, "matter_id": 208, "contact_id": 3002, "description": "x"})
    assert 304 in await ben.ids("relationships.json")
    assert 304 not in await ann.ids("relationships.json")


async def test_a_matters_custom_field_brings_a_contact_into_view(clio, firm):
    # clio.md §20.13
    firm.put("contact", {"id": 3001, "type": "Person", "name": "Expert", "created_by": 501})
    cat = await Visitor(clio).login(503)
    assert 3001 not in await cat.ids("contacts.json")
    value = {"id": "contact-9", "custom_field_id": 9, "value": "3001"}
    firm.put("matter", {"id": 201, "custom_field_values": [value]})
    assert 3001 in await cat.ids("contacts.json")


@pytest.mark.parametrize(("kind", "record_id"), [("contact", 1003), ("matter", 204)])
async def test_a_deleted_record_is_nowhere(ann, other, firm, kind, record_id):
    # clio.md §20.14
    path = f"{kind}s"
    gone = await other.write("DELETE", f"{path}/{record_id}.json")
    assert (gone.status_code, gone.content) == (204, b"")
    single = await ann.get(f"{path}/{record_id}.json")
    assert (single.status_code, single.json()["error"]["type"]) == (404, "RecordNotFound")
    assert record_id not in await ann.ids(f"{path}.json")
    assert await ann.ids(f"{path}.json", **{"ids[]": str(record_id)}) == []
    assert record_id not in await ann.ids(f"{path}.json", updated_since="2020-01-01T00:00:00Z")


async def test_deleting_a_matter_deletes_its_relationships(ann, firm):
    # clio.md §20.14
    firm.delete("matter", 201)
    assert await ann.ids("relationships.json") == []
    assert 1005 in await ann.ids("contacts.json")


async def test_times_have_the_users_own_offset(clio, firm):
    # clio.md §20.18
    firm.put("user", {"id": 502, "time_zone": "Asia/Kolkata"})
    ann, ben = await Visitor(clio).login(501), await Visitor(clio).login(502)
    path = "contacts/1001.json"
    told = [
        (await who.get(path, fields="updated_at")).json()["data"]["updated_at"]
        for who in (ann, ben)
    ]
    assert told == ["2026-03-03T06:00:00-05:00", "2026-03-03T16:30:00+05:30"]
    assert len({datetime.fromisoformat(text) for text in told}) == 1
    summer = (await ann.get("matters/203.json", fields="updated_at")).json()["data"]["updated_at"]
    assert summer.endswith("-04:00")


async def test_changed_links_and_definitions_do_not_move_the_time_of_their_parent(ann, firm, clock):
    # clio.md §20.19
    clock.move(hours=1)
    since = clock.now.isoformat().replace("+00:00", "Z")
    clock.move(hours=1)
    firm.put("relationship", {"id": 303, "matter_id": 201, "contact_id": 1002, "description": "x"})
    firm.put("custom_field", {"id": 5, "name": "Renamed"})
    firm.put("practice_area", {"id": 11, "name": "Renamed"})
    firm.put("matter_stage", {"id": 21, "name": "Renamed"})
    firm.put("user", {"id": 501, "name": "Renamed"})
    firm.delete("relationship", 301)
    firm.restrict_matter(201, [501])
    assert await ann.ids("contacts.json", updated_since=since) == []
    assert await ann.ids("matters.json", updated_since=since) == []
    assert await ann.ids("relationships.json", updated_since=since) == [303]
    assert (await values_of(ann))[5]["field_name"] == "Renamed"


async def test_updated_since_excludes_the_time_itself(ann, firm, clock):
    clock.move(hours=1)
    firm.put("contact", {"id": 1002, "title": "x"})
    at = clock.now.isoformat().replace("+00:00", "Z")
    before = at.replace(":00Z", ":00Z").replace("12:00:00Z", "11:59:59Z")
    assert await ann.ids("contacts.json", updated_since=at) == []
    assert await ann.ids("contacts.json", updated_since=before) == [1002]


async def test_a_single_stage_does_not_exist_in_clios_api(ann):
    assert [record["id"] for record in await ann.listed("matter_stages.json")] != []
    for record in await ann.listed("matter_stages.json"):
        for path in (f"matter_stages/{record['id']}.json", f"matter_stages/{record['id']}"):
            assert (await ann.get(path)).status_code == 404
