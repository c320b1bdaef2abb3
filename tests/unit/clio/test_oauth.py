"""OAuth with one region: the requests, the tokens they return, and the error of each failure."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioReauthRequired,
    ClioRetryLater,
    ClioUnreadable,
)
from app.clio.oauth import ClioOAuth, Tokens
from app.clio.regions import ClioApp, Region
from app.clio.responses import DEADLINE, MAX_BODY_BYTES
from tests.support.scripted_clio import NOW, Scripted, answered, run_without_waiting

APP = ClioApp(Region.EU, "https://eu.app.clio.com", "our-id", SecretStr("our-secret"))
TOKENS = Tokens(SecretStr("old-access"), SecretStr("old-refresh"), NOW)
GOOD = {"token_type": "bearer", "access_token": "new-access", "expires_in": 2592000}


def oauth(*answers: Any) -> tuple[ClioOAuth, Scripted]:
    clio = Scripted(*answers)
    return ClioOAuth(APP, transport=httpx.MockTransport(clio)), clio


def form(request: httpx.Request) -> dict[str, list[str]]:
    return parse_qs(request.content.decode())


async def exchanged(speaker: ClioOAuth) -> Tokens:
    return await speaker.exchange(
        "the-code", redirect_uri="https://us.test/cb", code_verifier="v" * 43, now=NOW
    )


def test_the_user_is_sent_to_the_region_with_all_parameters_that_clio_needs():
    # AU-1
    url = urlsplit(
        oauth(answered({}))[0].authorize_url(
            redirect_uri="https://us.test/cb", state="s", code_verifier="v" * 43
        )
    )
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://eu.app.clio.com/oauth/authorize"
    asked = parse_qs(url.query)
    assert len(asked.pop("code_challenge")[0]) == 43
    assert asked == {
        "response_type": ["code"], "client_id": ["our-id"], "redirect_uri": ["https://us.test/cb"],
        "state": ["s"], "redirect_on_decline": ["true"], "code_challenge_method": ["S256"],
    }  # fmt: skip


async def test_a_code_is_exchanged_with_credentials_in_the_form_and_never_in_a_header():
    speaker, clio = oauth(answered({**GOOD, "refresh_token": "new-refresh"}))
    tokens = await exchanged(speaker)
    assert tokens == Tokens(
        SecretStr("new-access"), SecretStr("new-refresh"), NOW + timedelta(days=30)
    )
    (request,) = clio.requests
    assert (request.method, str(request.url)) == ("POST", "https://eu.app.clio.com/oauth/token")
    assert "authorization" not in request.headers
    assert form(request) == {
        "grant_type": ["authorization_code"], "code": ["the-code"], "redirect_uri": ["https://us.test/cb"],
        "code_verifier": ["v" * 43], "client_id": ["our-id"], "client_secret": ["our-secret"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "refresh"),
    [({}, "old-refresh"), ({"refresh_token": None}, "old-refresh"), ({"refresh_token": ""}, "old-refresh"),
     ({"refresh_token": "new-refresh"}, "new-refresh")],
)  # fmt: skip
async def test_a_refresh_keeps_the_old_refresh_token_unless_there_is_a_new_one(
    answer: Any, refresh: str
):
    speaker, clio = oauth(answered({**GOOD, **answer}))
    assert await speaker.refresh(TOKENS, now=NOW) == Tokens(
        SecretStr("new-access"), SecretStr(refresh), NOW + timedelta(days=30)
    )
    (request,) = clio.requests
    assert "authorization" not in request.headers
    assert form(request)["refresh_token"] == ["old-refresh"]
    assert form(request)["client_secret"] == ["our-secret"]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (answered({"error": "invalid_grant"}, 400), ClioReauthRequired, "connect to Clio again"),
        (answered({"error": "invalid_grant"}, 401), ClioReauthRequired, "connect to Clio again"),
        (answered({"error": "invalid_client"}, 401), ClioMisconfigured, "region eu"),
        (answered({"error": "odd", "error_description": "canary"}, 400), ClioUnreadable, "unknown error"),
        (answered({"error": None}), ClioUnreadable, "unknown error"),
        (answered({"error": {"type": "canary"}}, 403), ClioUnreadable, "unknown error"),
        (answered(b"<html>canary</html>"), ClioUnreadable, "did not return tokens"),
        (answered(b"<html>canary</html>", 403), ClioUnreadable, "did not return tokens"),
        (answered(b"", 302, {"Location": "https://evil.test/canary"}), ClioUnreadable, "did not return tokens"),
        (answered(b"<html>canary</html>", 503), ClioRetryLater, "Clio returned HTTP status"),
        (answered({"error": "invalid_grant"}, 500), ClioRetryLater, "Clio returned HTTP status"),
        (answered({"error": "slow down"}, 429), ClioRetryLater, "Clio returned HTTP status"),
        (httpx.ConnectError("canary"), ClioRetryLater, "could not be reached"),
        (httpx.ReadTimeout("canary"), ClioRetryLater, "in time"),
        *[(answered(odd), ClioUnreadable, "") for odd in (
            [], ["canary"], 5, None, "canary", True, {}, b"[" * 100_000, b"\xff", b"NaN",
            {**GOOD, "access_token": None}, {**GOOD, "access_token": 5}, {**GOOD, "access_token": ""},
            {**GOOD, "access_token": "ca\nnary"}, {**GOOD, "access_token": "canäry"},
            {**GOOD, "refresh_token": ["canary"]},
            {**GOOD, "expires_in": None}, {**GOOD, "expires_in": "soon"}, {**GOOD, "expires_in": 1e300},
            {**GOOD, "expires_in": -1}, {**GOOD, "expires_in": 0}, {"access_token": "canary"},
        )],
    ],
)  # fmt: skip
async def test_an_error_has_the_right_class_and_quotes_nothing(
    answer: Any, kind: type[ClioError], said: str
):
    speaker, clio = oauth(answer)
    for ask in (exchanged, lambda speaker: speaker.refresh(TOKENS, now=NOW)):
        with pytest.raises(kind) as raised:
            await ask(speaker)
        assert type(raised.value) is kind
        assert said in str(raised.value)
        assert "canary" not in str(raised.value)
        assert "our-secret" not in str(raised.value)
    assert len(clio.requests) == 2  # a code is valid once, so nothing is retried here
    assert {request.url.host for request in clio.requests} == {"eu.app.clio.com"}


async def test_an_exchange_without_a_refresh_token_is_refused():
    with pytest.raises(ClioUnreadable):
        await exchanged(oauth(answered(GOOD))[0])


@pytest.mark.parametrize("call", ["refresh", "deauthorize"])
def test_a_silent_token_endpoint_is_given_up_at_the_deadline(call: str):
    async def silent(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def ask() -> None:
        speaker, _ = oauth(silent)
        with pytest.raises(ClioRetryLater, match="in time"):
            await (
                speaker.refresh(TOKENS, now=NOW)
                if call == "refresh"
                else speaker.deauthorize(TOKENS)
            )

    _, seconds = run_without_waiting(ask())
    assert DEADLINE <= seconds < DEADLINE + 5


def streamed(
    parts: Callable[[], AsyncIterator[bytes]], status: int = 200, **headers: str
) -> Callable[[httpx.Request], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, headers=named, content=parts())


async def bomb() -> AsyncIterator[bytes]:
    squeeze = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for _ in range(16):
        yield squeeze.compress(bytes(MAX_BODY_BYTES // 4))
    yield squeeze.flush()


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(1024 * 1024)


async def drip() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(DEADLINE / 20)


async def squeezed() -> AsyncIterator[bytes]:
    yield gzip.compress(json.dumps({**GOOD, "refresh_token": "new-refresh"}).encode())


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", [bomb, endless], ids=["bomb", "endless"])
async def test_a_huge_answer_is_given_up_at_the_maximum(body: Any, status: int):
    # T12
    encoding = "gzip" if body is bomb else "identity"
    speaker, _ = oauth(streamed(body, status, content_encoding=encoding))
    tracemalloc.start()
    try:
        for ask in (exchanged, lambda speaker: speaker.refresh(TOKENS, now=NOW)):
            with pytest.raises(ClioUnreadable):
                await ask(speaker)
        with pytest.raises(ClioRetryLater):
            await speaker.deauthorize(TOKENS)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * MAX_BODY_BYTES
    finally:
        tracemalloc.stop()


async def test_only_gzip_is_requested_and_decoded():
    speaker, clio = oauth(streamed(squeezed, content_encoding="gzip"))
    assert (await exchanged(speaker)).refresh_token.get_secret_value() == "new-refresh"
    assert clio.requests[0].headers["accept-encoding"] == "gzip"
    foreign, _ = oauth(answered({**GOOD, "refresh_token": "x"}, headers={"Content-Encoding": "br"}))
    with pytest.raises(ClioUnreadable, match="encoding"):
        await exchanged(foreign)


def test_a_body_that_drips_is_given_up_at_the_deadline():
    async def ask() -> None:
        speaker, _ = oauth(streamed(drip))
        with pytest.raises(ClioRetryLater, match="in time"):
            await speaker.refresh(TOKENS, now=NOW)

    _, seconds = run_without_waiting(ask())
    assert DEADLINE <= seconds < DEADLINE + 5


async def test_an_access_token_that_has_ended_cannot_be_used_to_revoke_its_refresh_token():
    # S15
    speaker, _ = oauth(answered({"error": "invalid_token"}, 401))
    with pytest.raises(ClioReauthRequired):
        await speaker.deauthorize(TOKENS)


async def test_deauthorization_sends_the_access_token_as_bearer_and_in_the_form():
    # S15
    speaker, clio = oauth(answered(b"", 200))
    await speaker.deauthorize(TOKENS)
    (request,) = clio.requests
    assert (request.method, str(request.url)) == (
        "POST",
        "https://eu.app.clio.com/oauth/deauthorize",
    )
    assert request.headers["authorization"] == "Bearer old-access"
    assert form(request) == {"token": ["old-access"]}


@pytest.mark.parametrize("answer", [answered(b"", 500), answered(b"", 302, {"Location": "https://evil.test"}),
                                    answered(b"<h1>Maintenance</h1>", 200),  # Clio's own answer is empty
                                    answered(b"", 429), httpx.ConnectError("x")])  # fmt: skip
async def test_a_failed_deauthorization_is_retried_later(answer: Any):
    speaker, clio = oauth(answer)
    with pytest.raises(ClioRetryLater):
        await speaker.deauthorize(TOKENS)
    assert len(clio.requests) == 1


def test_neither_tokens_nor_apps_show_their_secrets():
    # T9
    shown = f"{TOKENS!r} {TOKENS} {APP!r} {APP} {json.dumps([repr(TOKENS)])}"
    assert not any(secret in shown for secret in ("old-access", "old-refresh", "our-secret"))
