"""A value that cannot be read is left out alone, and what is not JSON in one record leaves the others [F16, row 49]."""

import json
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from app.clio import broken_json, ceilings, pagination
from app.clio.errors import ClioUnreadable
from app.clio.models import Contact
from app.clio.resources import CONTACTS, CUSTOM_FIELDS, MATTERS, Page, Resource
from tests.support.scripted_clio import NOW, ORIGIN

CANARY = "Zwetschgenknödel"
GOOD = {"name": "Alice Moreno", "title": "Teacher"}


def read(data: bytes | list[Any], resource: Resource[Any] = CONTACTS) -> Page[Any]:
    body = data if isinstance(data, bytes) else json.dumps({"data": data}).encode()
    body = body.replace(b"Infinity", b"1e999")
    address = httpx.URL(ORIGIN + resource.path)
    return pagination.parse_page(resource, body, address=address, asked_at=NOW)


def field_value(content: Any, **more: Any) -> dict[str, Any]:
    return {
        "custom_field_values": [
            {"id": "picklist-1", "field_name": "Tier", "custom_field": {"id": 17}, "value": content}
            | more,
            {"id": "text_line-2", "field_name": "Nick", "custom_field": {"id": 18}, "value": "Al"},
        ]
    }


UNREADABLE: list[tuple[str, dict[str, Any], str]] = [
    ("birthday of zeros", {"date_of_birth": "0000-00-00"}, "date_of_birth"),
    ("empty birthday", {"date_of_birth": ""}, "date_of_birth"),
    ("birthday in words", {"date_of_birth": CANARY}, "date_of_birth"),
    ("birthday is a number", {"date_of_birth": 19840309}, "date_of_birth"),
    ("NUL", {"first_name": f"{CANARY}\x00"}, "first_name"),
    ("NUL in a list", {"email_addresses": [{"address": f"{CANARY}\x00"}]}, "email_addresses"),
    ("name is a list", {"last_name": [CANARY]}, "last_name"),
    ("no list", {"phone_numbers": CANARY}, "phone_numbers"),
    ("no record in it", {"addresses": [CANARY, {"city": "Raleigh"}]}, "addresses"),
    ("time without a zone", {"updated_at": "2026-01-01T00:00:00"}, "updated_at"),
    ("time out of range", {"updated_at": "0001-01-01T00:00:00+14:00"}, "updated_at"),
    ("flag in words", {"is_client": CANARY}, "is_client"),
    ("company without an id", {"company": {"name": CANARY}}, "company"),
    ("company with a word for an id", {"company": {"id": CANARY}}, "company"),
    ("value is a record", field_value({CANARY: CANARY}), "custom_field_values.17"),
    ("value is a list", field_value(["41", "42"]), "custom_field_values.17"),
    ("value without end", field_value(1e999), "custom_field_values.17"),
    ("value with NUL", field_value("\x00"), "custom_field_values.17"),
    ("value and field unreadable", field_value("x" * 10_001, custom_field={"id": CANARY}),
     "custom_field_values.unknown"),
    ("value of an unreadable field", field_value("x", custom_field={"id": CANARY}), "custom_field_values.unknown"),
    ("e-mail address longer than any", {"email_addresses": [{"address": "x" * 321}]}, "email_addresses"),
    ("phone number longer than any", {"phone_numbers": [{"number": "1" * 501}]}, "phone_numbers"),
    ("more custom values than any", {"custom_field_values": [{"id": None}] * 2_001}, "custom_field_values.unknown"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "field"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE]
)
def test_a_value_that_cannot_be_read_is_left_out_alone_and_named(sent: dict[str, Any], field: str):
    found = read([{"id": 1, **GOOD}, {"id": 2, **GOOD, **sent}, {"id": 3}])
    assert [item.id for item in found.items] == [1, 2, 3]
    assert (found.items[1].name, found.items[1].title) == ("Alice Moreno", "Teacher")
    assert found.unreadable == ()
    assert list(found.unread) == [2]
    (unread,) = found.unread[2]
    assert (unread.field, unread.cut) == (field, False)
    assert CANARY not in unread.reason


