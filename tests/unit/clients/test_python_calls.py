"""The Python client sends each request once, or again where that is safe, and turns every refusal into an exception."""

from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest
from levitate_clio import (
    ApiError,
    Clio,
    Conflict,
    CursorExpired,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    Retries,
    ServerError,
    Unauthorized,
    Unavailable,
    Unreachable,
    Unreadable,
)
from levitate_clio.errors import retry_after
from levitate_clio.models import AccountIn, ActivityIn, RunIn

from tests.support.scripted_api import CLIENTS, TOKEN, event, page, problem, scripted, value

NOW = datetime(2026, 3, 3, 11, 4, 9, tzinfo=UTC)
ACTIVITY = ActivityIn(kind="note", user_id="u_ann", occurred_at=NOW, contact_id="con_1")
EMPTY = page([])
LOST = httpx.ReadError("the connection broke")
RUN = httpx.Response(202, json={"id": "run_1"})


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_request_has_the_token_the_user_and_only_the_given_parameters(kind):
    api = scripted(EMPTY)
    clio = api.client(kind, acting_user="Zoë 100%", role="account_admin")
    await value(clio.contacts.list_contacts("a/b", tag=["VIP", "Active Client"], limit=3))
    (request,) = api.requests
    assert request.url.raw_path == b"/v1/accounts/a%2Fb/contacts?tag=VIP&tag=Active+Client&limit=3"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Levitate-User"] == "Zo%C3%AB%20100%25"
    assert request.headers["Levitate-Role"] == "account_admin"


@pytest.mark.parametrize("kind", CLIENTS)
async def test_another_acting_user_shares_the_connections(kind):
    api = scripted(EMPTY, EMPTY)
    clio = api.client(kind, acting_user="u_ann", role="account_admin")
    await value(clio.acting_as("u_bob").contacts.list_contacts("acme"))
    await value(clio.contacts.list_contacts("acme"))
    assert [request.headers["Levitate-User"] for request in api.requests] == ["u_bob", "u_ann"]
    assert "Levitate-Role" not in api.requests[0].headers


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "invalid_cursor", Invalid),
        (401, "invalid_token", Unauthorized),
        (403, "role_required", Forbidden),
        (404, "account_not_found", NotFound),
        (409, "would_remove", Conflict),
        (410, "cursor_expired", CursorExpired),
        (410, "erased", Gone),
        (412, "version_conflict", Conflict),
        (413, "body_too_large", Invalid),
        (418, "a_code_of_next_year", ApiError),
        (422, "a_code_of_next_year", Invalid),
        (428, "precondition_required", Invalid),
        (429, "rate_limited", RateLimited),
        (500, "internal_error", ServerError),
        (503, "a_code_of_next_year", Unavailable),
    ],
)
async def test_the_class_of_an_error_says_what_to_do_next(kind, status, code, error):
    api = scripted(problem(status, code))
    clio = api.client(kind, retries=Retries(deadline=0))
    with pytest.raises(ApiError) as caught:
        await value(clio.accounts.get_account("acme"))
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.code) == (status, code)
    assert (caught.value.title, caught.value.detail) == ("A title", "A detail")
    assert caught.value.request_id == "req_1"


async def test_an_error_names_the_parts_that_are_wrong():
    listed = [{"pointer": "/users/0/email", "detail": "must be an address", "since": "2027"}]
    clio = scripted(problem(422, "invalid_request", errors=listed)).client(Clio)
    with pytest.raises(Invalid) as caught:
        clio.accounts.get_account("acme")
    assert caught.value.errors == (FieldError("/users/0/email", "must be an address"),)
    assert "/users/0/email must be an address" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(502, json=["not", "a", "problem"]),
        httpx.Response(502, json={"errors": {"not": "a list"}}),
    ],
)
async def test_an_error_of_a_proxy_is_an_error_too(answer):
    clio = scripted(answer).client(Clio, retries=Retries(deadline=0))
    with pytest.raises(Unavailable) as caught:
        clio.accounts.get_account("acme")
    assert (caught.value.code, caught.value.errors) == ("http_502", ())


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, html="<h1>Welcome</h1>"), httpx.Response(200, json={"other": "fields"})],
)
async def test_a_response_that_is_not_what_the_document_promises_is_an_error(answer):
    with pytest.raises(Unreadable):
        scripted(answer).client(Clio).accounts.get_account("acme")


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        httpx.ConnectError("nobody listens"),
        httpx.ReadTimeout("slow"),
        problem(429, "x"),
        problem(502, "x"),
        problem(503, "x"),
        problem(504, "x"),
        problem(409, "request_in_progress"),
    ],
)
async def test_a_read_is_repeated_after_a_failure_that_can_pass(kind, failure):
    api = scripted(failure, failure, EMPTY)
    await value(api.client(kind).contacts.list_contacts("acme"))
    assert api.slept == [0.5, 1.0]


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_same_idempotency_key_is_sent_in_every_attempt_and_another_in_every_call(kind):
    api = scripted(LOST, problem(409, "x"), LOST, problem(409, "x"))
    clio = api.client(kind)
    for _ in range(2):
        with pytest.raises(Conflict):
            await value(clio.activities.create_activity("acme", body=ACTIVITY))
    keys = [request.headers["Idempotency-Key"] for request in api.requests]
    assert keys[0] == keys[1] != keys[2] == keys[3]


