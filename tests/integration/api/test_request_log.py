"""The line that is logged for each request: whose token it had, and how it ended [T9, T14]."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from app.api import middleware
from app.db.accounts import accounts
from tests.integration.api.test_long_polls import LONG, ask, until, waiting
from tests.support.raw_requests import RawRequest
from tests.support.world import TOKEN, World

HEAD = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The lines that are logged, as they are before they are filtered."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as found:
        yield found  # type: ignore[misc]


def last_request(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return next(line for line in reversed(lines) if line["event"] == "request_handled")


async def test_a_line_has_the_id_of_the_token_and_of_the_request_and_never_the_token(
    api: World, lines: list[dict[str, Any]]
):
    headers, token_id = await api.create_token("hp")
    answer = await api.api.get("/v1/accounts/hp", headers=headers)
    line = last_request(lines)
    assert (line["token_id"], line["status"]) == (token_id, 200)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["route"] == "/v1/accounts/{account_id}"
    await api.api.get("/v1/accounts/hp")
    assert last_request(lines)["token_id"] == "bootstrap"
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert secret not in str(lines)
    assert TOKEN not in str(lines)


REFUSALS = [
    ("GET", "/v1/accounts/other", {}, "account_not_found"),
    ("GET", "/v1/accounts/hp/nothing", {}, "not_found"),
    ("GET", "/v1/accounts/hp", {"Authorization": "Bearer lc_1_2"}, "invalid_token"),
    ("DELETE", "/v1/accounts/hp", {}, "scope_required"),
    ("POST", "/hooks/clio/invented", {}, "hook_unknown"),
    ("GET", "/oauth/clio/callback?state=invented&code=x", {}, "invalid_state"),
]


@pytest.mark.parametrize(
    ("method", "path", "more", "reason"), REFUSALS, ids=[refusal[3] for refusal in REFUSALS]
)
async def test_a_line_says_why_a_request_was_refused(
    api: World,
    lines: list[dict[str, Any]],
    method: str,
    path: str,
    more: dict[str, str],
    reason: str,
):
    # ASVS 16.3.2, 16.3.3
    headers, _ = await api.create_token("hp", scope="read")
    answer = await api.api.request(method, path, headers={**headers, **more})
    assert answer.status_code >= 400
    assert last_request(lines)["reason"] == reason
    strange = [line for line in lines if line["event"] == "account_not_of_token"]
    assert bool(strange) == (path == "/v1/accounts/other")


async def test_a_line_of_a_request_that_was_answered_has_no_reason(
    api: World, lines: list[dict[str, Any]]
):
    await api.api.get("/v1/accounts/hp")
    assert last_request(lines)["reason"] is None


HOSTILE_REQUEST_IDS = [
    "x" * 129, "", "a b", 'a"b', '{"event":"forged"}', "a\r\nset-cookie: x=1", "a\nb", "\x1b[31m", "a\tb", "a\x00b",
    "é", "<script>", "${jndi:x}", "%s", "../a",
]  # fmt: skip


@pytest.mark.parametrize("given", HOSTILE_REQUEST_IDS)
async def test_a_hostile_id_of_a_request_is_replaced_in_the_log_and_in_the_answer(
    api: World, lines: list[dict[str, Any]], given: str
):
    # ASVS V16.4.1, T11
    request = RawRequest("GET", "/healthz", {"X-Request-Id": given}, body=b"")
    await request.send(api.app)
    own = request.answer_headers["x-request-id"]
    assert re.fullmatch(r"req_[0-9a-f]{24}", own)
    assert last_request(lines)["request_id"] == own


@pytest.mark.parametrize("given", ["x" * 128, "gateway:1.2_3-4", "0"])
async def test_an_id_of_a_request_with_word_characters_is_kept(
    api: World, lines: list[dict[str, Any]], given: str
):
    request = RawRequest("GET", "/healthz", {"X-Request-Id": given}, body=b"")
    await request.send(api.app)
    assert request.answer_headers["x-request-id"] == last_request(lines)["request_id"] == given


@pytest.mark.parametrize(("path", "status"), [("/v1/accounts", 401), ("/healthz", 200)])
async def test_a_line_of_a_request_without_a_token_has_its_status_too(
    api: World, lines: list[dict[str, Any]], path: str, status: int
):
    await RawRequest("GET", path, body=b"").send(api.app)
    line = last_request(lines)
    assert (line["token_id"], line["status"]) == (None, status)


async def test_a_request_that_failed_has_the_status_500(
    api: World, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    async def fail(*_: object) -> None:
        raise LookupError("a defect")

    monkeypatch.setattr(accounts, "get_account", fail)
    assert (await api.api.get("/v1/accounts/hp")).status_code == 500
    assert last_request(lines)["status"] == 500


async def test_a_stream_that_broke_has_the_status_500_although_it_began_with_200(
    api: World, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    async def fail(*_: object) -> None:
        raise LookupError("a defect")

    run_id = await ask(api)
    monkeypatch.setattr("app.api.runs._read_followed", fail)
    stream = RawRequest("GET", f"/v1/accounts/hp/runs/{run_id}/events", HEAD, body=b"")
    with pytest.raises((LookupError, ExceptionGroup)):
        await stream.send(api.app)
    assert stream.status == 200
    assert last_request(lines)["status"] == 500


@pytest.mark.parametrize("what", ["poll", "stream"])
async def test_a_request_whose_caller_went_away_has_the_status_499(
    api: World, lines: list[dict[str, Any]], what: str
):
    path, query = LONG.split("?")
    if what == "stream":
        path, query = f"/v1/accounts/hp/runs/{await ask(api)}/events", ""
    request = RawRequest("GET", path, HEAD, query=query, body=b"")
    async with asyncio.TaskGroup() as group:
        group.create_task(request.send(api.app))
        readers = api.app.state.services.run_readers
        await until(lambda: waiting(api) == 1 if what == "poll" else readers.count == 1)
        request.gone.set()
    assert last_request(lines)["status"] == 499


async def test_a_request_that_the_end_of_the_process_interrupts_has_the_status_499(
    api: World, lines: list[dict[str, Any]]
):
    path, query = LONG.split("?")
    async with asyncio.TaskGroup() as group:
        request = RawRequest("GET", path, HEAD, query=query, body=b"")
        sending = group.create_task(request.send(api.app))
        await until(lambda: waiting(api) == 1)
        sending.cancel()
    assert last_request(lines)["status"] == 499


async def test_a_body_that_comes_too_slowly_has_the_status_of_its_answer(
    api: World, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.01)
    slow = RawRequest("PUT", "/v1/accounts/hp/users", {**HEAD, "Content-Type": "application/json"})
    await slow.send(api.app)
    assert slow.status >= 400
    assert last_request(lines)["status"] == slow.status