READABLE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("numeric postal code", {"addresses": [{"id": 1, "postal_code": 27601}]},
     {"addresses": [{"postal_code": "27601"}]}),
    ("e-mail with a word for an id", {"email_addresses": [{"id": "x", "address": "a@b"}]},
     {"email_addresses": [{"address": "a@b"}]}),
    ("parts without ids", {"phone_numbers": [{"number": "1"}]}, {"phone_numbers": [{"number": "1"}]}),
    ("nulls among parts", {"addresses": [None, {"city": "Raleigh"}, None]}, {"addresses": [{"city": "Raleigh"}]}),
    ("lists null", {"addresses": None, "custom_field_values": None}, {}),
    ("birthday as a time with a zone", {"date_of_birth": "1984-03-09T00:00:00-05:00"},
     {"date_of_birth": date(1984, 3, 9)}),
    ("option id as a number", field_value(41), {}),
    ("option without an id beside a value", field_value("41", picklist_option={"etag": "x"}), {}),
    ("option with a word for an id beside a value", field_value("41", picklist_option={"id": CANARY}), {}),
    ("field with a word for a name beside a value", field_value("41", custom_field={"id": 17, "name": []}), {}),
    ("id as text", {"id": "2"}, {}),
    ("numbers for names", {"last_name": 5, "first_name": 2.5}, {"last_name": "5", "first_name": "2.5"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "expected"), [row[1:] for row in READABLE], ids=[row[0] for row in READABLE]
)
def test_a_value_in_another_form_is_read_without_a_word(
    sent: dict[str, Any], expected: dict[str, Any]
):
    found = read([{"id": 2, **GOOD, **sent}])
    (item,) = found.items
    assert (item.id, found.unread, found.unreadable) == (2, {}, ())
    shown = Contact.model_validate(item, from_attributes=True).model_dump(exclude_defaults=True)
    for name, value in expected.items():
        if isinstance(value, list):
            assert list(shown[name]) == value
        else:
            assert shown[name] == value


def test_what_can_be_read_of_a_part_is_kept():
    parts = [{"city": ["?"], "street": "12 Elm St"}, 5, {"city": "Durham", "primary": "maybe"}]
    found = read([{"id": 2, "addresses": parts}])
    shown = [part.model_dump(exclude_none=True) for part in found.items[0].addresses]
    assert shown == [{"street": "12 Elm St"}, {"city": "Durham"}]
    assert [unread.field for unread in found.unread[2]] == ["addresses"]


def test_a_custom_value_that_cannot_be_read_counts_as_withheld_and_the_others_stay():
    bad, good = read([{"id": 2, **field_value([1])}]).items[0].custom_field_values
    assert (bad.custom_field.id, bad.value, bad.field_name) == (17, None, None)
    assert (good.custom_field.id, good.value) == (18, "Al")


def test_a_longer_text_for_people_is_cut_and_a_longer_list_too():
    sent = {"title": "x" * 5_000_000, "addresses": [{"street": "s" * 2_000}] * 101}
    found = read([{"id": 2, **sent, **field_value("v" * 10_001)}])
    (item,) = found.items
    assert item.title == "x" * ceilings.TEXT
    assert [part.street for part in item.addresses] == ["s" * ceilings.TEXT] * ceilings.PARTS
    assert item.custom_field_values[0].value == "v" * ceilings.VALUE
    assert {(unread.field, unread.cut) for unread in found.unread[2]} == {
        ("title", True), ("addresses", True), ("custom_field_values", True)
    }  # fmt: skip


def test_the_status_of_a_matter_may_be_unreadable():
    found = read([{"id": 1, "status": "archived"}, {"id": 2, "status": None}], MATTERS)
    named = {clio_id: [value.field for value in unread] for clio_id, unread in found.unread.items()}
    assert ([item.id for item in found.items], named) == ([1, 2], {1: ["status"], 2: ["status"]})


