"""Parsing of pages: a page is accepted completely or not at all; an invalid record is reported, never quoted."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clio import pagination, resources
from app.clio.errors import ClioUnreadable
from app.clio.resources import CONTACTS, MATTERS, Page, Resource
from tests.support.scripted_clio import NOW, ORIGIN

CANARY = "Zwetschgenknödel"
ALL = [value for value in vars(resources).values() if isinstance(value, Resource)]


def parsed(document: Any, resource: Resource[Any] = CONTACTS) -> Page[Any]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    address = httpx.URL(ORIGIN + resource.path)
    return pagination.parse_page(resource, body, address=address, asked_at=NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("https://xn--/"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "data", "meta", "paging", "next", "records", "name", "custom_field"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
poisoned = dict.fromkeys(CONTACTS.model.model_fields, json_values)
pages = st.fixed_dictionaries(
    {"data": st.lists(st.fixed_dictionaries({}, optional=poisoned), max_size=3)},
    optional={
        "meta": st.fixed_dictionaries(
            {},
            optional={
                "records": json_values,
                "paging": st.fixed_dictionaries({}, optional={"next": json_values | st.text()}),
            },
        )
    },
)


@given(st.binary(max_size=200) | (json_values | pages).map(lambda v: json.dumps(v).encode()))
def test_any_body_is_a_page_or_unreadable(body: bytes):
    try:
        found = parsed(body)
    except ClioUnreadable:
        return
    assert all(0 < item.id < 2**63 for item in found.items)
    assert found.total is None or 0 <= found.total < 2**31


@pytest.mark.parametrize("resource", ALL, ids=lambda resource: resource.name)
@given(st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_a_record_of_any_list_is_read_or_reported_as_unreadable(
    resource: Resource[Any], record: dict[str, Any]
):
    try:
        found = parsed({"data": [{"id": 1, "status": "Open", **record}]}, resource)
    except ClioUnreadable:  # a key that is not JSON breaks the record, not the list
        raise AssertionError(record) from None
    assert len(found.items) + len(found.unreadable) == 1


POISON: dict[str, dict[str, Any]] = {
    "unknown type": {"type": CANARY},
    "type is a record": {"type": {CANARY: CANARY}},
    "id too large": {"id": 2**63},
    "id of zero": {"id": 0},
    "id is true": {"id": True},
    "id is a word": {"id": CANARY},
    "no id": {"id": None, "name": CANARY},
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_record_without_a_readable_id_or_type_is_reported_without_its_content(
    poison: dict[str, Any],
):
    # F16, T9, row 49
    found = parsed({"data": [{"id": 1}, {"id": 2, **poison}, {"id": 3}]})
    assert [item.id for item in found.items] == [1, 3]
    (aside,) = found.unreadable
    assert aside.clio_id == (None if "id" in poison else 2)
    assert CANARY not in aside.reason
    assert aside.reason.startswith(f"the field {next(iter(poison))} ")


@pytest.mark.parametrize("record", [None, 5, CANARY, [CANARY], {}, {CANARY: CANARY}])
def test_a_value_that_is_not_a_record_is_reported_as_unreadable(record: Any):
    found = parsed({"data": [record]})
    assert found.items == ()
    assert found.unreadable[0].clio_id is None
    assert CANARY not in found.unreadable[0].reason


@pytest.mark.parametrize(
    ("resource", "record"),
    [
        (CONTACTS, {"id": 1}),
        (CONTACTS, {"id": 1, "email_addresses": None, "company": None, "is_client": None}),
        (CONTACTS, {"id": 1, "company": {"id": 2, "redacted": None}}),
        (CONTACTS, {"id": 1, "email_addresses": [{"id": 5, "etag": "stub"}]}),
        (CONTACTS, {"id": 1, "name": "x" * 1_000_000}),
        (CONTACTS, {"id": 1, "custom_field_values": [{"id": None, "value": None}] * 10_000}),
        (MATTERS, {"id": 1, "status": "Open"}),
        (MATTERS, {"id": 1, "status": "closed", "client": {"id": 2, "redacted": True}}),
        (resources.USERS, {"id": 1, "roles": None}),
        (resources.MATTER_STAGES, {"id": 1, "practice_area_id": "12"}),
    ],
)
def test_missing_and_additional_fields_are_accepted(
    resource: Resource[Any], record: dict[str, Any]
):
    found = parsed({"data": [{**record, "new_field": {"deep": [1]}}]}, resource)
    assert len(found.items) == 1


def test_the_same_time_is_equal_for_users_in_all_time_zones():
    times = ["2025-08-14T00:15:35-04:00", "2025-08-14T06:15:35+02:00", "2025-08-14T04:15:35Z"]
    found = parsed({"data": [{"id": i + 1, "updated_at": time} for i, time in enumerate(times)]})
    assert {item.updated_at.isoformat() for item in found.items} == {"2025-08-14T04:15:35+00:00"}


@pytest.mark.parametrize(
    "meta", [None, 5, [], {}, {"paging": None}, {"paging": {}}, {"paging": {"next": None}}]
)
def test_a_page_without_a_next_is_the_last(meta: Any):
    assert parsed({"data": [], "meta": meta}).cursor is None


@pytest.mark.parametrize(
    ("records", "total"),
    [
        (0, 0),
        (7, 7),
        (None, None),
        (-1, None),
        (True, None),
        ("7", None),
        (1.5, None),
        (10**400, None),
    ],
)
def test_a_total_that_is_not_a_valid_number_is_none(records: Any, total: int | None):
    assert parsed({"data": [], "meta": {"records": records}}).total == total
