"""Tests of the mapping from Clio's models to mirror records, with odd values of live accounts (F16, row 34)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.clio import models
from app.rules.records import (
    Address,
    Attorney,
    ContactRecord,
    CustomValue,
    Email,
    MatterRecord,
    MatterStatus,
    Phone,
    RelationshipRecord,
)
from app.sync.pull import mapping

FIELD = {"custom_field": {"id": 7, "etag": "x"}, "field_name": "Tier", "field_type": "picklist"}


def contact(**more: Any) -> ContactRecord:
    return mapping.contact_record(models.Contact.model_validate({"id": 1, **more}))


def matter(**more: Any) -> MatterRecord:
    return mapping.matter_record(models.Matter.model_validate({"id": 1, "status": "Open", **more}))


def values(*given: dict[str, Any]) -> tuple[CustomValue, ...]:
    return contact(custom_field_values=list(given)).custom_values


def test_a_contact_without_fields_becomes_an_empty_record():
    assert contact() == ContactRecord(clio_id=1, is_person=None)
    nothing = dict.fromkeys(set(models.Contact.model_fields) - {"id"})
    assert contact(**nothing) == ContactRecord(clio_id=1, is_person=None)


def test_all_fields_of_a_contact_are_kept():
    # DM-1..5
    assert contact(
        type="Person", name="Ann B. Cole", first_name="Ann", middle_name="B.", last_name="Cole",
        prefix="Ms", title="CFO", date_of_birth="1980-02-29", is_client=True,
        company={"id": 2, "name": "Acme"},
        email_addresses=[{"id": 1, "name": "Work", "address": "a@x.test", "primary": True}],
        phone_numbers=[{"id": 1, "name": "Mobile", "number": "(212) 555 0100 x5", "primary": False}],
        addresses=[{"name": "Home", "street": "1 A St\nApt 2", "city": "B", "province": "NY",
                    "postal_code": "1", "country": "US", "primary": True}],
        custom_field_values=[{"id": "picklist-1", **FIELD, "value": "9002"}],
        created_at="2025-08-14T00:15:35-04:00", updated_at="2025-08-14T04:15:36Z",
    ) == ContactRecord(
        1, True, "Ann B. Cole", "Ann", "B.", "Cole", "Ms", "CFO", date(1980, 2, 29), True, 2, "Acme",
        (Email("a@x.test", "Work", True),), (Phone("(212) 555 0100 x5", "Mobile"),),
        (Address("Home", "1 A St\nApt 2", "B", "NY", "1", "US", True),), (CustomValue(7, "9002"),),
        datetime(2025, 8, 14, 4, 15, 35, tzinfo=UTC), datetime(2025, 8, 14, 4, 15, 36, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "is_person"), [("Person", True), ("Company", False), (None, None)]
)
def test_a_contact_is_a_person_a_company_or_of_unknown_type(
    kind: str | None, is_person: bool | None
):
    assert contact(type=kind).is_person is is_person


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("email_addresses", [{"id": 5, "etag": "stub"}, {"address": ""}, {"address": None}]),
        ("phone_numbers", [{"id": 5, "etag": "stub"}, {"number": ""}, {"number": None}]),
        ("custom_field_values", [{"id": None, "value": None, **FIELD}]),
        ("custom_field_values", [{"id": "text_line-1", "value": None, **FIELD}]),
        ("custom_field_values", [{"id": "text_line-1", "value": "x", "field_name": "Tier", "custom_field": None}]),
        ("company", None),
    ],
)  # fmt: skip
def test_a_stub_or_a_placeholder_becomes_none(field: str, given: Any):
    assert contact(**{field: given}) == contact()


@pytest.mark.parametrize(
    "value", [True, False, "true", "Yes", "1", 1, 0, 12.5, "12.50", "2026-01-31", "9002", 9002, ""]
)
def test_a_custom_value_keeps_its_type(value: Any):
    # clio.md §16.6: live accounts send booleans, numbers and texts; the rules read them leniently
    (kept,) = values({"id": "x-1", "value": value, **FIELD})
    assert kept == CustomValue(7, value)
    assert type(kept.value) is type(value)


def test_the_value_of_a_deleted_field_is_marked_as_deleted():
    (kept,) = values({"id": "x-1", "value": "y", "soft_deleted": True, **FIELD})
    assert kept.soft_deleted


def test_values_that_clio_withholds_are_unknown():
    # F19: an id alone is not an empty value
    held = {
        "id": "text_line-1",
        "field_name": None,
        "field_type": None,
        "value": None,
        "custom_field": {"id": 8},
    }
    told = {"id": "x-1", "value": "y", **FIELD}
    kept = {value.field_id: value for value in values(held, told)}
    assert kept[8] == CustomValue(8, stripped=True)
    assert not any(value.stripped for field_id, value in kept.items() if field_id != 8)
    assert not any(value.stripped for value in values(told, {"id": None}))


@pytest.mark.parametrize(
    ("said", "status"),
    [("Open", MatterStatus.OPEN), ("open", MatterStatus.OPEN), ("PENDING", MatterStatus.PENDING),
     ("Closed", MatterStatus.CLOSED)],
)  # fmt: skip
def test_a_status_is_read_in_any_case(said: str, status: MatterStatus):
    assert matter(status=said).status is status


def test_only_the_status_decides_whether_a_matter_is_open():
    # clio.md §16.4: a close date in the future, or on an open matter, can occur
    kept = matter(status="Open", close_date="2031-01-01")
    assert (kept.status, kept.close_date) == (MatterStatus.OPEN, date(2031, 1, 1))


def test_all_fields_of_a_matter_are_kept():
    assert matter(
        display_number="00012-Smith", client={"id": 2}, practice_area={"id": 3, "name": "Tax", "category": "tax"},
        matter_stage={"id": 4, "name": "Discovery"}, group={"id": 5, "name": "All"},
        responsible_attorney={"id": 6, "name": "R", "email": "r@x.test", "enabled": True},
        originating_attorney={"id": 7, "redacted": True},
        open_date="2026-01-01", pending_date="2025-12-01", created_at="2025-12-01T00:00:00Z",
    ) == MatterRecord(
        1, MatterStatus.OPEN, "00012-Smith", 2, 3, "Tax", "tax", 4, "Discovery", 5, None,
        Attorney(6, "R"), Attorney(7, None), date(2026, 1, 1), date(2025, 12, 1), None,
        datetime(2025, 12, 1, tzinfo=UTC),
    )  # fmt: skip


def test_a_matter_without_associations_is_kept():
    nothing = dict.fromkeys(set(models.Matter.model_fields) - {"id", "status"})
    assert matter(**nothing) == MatterRecord(1, MatterStatus.OPEN)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({"matter": {"id": 2}, "contact": {"id": 3}}, RelationshipRecord(1, 2, 3, "Judge")),
        (
            {"matter": {"id": 2, "redacted": True}, "contact": {"id": 3}},
            RelationshipRecord(1, 2, 3, "Judge"),
        ),
        ({"matter": {"id": 2}, "contact": None}, None),
        ({"matter": None, "contact": {"id": 3}}, None),
        ({}, None),
    ],
)
def test_a_relationship_is_kept_when_both_ends_are_shown(
    ends: Any, expected: RelationshipRecord | None
):
    model = models.Relationship.model_validate({"id": 1, "description": "Judge", **ends})
    assert mapping.relationship_record(model) == expected


def test_the_catalog_keeps_clios_fields_except_those_that_change_by_themselves():
    field = models.CustomField.model_validate({
        "id": 7, "etag": "e", "name": "Tier", "field_type": "picklist", "updated_at": "2026-01-01T00:00:00Z",
        "picklist_options": [{"id": 1, "option": "Gold", "deleted_at": "2026-01-01T01:00:00+01:00"}],
    })  # fmt: skip
    kept = mapping.catalog_item(field)
    assert "etag" not in kept
    assert "updated_at" not in kept
    assert kept["picklist_options"] == [
        {"id": 1, "option": "Gold", "deleted_at": "2026-01-01T00:00:00Z"}
    ]
