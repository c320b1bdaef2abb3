"""A page that is read quickly has exactly what a page that is read with care has [F16, row 49]."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.clio import ceilings, pagination, quick_pages
from app.clio.errors import ClioUnreadable
from app.clio.models import Contact, Matter, Relationship
from app.clio.resources import CONTACTS, MATTERS, RELATIONSHIPS, Page, Resource
from app.sync.pull import mapping
from tests.support.scripted_clio import NOW, ORIGIN

KINDS: list[tuple[Resource[Any], Any, Any]] = [
    (CONTACTS, quick_pages.Contact, mapping.contact_record),
    (MATTERS, quick_pages.Matter, mapping.matter_record),
    (RELATIONSHIPS, quick_pages.Relationship, mapping.relationship_record),
]
NAMES = [resource.name for resource, _, _ in KINDS]


def text_near(ceiling: int) -> st.SearchStrategy[Any]:
    return st.sampled_from(["x" * (ceiling + more) for more in (-1, 0, 1)])


TEXT: st.SearchStrategy[Any] = (
    st.none() | st.text(max_size=8) | text_near(ceilings.TEXT) | st.just("\0")
)
TIME: st.SearchStrategy[Any] = st.none() | st.sampled_from(
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00-05:00",
        "2026-03-01T12:00:00.5+05:30",
        "2026-03-01T12:00:00.123456789Z",
        "2026-03-01T12:00:00.1234565Z",
        "2026-03-01 12:00:00z",
        "2026-03-01t12:00:00Z",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00-00:00",
        "2026-03-01T12:00:00+0530",
        "2026-03-01T12:00:00+05",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
        "2026-W01-1T12:00:00Z",
        " 2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00,5Z",
        "2026-03-01",
        "",
        1772366400,
        True,
    ]
)
DAY: st.SearchStrategy[Any] = st.none() | st.sampled_from(
    ["1984-03-09", "1984-03-09T10:00:00Z", " 1984-03-09 ", "0000-00-00", "1984-02-30", "84-03-09", "", 19840309]
)  # fmt: skip
FLAG: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.sampled_from([0, 1, "true", "no", 1.0])
)
ID: st.SearchStrategy[Any] = st.integers(1, 3) | st.sampled_from(
    [2**63 - 1, 2**63, 10**30, 0, -1, True, "7", 7.0, 7.5, None, "x"]
)
NUMBER: st.SearchStrategy[Any] = (
    st.integers() | st.floats() | st.sampled_from([10**40, 10**400, 1e16, -0.0, 2**64])
)
ETAG: st.SearchStrategy[Any] = st.sampled_from(['"a1"', None, 5, "x" * 1001])


def record(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={"etag": ETAG, **optional, "new": st.just([1])})


def ref(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | record(id=ID, name=TEXT, redacted=FLAG, **more)


def parts(part: st.SearchStrategy[Any], most: int = ceilings.PARTS) -> st.SearchStrategy[Any]:
    listed = st.lists(part | st.none(), max_size=2)
    return st.none() | listed | st.sampled_from([[{}] * most, [{}] * (most + 1), {}, "x"])


STATUS = st.sampled_from(["Open", "open", "PENDING", "Closed", "archived", None, 5, "Open "])
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "contacts": {
        "type": st.sampled_from(["Person", "Company", "person", None, 1]),
        **dict.fromkeys(
            ("name", "prefix", "first_name", "middle_name", "last_name", "title"), TEXT
        ),
        "date_of_birth": DAY,
        "is_client": FLAG,
        "created_at": TIME,
        "updated_at": TIME,
        "company": ref(),
        "email_addresses": parts(
            record(id=ID, name=TEXT, primary=FLAG, address=TEXT | text_near(ceilings.EMAIL))
        ),
        "phone_numbers": parts(
            record(id=ID, name=TEXT, primary=FLAG, number=TEXT | text_near(ceilings.PHONE))
        ),
        "addresses": parts(
            record(
                id=ID,
                primary=FLAG,
                **dict.fromkeys(
                    ("name", "street", "city", "province", "postal_code", "country"), TEXT | NUMBER
                ),
            )
        ),
        "custom_field_values": parts(
            record(
                id=ID,
                field_name=TEXT,
                field_type=TEXT,
                soft_deleted=FLAG,
                value=TEXT | FLAG | NUMBER | text_near(ceilings.VALUE) | st.just([1]),
                custom_field=ref(),
                picklist_option=st.none() | record(id=ID),
            ),
            ceilings.VALUES,
        ),
    },
    "matters": {
        "status": STATUS,
        "display_number": TEXT,
        **dict.fromkeys(("open_date", "pending_date", "close_date"), DAY),
        "created_at": TIME,
        "updated_at": TIME,
        "client": ref(),
        "matter_stage": ref(),
        "practice_area": ref(category=TEXT),
        "group": ref(type=TEXT),
        **dict.fromkeys(
            ("responsible_attorney", "originating_attorney"), ref(email=TEXT, enabled=FLAG)
        ),
    },
    "relationships": {
        "description": TEXT,
        "created_at": TIME,
        "updated_at": TIME,
        "matter": ref(),
        "contact": ref(),
    },
}
PLAIN: dict[str, Any] = {
    "contacts": {
        "id": 1,
        "etag": '"a"',
        "type": "Person",
        "name": "Ann Lee",
        "prefix": None,
        "first_name": "Ann",
        "middle_name": "",
        "last_name": "Lee",
        "title": "x" * ceilings.TEXT,
        "date_of_birth": "1984-03-09",
        "is_client": True,
        "company": {"id": 2, "name": "Acme"},
        "created_at": "2026-03-01T12:00:00-05:00",
        "updated_at": "2026-03-01T12:00:00Z",
        "email_addresses": [{"name": "Work", "address": "a@b.test", "primary": True}],
        "phone_numbers": [{"name": "Work", "number": "919 555 0101", "primary": True}],
        "addresses": [
            {
                "name": "Home",
                "street": "12 Elm St",
                "city": "Durham",
                "province": "NC",
                "postal_code": "27701",
                "country": "US",
                "primary": False,
            }
        ],
        "custom_field_values": [
            {
                "id": f"text_line-{nth}",
                "field_name": "F",
                "field_type": "text_line",
                "value": value,
                "soft_deleted": False,
                "custom_field": {"id": 9, "etag": '"a"'},
                "picklist_option": {"id": 4, "etag": '"a"'} if value == "4" else None,
            }
            for nth, value in enumerate(["4", 2.5, 1e17, 10**30, True, None, "x" * ceilings.VALUE])
        ],
    },
    "matters": {
        "id": 2**63 - 1,
        "etag": '"a"',
        "display_number": "00001-Lee",
        "status": "Pending",
        "open_date": "2026-01-01",
        "pending_date": None,
        "close_date": None,
        "created_at": "2026-03-01T12:00:00.123456+05:30",
        "updated_at": None,
        "client": {"id": 1},
        "practice_area": {"id": 3, "name": "Family", "category": "family"},
        "matter_stage": {"id": 4, "name": "Discovery"},
        "group": {"id": 5, "type": "AccountGroup"},
        "responsible_attorney": {"id": 6, "name": "Bo", "email": "b@b.test", "enabled": True},
        "originating_attorney": None,
    },
    "relationships": {
        "id": 1,
        "etag": '"a"',
        "description": "Judge",
        "matter": {"id": 1},
        "contact": {"id": 2},
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
    },
}


def body_of(data: list[Any], **more: Any) -> bytes:
    document = {"data": data, "meta": {"paging": {}, "records": 9}, **more}
    return json.dumps(document).replace("Infinity", "1e999").encode()


def page_of(resource: Resource[Any], body: bytes) -> Page[Any] | str:
    address = httpx.URL(ORIGIN + resource.path)
    try:
        return pagination.parse_page(resource, body, address=address, asked_at=NOW)
    except ClioUnreadable as error:
        return str(error)


def with_care(resource: Resource[Any], body: bytes) -> Page[Any] | str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_pages, "kind_for", lambda *_: None)
        return page_of(resource, body)


def mapped(page: Page[Any] | str, mapper: Any) -> Any:
    if isinstance(page, str):
        return page
    found = replace(page, items=tuple(mapper(item) for item in page.items))
    times = [(item.created_at, item.updated_at) for item in page.items]
    assert {time.tzinfo for pair in times for time in pair if time} <= {UTC}
    return [item.id for item in page.items], times, found


def assert_equal(resource: Resource[Any], body: bytes) -> Page[Any] | str:
    (mapper,) = (mapper for known, _, mapper in KINDS if known is resource)
    found = page_of(resource, body)
    # the text tells 1 from True and 0.0 from -0.0
    assert repr(mapped(found, mapper)) == repr(mapped(with_care(resource, body), mapper))
    return found


@pytest.mark.parametrize(("resource", "kind", "mapper"), KINDS, ids=NAMES)
def test_any_page_is_read_as_with_care(resource: Resource[Any], kind: Any, mapper: Any):
    fields = FIELDS[resource.name]
    plain = PLAIN[resource.name]
    changed = st.fixed_dictionaries(
        {}, optional=fields
    ).flatmap(  # some fields are odd, most are not
        lambda odd: (
            st.sets(st.sampled_from(sorted(odd)), max_size=2).map(
                lambda names: {**plain, **{name: odd[name] for name in names}}
            )
            if odd
            else st.just(plain)
        )
    )
    whole = st.fixed_dictionaries({"id": ID}, optional=fields)

    @given(st.lists(changed | whole | st.sampled_from([None, 5, [], {}]), max_size=3))
    def check(data: list[Any]) -> None:
        assert_equal(resource, body_of(data))

    check()


@pytest.mark.parametrize(("resource", "kind", "mapper"), KINDS, ids=NAMES)
def test_a_page_as_documented_is_read_quickly(resource: Resource[Any], kind: Any, mapper: Any):
    plain = PLAIN[resource.name]
    asked = {entry.partition("{")[0] for entry in resource.fields}
    assert plain.keys() == asked
    page = assert_equal(resource, body_of([plain, plain]))
    assert isinstance(page, Page)
    assert [type(item) for item in page.items] == [kind, kind]
    assert page.total == 9


@pytest.mark.parametrize(("resource", "kind", "mapper"), KINDS, ids=NAMES)
@given(data=st.data())
def test_each_value_in_an_odd_form_is_read_as_with_care(
    resource: Resource[Any], kind: Any, mapper: Any, data: st.DataObject
):
    name = data.draw(st.sampled_from(sorted(FIELDS[resource.name])))
    odd = data.draw(FIELDS[resource.name][name])
    plain = PLAIN[resource.name]
    body = body_of([plain, {**plain, "id": 7, name: odd}])
    page = assert_equal(resource, body)
    assert isinstance(page, Page)
    if quick_pages.kind_for(resource.name, body):  # an odd record does not slow the others
        assert isinstance(page.items[0], kind)


BROKEN = [
    b'"\\ud800"',
    b'"\xff"',
    b"NaN",
    b'"a\nb"',
    b"[" * 5000,
    b"9" * 5000,
    b"1e999",
    b'"\\u0000"',
    b'{"a":1,}',
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", ["name", "title", "etag", "new", "custom_field_values", "id"])
def test_a_record_that_is_broken_is_read_as_with_care(broken: bytes, name: str):
    closed = broken + b"]" * broken.count(b"[")
    record = b'{"id":2,"' + name.encode() + b'":' + closed + b"}"
    assert_equal(CONTACTS, b'{"data":[{"id":1},' + record + b',{"id":3}],"meta":{}}')


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:1daten\\u0 ', max_size=60).map(str.encode))
@example(b'{"data":[],"data":[{"id":1}]}')
@example(b'{"data":[{"id":1,"id":2}]}')
@example(b'{"data":[{"id":1}],"more":"\\ud800"}')
@example(b'{"data":[{"id":1}],"meta":"\\ud800"}')
@example(b'{"data":[{"id":1}],"meta":NaN}')
@example(b'{"data":[{"id":1}],"meta":[]}')
@example(b'{"data":{"id":1}}')
@example(b'{"meta":{}}')
@example(b'\xef\xbb\xbf{"data":[]}')
@example(b'{"data":[{"id":1}]} x')
def test_any_body_is_read_as_with_care(body: bytes):
    assert_equal(CONTACTS, body)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (Contact, quick_pages.Contact),
        (Matter, quick_pages.Matter),
        (Relationship, quick_pages.Relationship),
    ],
)
def test_the_structs_have_the_fields_of_the_models(model: Any, kind: Any):
    assert set(kind.__struct_fields__) == set(model.model_fields)


def test_times_are_converted_to_utc():
    page = page_of(MATTERS, body_of([PLAIN["matters"]]))
    assert isinstance(page, Page)
    assert page.items[0].created_at == datetime(2026, 3, 1, 6, 30, 0, 123456, tzinfo=UTC)
    assert msgspec.structs.asdict(page.items[0])["created_at"].tzinfo is UTC
