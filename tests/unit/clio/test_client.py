"""The client against scripted responses: requests, pagination, redirects, retries, and the error of each failure."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.clio import pagination, responses
from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
    ClioUnreadable,
    WriteNotAllowed,
)
from app.clio.oauth import BearerAuth
from app.clio.resources import CONTACTS as CONTACT_LIST
from app.clio.resources import MATTERS, RELATIONSHIPS, Resource
from app.clio.transport import API_VERSION, ATTEMPTS
from app.lanes import CLIO_LANES, Lane
from tests.support.scripted_clio import (
    NOW,
    ORIGIN,
    Case,
    Source,
    answered,
    failed,
    headers_with,
    limits,
    page,
    run_without_waiting,
)


async def ids_of(case: Case, resource: Resource[Any] = CONTACT_LIST, **given: Any) -> list[int]:
    return [item.id async for found in case.client.pages(resource, **given) for item in found.items]


async def test_a_list_is_read_by_page_tokens_on_our_own_urls():
    case = Case(page([1, 2], "a b+c"), page([3]))
    since = datetime.fromisoformat("2026-03-01T10:00:00+02:00")
    assert await ids_of(case, since=since) == [1, 2, 3]
    first, second = (request.url for request in case.clio.requests)
    assert (first.scheme, first.host, first.path) == (
        "https",
        "app.clio.com",
        "/api/v4/contacts.json",
    )
    assert first.params["order"] == "id(asc)"
    assert first.params["updated_since"] == "2026-03-01T08:00:00Z"
    assert "page_token" not in first.params
    assert second.params["page_token"] == "a b c"
    assert second.params.remove("page_token") == first.params
    assert {request.headers["x-api-version"] for request in case.clio.requests} == {API_VERSION}
    assert case.clio.tokens == ["token-1"] * 2


async def test_a_list_continues_at_the_given_cursor():
    case = Case(page([9]))
    assert await ids_of(case, cursor="left-here") == [9]
    assert case.clio.requests[0].url.params["page_token"] == "left-here"


async def test_a_record_on_two_pages_is_accepted():
    # F8: the list changed while it was read
    assert await ids_of(Case(page([1, 2], "b"), page([2, 3]))) == [1, 2, 2, 3]


@pytest.mark.parametrize(
    "pages",
    [
        (page([1], "a"), page([2], "a")),
        (page([1], "a"), page([2], "b"), page([3], "a")),
        (page([], "a"),),
        (page([1, 2], "a"), page([1, 2], "b")),
        (page([5], "a"), page([4], "b")),
    ],
    ids=["next-is-this", "a-ring", "empty-with-next", "comes-again", "falls-back"],
)
async def test_a_list_that_does_not_advance_is_refused(pages: tuple[httpx.Response, ...]):
    # T12
    case = Case(*pages)
    with pytest.raises(ClioUnreadable):
        await ids_of(case)
    assert len(case.clio.requests) == len(pages)


async def test_a_cycle_of_pages_in_a_list_without_order_is_refused():
    def ring(request: httpx.Request) -> httpx.Response:
        here = request.url.params.get("page_token", "a")
        address = f"{ORIGIN}/api/v4/relationships.json?page_token={'b' if here == 'a' else 'a'}"
        return page([1], following=address)

    case = Case(ring)
    with pytest.raises(ClioUnreadable, match="already read"):
        await ids_of(case, RELATIONSHIPS)
    assert len(case.clio.requests) == 3


async def test_a_list_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch):
    # T12
    monkeypatch.setattr(pagination, "MAX_PAGES", 20)
    turned = 0

    def endless(_: httpx.Request) -> httpx.Response:
        nonlocal turned
        turned += 1
        return page([turned], f"t{turned}", total=400)

    case = Case(endless)
    with pytest.raises(ClioUnreadable, match="more than 20 pages"):
        await ids_of(case)
    assert len(case.clio.requests) == 21


@pytest.mark.parametrize("total", [1, 60, 5000, None])
async def test_a_short_page_is_a_page_whatever_clio_says_of_the_number_of_records(
    total: int | None,
):
    # row 43: the list ends where no next page is named
    pages = [page([nth], f"t{nth}", total=total) for nth in range(1, 60)]
    assert await ids_of(Case(*pages, page([60], total=total))) == [*range(1, 61)]


@pytest.mark.parametrize(
    "following",
    [
        "https://app.clio.com/api/v4/contacts?page_token=x",
        "/api/v4/contacts.json?limit=200&page_token=x",
        "//app.clio.com/api/v4/contacts.json?page_token=x",
        "contacts.json?page_token=x",
        "?page_token=x",
        "http://app.clio.com/api/v4/contacts.json?page_token=x",
        "https://APP.CLIO.COM:443/api/v4/contacts.json?page_token=x",
        "https://app.clio.com/api/v4/contacts.json?page_token=a&page_token=x",
    ],
)
async def test_of_the_address_of_the_next_page_only_the_token_counts(following: str):
    # T1: the address itself is never requested
    case = Case(page([1], following=following), page([2]))
    assert await ids_of(case) == [1, 2]
    first, second = (request.url for request in case.clio.requests)
    assert second.params["page_token"] == "x"
    assert second == first.copy_add_param("page_token", "x")


@pytest.mark.parametrize(
    "named", ["/api/v4/contacts.json", "/api/v4/contacts", "/api/v4/people.json", "/api/v4/people"]
)
async def test_after_a_redirect_the_next_page_is_named_at_either_address(named: str):
    moved = httpx.Response(307, headers={"Location": "/api/v4/people.json"})
    case = Case(moved, page([1], following=f"{ORIGIN}{named}?page_token=b"), moved, page([2]))
    assert await ids_of(case) == [1, 2]
    assert case.clio.requests[-1].url.params["page_token"] == "b"


BOMB = gzip.compress(bytes(4 * responses.MAX_BODY_BYTES))
JSON = b'{"data": [{"id": 1}]}'
LYING = {
    "truncated JSON": {"content": JSON[:-3]},
    "HTML": {"content": b"<html>502 Bad Gateway</html>"},
    "nothing": {"content": b""},
    "deep brackets": {"content": b"[" * 200_000},
    "not an object": {"content": b"[1]"},
    "no list": {"content": b'{"data": {"id": 1}}'},
    "not UTF-8": {"content": b'{"data": "\xff"}'},
    "NaN": {"content": b'{"data": NaN}'},
    "packed otherwise": {"content": JSON, "headers": {"Content-Encoding": "br"}},
    "not packed": {"content": JSON, "headers": {"Content-Encoding": "gzip"}},
    "packed and cut": {
        "content": gzip.compress(JSON)[:-9],
        "headers": {"Content-Encoding": "gzip"},
    },
    "bomb": {"content": BOMB, "headers": {"Content-Encoding": "gzip"}},
    "too large": {"content": b" " * (responses.MAX_BODY_BYTES + 1)},
}


def raw(content: bytes, headers: dict[str, str] | None = None, status: int = 200) -> Any:
    """Return a response whose body is sent unchanged, in chunks."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65536):
            yield content[start : start + 65536]

    return lambda _: httpx.Response(status, headers=headers_with(headers), content=pieces())


