"""Tests of the mapping with odd values of Clio: stripped, never filled, redacted, unnamed (clio.md §16.6)."""

from typing import Any

import pytest

from app.clio import resources
from app.clio.models import Contact
from app.rules.records import CustomValue
from app.sync.pull.mapping import contact_record


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


def test_values_are_in_the_order_of_their_fields():
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
def test_a_contact_with_a_first_or_last_name_is_a_person_although_clio_sends_no_type(
    sent, expected
):
    assert contact_record(Contact.model_validate({"id": 1, **sent})).is_person is expected


def test_a_redacted_company_is_known_by_its_id():
    sent = {"id": 1007, "type": "Person", "company": {"id": 2001, "redacted": True}}
    found = contact_record(Contact.model_validate(sent))
    assert (found.company_id, found.company_name) == (2001, None)


def test_only_clio_manage_is_requested():
    # CS-9: Clio Grow is another product with other addresses
    asked = [value for value in vars(resources).values() if isinstance(value, resources.Resource)]
    assert len(asked) == 10
    assert all(resource.path.startswith("/api/v4/") for resource in asked)
