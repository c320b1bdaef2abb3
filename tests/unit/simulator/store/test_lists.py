"""The simulated Clio's fields, lists, pages and limits (clio.md §20.5, §20.6, §20.7, §20.9, §20.10)."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from app.simulator.faults.rate_limit import RateLimit
from app.simulator.http.server import Simulator
from app.simulator.store.firm import Firm
from app.simulator.store.listing import MAX_UNORDERED
from tests.support.visitor import Clock, Visitor, simulator_with


@pytest.fixture(scope="module")
def large() -> Firm:
    """A firm with more contacts than can be paged without an order."""
    clock = Clock()
    firm = Firm(account_id=1, name="Large", region="us", now=clock)
    firm.put("user", {"id": 1, "name": "One", "roles": ["admin"], "time_zone": "Asia/Kolkata"})
    for nth in range(1, MAX_UNORDERED + 402):
        firm.put(
            "contact", {"id": nth, "type": "Person", "name": f"Person {nth % 7}"}, at=clock.now
        )
        firm.put("relationship", {"id": nth, "matter_id": 1, "contact_id": nth}, at=clock.now)
    firm.put("matter", {"id": 1, "client_id": 1, "status": "open", "display_number": "1"})
    return firm


@pytest.fixture
def vast(large, clock) -> Simulator:
    return simulator_with(large, clock=clock)


@pytest.fixture
async def reader(vast) -> Visitor:
    return await Visitor(vast).login(1)


async def refusal(visitor: Visitor, path: str, **params) -> tuple[int, str, str]:
    answer = await visitor.get(path, **params)
    error = answer.json().get("error", {"type": "", "message": ""})
    return answer.status_code, error["type"], error["message"]


async def test_the_default_fields_are_id_and_etag(ann):
    # clio.md §20.5
    (first, *_) = await ann.listed("contacts.json")
    assert first.keys() == {"id", "etag"}
    single = (await ann.get("contacts/1001.json")).json()["data"]
    assert single.keys() == {"id", "etag"}


async def test_a_nested_record_without_braces_has_id_and_etag(ann):
    # clio.md §20.5
    alice = (await ann.get("contacts/1001.json", fields="id,email_addresses")).json()["data"]
    assert [address.keys() for address in alice["email_addresses"]] == [{"id", "etag"}] * 2


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ("id,nonsense", "nonsense"),
        ("id,company{nonsense}", "nonsense"),
        ("id,name{id}", "id"),
        # seen on a live account
        ("id,custom_field_values{id,value,custom_field{id},picklist_option{id,option}}", "picklist_option}"),
        # Clio's own example of what is too deep, on a matter
        ("id,company{id,company{date_of_birth}}", "company}"),
    ],
)  # fmt: skip
async def test_one_unknown_field_fails_the_whole_request(ann, asked, refused):
    # clio.md §20.5
    answer = await refusal(ann, "contacts.json", fields=asked)
    assert answer == (400, "InvalidFields", f"{refused} is not a valid field")


async def test_a_name_of_the_second_level_gives_id_and_etag(ann):
    # clio.md §20.5
    fields = "id,matter{id,client,status},contact{id,company}"
    link = (await ann.get("relationships/301.json", fields=fields)).json()["data"]
    assert link["matter"]["client"].keys() == {"id", "etag"}
    assert link["matter"]["client"]["id"] == 1001
    assert link["matter"]["status"] == "Open"
    assert link["contact"] == {"id": 1005, "company": None}


@pytest.mark.parametrize("limit", ["201", "0", "-1", "many"])
async def test_a_limit_out_of_bounds_is_refused(ann, limit):
    # clio.md §20.6
    assert (await refusal(ann, "contacts.json", limit=limit))[:2] == (400, "ArgumentError")


async def test_a_limit_over_the_maximum_can_be_reduced_instead(vast, reader):
    # clio.md §20.6: nobody knows which of the two Clio does
    vast.quirks.clamps_limit = True
    answer = await reader.get("contacts.json", limit="5000", order="id(asc)")
    assert len(answer.json()["data"]) == 200
    assert (await refusal(reader, "contacts.json", limit="0"))[0] == 400


async def test_a_page_of_users_has_up_to_two_thousand(ann):
    # clio.md §20.6
    assert (await ann.get("users.json", limit="2000")).status_code == 200
    assert (await refusal(ann, "users.json", limit="2001"))[0] == 400


async def test_pages_have_complete_addresses_and_the_last_names_no_next(reader):
    # clio.md §20.6
    first = await reader.get("contacts.json", order="id(asc)", limit="200", fields="id,name")
    paging = first.json()["meta"]["paging"]
    assert paging.keys() == {"next"}
    assert paging["next"].startswith("https://clio.test/api/v4/contacts.json?")
    asked = parse_qs(urlsplit(paging["next"]).query)
    assert (asked["fields"], asked["limit"], asked["order"]) == (["id,name"], ["200"], ["id(asc)"])
    second = (await reader.http.get(paging["next"])).json()
    assert second["meta"]["paging"].keys() == {"next", "previous"}
    back = (await reader.http.get(second["meta"]["paging"]["previous"])).json()
    assert back["data"] == first.json()["data"]
    last = await reader.get("contacts.json", order="id(asc)", **{"ids[]": "5"})
    assert last.json()["meta"]["paging"] == {}


async def test_a_list_in_id_order_has_no_end(reader):
    # clio.md §20.6
    assert await reader.ids("contacts.json", order="id(asc)") == list(range(1, MAX_UNORDERED + 402))


async def test_without_an_order_pages_past_the_cap_are_out_of_bounds(reader):
    # clio.md §20.6
    walked, answer = 0, await reader.get("contacts.json")
    while answer.status_code == 200:
        walked += len(answer.json()["data"])
        answer = await reader.http.get(answer.json()["meta"]["paging"]["next"])
    assert walked == MAX_UNORDERED
    error = {
        "type": "ArgumentError",
        "message": "page_token is now out of bounds and cannot be used.",
    }
    assert (answer.status_code, answer.json()["error"]) == (422, error)


@pytest.mark.parametrize(("capped", "seen"), [(False, MAX_UNORDERED + 401), (True, MAX_UNORDERED)])
async def test_lists_without_orders_end_at_the_cap_or_do_not(vast, reader, capped, seen):
    # clio.md §20.6: nobody knows which of the two Clio does
    vast.quirks.caps_unordered_lists = capped
    walked, answer = 0, await reader.get("relationships.json")
    while answer.status_code == 200:
        walked += len(answer.json()["data"])
        if "next" not in answer.json()["meta"]["paging"]:
            break
        answer = await reader.http.get(answer.json()["meta"]["paging"]["next"])
    assert walked == seen
    assert answer.status_code == (422 if capped else 200)


async def test_a_capped_list_can_end_without_an_error(vast, reader):
    # clio.md §21: "ends near 10,000" may also mean that there is no link to a next page
    vast.quirks.caps_unordered_lists = vast.quirks.caps_silently = True
    walked, answer = 0, await reader.get("relationships.json")
    while "next" in answer.json()["meta"]["paging"]:
        walked += len(answer.json()["data"])
        answer = await reader.http.get(answer.json()["meta"]["paging"]["next"])
    assert walked + len(answer.json()["data"]) == MAX_UNORDERED
    assert answer.json()["meta"]["records"] == MAX_UNORDERED + 401


async def test_any_other_order_needs_an_offset_and_ends_at_the_cap(reader):
    # clio.md §20.6
    assert (await refusal(reader, "contacts.json", order="name(asc)"))[:2] == (400, "ArgumentError")
    answer = await reader.get("contacts.json", order="name(desc)", offset="0", fields="id,name")
    names = [record["name"] for record in answer.json()["data"]]
    assert names[0] == "Person 6"
    walked = 0
    while answer.status_code == 200:
        walked += len(answer.json()["data"])
        assert parse_qs(urlsplit(answer.json()["meta"]["paging"]["next"]).query)["offset"] == [
            str(walked)
        ]
        answer = await reader.http.get(answer.json()["meta"]["paging"]["next"])
    assert walked == MAX_UNORDERED
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "ArgumentError")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"offset": "9800"}, 200),
        ({"offset": "9801"}, 422),
        ({"offset": "9801", "order": "id(asc)"}, 422),
        ({"offset": "x"}, 400),
        ({"offset": "0", "page_token": "x"}, 400),
        ({"order": "updated_at(asc)", "offset": "0"}, 400),  # contacts cannot be ordered so
        ({"page_token": "x"}, 422),
    ],
)
async def test_offsets_and_tokens_are_checked(reader, params, status):
    # clio.md §20.6
    assert (await refusal(reader, "contacts.json", **params))[0] == status


async def test_a_record_created_while_pages_are_read_moves_no_page(ann, firm):
    # clio.md §20.6
    first = (await ann.get("contacts.json", order="id(asc)", limit="3")).json()
    firm.delete("contact", 1001)
    firm.put("contact", {"id": 9001, "type": "Person", "name": "Late"})
    rest = await ann.http.get(first["meta"]["paging"]["next"])
    seen = [record["id"] for record in first["data"] + rest.json()["data"]]
    assert seen == sorted(set(seen))
    assert seen[:3] == [1001, 1002, 1003]
    assert 1004 in seen


async def test_the_total_can_be_missing(vast, reader):
    answer = await reader.get("contacts.json", order="id(asc)")
    assert answer.json()["meta"]["records"] == MAX_UNORDERED + 401
    vast.quirks.tells_records = False
    answer = await reader.get("contacts.json", order="id(asc)")
    assert answer.json()["meta"].keys() == {"paging"}


async def test_the_limit_is_counted_per_token_in_windows_of_a_minute(clio, clock):
    # clio.md §20.7
    clio.limits = RateLimit(2)
    ann, ben = await Visitor(clio).login(501), await Visitor(clio).login(502)
    clock.move(microseconds=500_000)
    answers = [await ann.get("users.json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    told = [[answer.headers[name] for name in names] for answer in answers]
    ends = str(int(clock.now.timestamp()) + 61)
    assert told == [["2", "1", ends], ["2", "0", ends], ["2", "0", ends]]
    assert (await ben.get("users.json")).status_code == 200
    clock.move(seconds=42)
    refused = await ann.get("users.json")
    assert refused.headers["Retry-After"] == "18"
    error = {"type": "RateLimited", "message": "Rate limit of 2 exceeded. Retry in 18 seconds."}
    assert refused.json() == {"error": error}
    clock.move(seconds=18)
    assert (await ann.get("users.json")).status_code == 200


async def test_the_message_of_a_429_can_be_wrapped(clio, ann):
    # clio.md §20.7
    clio.limits, clio.quirks.wraps_rate_limit = RateLimit(0), True
    answer = await ann.get("users.json")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert b"RateLimited" in base64.b64decode(answer.json()["data"])


@pytest.mark.parametrize("version", ["4.0.0", "4.0.9", "4.0.13"])
async def test_the_version_is_echoed(ann, version):
    # clio.md §20.9
    answer = await ann.get("users.json", {"X-API-VERSION": version})
    assert answer.headers["X-API-VERSION"] == version
    assert (await ann.get("users.json")).headers["X-API-VERSION"] == "4.0.13"


@pytest.mark.parametrize("version", ["4.0.14", "4", "v4", "4.1.0", "", "4.0.013"])
async def test_an_unknown_version_returns_410(ann, version):
    # clio.md §20.9
    answer = await ann.get("contacts/1001.json", {"X-API-VERSION": version})
    assert answer.status_code == 410
    assert "X-API-VERSION" not in answer.headers


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ("open", {"Open"}),
        ("closed,pending", {"Closed", "Pending"}),
        ("open,pending,closed", {"Open", "Pending", "Closed"}),
    ],
)
async def test_a_status_is_filtered_in_lower_case_and_returned_capitalised(ann, status, seen):
    # clio.md §20.10
    found = await ann.listed("matters.json", status=status, fields="status")
    assert {matter["status"] for matter in found} == seen


@pytest.mark.parametrize("status", ["Open", "open;closed", "open, closed", ""])
async def test_a_status_in_any_other_form_is_refused(ann, status):
    # clio.md §20.10
    assert (await refusal(ann, "matters.json", status=status))[:2] == (400, "ArgumentError")


@pytest.mark.parametrize(
    ("path", "params", "ids"),
    [
        ("contacts", {"type": "Company"}, [2001]),
        ("contacts", {"query": "ALICE"}, [1001]),
        ("contacts", {"query": "555 0102"}, [1001]),
        ("contacts", {"query": "5550102"}, []),  # phones are compared as text
        ("contacts", {"initial": "T"}, [1003]),
        ("contacts", {"ids[]": ["1003", "1001", "77"]}, [1001, 1003]),
        ("contacts", {"ids[]": ["1003", "1001"], "exclude_ids[]": ["1003"]}, [1001]),
        ("contacts", {"clio_connect_only": "true"}, []),
        ("matters", {"client_id": "1010"}, [209, 210, 211]),
        ("matters", {"responsible_attorney_id": "null"}, [204, 209]),
        ("matters", {"responsible_attorney_id": "504"}, [206]),
        ("matters", {"practice_area_id": "14", "status": "pending"}, [204]),
        ("matters", {"close_date[]": [">=2024-01-01", "<2026-01-01"]}, [203, 205]),
        ("matters", {"query": "moreno"}, [201, 202]),
        ("relationships", {"contact_id": "1005"}, [301]),
        ("relationships", {"matter_id": "201"}, [301, 302]),
        ("users", {"role": "billing"}, [502]),
        ("custom_fields", {"field_type": "picklist"}, [4]),
        ("custom_fields", {"parent_type": "matter"}, []),
        ("practice_areas", {"matter_id": "201"}, [11]),
        ("matter_stages", {"practice_area_id": "13"}, [22]),
        ("groups", {"type": "AccountGroup"}, [31]),
    ],
)
async def test_a_filter_returns_matching_records_only(ann, path, params, ids):
    assert await ann.ids(f"{path}.json", **params) == ids


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("contacts", {"type": "person"}),
        ("contacts", {"initial": "t"}),
        ("contacts", {"client_only": "1"}),
        ("contacts", {"ids[]": "x"}),
        ("contacts", {"updated_since": "2026-01-01T00:00:00 02:00"}),  # a + that was not encoded
        ("contacts", {"updated_since": "2026-01-01T00:00:00"}),
        ("contacts", {"custom_field_values[4]": "9002"}),
        ("contacts", {"custom_field_ids[]": "4"}),
        ("contacts", {"update_since": "2026-01-01T00:00:00Z"}),
        ("matters", {"exclude_ids[]": "201"}),
        ("matters", {"close_date[]": "2024-01-01"}),
        ("matters", {"client_id": "null"}),
        ("matters", {"currency_id": "1"}),
        ("relationships", {"order": "id(asc)"}),
    ],
)
async def test_an_unknown_parameter_is_refused_by_name(ann, path, params):
    status, kind, message = await refusal(ann, f"{path}.json", **params)
    assert (status, kind) == (400, "ArgumentError")
    assert next(iter(params)).partition("[")[0] in message


async def test_of_a_doubled_parameter_the_last_value_counts(ann):
    # A public client adds its own parameters to Clio's address of the next page, which has them too.
    first = (await ann.get("contacts.json", limit="3", order="id(asc)", fields="id")).json()
    following = first["meta"]["paging"]["next"]
    again = await ann.http.get(f"{following}&limit=2&order=id(asc)&fields=id,type")
    assert [sorted(record) for record in again.json()["data"]] == [["id", "type"]] * 2
    assert await ann.ids("matters.json", client_id=["1001", "1003"]) == [204, 205]


async def test_an_array_parameter_keeps_all_its_values(ann):
    assert await ann.ids("contacts.json", **{"ids[]": ["1001", "1003"]}) == [1001, 1003]


async def test_a_list_can_be_sorted_by_the_name_of_a_referenced_record(ann):
    found = await ann.listed(
        "matters.json", order="client.name(desc)", offset="0", fields="client{name}"
    )
    names = [matter["client"]["name"] for matter in found]
    assert names == sorted(names, key=str.casefold, reverse=True)