@pytest.mark.parametrize("body", LYING.values(), ids=LYING)
async def test_a_response_that_is_not_a_page_is_retried_and_then_ends_the_pull(body: Any):
    # F6, F7, T12: whole or not at all
    case = Case(raw(**body))
    with pytest.raises(ClioUnreadable):
        await ids_of(case)
    assert len(case.clio.requests) == ATTEMPTS


async def test_a_response_that_was_cut_off_is_requested_once_more():
    case = Case(raw(JSON[:-3]), raw(JSON))
    assert await ids_of(case) == [1]
    assert len(case.clio.requests) == 2


async def test_a_compressed_page_is_read():
    assert await ids_of(Case(raw(gzip.compress(JSON), {"Content-Encoding": "gzip"}))) == [1]


@pytest.mark.parametrize("status", [200, 401, 500])
async def test_a_decompression_bomb_takes_no_more_memory_than_the_maximum(status: int):
    # T12: also in responses of which only the status is used
    case = Case(raw(BOMB, {"Content-Encoding": "gzip"}, status))
    tracemalloc.start()
    try:
        with pytest.raises(ClioError):
            await ids_of(case)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * responses.MAX_BODY_BYTES


def test_a_slow_body_is_given_up_at_the_deadline():
    # T12: a deadline for the whole call; httpx limits only each read
    async def drip() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(1.5)
            yield b" "

    case = Case(lambda _: httpx.Response(200, headers=limits(), content=drip()))

    async def pull() -> ClioRetryLater:
        with pytest.raises(ClioRetryLater, match="in time") as raised:
            await ids_of(case)
        return raised.value

    error, seconds = run_without_waiting(pull())
    assert error.code == "clio_unavailable"
    assert ATTEMPTS * responses.DEADLINE <= seconds < ATTEMPTS * responses.DEADLINE + 30
    assert case.local_limit._in_flight == 0