async def test_the_caller_can_choose_the_idempotency_key():
    api = scripted(problem(409, "x"))
    with pytest.raises(Conflict):
        api.client(Clio).runs.create_run("acme", body=RunIn(kind="full"), idempotency_key="mine")
    assert api.requests[0].headers["Idempotency-Key"] == "mine"


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_post_without_a_key_is_never_repeated(kind):
    api = scripted(LOST)
    with pytest.raises(Unreachable):
        await value(api.client(kind).runs.cancel_run("acme", "run_1"))
    assert len(api.requests) == 1


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_change_of_a_version_is_never_repeated(kind):
    # the second attempt would be refused if the first had an effect
    api = scripted(problem(503, "x"), problem(503, "x"))
    clio = api.client(kind)
    change = {"scope": {"include_non_clients": True}}
    with pytest.raises(Unavailable):
        await value(clio.settings.patch_settings("acme", body=change, if_match='"3"'))
    account = AccountIn(name="Acme", time_zone="UTC", country="US", enabled=True)
    with pytest.raises(Unavailable):
        await value(clio.accounts.put_account("acme", body=account, if_match='"3"'))
    assert [request.headers["If-Match"] for request in api.requests] == ['"3"', '"3"']
    assert api.requests[0].headers["Content-Type"] == "application/merge-patch+json"


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 422, 500])
async def test_a_refusal_is_not_repeated(kind, status):
    api = scripted(problem(status, "x"))
    with pytest.raises(ApiError):
        await value(api.client(kind).accounts.get_account("acme"))
    assert api.slept == []


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_client_waits_as_long_as_the_service_says(kind):
    api = scripted(problem(429, "x", headers={"Retry-After": "7"}), EMPTY)
    await value(api.client(kind).contacts.list_contacts("acme"))
    assert api.slept == [7.5]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (format_datetime(NOW.replace(second=39), usegmt=True), 30.0),
        (format_datetime(NOW.replace(second=1), usegmt=True), 0.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("²", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text, seconds):
    assert retry_after({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize("kind", CLIENTS)
async def test_no_attempt_begins_after_the_deadline(kind):
    api = scripted(*[problem(503, "x")] * 50)
    clio = api.client(kind, retries=api.retries(deadline=10.0))
    with pytest.raises(Unavailable):
        await value(clio.contacts.list_contacts("acme"))
    assert api.slept == [
        0.5,
        1.0,
        2.0,
        4.0,
    ]  # the next delay of 8 seconds would end after the deadline


async def test_the_client_does_not_wait_for_a_retry_after_beyond_the_deadline():
    api = scripted(problem(503, "x", headers={"Retry-After": "3600"}))
    with pytest.raises(Unavailable) as caught:
        api.client(Clio).contacts.list_contacts("acme")
    assert (caught.value.retry_after, api.slept) == (3600.0, [])


def test_delays_are_drawn_at_random_below_a_limit_that_doubles():
    drawn = [Retries(random=lambda: 0.5).delay(n, Unreachable("x")) for n in (1, 2, 3, 9, 5000)]
    assert drawn == [0.25, 0.5, 1.0, 10.0, 10.0]


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_long_poll_may_take_as_long_as_it_waits(kind):
    api = scripted(page([], "c"))
    await value(api.client(kind, timeout=5).changes.list_changes("acme", wait=30))
    allowed = api.requests[0].extensions["timeout"]
    assert (allowed["read"], allowed["connect"]) == (35, 5)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_headers_of_a_response_can_be_read(kind):
    answers = [
        httpx.Response(200, json=page([]).json(), headers={"ETag": f'"{n}"'}) for n in (1, 2)
    ]
    clio = scripted(*answers).client(kind)
    await value(clio.contacts.list_contacts("acme"))
    answer = await value(clio.with_headers(clio.contacts.list_contacts, "acme"))
    assert (answer.etag, answer.status, answer.data.data) == ('"2"', 200, [])


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_list_is_read_to_its_end(kind):
    api = scripted(page([event("1"), event("2")], "next"), page([], "more"), page([event("3")]))
    clio = api.client(kind)
    items = clio.pages(clio.events.list_events, type_="client.new")
    found = [item.id for item in items] if kind is Clio else [item.id async for item in items]
    assert found == ["1", "2", "3"]
    asked = [dict(request.url.params) for request in api.requests]
    first = {"type": "client.new"}
    assert asked == [first, {**first, "cursor": "next"}, {**first, "cursor": "more"}]


async def test_a_page_is_read_when_it_is_needed():
    api = scripted(page([event("1")], "next"), problem(404, "x"))
    items = api.client(Clio).pages(api.client(Clio).events.list_events)
    assert next(items).id == "1"
    assert len(api.requests) == 1


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_token_is_in_no_text(kind):
    clio = scripted(LOST, LOST).client(kind, retries=Retries(deadline=0))
    with pytest.raises(Unreachable) as caught:
        await value(clio.contacts.list_contacts("acme", q="zoe@home.test"))
    texts = f"{clio!r} {clio!s} {vars(clio)} {caught.value!r} {caught.value.__cause__!r}"
    assert TOKEN not in texts
    assert "zoe" not in texts