def test_a_definition_keeps_the_options_that_can_be_read():
    options = [{"id": 41, "option": "Gold"}, {"option": "Lead"}, None]
    found = read([{"id": 17, "picklist_options": options}], CUSTOM_FIELDS)
    assert [option.option for option in found.items[0].picklist_options] == ["Gold"]
    assert [unread.field for unread in found.unread[17]] == ["picklist_options"]


BROKEN: list[tuple[str, bytes, str]] = [
    ("lone surrogate", b'{"id": 2, "name": "\\ud800"}', "not valid Unicode"),
    ("half an emoji before a letter", b'{"id": 2, "name": "\\ud83dx"}', "not valid Unicode"),
    ("surrogate in a key", b'{"id": 2, "\\udc00": 1}', "not valid Unicode"),
    ("stray byte", b'{"id": 2, "name": "\xff"}', "not valid Unicode"),
    ("latin-1", b'{"name": "M\xfcller, \\"x\\" [", "id": 2}', "not valid Unicode"),
    ("NaN", b'{"id": 2, "name": NaN}', "not valid JSON"),
    ("line break in a text", b'{"id": 2, "name": "a\nb"}', "not valid JSON"),
    ("deep nesting", b'{"deep": ' + b"[" * 5000 + b"]" * 5000 + b', "id": 2}', "nested too deeply"),
    ("number of too many digits", b'{"id": 2, "n": ' + b"9" * 5000 + b"}", "not valid JSON"),
]


@pytest.mark.parametrize(
    ("record", "reason"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_record_that_is_not_json_is_put_aside_with_its_id_and_the_page_is_read(
    record: bytes, reason: str
):
    after = b'?page_token=t"}, "records": 9}}'
    meta = b', "meta": {"paging": {"next": "' + ORIGIN.encode() + b"/api/v4/contacts.json" + after
    found = read(b'{"data": [{"id": 1}, ' + record + b', {"id": 3, "name": "x"}]' + meta)
    assert [item.id for item in found.items] == [1, 3]
    (aside,) = found.unreadable
    assert aside.clio_id == 2
    assert reason in aside.reason
    assert (found.cursor, found.total) == ("t", 9)


NO_ID = [
    b'{"name": "\\ud800", "inner": {"id": 7}}',
    b'{"name": "\\ud800", "id": "x"}',
    b'{"name": "\\ud800", "type": "id"}',
    b'{"name": "\\ud800", "id": 99999999999999999999}',
    b'"\\ud800"',
]


@pytest.mark.parametrize("record", NO_ID)
def test_a_record_that_is_not_json_may_lack_an_id(record: bytes):
    (aside,) = read(b'{"data": [' + record + b"]}").unreadable
    assert aside.clio_id is None


@pytest.mark.parametrize(
    "body",
    [b'{"data": [{"id": 1, "name": "\\ud800"', b'{"data": "\\ud800"}', b"\xff", b'{"data": [{"id": NaN}], }',
     b'{"data": [' + b"[]," * 200_000 + b"NaN]}"],
    ids=["cut off", "no list", "no JSON", "broken around the records", "too many brackets"],
)  # fmt: skip
def test_a_page_that_is_broken_around_its_records_is_no_page(body: bytes):
    with pytest.raises(ClioUnreadable, match="contacts: Clio's response is not JSON"):
        read(body)


@pytest.mark.parametrize("body", [b"null", b"[]", b"5"])
def test_an_answer_that_is_no_object_is_named_by_its_list(body: bytes):
    with pytest.raises(ClioUnreadable, match="contacts: Clio's response is not a JSON object"):
        read(body)
    with pytest.raises(ClioUnreadable, match="matters: "):
        read(body, MATTERS)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "data", "a"]), inner),
    max_leaves=10,
)  # fmt: skip


@given(
    st.fixed_dictionaries({"data": st.lists(any_json, max_size=4)}, optional={"meta": any_json}),
    st.sampled_from([None, 1]),
)
def test_a_page_that_is_taken_apart_is_the_page(document: dict[str, Any], indent: int | None):
    for ascii_only in (True, False):
        body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
        assert broken_json.parse_document(body) == from_json(body) == document