def unknown(name: str) -> httpx.Response:
    return failed(400, "InvalidFields", f"{name} is not a valid field")


@pytest.mark.parametrize(
    ("resource", "said", "name"),
    [
        (CONTACT_LIST, "title", "title"),
        (CONTACT_LIST, "custom_field_values", "custom_field_values"),
        (CONTACT_LIST, "picklist_option}", "picklist_option"),
        (MATTERS, "category", "category"),
        (MATTERS, "matter_stage", "matter_stage"),
    ],
)
async def test_a_field_that_clio_no_longer_knows_is_dropped_and_reported(
    resource: Resource[Any], said: str, name: str
):
    case = Case(unknown(said), answered({"data": []}))
    assert await ids_of(case, resource) == []
    before, after = (request.url.params["fields"] for request in case.clio.requests)
    assert name in before
    assert name not in after
    assert after.count("{") == after.count("}") == before.count("{") - (f"{name}{{" in before)
    assert "{}" not in after
    assert ",," not in after
    assert case.client.dropped == {f"{resource.name}.{name}"}


async def test_several_unknown_fields_are_dropped_one_by_one():
    case = Case(unknown("title"), unknown("prefix"), page([1], "b"), page([2]))
    assert await ids_of(case) == [1, 2]
    assert len(case.clio.requests) == 4


@pytest.mark.parametrize("name", ["id", "email_addresses", "number", "is_client", "etag}", ""])
async def test_an_unknown_field_that_is_needed_ends_the_pull(name: str):
    case = Case(unknown(name))
    with pytest.raises(ClioMisconfigured, match="this service needs"):
        await ids_of(case)
    assert len(case.clio.requests) == 1


async def test_a_dropped_field_that_is_refused_again_ends_the_pull():
    case = Case(unknown("title"))
    with pytest.raises(ClioMisconfigured):
        await ids_of(case)
    assert len(case.clio.requests) == 2


async def test_one_redirect_within_the_api_is_followed_with_our_own_parameters():
    moved = httpx.Response(
        307, headers={"Location": "/api/v4/people.json?fields=evil&page_token=x"}
    )
    following = f"{ORIGIN}/api/v4/people.json?page_token=b"
    case = Case(moved, page([1], following=following), moved, page([2]))
    assert await ids_of(case) == [1, 2]
    assert case.clio.paths == ["/api/v4/contacts.json", "/api/v4/people.json"] * 2
    first, second = case.clio.requests[:2]
    assert second.url.params == first.url.params


async def test_a_second_redirect_is_not_followed():
    case = Case(httpx.Response(307, headers={"Location": "/api/v4/contacts.json"}))
    with pytest.raises(ClioUnreadable, match="one redirect"):
        await ids_of(case)
    assert len(case.clio.requests) == 2 * ATTEMPTS


async def test_a_rejected_token_is_renewed_once_and_the_request_is_repeated_once():
    # F10
    case = Case(failed(401), page([1], "b"), page([2]))
    assert await ids_of(case) == [1, 2]
    assert case.source.refused == ["token-1"]
    assert case.clio.tokens == ["token-1", "token-2", "token-2"]
    assert case.client.take_usage().requests == 3


async def test_a_second_refusal_asks_the_user_to_connect_again():
    case = Case(failed(401))
    with pytest.raises(ClioReauthRequired):
        await ids_of(case)
    assert case.source.refused == ["token-1"]
    assert len(case.clio.requests) == 2


