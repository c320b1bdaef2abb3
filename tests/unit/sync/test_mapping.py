"""From Clio's models to the mirror's records: nulls everywhere, and the odd custom values of clio/api.md §16.6."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.clio import resources
from app.clio.models import Contact, Matter, Relationship
from app.rules.records import Attorney, CustomValue, Email, MatterStatus, Phone
from app.sync.mapping import catalog_item, contact_record, matter_record, relationship_record


def values(*listed: dict[str, Any]) -> tuple[CustomValue, ...]:
    contact = Contact.model_validate({"id": 1001, "custom_field_values": list(listed)})
    return contact_record(contact).custom_values


def value(field_id: int | None, content: Any, **more: Any) -> dict[str, Any]:
    field = None if field_id is None else {"id": field_id}
    kind = {"field_name": "Nickname", "field_type": "text_line"}
    return {"id": f"text_line-{field_id}", "custom_field": field, "value": content, **kind, **more}


STRIPPED = {"field_name": None, "field_type": None}
VALUES: list[tuple[str, dict[str, Any], tuple[CustomValue, ...]]] = [
    ("text", value(5, "Allie"), (CustomValue(5, "Allie"),)),
    ("boolean", value(1, content=True), (CustomValue(1, value=True),)),
    ("number", value(3, 2), (CustomValue(3, 2),)),
    ("decimal", value(2, 2.5), (CustomValue(2, 2.5),)),
    ("false is a value", value(1, content=False), (CustomValue(1, value=False),)),
    ("soft-deleted", value(5, "x", soft_deleted=True), (CustomValue(5, "x", soft_deleted=True),)),
    ("option id", value(4, "9002"), (CustomValue(4, "9002"),)),
    ("option beside no value", value(4, None, picklist_option={"id": 9002}), (CustomValue(4, "9002"),)),
    ("placeholder, never filled", value(5, None, id=None), ()),
    ("placeholder with an id", value(5, None), ()),
    ("stripped", value(5, None, **STRIPPED), (CustomValue(5, stripped=True),)),
    ("stripped of its field too", value(None, None, id="text_line-5", **STRIPPED), (CustomValue(0, stripped=True),)),
    ("nothing at all", value(5, None, id=None, **STRIPPED), ()),
    ("of no field", value(None, "x"), ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "expected"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES]
)
def test_a_custom_value_is_kept_empty_or_stripped(sent, expected):
    found = values(sent)
    assert found == expected
    assert [type(item.value) for item in found] == [type(item.value) for item in expected]


def test_values_stand_in_the_order_of_their_fields():
    assert [item.field_id for item in values(value(5, "x"), value(2, "1"), value(4, "9"))] == [
        2,
        4,
        5,
    ]


KINDS = [
    ({"type": "Person"}, True),
    ({"type": "Company"}, False),
    ({"type": None, "first_name": "Al"}, True),
    ({"last_name": "Moreno"}, True),
    ({"name": "Northwind"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("sent", "expected"), KINDS)
def test_who_bears_a_first_or_last_name_is_a_person_though_clio_does_not_say(sent, expected):
    assert contact_record(Contact.model_validate({"id": 1, **sent})).is_person is expected


def test_a_contact_without_anything_maps_to_an_empty_record():
    found = contact_record(Contact.model_validate({"id": 1}))
    assert (found.name, found.is_client, found.company_id, found.emails) == (None, False, None, ())


def test_a_redacted_company_is_known_by_its_id():
    sent = {"id": 1007, "type": "Person", "company": {"id": 2001, "redacted": True}}
    found = contact_record(Contact.model_validate(sent))
    assert (found.company_id, found.company_name) == (2001, None)


def test_lists_keep_clios_order_and_lose_what_is_blank():
    sent = {
        "id": 1,
        "email_addresses": [{"address": None}, {"address": "a@x", "name": "Home", "primary": True}],
        "phone_numbers": [{"number": "1", "primary": None}, {"number": ""}],
        "addresses": [{"name": "Home", "city": "Raleigh", "province": "NC", "primary": True}],
    }
    found = contact_record(Contact.model_validate(sent))
    assert found.emails == (Email("a@x", "Home", primary=True),)
    assert found.phones == (Phone("1"),)
    [address] = found.addresses
    assert (address.kind, address.city, address.province, address.primary) == (
        "Home",
        "Raleigh",
        "NC",
        True,
    )


def test_a_matter_bears_its_names_its_group_and_its_people():
    sent = {
        "id": 201,
        "status": "Open",
        "display_number": "00201-Moreno",
        "client": {"id": 1001},
        "practice_area": {"id": 11, "name": "Family Law", "category": "family"},
        "matter_stage": {"id": 21, "name": "Discovery"},
        "group": {"id": 31, "type": "AdhocGroup"},
        "responsible_attorney": {"id": 501, "name": "Ann Harlow"},
        "open_date": "2026-03-01",
        "updated_at": "2026-03-01T12:00:00-05:00",
    }
    found = matter_record(Matter.model_validate(sent))
    assert found.status is MatterStatus.OPEN
    assert (found.number, found.client_id) == ("00201-Moreno", 1001)
    assert (found.practice_area_id, found.practice_area, found.practice_area_category) == (
        11,
        "Family Law",
        "family",
    )
    assert (found.stage_id, found.stage) == (21, "Discovery")
    assert (found.group_id, found.group_type) == (31, "AdhocGroup")  # S7, §15 row 22
    assert (found.responsible, found.originating) == (Attorney(501, "Ann Harlow"), None)
    assert found.open_date == date(2026, 3, 1)
    assert found.updated_at == datetime(2026, 3, 1, 17, tzinfo=UTC)


def test_a_matter_of_which_little_is_shown_has_gaps():
    found = matter_record(
        Matter.model_validate(
            {"id": 201, "status": "closed", "group": {"id": 31, "redacted": True}}
        )
    )
    assert (found.client_id, found.practice_area, found.stage, found.responsible) == (None,) * 4
    assert (found.group_id, found.group_type) == (31, None)


def test_a_relationship_needs_both_its_ends():
    sent = {"id": 301, "description": "Spouse", "matter": {"id": 201}, "contact": {"id": 1005}}
    found = relationship_record(Relationship.model_validate(sent))
    assert found is not None
    assert (found.matter_id, found.contact_id, found.description) == (201, 1005, "Spouse")
    for end in ("matter", "contact"):
        assert relationship_record(Relationship.model_validate({**sent, end: None})) is None


def test_nothing_but_clio_manage_is_asked():
    # CS-9: Clio Grow is another product behind other addresses
    asked = [value for value in vars(resources).values() if isinstance(value, resources.Resource)]
    assert len(asked) == 7
    assert all(resource.path.startswith("/api/v4/") for resource in asked)


def test_a_catalog_item_is_what_clio_said_less_what_only_versions_it():
    item = catalog_item(
        Relationship.model_validate({"id": 1, "etag": "x", "description": "Spouse"})
    )
    assert "etag" not in item
    assert item["description"] == "Spouse"
