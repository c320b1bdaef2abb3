"""The sandbox of the simulated Clio: what each action does to the firm, why one is refused, and who may call it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import issues
from app.db.events.events import EventKind
from app.simulator.http.server import Simulator
from app.simulator.sandbox.actions import ACTIONS
from app.simulator.sandbox.routes import REMEMBERED, Sandbox, router
from app.simulator.store.firm import Firm, Record
from tests.support.visitor import Clock, Visitor, simulator_with

PINNED = Path(__file__).parents[3] / "data" / "pinned"
OWN = "http://127.0.0.1:9000"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def opened(clio: Simulator, host: str = "127.0.0.1", base: str = OWN) -> httpx.AsyncClient:
    """Return a client of the sandbox of a simulator that listens on this host."""
    app = clio.app("us")
    app.include_router(router(Sandbox(clio), "us", host))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)


@pytest.fixture
def sandbox(clio: Simulator) -> httpx.AsyncClient:
    return opened(clio)


async def do(sandbox: httpx.AsyncClient, action: str, **given: Any) -> dict[str, Any]:
    answer = await sandbox.post(f"/sandbox/actions/{action}", json=given)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def refused(sandbox: httpx.AsyncClient, action: str, **given: Any) -> tuple[int, str, str]:
    """Return status, code and detail of the problem document."""
    answer = await sandbox.post(f"/sandbox/actions/{action}", json=given)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (answer.status_code, "about:blank")
    assert problem["title"]
    return problem["status"], problem["code"], problem["detail"]


def found(firm: Firm, kind: str, record_id: int | str) -> Record:
    record = firm.find(kind, int(record_id))
    assert record is not None
    return record


# --- the actions ---------------------------------------------------------------------------------


async def test_a_new_client_is_a_person_with_a_flag_an_address_and_an_open_matter(sandbox, firm):
    done = await do(sandbox, "new-client")
    person = found(firm, "contact", done["ids"]["contact_id"])
    matter = found(firm, "matter", done["ids"]["matter_id"])
    assert (person["is_client"], person["type"]) == (True, "Person")
    assert (matter["client_id"], matter["status"]) == (person["id"], "open")
    assert matter["responsible_attorney_id"] == 501
    assert f"{person['name']} (Clio id {person['id']})" in done["done"]
    assert f"(Clio id {matter['id']})" in done["done"]
    shown = [one.get("endpoint") for one in done["shows"]]
    assert f"GET /v1/accounts/{{account_id}}/contacts?clio_id={person['id']}" in shown
    other = found(firm, "contact", (await do(sandbox, "new-client"))["ids"]["contact_id"])
    assert other["name"] != person["name"]
    assert other["email_addresses"][0]["address"] != person["email_addresses"][0]["address"]


async def test_what_is_changed_reaches_clios_webhooks_and_has_a_new_etag(sandbox, firm, clock):
    heard: list[tuple[str, str, int]] = []
    firm.watchers.append(lambda event, kind, record: heard.append((event, kind, record["id"])))
    before = found(firm, "matter", 204) | found(firm, "matter", 201)
    clock.move(minutes=5)
    done = await do(sandbox, "close-matter", contact_id="1001")
    assert heard == [("updated", "matter", 201)]
    after = found(firm, "matter", 201)
    assert (after["status"], after["close_date"]) == ("closed", "2026-03-03")
    assert after["updated_at"] > before["updated_at"]
    assert after["etag"] != before["etag"]
    assert done["ids"] == {"contact_id": "1001", "matter_ids": ["201"]}
    await do(sandbox, "merge", contact_id=1001, into_contact_id=1002)
    assert ("deleted", "contact", 1001) in heard
    assert ("updated", "contact", 1002) in heard


async def test_a_merge_moves_matters_addresses_and_links_and_deletes_the_first(sandbox, firm):
    firm.put("note", {"id": 1, "contact_id": 1001, "type": "Contact"})
    side = [{"type": "Person", "id": 1001, "name": "Alice"}, {"type": "User", "id": 1001}]
    firm.put("communication", {"id": 2, "senders": side, "receivers": []})
    firm.put("relationship", {"id": 303, "matter_id": 207, "contact_id": 1001, "description": ""})
    own = {"id": "text_line-5", "custom_field_id": 5, "value": "Bram's own"}
    firm.put("contact", {"id": 1002, "custom_field_values": [own]})
    done = await do(sandbox, "merge", contact_id=1001, into_contact_id=1002)
    assert done["ids"] == {"contact_id": "1001", "into_contact_id": "1002"}
    assert firm.find("contact", 1001) is None
    kept = found(firm, "contact", 1002)
    addresses = {part["address"]: part["primary"] for part in kept["email_addresses"]}
    assert addresses == {
        "bram@mail.test": True,
        "alice@home.test": False,
        "alice@work.test": False,
    }
    assert len({part["id"] for part in kept["email_addresses"]}) == 3
    assert len(kept["custom_field_values"]) == 9
    assert own in kept["custom_field_values"]
    assert [found(firm, "matter", one)["client_id"] for one in (201, 202, 203)] == [1002] * 3
    assert found(firm, "note", 1)["contact_id"] == 1002
    assert found(firm, "relationship", 303)["contact_id"] == 1002
    sender, user = found(firm, "communication", 2)["senders"]
    assert (sender["id"], sender["name"], user["id"]) == (1002, "Bram Okafor", 1001)


async def test_a_restricted_matter_has_another_group_and_one_user_sees_it(sandbox, firm, ann, clio):
    ben = await Visitor(clio).login(502)
    done = await do(sandbox, "restrict", contact_id=1001, user_id=502)
    group = found(firm, "matter", 201)["group_id"]
    assert found(firm, "group", group)["type"] == "AdhocGroup"
    assert (await ann.get("matters/201.json")).status_code == 404
    assert (await ben.get("matters/201.json")).status_code == 200
    assert done["ids"] == {"contact_id": "1001", "matter_ids": ["201"], "user_id": "502"}
    await do(sandbox, "restrict")
    assert len(firm.ids("group")) == 2, "the second matter gets the same group"


async def test_without_parameters_a_matter_is_chosen_that_is_the_only_open_one_and_unrestricted(
    sandbox, firm
):
    # 201 is Alice's; 207 is a company's, 208 is restricted; 209 is Jon's, who has a pending one too
    firm.put("matter", {"id": 203, "status": "open"})
    firm.put("matter", {**found(firm, "matter", 203), "id": 200})  # Bram has two, before Alice's
    assert (await do(sandbox, "close-matter"))["ids"]["matter_ids"] == ["201"]
    assert (await do(sandbox, "restrict"))["ids"]["matter_ids"] == ["209"]
    status, code, detail = await refused(sandbox, "close-matter")
    assert (status, code) == (409, "not_possible")
    assert detail.startswith("No person is left whose only open matter the whole firm sees.")
    await do(sandbox, "new-client")
    await do(sandbox, "close-matter")


async def test_a_revoked_login_has_no_token_and_others_keep_theirs(sandbox, ann, clio):
    assert (await do(sandbox, "revoke-login"))["ids"] == {"user_id": "501"}
    assert (await ann.get("users.json")).status_code == 401
    assert (await ann.refresh()).json()["error"] == "invalid_grant"
    ben, cat = await Visitor(clio).login(502), await Visitor(clio).login(503)
    done = await do(sandbox, "revoke-login")
    assert done["done"] == "Cat Reed (Clio id 503) has revoked the access of the service."
    assert (await cat.get("users.json")).status_code == 401
    assert (await ben.get("users.json")).status_code == 200


async def test_the_login_of_another_app_is_no_login_of_the_service(sandbox, clio):
    await Visitor(clio, other=True).login(502)
    assert await refused(sandbox, "revoke-login") == (
        409,
        "not_possible",
        "Nobody of Harlow & Pike LLP is connected to the service; connect a user first.",
    )


@pytest.mark.parametrize("ended", ["by itself", "early"])
async def test_a_rate_limit_answers_429_with_the_seconds_that_are_left(
    sandbox, clio, ann, clock, ended
):
    before = (await ann.get("users.json")).headers
    await do(sandbox, "rate-limit", seconds=45)
    clock.move(seconds=5)
    renewed = await ann.refresh()
    assert renewed.status_code == 200, "Clio counts requests of the API only"
    ann.use(renewed.json() | {"refresh_token": ann.tokens["refresh_token"]})
    for _ in range(2):
        answer = await ann.get("users.json")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "40"
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert int(answer.headers["x-ratelimit-reset"]) == int(clock.now.timestamp()) + 40
    if ended == "early":
        await do(sandbox, "end-faults")
    else:
        clock.move(seconds=40)
    answer = await ann.get("users.json")
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-remaining"] == before["x-ratelimit-remaining"]


@pytest.mark.parametrize("ended", ["by itself", "early"])
async def test_an_outage_answers_503_also_for_tokens_until_it_ends(
    sandbox, clio, ann, clock, ended
):
    await do(sandbox, "outage", seconds=20)
    await do(sandbox, "outage", seconds=60)  # the second replaces the first
    clock.move(seconds=59)
    answer = await ann.get("users.json")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (503, "text/html")
    assert (await ann.refresh()).status_code == 503
    if ended == "early":
        await do(sandbox, "end-faults")
    else:
        clock.move(seconds=1)
    assert (await ann.get("users.json")).status_code == 200
    assert (await ann.refresh()).status_code == 200


async def test_a_fault_without_seconds_lasts_half_a_minute(sandbox, ann, clock):
    await do(sandbox, "outage")
    clock.move(seconds=29)
    assert (await ann.get("users.json")).status_code == 503
    clock.move(seconds=1)
    assert (await ann.get("users.json")).status_code == 200


async def test_a_surge_adds_as_many_clients_as_asked_with_names_and_addresses_of_their_own(
    sandbox, firm
):
    assert len((await do(sandbox, "surge"))["ids"]["contact_ids"]) == 51
    ids = (await do(sandbox, "surge", count="3"))["ids"]["contact_ids"]
    people = [found(firm, "contact", one) for one in ids]
    assert all(person["is_client"] for person in people)
    assert len({person["name"] for person in people}) == 3
    assert len({person["email_addresses"][0]["address"] for person in people}) == 3


# --- what is refused -----------------------------------------------------------------------------

NUMBER = "must be a whole number from 1 to"


@pytest.mark.parametrize(
    ("action", "given", "expected"),
    [
        ("merge", {"contact_id": 9}, (409, "has no contact with Clio id 9.")),
        ("merge", {"contact_id": 2001}, (409, "Northwind Bakery LLC (Clio id 2001) is a company.")),
        ("merge", {"contact_id": 1001, "into_contact_id": 1001}, (409, "be merged with itself")),
        ("merge", {"contact_id": 1010}, (409, "Jon Reyes (Clio id 1010) has no e-mail address")),
        ("restrict", {"contact_id": 1006}, (409, "Frank Osei (Clio id 1006) has no open matter")),
        ("restrict", {"user_id": 9}, (409, "has no user with Clio id 9.")),
        ("revoke-login", {"user_id": 502}, (409, "Nobody of Harlow & Pike LLP is connected")),
        ("outage", {"seconds": 0}, (422, f"`seconds` {NUMBER} 86400")),
        ("outage", {"seconds": 86_401}, (422, NUMBER)),
        ("outage", {"seconds": True}, (422, NUMBER)),
        ("outage", {"seconds": 1.5}, (422, NUMBER)),
        ("outage", {"seconds": "1e3"}, (422, NUMBER)),
        ("outage", {"seconds": "9" * 5000}, (422, NUMBER)),
        ("surge", {"count": 501}, (422, f"`count` {NUMBER} 500")),
        ("merge", {"contact_id": "con_1"}, (422, f"`contact_id` {NUMBER}")),
        ("new-client", {"seconds": 3}, (422, "`seconds` is unknown; new-client takes firm.")),
        ("new-client", {"firm": 1}, (422, "a firm of this region: 77 (Harlow & Pike LLP).")),
        ("new-client", {"firm": "x"}, (422, f"`firm` {NUMBER}")),
        ("nothing", {}, (404, "The actions are new-client, merge, close-matter")),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_says_why_and_changes_nothing(
    sandbox, firm, action, given, expected
):
    before = (firm.version, firm.document_version)
    status, _, detail = await refused(sandbox, action, **given)
    assert status == expected[0]
    assert expected[1] in detail
    assert (firm.version, firm.document_version) == before


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b"\xff", b"[" * 9000])
async def test_a_body_that_is_no_object_is_refused_in_plain_words(sandbox, body):
    headers = {"content-type": "application/json"}
    answer = await sandbox.post("/sandbox/actions/surge", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The body must be a JSON object")


async def test_when_nobody_is_left_to_merge_the_list_and_the_answer_say_so(clio, firm):
    sandbox = opened(clio)
    for matter_id in list(firm.ids("matter")):
        if found(firm, "matter", matter_id)["client_id"] != 1001:
            firm.delete("matter", matter_id)
    listed = {one["id"]: one for one in (await sandbox.get("/sandbox/actions")).json()["data"]}
    assert not listed["merge"]["possible"]
    status, code, detail = await refused(sandbox, "merge")
    assert (status, code, detail) == (409, "not_possible", listed["merge"]["why_not"])
    assert detail.startswith("No two people are left to merge")
    assert detail in (await sandbox.get("/sandbox")).text.replace("&#39;", "'")


# --- who may call --------------------------------------------------------------------------------

FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.test"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9001"},
    {"origin": "https://127.0.0.1:9000"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_page_of_another_origin_triggers_nothing(sandbox, firm, headers):
    before = firm.version
    answer = await sandbox.post("/sandbox/actions/new-client", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_request")
    token = await form_token(sandbox)
    sent = f"action=new-client&form_token={token}"
    answer = await sandbox.post("/sandbox", content=sent, headers={**FORM, **headers})
    assert answer.status_code == 403
    assert firm.version == before


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_what_a_page_can_send_without_asking_is_not_json(sandbox, firm, kind):
    before = firm.version
    headers = {"content-type": kind} if kind else {}
    answer = await sandbox.post("/sandbox/actions/new-client", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")
    assert firm.version == before


async def test_a_name_that_points_to_this_machine_is_refused(clio, firm):
    # DNS rebinding: the browser takes it for the same origin
    for path, method in (("", "GET"), ("/actions", "GET"), ("/actions/surge", "POST")):
        client = opened(clio, base="http://evil.test:9000")
        answer = await client.request(method, f"/sandbox{path}", json={} if path else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_request")


@pytest.mark.parametrize(
    ("host", "base", "allowed"),
    [
        ("127.0.0.1", "http://localhost:9000", True),
        ("127.0.0.1", "http://[::1]:9000", True),
        ("0.0.0.0", "http://10.0.0.7:9000", True),
        ("clio", "http://clio:9000", True),
        ("0.0.0.0", "http://clio:9000", False),
        ("127.0.0.1", "http://localhost.evil.test", False),
        ("127.0.0.1", "http://127.0.0.1.evil.test", False),
    ],
)
async def test_an_address_or_the_given_name_is_allowed(clio, host, base, allowed):
    answer = await opened(clio, host, base).get("/sandbox/actions")
    assert answer.is_success is allowed


async def test_a_form_without_the_token_of_the_page_does_nothing(sandbox, firm):
    before = firm.version
    for token in ("", "&form_token=x", "&form_token=%ff"):
        answer = await sandbox.post("/sandbox", content=f"action=surge{token}", headers=FORM)
        assert answer.json()["code"] == "foreign_request"
    assert firm.version == before


async def test_a_long_body_is_not_read(sandbox):
    headers = {"content-type": "application/json"}
    answer = await sandbox.post("/sandbox/actions/surge", content=b" " * 16_385, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


# --- the page ------------------------------------------------------------------------------------


async def form_token(sandbox: httpx.AsyncClient) -> str:
    page = (await sandbox.get("/sandbox")).text
    return page.split('name="form_token" value="')[1].split('"')[0]


async def press(sandbox: httpx.AsyncClient, action: str, more: str = "") -> httpx.Response:
    sent = f"action={action}&form_token={await form_token(sandbox)}{more}"
    own = {"origin": OWN, "sec-fetch-site": "same-origin"}
    return await sandbox.post("/sandbox", content=sent, headers={**FORM, **own})


async def test_a_button_does_its_action_and_the_page_then_names_what_was_done(sandbox, firm):
    answer = await press(sandbox, "close-matter", "&contact_id=&firm=77")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sandbox?firm=77&done=1#result",
    )
    page = (await sandbox.get("/sandbox?firm=77&done=1")).text
    banner = page.split('id="result"')[1].split("</section>")[0]
    assert "Alice Moreno (Clio id 1001) has no open matter any more" in banner
    assert "/contacts?clio_id=1001" in banner
    assert found(firm, "matter", 201)["status"] == "closed"


async def test_a_button_that_cannot_do_it_says_why(sandbox):
    answer = await press(sandbox, "merge", "&contact_id=2001")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert "Northwind Bakery LLC (Clio id 2001) is a company." in answer.text
    answer = await press(sandbox, "outage", "&seconds=soon")
    assert (answer.status_code, "must be a whole number" in answer.text) == (422, True)


async def test_the_page_has_a_form_for_each_action_and_runs_no_script(sandbox):
    answer = await sandbox.get("/sandbox")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    for action in ACTIONS:
        assert answer.text.count(f'name="action" value="{action.id}"') == 1
        assert action.does.replace("'", "&#39;") in answer.text
    css = await sandbox.get("/sandbox/sandbox.css")
    assert css.headers["content-type"].startswith("text/css")
    assert "url(" not in css.text


async def test_what_the_page_inserts_is_escaped(sandbox, firm):
    firm.put("contact", {"id": 1001, "name": "<script>alert(1)</script>"})
    answer = await press(sandbox, "close-matter", "&contact_id=1001")
    page = (await sandbox.get(answer.headers["location"])).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_the_page_shows_how_long_a_fault_lasts_and_remembers_some_results(sandbox, clock):
    for _ in range(REMEMBERED + 5):
        await do(sandbox, "outage", seconds=60)
    await do(sandbox, "rate-limit", seconds=30)
    page = (await sandbox.get("/sandbox")).text
    assert "until 11:01:00 UTC" in page
    assert "until 11:00:30 UTC" in page
    assert page.count("<time") == REMEMBERED


# --- the list ------------------------------------------------------------------------------------


async def test_the_list_has_every_action_with_its_parameters_and_what_the_api_will_show(clio, ann):
    document = (await opened(clio).get("/sandbox/actions")).json()
    assert document["firm"] == {"id": "77", "name": "Harlow & Pike LLP"}
    assert document["logins"] == [{"user_id": "501", "name": "Ann Harlow"}]
    listed = {one["id"]: one for one in document["data"]}
    assert list(listed) == [action.id for action in ACTIONS]
    assert all(one["possible"] and one["shows"] and one["does"] for one in listed.values())
    (seconds,) = listed["outage"]["parameters"]
    assert (seconds["name"], seconds["default"], seconds["maximum"]) == ("seconds", 30, 86_400)


def test_every_endpoint_event_and_issue_that_an_action_names_exists():
    document = json.loads((PINNED / "openapi.json").read_text())["paths"]
    events = {kind.value for kind in EventKind}
    for shown in (shown for action in ACTIONS for shown in action.shows):
        assert bool(shown.endpoint) + bool(shown.event) + bool(shown.issue) == 1
        assert not shown.event or shown.event in events
        assert not shown.issue or shown.issue in issues.SEVERITIES
        if shown.endpoint:
            method, _, url = shown.endpoint.partition(" ")
            path, _, query = url.partition("?")
            operation = document[path][method.lower()]
            known = {one["name"] for one in operation.get("parameters", [])}
            assert {pair.partition("=")[0] for pair in filter(None, query.split("&"))} <= known


async def test_the_first_firm_with_a_login_is_the_one_unless_another_is_named(
    firm: Firm, clock: Callable[[], Any]
):
    assert isinstance(clock, Clock)
    other = Firm(account_id=88, name="Other LLP", region="us", now=clock)
    other.put("user", {**found(firm, "user", 501), "id": 601})
    clio = simulator_with(other, firm, clock=clock)
    sandbox = opened(clio)
    assert (await sandbox.get("/sandbox/actions")).json()["firm"]["id"] == "88"
    await Visitor(clio).login(501)
    assert (await sandbox.get("/sandbox/actions")).json()["firm"]["id"] == "77"
    assert (await sandbox.get("/sandbox/actions?firm=88")).json()["firm"]["id"] == "88"
    done = await do(sandbox, "new-client", firm="88")
    assert other.find("contact", int(done["ids"]["contact_id"])) is not None
    assert '<option value="88" selected>' in (await sandbox.get("/sandbox?firm=88")).text