@pytest.mark.parametrize(
    "failure",
    [
        ClioReauthRequired("gone"),
        ClioMisconfigured("app"),
        ClioRetryLater("down", after=timedelta(0)),
    ],
)
async def test_a_failed_renewal_is_the_error_of_the_request(failure: ClioError):
    case = Case(failed(401), source=Source(failure, failure, failure, failure))
    with pytest.raises(type(failure)):
        await ids_of(case)
    assert case.local_limit._in_flight == 0


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (failed(400, "ArgumentError", "limit is wrong"), ClioMisconfigured, "clio_misconfigured"),
        (failed(403, "ForbiddenError", "User is forbidden"), ClioRefused, "clio_forbidden"),
        (failed(410), ClioMisconfigured, "clio_api_version_gone"),
        (
            failed(422, "ArgumentError", "page_token is now out of bounds and cannot be used."),
            ClioRefused,
            "clio_cursor_refused",
        ),
        (failed(422, "ArgumentError", "something else"), ClioRefused, "clio_refused"),
        (failed(404, "ResourceNotFound", "Not found"), ClioUnreadable, "clio_unreadable"),
    ],
)
async def test_a_refusal_has_the_right_error_class_and_is_not_retried(
    answer: httpx.Response, kind: type[ClioError], code: str
):
    case = Case(raw(answer.content, dict(answer.headers), answer.status_code))
    with pytest.raises(kind) as raised:
        await ids_of(case)
    assert raised.value.code == code
    assert len(case.clio.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        answered(b"<html>", 403),
        answered(b"[" * 10_000, 404),
        answered({"error": "invalid_token"}, 403),
        answered(JSON, 403, {"Content-Encoding": "br"}),
        answered(b"", 303),
    ],
)
async def test_an_answer_that_is_not_clios_is_requested_again(answer: httpx.Response):
    # tests/contract/test_odd_answers.py has the whole table
    case = Case(raw(answer.content, dict(answer.headers), answer.status_code))
    with pytest.raises(ClioUnreadable, match="did not come from Clio"):
        await ids_of(case)
    assert len(case.clio.requests) == ATTEMPTS


@pytest.mark.parametrize(
    ("told", "after"),
    [("7200", 7200), ("30", 60), ("Mon, 02 Mar 2026 13:00:00 GMT", 3600), ("soon", 60), ("9" * 5000, 86400)],
)  # fmt: skip
async def test_an_outage_lasts_as_long_as_the_server_says(told: str, after: int):
    case = Case(failed(503, Retry_After=told))
    with pytest.raises(ClioRetryLater) as raised:
        await ids_of(case)
    assert raised.value.after == timedelta(seconds=after)


@pytest.mark.parametrize(
    "answer",
    [failed(500), failed(503), answered(b"<html>", 502), httpx.ConnectError("x"), httpx.ReadError("x"),
     httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")],
)  # fmt: skip
async def test_an_outage_is_retried_and_then_waited_for(answer: Any):
    # F6, F7
    case = Case(answer, answer, page([1]))
    assert await ids_of(case) == [1]
    case = Case(answer)
    with pytest.raises(ClioRetryLater) as raised:
        await ids_of(case)
    assert raised.value.code == "clio_unavailable"
    assert raised.value.after == timedelta(minutes=1)
    assert len(case.clio.requests) == ATTEMPTS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 40),
        ({"Retry-After": "-1"}, 40),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:30 GMT"}, 40),
        ({"Retry-After": ""}, 40),
        ({}, 40),
        ({"X-RateLimit-Reset": "0"}, 1),
        ({"X-RateLimit-Reset": "99999999999"}, 60),
        ({"X-RateLimit-Reset": "soon"}, 60),
        ({"Date": "never"}, 60),
    ],
)
async def test_after_a_429_the_request_is_sent_again_when_clio_says(
    headers: dict[str, str], seconds: int
):
    # S10, F5
    case = Case(failed(429, **{k.replace("-", "_"): v for k, v in headers.items()}), page([1]))
    assert await ids_of(case) == [1]
    assert seconds <= case.time.passed <= seconds + 2
    used = case.client.take_usage()
    assert (used.requests, used.rate_limited) == (2, 1)
    assert used.waited_seconds == pytest.approx(case.time.passed)


@pytest.mark.parametrize(
    ("lane", "waited", "given_back"),
    [
        (Lane.PERSON, 9, 10),
        (Lane.WRITE_BACK, 1, 2),
        (Lane.INCREMENTAL, 74, 75),
        (Lane.INITIAL, 74, 75),
        (Lane.RECONCILE, 74, 75),
    ],
)
async def test_each_lane_has_its_own_maximum_wait(lane: Lane, waited: int, given_back: int):
    # S10, F5: the seconds that Clio names, and one more for safety; reads wait for one window at most
    case = Case(failed(429, Retry_After=str(waited)), page([1]), lane=lane)
    assert await ids_of(case) == [1]
    assert case.time.waits == [waited + 1.0]
    case = Case(failed(429, Retry_After=str(given_back)), page([1]), lane=lane)
    with pytest.raises(ClioRetryLater) as raised:
        await ids_of(case)
    assert (raised.value.code, case.time.waits) == ("clio_rate_limited", [])
    assert raised.value.after == timedelta(seconds=given_back + 1)


@pytest.mark.parametrize("lane", CLIO_LANES)
@pytest.mark.parametrize(("told", "after"), [("120", 121), ("1000000000", 900)])
async def test_a_longer_wait_frees_the_worker(told: str, after: int, lane: Lane):
    # F5: a job never sleeps for long, and an absurd value is limited
    case = Case(failed(429, Retry_After=told), lane=lane)
    with pytest.raises(ClioRetryLater) as raised:
        await ids_of(case)
    assert raised.value.code == "clio_rate_limited"
    assert raised.value.after == timedelta(seconds=after)
    assert case.time.waits == []
    with pytest.raises(
        ClioRetryLater
    ):  # no other request with this rate limit is sent before that either
        await case.client.who_am_i()
    assert len(case.clio.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"])
async def test_a_write_is_refused_before_the_network(method: str):
    # FQ-1
    case = Case(page())
    with pytest.raises(WriteNotAllowed):
        await case.client.write(method, "/api/v4/contacts.json", {})
    assert case.clio.requests == []


async def test_many_lists_that_are_cancelled_in_mid_call_leave_the_rate_limit_usable():
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    case = Case(page([1]), never, never, never, page([1]))
    await ids_of(case)
    tasks = [asyncio.ensure_future(ids_of(case)) for _ in range(3)]
    while len(case.clio.requests) < 4:
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert case.local_limit._in_flight == 0
    assert await ids_of(case) == [1]


async def test_an_outage_of_any_length_does_not_lock_the_rate_limit():
    gateway = httpx.Response(502)  # not Clio's own response: it has no limit headers
    case = Case(page([1], headers=limits(limit=5, left=4)), *[gateway] * 40, page([2]))
    assert await ids_of(case) == [1]
    for _ in range(10):
        with pytest.raises(ClioRetryLater):
            await ids_of(case)
    assert await ids_of(case) == [2]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Mon, 02 Mar 2026 11:58:00 GMT", "2026-03-02T11:58"),
        ("Mon, 02 Mar 2026 13:58:00 +0200", "2026-03-02T11:58"),
        ("Mon, 02 Mar 2026 11:58:00 -0000", "2026-03-02T11:58"),
        (
            "Mon, 02 Mar 2026 13:00:00 GMT",
            "2026-03-02T12:00",
        ),  # ahead of our clock: the earlier time counts
        ("Thu, 01 Jan 2099 00:00:00 GMT", "2026-03-02T12:00"),
        ("Fri, 31 Dec 9999 23:59:59 -2359", "2026-03-02T12:00"),
        ("Thursday", "2026-03-02T12:00"),
        ("", "2026-03-02T12:00"),
    ],
)
async def test_a_page_has_the_time_of_clios_clock(date: str, expected: str):
    # F9: the next pull may begin too early, never too late
    case = Case(page([1], headers={"Date": date}))
    found = [found async for found in case.client.pages(CONTACT_LIST)]
    assert found[0].asked_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found[0].asked_at <= NOW


@pytest.mark.parametrize(
    "address",
    ["https://eu.app.clio.com/x", "http://app.clio.com/x", "https://app.clio.com:444/x",
     "https://app.clio.com.evil.test/x", "https://app.clio.com@evil.test/x", "https://evil.test/app.clio.com"],
)  # fmt: skip
async def test_the_bearer_token_is_sent_to_one_origin_only(address: str):
    # T1
    case = Case(page())
    with pytest.raises(ClioMisconfigured, match="another host"):
        await case.http.get(address, auth=BearerAuth(ORIGIN, "secret"))
    assert case.clio.requests == []
